package train

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// TestEqualsTorchAdamW: clipping and steps are those of PyTorch's AdamW (float64)
// within float32's rounding.
func TestEqualsTorchAdamW(t *testing.T) {
	for _, file := range []string{"testdata/adamw.json", "testdata/adamw_options.json"} {
		t.Run(file, func(t *testing.T) { equalsTorchAdamW(t, file) })
	}
}

func equalsTorchAdamW(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Betas       [2]float64
		Eps         float64
		Rates       []float64
		Decay, Clip float64
		Decaying    int
		Steps       []struct {
			Norm    float64
			Weights []float64
		}
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	n := len(g.Steps[0].Weights)
	state := uint64(3)
	draw := func(scale float64) []float32 {
		out := make([]float32, n)
		for i := range out {
			state = state*6364136223846793005 + 1442695040888963407
			out[i] = float32(scale * float64(int(state>>40&0xfff)-2048) / 4096)
		}
		return out
	}
	o := &Optimiser{Beta1: g.Betas[0], Beta2: g.Betas[1], Eps: g.Eps, Decay: g.Decay, first: make([]float32, n), second: make([]float32, n), decays: make([]bool, n)}
	for i := range g.Decaying {
		o.decays[i] = true
	}
	p := draw(4)
	for i, want := range g.Steps {
		grad := draw(math.Pow(2, float64(1-i)))
		if norm := clip(grad, g.Clip); math.Abs(norm/want.Norm-1) > 1e-12 {
			t.Errorf("step %d: norm %v, want %v", i+1, norm, want.Norm)
		}
		o.Step(p, grad, g.Rates[i], newOps(kernel.Best(), 2))
		for j, w := range want.Weights {
			if math.Abs(float64(p[j])-w) > 1e-6 {
				t.Fatalf("step %d: weight %d is %v, want %v", i+1, j, p[j], w)
			}
		}
	}
}

// TestWhatDecays: matrices but the embedding, which is the head where that is
// tied; neither norms nor scales. The usual betas are the golden's.
func TestWhatDecays(t *testing.T) {
	for _, tie := range []bool{false, true} {
		p := NewParams(Config{Hidden: 4, Intermediate: 6, Layers: 2, Heads: 2, Vocab: 5, Context: 8, Scaled: true, RopeTheta: 1e4, NormEps: 1e-5, Tie: tie})
		o := NewOptimiser(p, 0.1, Adam{})
		if o.Beta1 != 0.9 || o.Beta2 != 0.95 || o.Eps != 1e-8 || o.Decay != 0.1 {
			t.Errorf("optimiser %v %v %v %v", o.Beta1, o.Beta2, o.Eps, o.Decay)
		}
		for i := range p.All {
			p.All[i] = float32(i)
		}
		for _, tensor := range p.Tensors() {
			want := hasSuffix(tensor.Name, "_proj.weight") || tensor.Name == "lm_head.weight"
			for _, at := range tensor.Data {
				if o.decays[int(at)] != want {
					t.Fatalf("tied %v: %s decays: %v", tie, tensor.Name, !want)
				}
			}
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		most float64
		want []float32
	}{{1, []float32{0.6, -0.8}}, {10, []float32{3, -4}}, {5, []float32{3, -4}}, {0, []float32{3, -4}}} {
		g := []float32{3, -4}
		if norm := clip(g, c.most); norm != 5 || math.Abs(float64(g[0]-c.want[0])) > 1e-6 || math.Abs(float64(g[1]-c.want[1])) > 1e-6 {
			t.Errorf("clipped at %v: %v, norm %v", c.most, g, norm)
		}
	}
}

// TestSchedule: up in equal steps to the peak, then down a cosine to a tenth.
func TestSchedule(t *testing.T) {
	for step, want := range map[int]float64{0: 0.5, 1: 1, 3: 2, 4: 2, 54: 1.1, 104: 0.2, 200: 0.2} {
		if got := schedule(step, 4, 104, 2); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate of step %d: %v, want %v", step, got, want)
		}
	}
	quarter := 0.2 + 1.8*0.5*(1+math.Sqrt2/2)
	if got := schedule(29, 4, 104, 2); math.Abs(got-quarter) > 1e-12 {
		t.Errorf("a quarter down: %v, want %v", got, quarter)
	}
	if got := schedule(0, 0, 10, 2); got != 2 {
		t.Errorf("without warm-up: %v", got)
	}
	if got := schedule(9, 10, 10, 2); got != 2 {
		t.Errorf("all warm-up: %v", got)
	}
}

// TestAccumulate: the gradient of a step, and its loss, are the means over its
// batches, each of other windows than the ones before.
func TestAccumulate(t *testing.T) {
	tokens := make([]int32, 400)
	for i := range tokens {
		tokens[i] = int32(i * i / 3 % 11)
	}
	o := smallOptions(attention.Softpick)
	o.Accumulate, o.Clip = 3, 0
	tr, err := NewTrainer(tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	one, err := NewTrainer(tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	var seen [][]int32
	for step := range 2 {
		copy(one.Model.Params.All, tr.Model.Params.All)
		want := make([]float64, len(tr.Model.Grads.All))
		var loss float64
		for part := range 3 {
			one.draw(3*step + part)
			for _, s := range seen {
				if slices.Equal(s, one.inputs) {
					t.Fatalf("step %d: the windows of batch %d were there before", step+1, part)
				}
			}
			seen = append(seen, slices.Clone(one.inputs))
			clear(one.Model.Grads.All)
			l, err := one.Model.Step(context.Background(), one.inputs, one.targets, 1)
			if err != nil {
				t.Fatal(err)
			}
			loss += l / 3
			for i, g := range one.Model.Grads.All {
				want[i] += float64(g) / 3
			}
		}
		report, err := tr.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var off, norm float64
		for i, g := range tr.Model.Grads.All {
			off += (float64(g) - want[i]) * (float64(g) - want[i])
			norm += want[i] * want[i]
		}
		if !(off < 1e-10*norm) || math.Abs(report.Norm/math.Sqrt(norm)-1) > 1e-5 || math.Abs(report.Loss-loss) > 1e-6 {
			t.Errorf("step %d: gradient off by %.2g of its norm; norm %v, loss %v, want %v, %v", step+1, math.Sqrt(off/norm), report.Norm, report.Loss, math.Sqrt(norm), loss)
		}
	}
}

// TestStepAppliesAll: a step is clipping, the schedule's rate and AdamW, on the
// mean gradient.
func TestStepAppliesAll(t *testing.T) {
	o := smallOptions(attention.Softmax)
	o.Clip, o.Warmup = 0.01, 2
	tr, err := NewTrainer(pattern(400), o)
	if err != nil {
		t.Fatal(err)
	}
	own := slices.Clone(tr.Model.Params.All)
	optimiser := NewOptimiser(tr.Model.Params, o.Decay, o.Adam)
	for step, rate := range []float64{o.Rate / 2, o.Rate, o.Rate} {
		r, err := tr.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var norm float64
		for _, g := range tr.Model.Grads.All {
			norm += float64(g) * float64(g)
		}
		if r.Rate != rate || !(r.Norm > 0.01) || math.Abs(math.Sqrt(norm)-0.01) > 1e-6 {
			t.Errorf("step %d: rate %v, norm %v clipped to %v; want rate %v and a norm clipped to 0.01", step+1, r.Rate, r.Norm, math.Sqrt(norm), rate)
		}
		optimiser.Step(own, tr.Model.Grads.All, rate, tr.Model.ops)
		if !slices.Equal(own, tr.Model.Params.All) {
			t.Fatalf("step %d: other weights than AdamW at that rate gives", step+1)
		}
	}
}

// TestFirstWeights: spread 0.02, that of what writes to the residual stream
// divided by sqrt(2·layers); norms 1, scales 0.3; a scaled kind begins as its
// unscaled form does, another seed elsewhere.
func TestFirstWeights(t *testing.T) {
	c := Config{Hidden: 64, Intermediate: 96, Layers: 8, Heads: 4, Vocab: 100, Context: 8, RopeTheta: 1e4, NormEps: 1e-5}
	plain := NewParams(c)
	plain.Init(1, Beginning{})
	c.Scaled = true
	scaled := NewParams(c)
	scaled.Init(1, Beginning{})
	all := scaled.Tensors()
	for i, tensor := range all {
		if i < len(plain.Tensors()) && !slices.Equal(tensor.Data, plain.Tensors()[i].Data) {
			t.Errorf("%s differs between a kind and its scaled form", tensor.Name)
		}
		want := 0.02
		switch {
		case hasSuffix(tensor.Name, scaleSuffix):
			if slices.Min(tensor.Data) != 0.3 || slices.Max(tensor.Data) != 0.3 {
				t.Errorf("%s begins at %v", tensor.Name, tensor.Data)
			}
			continue
		case len(tensor.Shape) == 1:
			if slices.Min(tensor.Data) != 1 || slices.Max(tensor.Data) != 1 {
				t.Errorf("%s begins at %v", tensor.Name, tensor.Data[:4])
			}
			continue
		case hasSuffix(tensor.Name, "o_proj.weight"), hasSuffix(tensor.Name, "down_proj.weight"):
			want = 0.005 // sqrt(2·8) = 4
		}
		var sum float64
		for _, x := range tensor.Data {
			sum += float64(x) * float64(x)
		}
		if got := math.Sqrt(sum / float64(len(tensor.Data))); math.Abs(got/want-1) > 0.06 {
			t.Errorf("%s has a spread of %v, want %v", tensor.Name, got, want)
		}
	}
	wide := NewParams(c)
	wide.Init(1, Beginning{Std: 0.06, QKGain: 2})
	for i, tensor := range all {
		factor := 3.0
		switch {
		case len(tensor.Shape) == 1 || hasSuffix(tensor.Name, scaleSuffix):
			factor = 1
		case hasSuffix(tensor.Name, "q_proj.weight"), hasSuffix(tensor.Name, "k_proj.weight"):
			factor = 6
		}
		for j, x := range wide.Tensors()[i].Data {
			if want := factor * float64(tensor.Data[j]); math.Abs(float64(x)-want) > 1e-6*math.Abs(want) {
				t.Fatalf("%s begins at %v with another spread, want %v", tensor.Name, x, want)
			}
		}
	}
	other := NewParams(c)
	other.Init(2, Beginning{})
	if slices.Equal(other.Tensors()[0].Data, all[0].Data) {
		t.Error("another seed gives the same weights")
	}
}
