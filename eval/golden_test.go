package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// requestTolerance bounds a loglikelihood's distance from lm-evaluation-harness
// in float32: the sum over a request's tokens, as it logs it.
const requestTolerance = 1e-3

// exactTolerance bounds its distance from the same weights' in float64.
const exactTolerance = 2e-4

// longTests is the environment variable that asks for tests too long for every day.
const longTests = "SOFTBENCH_LONG"

// modelOf makes the checkpoint a golden task set was made with.
func modelOf(t *testing.T, set golden.TaskSet) string {
	t.Helper()
	if set.RandomModel == nil {
		return golden.TinyCheckpoint(t, set.Tokenizer)
	}
	dir := filepath.Join(t.TempDir(), "model")
	r := set.RandomModel
	err := randmodel.Write(dir, randmodel.Options{
		Preset: r.Preset, Type: r.Type, Seed: r.Seed, DType: r.DType, Vocab: r.Vocab, MaxPositions: r.MaxPositions,
		Gain: r.Gain, ScoreGain: r.ScoreGain, Tokenizer: golden.Shared(t, "tokenizers", set.Tokenizer),
	})
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(weights); hex.EncodeToString(sum[:]) != r.SHA256 {
		t.Fatalf("the random model has other bytes than the one the golden was made with")
	}
	return dir
}

// TestLMEvalParity compares every document of every task with what
// lm-evaluation-harness logged: prompts by hash, ids by hash, loglikelihoods,
// is_greedy, acc, acc_norm, and the metrics.
//
// It holds for every kernel set of this machine.
func TestLMEvalParity(t *testing.T) {
	for _, isa := range eachISA() {
		t.Run(isa, func(t *testing.T) {
			t.Setenv("SOFTBENCH_ISA", isa)
			testParity(t, isa)
		})
	}
}

// eachISA lists this machine's kernel sets; with -short, which the race detector
// runs with, the best alone.
func eachISA() []string {
	if testing.Short() {
		return kernel.Available()[:1]
	}
	return kernel.Available()
}

func testParity(t *testing.T, isa string) {
	for _, set := range golden.TaskSets(t) {
		t.Run(set.Set, func(t *testing.T) {
			if set.Set == "real" && isa == "generic" && os.Getenv(longTests) == "" {
				t.Skipf("a minute and a half with portable kernels, which the other sets test too; %s=1 runs it", longTests)
			}
			source := data.Source{Dir: set.DataDir(t)}
			m, err := Load(context.Background(), ModelOptions{Model: modelOf(t, set), DType: "float32", Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if m.LM.MaxLength() != set.MaxLength {
				t.Fatalf("maximum length %d, the harness has %d", m.LM.MaxLength(), set.MaxLength)
			}
			for _, want := range set.Tasks {
				t.Run(want.Task, func(t *testing.T) { compareTask(t, m, source, set, want) })
			}
		})
	}
}

func compareTask(t *testing.T, m *Model, source data.Source, set golden.TaskSet, want golden.Task) {
	suite, err := configs.Resolve(want.Task)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Gather(context.Background(), []*configs.Suite{suite}, source, m, GatherOptions{Limit: want.Limit, FewShot: set.FewShot})
	if err != nil {
		t.Fatal(err)
	}
	task := w.Tasks[0]
	if len(task.Docs) != len(want.Documents) || len(task.Docs) != want.N {
		t.Fatalf("%d documents, the harness scored %d", len(task.Docs), want.N)
	}
	outcomes, rolling := scoreDocs(t, m, task)
	worst, exact := 0.0, 0.0
	for i, d := range task.Docs {
		g := want.Documents[i]
		if d.Hash[:16] != g.Doc {
			t.Fatalf("document %d: hash %s, want %s", i, d.Hash[:16], g.Doc)
		}
		if g.Rolling != nil {
			compareRolling(t, m, i, d, *g.Rolling, rolling[i])
			worst = max(worst, math.Abs(rolling[i].LogLikelihood-g.Rolling.WideSum))
			continue
		}
		if len(d.Requests) != len(g.Requests) {
			t.Fatalf("document %d: %d requests, want %d", i, len(d.Requests), len(g.Requests))
		}
		for j, q := range d.Requests {
			r, got := g.Requests[j], outcomes[i].Answers[j]
			if golden.Hash(q.Context) != r.Context || golden.Hash(q.Continuation) != r.Continuation {
				t.Errorf("document %d request %d: prompt differs: context %q, continuation %q", i, j, q.Context, q.Continuation)
				continue
			}
			ids, from := m.LM.Encode(lm.Request{Context: q.Context, Continuation: q.Continuation})
			if golden.HashIDs(ids) != r.IDs || from != r.Tokens[0] || len(ids)-from != r.Tokens[1] {
				t.Errorf("document %d request %d: %d+%d ids, want %v, of the same text", i, j, from, len(ids)-from, r.Tokens)
				continue
			}
			delta := math.Abs(got.LogLikelihood - r.LogLikelihood)
			worst = max(worst, delta)
			if !(delta <= requestTolerance) || got.Greedy != r.IsGreedy {
				t.Errorf("document %d request %d: loglikelihood %v greedy %v, want %v %v", i, j, got.LogLikelihood, got.Greedy, r.LogLikelihood, r.IsGreedy)
			}
			if r.Exact == nil {
				continue
			}
			delta = math.Abs(got.LogLikelihood - *r.Exact)
			if exact = max(exact, delta); !(delta <= exactTolerance) {
				t.Errorf("document %d request %d: loglikelihood %v, want %v of float64", i, j, got.LogLikelihood, *r.Exact)
			}
		}
		for name, ref := range map[string]*float64{"acc": g.Acc, "acc_norm": g.AccNorm} {
			if ref == nil || g.Near {
				continue
			}
			if v, _, ok := outcomes[i].Value(name); !ok || v != *ref {
				t.Errorf("document %d: %s %v, want %v", i, name, v, *ref)
			}
		}
	}
	compareMetrics(t, task, outcomes, want)
	t.Logf("%d documents, max |Δ loglikelihood| %.1e, and from float64, where that is known, %.1e", len(task.Docs), worst, exact)
}

// scoreDocs computes a task's documents as one plan.
func scoreDocs(t *testing.T, m *Model, task TaskWork) ([]tasks.Outcome, []answer.Answer) {
	t.Helper()
	p := m.LM.NewPlan()
	results := make([][]answer.Answer, len(task.Docs))
	rolling := make([]answer.Answer, len(task.Docs))
	for i, d := range task.Docs {
		results[i] = make([]answer.Answer, len(d.Requests))
		for j := range d.Requests {
			if err := ask(p, &d.Requests[j], func(a answer.Answer) error {
				results[i][j], rolling[i] = a, a
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := p.Run(context.Background(), lm.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	outcomes := make([]tasks.Outcome, len(task.Docs))
	for i, d := range task.Docs {
		o, err := task.Task.Score(d, results[i])
		if err != nil {
			t.Fatal(err)
		}
		outcomes[i] = o
	}
	return outcomes, rolling
}

func compareRolling(t *testing.T, m *Model, i int, d tasks.Doc, want golden.Rolling, got answer.Answer) {
	t.Helper()
	if golden.Hash(d.Text()) != want.Text || d.Words != want.Words || d.Bytes != want.Bytes {
		t.Errorf("document %d: text or its %d words and %d bytes differ, want %d and %d", i, d.Words, d.Bytes, want.Words, want.Bytes)
		return
	}
	ids, from := m.LM.Windows(d.Text())
	if len(ids) != len(want.Windows) || got.Windows != len(ids) {
		t.Errorf("document %d: %d windows, want %d", i, len(ids), len(want.Windows))
		return
	}
	for k, w := range want.Windows {
		if from[k] != w.Context || len(ids[k])-from[k] != w.Scored || golden.HashIDs(ids[k]) != w.IDs {
			t.Errorf("document %d window %d: %d+%d ids, want %d+%d", i, k, from[k], len(ids[k])-from[k], w.Context, w.Scored)
		}
	}
	// The harness sums a window's float32 terms in float32; WideSum is the same
	// terms summed in float64. A page has thousands of tokens: the bound of a
	// request holds for each thousand.
	bound := requestTolerance * max(1, float64(got.ContinuationTokens)/1000)
	if !(math.Abs(got.LogLikelihood-want.WideSum) <= bound) {
		t.Errorf("document %d: loglikelihood %v, want %v within %v", i, got.LogLikelihood, want.WideSum, bound)
	}
}

// compareMetrics: means are equal, and so are standard errors of means;
// perplexities agree to the accuracy of their loglikelihoods. The harness draws
// its bootstraps otherwise, so those standard errors are only near.
func compareMetrics(t *testing.T, task TaskWork, outcomes []tasks.Outcome, want golden.Task) {
	t.Helper()
	near := slices.ContainsFunc(want.Documents, func(d golden.Document) bool { return d.Near })
	compared := 0
	for _, got := range task.Task.Metrics(outcomes) {
		ref, ok := want.Metrics[got.Name]
		if !ok {
			continue // acc_bytes, which this version of the harness does not report for the task
		}
		compared++
		mean := got.Name == "acc" || got.Name == "acc_norm"
		bound := 1e-12
		if !mean {
			bound = 1e-5 * math.Abs(ref)
		}
		if !(math.Abs(float64(got.Value)-ref) <= bound) && !near {
			t.Errorf("%s %v, want %v", got.Name, got.Value, ref)
		}
		stderr, ok := want.Metrics[got.Name+"_stderr"]
		if ok && mean && !near && !(math.Abs(float64(got.Stderr)-stderr) <= 1e-9) {
			t.Errorf("%s stderr %v, want %v", got.Name, got.Stderr, stderr)
		}
	}
	if compared == 0 {
		t.Errorf("no metric in common with the harness's %v", want.Metrics)
	}
}

// TestGreedyParity compares greedy decoding with transformers.
func TestGreedyParity(t *testing.T) {
	m, err := Load(context.Background(), ModelOptions{Model: golden.TinyCheckpoint(t, "tiny"), DType: "float32"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	p := m.LM.NewPlan()
	for i, c := range golden.Continuations(t) {
		if ids := m.Tokenizer.Encode(c.Text, true); !slices.Equal(ids, c.IDs) {
			t.Errorf("prompt %d: ids differ", i)
		}
		if c.Lead < 1e-3 {
			continue // the best two are nearer than the two engines
		}
		if err := p.Generate(c.IDs, len(c.Generated), func(got answer.Answer) error {
			if !slices.Equal(got.Generated, c.Generated) {
				t.Errorf("prompt %d: decoded %v, want %v", i, got.Generated, c.Generated)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if p.Len() == 0 {
		t.Fatal("no continuation to compare")
	}
	if _, err := p.Run(context.Background(), lm.RunOptions{}); err != nil {
		t.Fatal(err)
	}
}
