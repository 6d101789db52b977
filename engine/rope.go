package engine

import (
	"cmp"
	"math"

	"github.com/softbench/softbench/engine/checkpoint"
)

// ropeTable holds the cosines and sines of rotary position embedding, grown to
// the largest position seen. Angles are float32 products of the position and
// the float32 inverse frequency, as in transformers.
type ropeTable struct {
	inverse  []float32 // per pair
	cos, sin []float32 // [positions, pairs]
	scale    float64   // of both
}

func newRopeTable(r *checkpoint.Rotary) ropeTable {
	inverse := r.InvFreq()
	t := ropeTable{inverse: make([]float32, len(inverse)), scale: cmp.Or(r.Amplitude, 1)}
	for i, f := range inverse {
		t.inverse[i] = float32(f)
	}
	return t
}

// reach extends the table over the batch's positions.
func (t *ropeTable) reach(b *Batch) {
	need := 0
	for _, sp := range b.Spans {
		need = max(need, sp.Position+sp.N)
	}
	for p := len(t.cos) / max(1, len(t.inverse)); p < need; p++ {
		for _, f := range t.inverse {
			angle := float64(float32(p) * f)
			t.cos = append(t.cos, float32(math.Cos(angle)*t.scale))
			t.sin = append(t.sin, float32(math.Sin(angle)*t.scale))
		}
	}
}

// at returns the cosines and sines of a position, one a pair.
func (t *ropeTable) at(position int) (cos, sin []float32) {
	n := len(t.inverse)
	return t.cos[position*n:][:n], t.sin[position*n:][:n]
}
