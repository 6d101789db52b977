package forward

import (
	"encoding/binary"
	"math"
)

// rope holds cosines and sines of rotary position embedding by position, grown
// to the largest seen, as the engine's CPU backend computes them: the angle is
// the float32 product of the position and the float32 inverse frequency.
type rope struct {
	inverse []float32 // per pair
	table   []float32 // [positions, 2, pairs]: cosines, then sines
}

func newRope(inverse []float64) *rope {
	r := &rope{inverse: make([]float32, len(inverse))}
	for i, f := range inverse {
		r.inverse[i] = float32(f)
	}
	return r
}

// at returns the cosines and sines of a position, a pair each.
func (r *rope) at(position int) (cos, sin []float32) {
	n := len(r.inverse)
	for p := len(r.table) / (2 * n); p <= position; p++ {
		at := len(r.table)
		r.table = append(r.table, make([]float32, 2*n)...)
		for i, f := range r.inverse {
			angle := float64(float32(p) * f)
			r.table[at+i] = float32(math.Cos(angle))
			r.table[at+n+i] = float32(math.Sin(angle))
		}
	}
	row := r.table[position*2*n:]
	return row[:n], row[n : 2*n]
}

func putFloats(dst []byte, x []float32) {
	for i, v := range x {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
}

func putInts(dst []byte, x []int32) {
	for i, v := range x {
		binary.LittleEndian.PutUint32(dst[4*i:], uint32(v))
	}
}
