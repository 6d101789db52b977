package golden

import (
	"math"
	"testing"
)

// A model golden that does not tell the attention kinds apart, or whose numbers
// are not probabilities, would let a wrong engine pass.
func TestModelsTellKindsApart(t *testing.T) {
	for _, m := range Models(t) {
		byKind := map[string]Run{}
		for _, r := range m.Runs {
			if r.DType == "float64" {
				byKind[r.Attention] = r
			}
			for i, s := range r.Sequences {
				for p, v := range s.LogProb {
					if !(v <= 0) || math.IsInf(v, 0) {
						t.Fatalf("%s %s sequence %d position %d: log-probability %v", m.Name, r.Attention, i, p, v)
					}
				}
				if r.Source == "formula" && r.DType == "float32" {
					continue
				}
				for p, target := range m.Sequences[i].Targets {
					if s.ArgMax[p] == target && math.Abs(float64(s.Top[p]-s.LSE[p])-s.LogProb[p]) > 1e-4 {
						t.Fatalf("%s %s: the argmax is the target but top - lse is not its log-probability", m.Name, r.Attention)
					}
				}
			}
		}
		for a, ra := range byKind {
			for b, rb := range byKind {
				if a != b && distance(ra, rb) < 0.05 {
					t.Errorf("%s: %s and %s differ by %v only", m.Name, a, b, distance(ra, rb))
				}
			}
		}
	}
}

// The weights are read with the right strides where each row of softmax sums to
// one and each row of softpick to at most one.
func TestWeightsAreRowsOfAttention(t *testing.T) {
	seen := 0
	for _, m := range Models(t) {
		for _, in := range m.Observed {
			if in.Weights == nil {
				continue
			}
			seen++
			for head := range in.Heads {
				for q := range in.Length {
					var sum float64
					for k := range q + 1 {
						sum += in.Weight(head, q, k)
					}
					if sum > 1+1e-12 || in.Attention == "softmax" && sum < 1-1e-12 {
						t.Fatalf("%s %s head %d query %d: weights sum to %v", m.Name, in.Attention, head, q, sum)
					}
				}
			}
			if want := in.Heads * in.Length * (in.Length + 1) / 2; len(in.Weights) != want {
				t.Errorf("%s %s: %d weights, want %d", m.Name, in.Attention, len(in.Weights), want)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d records of attention weights, want at least 10", seen)
	}
}

func distance(a, b Run) float64 {
	var d float64
	for i := range a.Sequences {
		for p := range a.Sequences[i].LogProb {
			d = max(d, math.Abs(a.Sequences[i].LogProb[p]-b.Sequences[i].LogProb[p]))
		}
	}
	return d
}
