package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"testing"
)

// Model is a small checkpoint and what a reference computed with it.
type Model struct {
	Format int    `json:"format"`
	Name   string `json:"model"`
	Dir    string `json:"-"` // the checkpoint's directory
	// Float32Error is the largest distance of a float32 log-probability, of
	// transformers or of the formulas, from the float64 one.
	Float32Error float64    `json:"float32_error"`
	Sequences    []Sequence `json:"sequences"`
	Runs         []Run      `json:"runs"`
	Observed     []Observed `json:"inside"`
	Greedy       Greedy     `json:"greedy"` // a family's
	// Seed and Tensors say what weights a family's checkpoint has, which are made
	// when it is read; models have theirs beside them.
	Seed    uint64   `json:"seed"`
	Tensors []Tensor `json:"tensors"`
}

// Greedy is what a sequence is continued with, one most likely token after the other.
type Greedy struct {
	Sequence int      `json:"sequence"` // index into Model.Sequences
	IDs      Int32s   `json:"ids"`
	Gap      Float32s `json:"gap"` // the lead of each's logit over the second
}

// Tensor is a tensor of random numbers.
type Tensor struct {
	Name   string  `json:"name"`
	Shape  []int   `json:"shape"`
	Centre float64 `json:"centre"`
	Width  float64 `json:"width"`
}

// Sequence is an input: Targets[i] is the token whose log-probability after
// IDs[..i] is recorded.
type Sequence struct {
	IDs     []int32 `json:"ids"`
	Targets []int32 `json:"targets"`
}

// Run is the scores of every sequence under one attention kind.
type Run struct {
	Attention string   `json:"attention"` // as users write it: "softpick", "scaled-softmax"
	Source    string   `json:"source"`    // "transformers": its eager attention; "formula": ours in its place
	DType     string   `json:"dtype"`     // "float32" or "float64": the arithmetic, not the checkpoint's
	Sequences []Scores `json:"-"`         // one for each of Model.Sequences

	Raw []json.RawMessage `json:"sequences"`
}

// Scores are the numbers of one sequence, one of each for every position.
type Scores struct {
	LogProb Float64s // of the target, widened where the run is float32
	// The rest is absent (nil) for source "formula" in float32.
	ArgMax Int32s   // the token of the largest logit
	Top    Float32s // that logit
	Gap    Float32s // its lead over the second
	LSE    Float32s // log of the sum of the logits' exponentials
}

// Observed is what an engine.Observer should see of one short sequence, in float64.
type Observed struct {
	Attention string `json:"attention"`
	Sequence  int    `json:"sequence"` // index into Model.Sequences
	Length    int    `json:"length"`
	Layers    int    `json:"layers"`
	// ResidualRMS is [Layers, Length]: root mean square of the residual stream
	// after each block. ResidualFirst is [Layers, Length, 4]: its first values.
	ResidualRMS   Float64s `json:"residual_rms"`
	ResidualFirst Float64s `json:"residual_first"`
	// Weights, where recorded (else nil), are the attention weights of Layer:
	// for each of Heads, each query, the keys up to the query.
	Layer   int      `json:"layer"`
	Heads   int      `json:"heads"`
	Weights Float64s `json:"weights"`
}

// Weight returns the attention weight of a key, which must not be after the
// query.
func (in Observed) Weight(head, query, key int) float64 {
	return in.Weights[head*in.Length*(in.Length+1)/2+query*(query+1)/2+key]
}

// Models reads every model golden, by name.
func Models(t testing.TB) []Model {
	t.Helper()
	entries, err := os.ReadDir(Dir(t, "models"))
	if err != nil {
		t.Fatal(err)
	}
	var models []Model
	for _, e := range entries {
		if e.IsDir() {
			models = append(models, ReadModel(t, e.Name()))
		}
	}
	if len(models) == 0 {
		t.Fatal("no model goldens")
	}
	sort.Slice(models, func(i, j int) bool { return models[i].Name < models[j].Name })
	return models
}

// ReadModel reads one model golden.
func ReadModel(t testing.TB, name string) Model {
	t.Helper()
	return readModel(t, "models", name)
}

func readModel(t testing.TB, of, name string) Model {
	t.Helper()
	dir := Dir(t, of, name)
	m := readFile(t, filepath.Join(dir, "golden.json"))
	m.Dir = dir
	return m
}

// readFile reads a model's golden.
func readFile(t testing.TB, path string) Model {
	t.Helper()
	var m Model
	read(t, path, &m)
	checkFormat(t, path, m.Format)
	for i := range m.Runs {
		if err := m.Runs[i].decode(m.Sequences); err != nil {
			t.Fatalf("%s: run %d: %v", path, i, err)
		}
	}
	return m
}
