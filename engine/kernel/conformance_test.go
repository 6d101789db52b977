package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestConformance runs the suite on every path. A path that this machine lacks
// is skipped with its reason.
func TestConformance(t *testing.T) {
	for _, p := range Detect().Paths {
		t.Run(p.Name, func(t *testing.T) {
			if p.Reason != "" {
				t.Skipf("not available: %s", p.Reason)
			}
			s, err := ByName(p.Name)
			if err != nil {
				t.Fatal(err)
			}
			conformance(t, s)
		})
	}
}

// conformance tests one Set against the definitions in float64, and for the
// properties that Set promises.
func conformance(t *testing.T, s Set) {
	t.Run("MatMul", func(t *testing.T) { conformMatMul(t, s) })
	t.Run("codes", func(t *testing.T) { conformCodes(t, s) })
	t.Run("int8", func(t *testing.T) { conformInt8(t, s) })
	t.Run("attention", func(t *testing.T) { conformAttention(t, s) })
	t.Run("attention in bfloat16", func(t *testing.T) { conformAttentionBF16(t, s, []int{32, 64, 96, 128, 160, 192, 256}) })
	t.Run("Weigh", func(t *testing.T) { conformWeigh(t, s) })
	t.Run("Tally", func(t *testing.T) { conformTally(t, s) })
	t.Run("rows", func(t *testing.T) { conformRows(t, s) })
}

// u is the unit roundoff of float32: one rounding errs by at most u, relative.
const u = 1.0 / (1 << 24)

// guard is a value that no kernel may overwrite: a NaN with its own payload.
var guard = math.Float32frombits(0x7fc0dead)

const guardWidth = 40

// guarded returns n floats, offset floats off the allocation's alignment, with
// guards on both sides, and a check that those are intact.
func guarded(t *testing.T, n, offset int) (x []float32, check func()) {
	t.Helper()
	all := make([]float32, n+2*guardWidth+offset)
	for i := range all {
		all[i] = guard
	}
	lo := guardWidth + offset
	return all[lo : lo+n : lo+n], func() {
		t.Helper()
		for i, v := range all {
			if (i < lo || i >= lo+n) && math.Float32bits(v) != math.Float32bits(guard) {
				t.Fatalf("wrote %v at %d of an output of %d", v, i-lo, n)
			}
		}
	}
}

// normals returns n normal variates, offset floats off alignment.
func normals(rng *rand.Rand, n, offset int) []float32 {
	x := make([]float32, n+offset)[offset:]
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

func isNaN(x float32) bool { return x != x }

func isFinite(x float32) bool { return x-x == 0 }
