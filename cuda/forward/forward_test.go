package forward_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randforest"
	"github.com/softbench/softbench/internal/randmodel"
)

// model is a small random model and what it has that others do not.
type model struct {
	name    string
	options randmodel.Options
	kind    string // overrides the checkpoint's
}

// models cover every attention kind and everything an architecture may have.
func models() []model {
	small := func(o randmodel.Options) randmodel.Options {
		o.Hidden, o.Intermediate, o.Vocab, o.ScoreGain, o.Seed = 64, 96, 300, 3, 5
		if o.HeadDim == 0 {
			o.HeadDim = 32
		}
		if o.Heads == 0 {
			o.Heads, o.KVHeads = 2, 1
		}
		return o
	}
	list := []model{
		{"sliding window", small(randmodel.Options{Type: "mistral", Config: map[string]any{"sliding_window": 37}}), "softpick"},
		{"window of softmax", small(randmodel.Options{Type: "mistral", Config: map[string]any{"sliding_window": 5}}), "softmax"},
		{"q and k norm, tied", small(randmodel.Options{Type: "qwen3", Tie: true}), "softpick"},
		{"biases", small(randmodel.Options{Type: "llama", Bias: true}), "softmax"},
		{"qkv bias", small(randmodel.Options{Type: "qwen2"}), "softpick"},
		{"four heads of keys", small(randmodel.Options{Type: "llama", Heads: 4, KVHeads: 4}), "softpick"},
		{"three queries a key", small(randmodel.Options{Type: "llama", Heads: 6, KVHeads: 2}), "softpick"},
		{"heads of 64", small(randmodel.Options{Type: "llama", HeadDim: 64}), "softmax"},
		{"scaled", small(randmodel.Options{Type: "transformer", Attention: "scaled-softpick"}), ""},
		{"scaled softmax", small(randmodel.Options{Type: "transformer", Attention: "scaled-softmax"}), ""},
		{"llama3 rope", small(randmodel.Options{Type: "llama", Config: map[string]any{"rope_scaling": map[string]any{
			"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}}}), "softpick"},
	}
	// Heads whose rotation no product does.
	list = append(list, model{"heads of 96, biases", small(randmodel.Options{Type: "llama", HeadDim: 96, Bias: true}), "softpick"},
		model{"heads of 192, q and k norm", small(randmodel.Options{Type: "qwen3", HeadDim: 192}), "softmax"})
	for _, k := range abi.Kinds {
		list = append(list, model{k.String(), small(randmodel.Options{Type: "llama"}), k.String()})
	}
	return list
}

// write makes the checkpoint and opens it.
func (m model) open(t testing.TB) *checkpoint.Checkpoint {
	t.Helper()
	dir := t.TempDir()
	if err := randmodel.Write(dir, m.options); err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{Attention: m.kind})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ck.Close() })
	return ck
}

const (
	reserve = 512 << 20 // what a backend leaves to the driver
	memory  = 40 << 20  // what it gets here
)

// simulate puts a checkpoint on a simulated device.
func simulate(t testing.TB, ck *checkpoint.Checkpoint, o forward.Options) (*engine.Model, *sim.Device) {
	t.Helper()
	return simulateOn(t, sim.New(reserve+memory), ck, o)
}

func simulateOn(t testing.TB, dev *sim.Device, ck *checkpoint.Checkpoint, o forward.Options) (*engine.Model, *sim.Device) {
	t.Helper()
	b, err := forward.New(context.Background(), dev, ck, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return engine.New(b, ck.Config.Vocab), dev
}

// results is every number a run gives, by node, scored row and target.
type results struct {
	logProbs map[[3]int]float32
	argmax   map[[2]int]int32
	decoded  map[int][]int32
}

func run(t testing.TB, m *engine.Model, f *engine.Forest, o engine.RunOptions) results {
	t.Helper()
	r := results{map[[3]int]float32{}, map[[2]int]int32{}, map[int][]int32{}}
	o.Score = func(node, k int, s engine.Score) error {
		r.argmax[[2]int{node, k}] = s.Argmax
		for i, lp := range s.LogProbs {
			r.logProbs[[3]int{node, k, i}] = lp
		}
		return nil
	}
	o.Generated = func(node int, tokens []int32) error { r.decoded[node] = append([]int32(nil), tokens...); return nil }
	if _, err := m.Run(context.Background(), f, o); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEqualsTheCPU: the backend on a simulated device gives the CPU's float32
// log-probabilities, for every attention kind and architecture.
func TestEqualsTheCPU(t *testing.T) {
	for i, m := range models() {
		t.Run(m.name, func(t *testing.T) {
			ck := m.open(t)
			cpu, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Threads: 1, Set: kernel.Generic{}})
			if err != nil {
				t.Fatal(err)
			}
			defer cpu.Close()
			f := randforest.New(rand.New(rand.NewPCG(uint64(i), 11)), 16, ck.Config.Vocab, randforest.UpToThree)
			want := run(t, engine.New(cpu, ck.Config.Vocab), f, engine.RunOptions{})
			device, dev := simulate(t, ck, forward.Options{})
			got := run(t, device, f, engine.RunOptions{})
			worst := equalResults(t, got, want)
			t.Logf("max |Δ log-probability| %.1e over %d, %v launches", worst, len(want.logProbs), dev.Launches())
		})
	}
}

// TestBestIsTheArgmax: the most probable token has its log-probability, to the bit what it has as
// a target, whichever pass of the head scores it; more of them are refused.
func TestBestIsTheArgmax(t *testing.T) {
	m := models()[0]
	ck := m.open(t)
	f := randforest.New(rand.New(rand.NewPCG(4, 11)), 16, ck.Config.Vocab, randforest.UpToThree)
	all := make([]int32, ck.Config.Vocab)
	for i := range all {
		all[i] = int32(i)
	}
	for i := range f.Nodes {
		for k := range f.Nodes[i].Scored {
			f.Nodes[i].Scored[k].Targets, f.Nodes[i].Scored[k].Top = all, k%2
		}
		f.Nodes[i].Top = 1
	}
	device, _ := simulate(t, ck, forward.Options{})
	best, decoded := 0, 0
	_, err := device.Run(context.Background(), f, engine.RunOptions{
		Score: func(node, k int, s engine.Score) error {
			switch {
			case k%2 == 0 && len(s.Best) == 0:
			case len(s.Best) == 1 && s.Best[0] == engine.Candidate{Token: s.Argmax, LogProb: s.LogProbs[s.Argmax]} && s.Best[0].LogProb == slices.Max(s.LogProbs):
				best++
			default:
				t.Fatalf("node %d row %d: %v, the most probable is %d", node, k, s.Best, s.Argmax)
			}
			return nil
		},
		Decoded: func(_ int, best []engine.Candidate) {
			if len(best) == 1 && best[0].LogProb < 0 {
				decoded++
			}
		},
	})
	if err != nil || best == 0 || decoded == 0 {
		t.Fatalf("%d rows, %d decoded tokens: %v", best, decoded, err)
	}
	f.Nodes[0].Top = 2
	if _, err := device.Run(context.Background(), f, engine.RunOptions{}); err == nil || !strings.Contains(err.Error(), "this device gives 1") {
		t.Errorf("two candidates: %v", err)
	}
}

// equalResults holds a device's numbers to the CPU's, and returns the largest
// difference of a log-probability.
func equalResults(t *testing.T, got, want results) (worst float64) {
	t.Helper()
	for at, w := range want.logProbs {
		g, ok := got.logProbs[at]
		d := math.Abs(float64(g) - float64(w))
		worst = max(worst, d)
		if !ok || !(d <= 1e-4) {
			t.Fatalf("node %d scored %d target %d: log-probability %v (there: %v), the CPU's is %v", at[0], at[1], at[2], g, ok, w)
		}
	}
	if len(got.logProbs) != len(want.logProbs) || len(got.argmax) != len(want.argmax) || len(got.decoded) != len(want.decoded) {
		t.Fatalf("%d log-probabilities, %d rows, %d decodings, want %d, %d, %d", len(got.logProbs), len(got.argmax), len(got.decoded), len(want.logProbs), len(want.argmax), len(want.decoded))
	}
	for at, w := range want.argmax {
		if got.argmax[at] != w {
			t.Fatalf("node %d scored %d: argmax %d, the CPU's is %d", at[0], at[1], got.argmax[at], w)
		}
	}
	for n, w := range want.decoded {
		if fmt.Sprint(got.decoded[n]) != fmt.Sprint(w) {
			t.Fatalf("node %d decoded %v, the CPU %v", n, got.decoded[n], w)
		}
	}
	return worst
}

// TestNoBitDependsOnTheBatch: batch size, the rows a device takes at once,
// sharing, the memory bound and an observer change no bit.
func TestNoBitDependsOnTheBatch(t *testing.T) {
	for i, m := range models() {
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			if (testing.Short() || dt == kernel.BFloat16) && i%4 != 0 {
				continue // what a format changes does not depend on the model
			}
			t.Run(m.name+" "+dt.String(), func(t *testing.T) {
				ck := m.open(t)
				f := randforest.New(rand.New(rand.NewPCG(uint64(i), 7)), 10, ck.Config.Vocab, randforest.UpToThree)
				one, _ := simulate(t, ck, forward.Options{Formats: kernel.FormatsOf(dt)})
				want := run(t, one, f, engine.RunOptions{BatchTokens: 4096})
				same := func(what string, got results) {
					t.Helper()
					if len(got.logProbs) != len(want.logProbs) {
						t.Fatalf("%s: %d log-probabilities, want %d", what, len(got.logProbs), len(want.logProbs))
					}
					equal(t, what, got, want, func(node int) int { return node })
				}
				few, _ := simulate(t, ck, forward.Options{Formats: kernel.FormatsOf(dt), Rows: 13})
				for _, size := range []int{1, 7, 100} {
					same(fmt.Sprintf("batches of %d", size), run(t, one, f, engine.RunOptions{BatchTokens: size}))
					same(fmt.Sprintf("batches of %d cut to 13 rows", size), run(t, few, f, engine.RunOptions{BatchTokens: size}))
				}
				stats, err := one.Run(context.Background(), f, engine.RunOptions{BatchTokens: 1})
				if err != nil {
					t.Fatal(err)
				}
				same("memory bound", run(t, one, f, engine.RunOptions{BatchTokens: 64, Memory: stats.PeakKV}))
				same("observed", run(t, few, f, engine.RunOptions{BatchTokens: 40, Observer: newObserved()}))
				// Stores in pieces: what was freed lies scattered.
				for n := range f.Nodes {
					if n%3 != 0 {
						continue
					}
					equal(t, "without sharing", run(t, one, chain(f, n), engine.RunOptions{BatchTokens: 50}), want, func(int) int { return n })
				}
			})
		}
	}
}

// equal compares bits; node says which node of want one of got is.
func equal(t *testing.T, what string, got, want results, node func(int) int) {
	t.Helper()
	for at, g := range got.logProbs {
		w := want.logProbs[[3]int{node(at[0]), at[1], at[2]}]
		if math.Float32bits(g) != math.Float32bits(w) {
			t.Fatalf("%s: node %d scored %d target %d: %v, alone %v", what, node(at[0]), at[1], at[2], g, w)
		}
	}
	for at, g := range got.argmax {
		if w := want.argmax[[2]int{node(at[0]), at[1]}]; g != w {
			t.Fatalf("%s: node %d scored %d: argmax %d, alone %d", what, node(at[0]), at[1], g, w)
		}
	}
	for n, g := range got.decoded {
		if w := want.decoded[node(n)]; fmt.Sprint(g) != fmt.Sprint(w) {
			t.Fatalf("%s: node %d decoded %v, alone %v", what, node(n), g, w)
		}
	}
}

// chain is one node's path as a forest of its own, without any sharing.
func chain(f *engine.Forest, node int) *engine.Forest {
	one := engine.Node{Parent: -1, Generate: f.Nodes[node].Generate}
	var path []int
	for n := node; n >= 0; n = f.Nodes[n].Parent {
		path = append([]int{n}, path...)
	}
	for _, n := range path {
		base := len(one.Tokens)
		one.Tokens = append(one.Tokens, f.Nodes[n].Tokens...)
		if n == node {
			for _, s := range f.Nodes[n].Scored {
				one.Scored = append(one.Scored, engine.Scored{Row: base + s.Row, Targets: s.Targets})
			}
		}
	}
	return &engine.Forest{Nodes: []engine.Node{one}}
}

// TestBFloat16StaysNear: bfloat16 differs from float32 by what rounding explains,
// and does differ.
func TestBFloat16StaysNear(t *testing.T) {
	m := model{"", randmodel.Options{Type: "llama", Hidden: 64, Intermediate: 96, Vocab: 300, Heads: 2, KVHeads: 1, HeadDim: 32, Seed: 3, DType: "bfloat16"}, "softpick"}
	ck := m.open(t)
	f := randforest.New(rand.New(rand.NewPCG(1, 1)), 12, ck.Config.Vocab, randforest.UpToThree)
	exact, _ := simulate(t, ck, forward.Options{})
	rounded, _ := simulate(t, ck, forward.Options{Formats: kernel.FormatsOf(kernel.BFloat16)})
	want, got := run(t, exact, f, engine.RunOptions{}), run(t, rounded, f, engine.RunOptions{})
	worst := 0.0
	for at, w := range want.logProbs {
		worst = max(worst, math.Abs(float64(got.logProbs[at]-w)))
	}
	if !(worst > 1e-5 && worst < 0.1) {
		t.Fatalf("bfloat16 moves log-probabilities by up to %v, want more than 1e-5 and less than 0.1", worst)
	}
}

// TestHopperKernels: on a device that has the kernels of sm_90a every product of
// bfloat16 is theirs, float32 is not, and the host asks for the same numbers.
func TestHopperKernels(t *testing.T) {
	wide := models()[0] // heads of 64, for which there is a kernel of attention too
	wide.options.HeadDim, wide.name = 64, "heads of 64, window"
	apart := models()[3] // heads whose rotation is a launch of its own
	apart.options.HeadDim, apart.name = 96, "heads of 96, biases"
	for _, m := range []model{wide, models()[2], models()[3], apart} {
		ck := m.open(t)
		f := randforest.New(rand.New(rand.NewPCG(4, 1)), 10, ck.Config.Vocab, randforest.UpToThree)
		plain, _ := simulate(t, ck, forward.Options{Formats: kernel.FormatsOf(kernel.BFloat16)})
		hopper, dev := simulateOn(t, sim.New(reserve+memory).Hopper(), ck, forward.Options{Formats: kernel.FormatsOf(kernel.BFloat16), Rows: 13})
		want := run(t, plain, f, engine.RunOptions{})
		equal(t, "with the kernels of sm_90a", run(t, hopper, f, engine.RunOptions{BatchTokens: 50}), want, func(node int) int { return node })
		for name, n := range dev.Launches() {
			if strings.HasSuffix(name, "_bf16") && (strings.HasPrefix(name, "sb_gemm") || strings.HasPrefix(name, "sb_qkv") || strings.HasPrefix(name, "sb_head")) {
				t.Errorf("%s: %d launches of %s", m.name, n, name)
			}
		}
		fused := m.name != apart.name
		for name, want := range map[string]bool{
			"sb_qkv_wgmma": fused, "sb_gemm_store_wgmma": !fused, "sb_rope_bf16": !fused,
			"sb_gemm_add_wgmma": true, "sb_gemm_swiglu_wgmma": true, "sb_head_wgmma": true,
		} {
			if n := dev.Launches()[name]; (n > 0) != want {
				t.Errorf("%s: %d launches of %s", m.name, n, name)
			}
		}
		launches := 0
		for name, n := range dev.Launches() {
			if strings.HasPrefix(name, "sb_attention_64_") && strings.HasSuffix(name, "_wgmma") {
				launches += n
			}
		}
		if (launches > 0) != (m.options.HeadDim == 64) {
			t.Errorf("%s: %d launches of attention by wgmma", m.name, launches)
		}
		exact, dev := simulateOn(t, sim.New(reserve+memory).Hopper(), ck, forward.Options{})
		run(t, exact, f, engine.RunOptions{})
		for name := range dev.Launches() {
			if strings.HasSuffix(name, "_wgmma") {
				t.Errorf("%s: %s in float32", m.name, name)
			}
		}
	}
}

// TestRefusals: what cannot run is an error of one line that names the bound and
// the remedy.
func TestRefusals(t *testing.T) {
	good := randmodel.Options{Type: "llama", Hidden: 64, Intermediate: 96, Vocab: 300, Heads: 2, KVHeads: 1, HeadDim: 32, Seed: 1}
	odd := good
	odd.HeadDim = 48
	narrow := good
	narrow.Intermediate = 100
	for _, c := range []struct {
		name    string
		options randmodel.Options
		free    int64
		want    []string
	}{
		{"head size", odd, reserve + memory, []string{"head size of 48", "not supported on CUDA", "--device cpu"}},
		{"width", narrow, reserve + memory, []string{"MLP of 100", "not supported on CUDA", "--device cpu"}},
		{"weights", good, reserve + 100<<10, []string{"out of GPU memory", "the weights in float32", "has 512 MiB free", "--dtype bfloat16"}},
		{"keys and values", good, reserve + 1<<20, []string{"out of GPU memory", "keys and values of 2048 tokens", "--device cpu"}},
		{"nothing free", good, 1 << 20, []string{"out of GPU memory", "has 1 MiB free of 1", "512 MiB are left to the driver"}},
	} {
		ck := model{"", c.options, "softmax"}.open(t)
		_, err := forward.New(context.Background(), sim.New(c.free), ck, forward.Options{})
		if err == nil {
			t.Fatalf("%s: no error", c.name)
		}
		for _, w := range append(c.want, "") {
			if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q does not say %q in one line", c.name, err, w)
			}
		}
	}
}

// TestLongerThanMemory: a sequence that the device has no room for is refused
// before it is begun.
func TestLongerThanMemory(t *testing.T) {
	m := models()[0]
	ck := m.open(t)
	device, _ := simulate(t, ck, forward.Options{})
	f := &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: make([]int32, 1<<16)}}}
	_, err := device.Run(context.Background(), f, engine.RunOptions{})
	if err == nil || !strings.Contains(err.Error(), "MiB") || !strings.Contains(err.Error(), "--device cpu") {
		t.Fatalf("got %v, want an error that names the bound and the remedy", err)
	}
}
