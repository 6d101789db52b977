package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

func optionsOf(kind attention.Spec) Options {
	o := smallOptions(kind.Kind)
	o.Config.Scaled, o.Config.Gated, o.Config.Cap = kind.Scaled, kind.Gated, kind.Cap
	return o
}

func smallOptions(kind attention.Kind) Options {
	return Options{
		Config: Config{Hidden: 16, Intermediate: 24, Layers: 2, Heads: 2, Vocab: 11, Context: 20, Attention: kind, RopeTheta: 10000, NormEps: 1e-5, Tie: true},
		Steps:  30, Batch: 3, Accumulate: 2, Rate: 1e-2, Warmup: 3, Decay: 0.1, Clip: 1, Seed: 5, Threads: 2,
	}
}

// pattern is text that can be learned: a count upwards with repeats.
func pattern(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i / 2 % 11)
	}
	return out
}

func steps(t *testing.T, tr *Trainer, n int) (last Report) {
	t.Helper()
	for range n {
		r, err := tr.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		last = r
	}
	return last
}

// TestResumeIsExact: a training that is saved and restored half-way has the same
// bits at the end as one that was not; every attention kind learns.
func TestResumeIsExact(t *testing.T) {
	for _, kind := range append(specs(), remedies...) {
		tokens := pattern(400)
		whole, err := NewTrainer(tokens, optionsOf(kind))
		if err != nil {
			t.Fatal(err)
		}
		first := steps(t, whole, 1)
		last := steps(t, whole, 29)
		if !(last.Loss < 0.5*first.Loss) || !last.Finished {
			t.Errorf("%s: loss went from %v to %v", kind, first.Loss, last.Loss)
		}
		if math.Abs(first.Loss-math.Log(11)) > 0.2 {
			t.Errorf("%s: first loss %v, want about ln 11", kind, first.Loss)
		}
		half, err := NewTrainer(tokens, optionsOf(kind))
		if err != nil {
			t.Fatal(err)
		}
		steps(t, half, 13)
		path := filepath.Join(t.TempDir(), "state")
		if err := half.Save(path, ""); err != nil {
			t.Fatal(err)
		}
		steps(t, half, 2) // lost by the kill
		o := optionsOf(kind)
		o.Threads = 1
		resumed, err := NewTrainer(tokens, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resumed.Restore(path); err != nil {
			t.Fatal(err)
		}
		steps(t, resumed, 17)
		for i, x := range whole.Model.Params.All {
			if math.Float32bits(x) != math.Float32bits(resumed.Model.Params.All[i]) {
				t.Fatalf("%s: parameter %d is %v after a resume, %v without", kind, i, resumed.Model.Params.All[i], x)
			}
		}
	}
}

// TestStateIsChecked: a state that is cut anywhere, changed anywhere, or of
// another training is refused, and changes nothing.
func TestStateIsChecked(t *testing.T) {
	tokens := pattern(400)
	tr, err := NewTrainer(tokens, smallOptions(attention.Softpick))
	if err != nil {
		t.Fatal(err)
	}
	steps(t, tr, 2)
	path := filepath.Join(t.TempDir(), "state")
	if err := tr.Save(path, ""); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, data []byte, o Options, text []int32) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		other, err := NewTrainer(text, o)
		if err != nil {
			t.Fatal(err)
		}
		before := append([]float32(nil), other.Model.Params.All...)
		_, err = other.Restore(path)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", what, err)
		}
		for i, x := range before {
			if other.Model.Params.All[i] != x {
				t.Fatalf("%s: a refused state changed the weights", what)
			}
		}
	}
	same := smallOptions(attention.Softpick)
	for n := 0; n < len(good); n += 1 + len(good)/97 {
		refused("cut", good[:n], same, tokens)
		bad := append([]byte(nil), good...)
		bad[n] ^= 0x10
		refused("changed", bad, same, tokens)
	}
	faster := same
	faster.Rate *= 2
	refused("another rate", good, faster, tokens)
	refused("another kind", good, smallOptions(attention.Softmax), tokens)
	refused("its scaled form", good, optionsOf(attention.Spec{Kind: attention.Softpick, Scaled: true}), tokens)
	refused("another text", good, same, pattern(399))
}

// TestExportIsTheSameModel: the checkpoint, loaded by the engine, gives the
// losses that the trainer computed.
func TestExportIsTheSameModel(t *testing.T) {
	for _, kind := range append(specs(), remedies...) {
		tokens := pattern(400)
		o := optionsOf(kind)
		o.Config.Tie = kind.Kind == attention.Softmax
		tr, err := NewTrainer(tokens, o)
		if err != nil {
			t.Fatal(err)
		}
		steps(t, tr, 10)
		dir := t.TempDir()
		if err := tr.Export(dir, "F32", 0, 1); err != nil {
			t.Fatal(err)
		}
		ck, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		if got := ck.Config.Attention; got != kind {
			t.Errorf("exported as %s, want %s", got, kind)
		}
		b, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Formats: kernel.FormatsOf(kernel.Float32)})
		if err != nil {
			t.Fatal(err)
		}
		in, targets := make([]int32, 60), make([]int32, 60)
		for i := range in {
			in[i], targets[i] = int32(i*7%11), int32(i*3%11)
		}
		want, err := tr.Model.Step(context.Background(), in, targets, 1)
		if err != nil {
			t.Fatal(err)
		}
		f := &engine.Forest{}
		for s := range 3 {
			n := engine.Node{Parent: -1, Tokens: in[s*20:][:20]}
			for i := range 20 {
				n.Scored = append(n.Scored, engine.Scored{Row: i, Targets: targets[s*20+i:][:1]})
			}
			f.Nodes = append(f.Nodes, n)
		}
		var sum float64
		if _, err := engine.New(b, 11).Run(context.Background(), f, engine.RunOptions{Score: func(_, _ int, s engine.Score) error {
			sum -= float64(s.LogProbs[0])
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
		if math.Abs(sum/60-want) > 1e-5 {
			t.Errorf("%s: the engine's loss %v, the trainer's %v", kind, sum/60, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(o *Options){
		"no steps":       func(o *Options) { o.Steps = 0 },
		"negative rate":  func(o *Options) { o.Rate = -1 },
		"odd head":       func(o *Options) { o.Config.Hidden = 18; o.Config.Heads = 6 },
		"heads":          func(o *Options) { o.Config.Heads = 3 },
		"long window":    func(o *Options) { o.Config.Context = 400 },
		"no vocabulary":  func(o *Options) { o.Config.Vocab = 0 },
		"no accumulated": func(o *Options) { o.Accumulate = 0 },
	} {
		o := smallOptions(attention.Softmax)
		change(&o)
		if _, err := NewTrainer(pattern(400), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestDivergenceKeepsWeights: a loss that is not a number stops the training, says
// at which step, and leaves the weights alone.
func TestDivergenceKeepsWeights(t *testing.T) {
	tr, err := NewTrainer(pattern(400), smallOptions(attention.Softmax))
	if err != nil {
		t.Fatal(err)
	}
	steps(t, tr, 3)
	tr.Model.Params.norm[0] = float32(math.Inf(1))
	before := append([]float32(nil), tr.Model.Params.All...)
	_, err = tr.Step(context.Background())
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "step 4") {
		t.Errorf("error %v", err)
	}
	for i, x := range before {
		if tr.Model.Params.All[i] != x {
			t.Fatal("weights moved")
		}
	}
}

// TestWindows: a window begins at one of the starts, behind the first token, and
// goes on at the text's beginning where it ends.
func TestWindows(t *testing.T) {
	tokens := make([]int32, 50)
	for i := range tokens {
		tokens[i] = int32(i%9) + 1
	}
	o := smallOptions(attention.Softpick)
	first := int32(0)
	o.First, o.Starts = &first, []int32{3, 40}
	tr, err := NewTrainer(tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int32]bool{}
	for number := range 20 {
		tr.draw(number)
		for b := range o.Batch {
			in, out := tr.inputs[b*20:][:20], tr.targets[b*20:][:20]
			start := -1
			for _, s := range o.Starts {
				if in[0] == 0 && in[1] == tokens[s] {
					start = int(s)
				}
			}
			if start < 0 {
				t.Fatalf("window %v begins at no start", in)
			}
			seen[int32(start)] = true
			for i := range out {
				if want := tokens[(start+i)%50]; out[i] != want || i > 0 && in[i] != out[i-1] {
					t.Fatalf("window at %d: token %d is %d, its target %d, want %d", start, i, in[i], out[i], want)
				}
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("starts drawn: %v", seen)
	}
	for _, bad := range []Options{{Starts: []int32{50}}, {Starts: []int32{-1}}} {
		o := smallOptions(attention.Softmax)
		o.Starts = bad.Starts
		if _, err := NewTrainer(tokens, o); err == nil {
			t.Errorf("starts %v are taken", bad.Starts)
		}
	}
	outside := int32(11)
	o.First = &outside
	if _, err := NewTrainer(tokens, o); err == nil {
		t.Error("a first token outside the vocabulary is taken")
	}
}

// marking fills every window with the number of steps that were done.
type marking struct{}

func (marking) Name() string { return "marking" }
func (marking) Text() bool   { return false }
func (marking) Fill(done int, _ *rand.Rand, window []int32) bool {
	for i := range window {
		window[i] = int32(done)
	}
	return true
}

// TestExercisesKnowTheStep: all batches of a step are told how many came before it,
// and the one that a check draws belongs to the next.
func TestExercisesKnowTheStep(t *testing.T) {
	o, first := smallOptions(attention.Softmax), int32(10)
	o.First, o.Exercises = &first, marking{}
	tr, err := NewTrainer(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	for done := range 4 {
		if err := tr.Check(context.Background()); err != nil || tr.targets[7] != int32(done) {
			t.Errorf("a check after %d steps draws of step %d: %v", done, tr.targets[7], err)
		}
		if steps(t, tr, 1); tr.targets[7] != int32(done) {
			t.Errorf("after %d steps: the last batch is of step %d", done, tr.targets[7])
		}
	}
}
