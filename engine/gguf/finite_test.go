package gguf

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// TestFiniteIsSeenInScales: rows whose scales and minima are finite, the largest among
// them, have finite numbers alone, whatever their other bytes; one that is infinite or NaN,
// in any block, is seen.
func TestFiniteIsSeenInScales(t *testing.T) {
	const blocks = 3
	r := rand.New(rand.NewPCG(1, 2))
	for _, kind := range types {
		if kind.decode == nil {
			continue
		}
		size := blocks * kind.elements
		of := rows{kind, make([]byte, 2*blocks*kind.bytes), size, size}
		if len(kind.halves) == 0 {
			if of.Finite(0) {
				t.Errorf("%s: nothing is known, and it is finite", kind.name)
			}
			continue
		}
		out := make([]float32, size)
		put := func(block, at int, half uint16) {
			binary.LittleEndian.PutUint16(of.data[block*kind.bytes+at:], half)
		}
		for range 200 {
			for i := range of.data {
				of.data[i] = uint8(r.Uint32())
				if r.IntN(2) == 0 {
					of.data[i] = 0xff
				}
			}
			for b := range 2 * blocks {
				for _, h := range kind.halves {
					put(b, h, []uint16{0x7bff, 0xfbff, 0, 1, 0x3c00}[r.IntN(5)])
				}
			}
			of.Row(1, out)
			for _, x := range out {
				if x-x != 0 {
					t.Fatalf("%s: %v of finite scales", kind.name, x)
				}
			}
			if !of.Finite(0) || !of.Finite(1) {
				t.Fatalf("%s: finite scales are not", kind.name)
			}
			bad := kind.halves[r.IntN(len(kind.halves))]
			put(blocks+r.IntN(blocks), bad, []uint16{0x7c00, 0xfc00, 0x7e01}[r.IntN(3)])
			of.Row(1, out)
			finite := true
			for _, x := range out {
				finite = finite && !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0)
			}
			if finite || !of.Finite(0) || of.Finite(1) {
				t.Fatalf("%s: an infinite scale at %d: finite numbers %v, rows %v and %v", kind.name, bad, finite, of.Finite(0), of.Finite(1))
			}
		}
	}
}
