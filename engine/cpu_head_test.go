package engine

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/engine/kernel"
)

// TestMergePartials: the log-sum-exp over column blocks is that over the whole
// row, and of equal logits in different blocks the lowest id is the argmax.
func TestMergePartials(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for trial := range 50 {
		row := make([]float32, 1+r.IntN(300))
		for i := range row {
			row[i] = float32(r.NormFloat64() * 10)
		}
		at := r.IntN(len(row))
		row[at] = 50
		if trial%2 == 0 {
			row[len(row)-1] = 50 // an equal one in a later block
		}
		var parts []headPartial
		const block = 7
		for n := 0; n < len(row); n += block {
			m, arg, sum := kernel.Generic{}.MaxSumExp(row[n:min(n+block, len(row))])
			parts = append(parts, headPartial{m, sum, int32(n + arg)})
		}
		lse, arg := mergePartials(parts)
		var exact float64
		for _, x := range row {
			exact += math.Exp(float64(x) - 50)
		}
		if want := 50 + math.Log(exact); math.Abs(lse-want) > 1e-6 || int(arg) != at {
			t.Fatalf("trial %d: log-sum-exp %v, argmax %d; want %v, %d", trial, lse, arg, want, at)
		}
	}
	// Not a number in any block reaches the sum.
	nan := float32(math.NaN())
	if lse, _ := mergePartials([]headPartial{{1, 1, 0}, {nan, nan, 7}}); !math.IsNaN(lse) {
		t.Errorf("log-sum-exp with a NaN is %v", lse)
	}
}
