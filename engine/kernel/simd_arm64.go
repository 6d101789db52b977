//go:build !noasm

package kernel

import (
	"sync"
	"unsafe"
)

// The Sets of arm64. Their weights lie as those of AVX2 do.
const (
	isaNEON isa = iota
	isaNEONBF16
)

var (
	neon     = &simd{isa: isaNEON, name: "neon", lanes: 4, rows: 5, panel: 16, products: wideProducts}
	neonBF16 = &simd{isa: isaNEONBF16, name: "neonbf16", lanes: 4, rows: 5, panel: 16, dots: true, products: dotProducts}
)

func (s *simd) tileF32(t *tile) {
	if last := t.lastLanes(); last == 4 {
		tileF32NEON(t)
	} else {
		p := t.padded(last)
		tileF32NEON(&p.tile)
		p.end(t, last)
	}
}

func (s *simd) tileWide(t *tile) {
	if last := t.lastLanes(); last == 4 {
		tileWideNEON(t)
	} else {
		p := t.padded(last)
		tileWideNEON(&p.tile)
		p.end(t, last)
	}
}

func (s *simd) tileDot(t *tile) {
	if last := t.lastLanes(); last == 4 {
		tileDotNEON(t)
	} else {
		p := t.padded(last)
		tileDotNEON(&p.tile)
		p.end(t, last)
	}
}

// lastLanes is how many lanes of the last vector of C exist.
func (t *tile) lastLanes() int {
	switch t.mask {
	case 1:
		return 1
	case 3:
		return 2
	case 7:
		return 3
	}
	return 4
}

// paddedTile is a tile whose C lies in whole vectors: NEON has no masks.
type paddedTile struct {
	tile
	c [5 * 16]float32
}

var paddedTiles = sync.Pool{New: func() any { return new(paddedTile) }}

// row is row r of C as it is, n elements.
func (t *tile) row(r, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(t.c, uintptr(r)*t.ldc)), n)
}

// padded is the tile over a copy of C; last is the lanes of the last vector that exist.
func (t *tile) padded(last int) *paddedTile {
	p := paddedTiles.Get().(*paddedTile)
	p.tile = *t
	p.tile.c, p.tile.ldc = unsafe.Pointer(&p.c), 16*4
	if t.mode != modeStore {
		for r := range t.rows {
			copy(p.c[16*r:], t.row(r, 4*(t.vecs-1)+last))
		}
	}
	return p
}

// end copies C back.
func (p *paddedTile) end(t *tile, last int) {
	for r := range t.rows {
		copy(t.row(r, 4*(t.vecs-1)+last), p.c[16*r:])
	}
	p.tile = tile{}
	paddedTiles.Put(p)
}

// widen converts whole blocks of 32.
func (s *simd) widen(dst []float32, src []uint16) { widenNEON(&dst[0], &src[0], len(src)) }

// widenBlocks widens whole blocks of 32 elements, and returns how many elements
// that is.
func widenBlocks(dst []float32, src []byte) int {
	n := len(dst) &^ 31
	if n > 0 {
		widenNEON(&dst[0], (*uint16)(unsafe.Pointer(&src[0])), n)
	}
	return n
}

// transposeEights does none: packing is portable here.
func (s *simd) transposeEights(dst, src []float32, stride, n int) int { return 0 }

// pair rounds two rows and puts them side by side, a pair of bfloat16 in an element of 32 bits.
func (s *simd) pair(dst, a, b *float32, n int) {
	x, y, out := unsafe.Slice(a, n), unsafe.Slice(b, n), unsafe.Slice((*uint32)(unsafe.Pointer(dst)), n)
	for i := range out {
		out[i] = uint32(ToBF16(x[i])) | uint32(ToBF16(y[i]))<<16
	}
}

func (s *simd) scale(x *float32, n int, a float32) { scaleNEON(x, n, a) }

func (s *simd) sumSquares(x *float32, n int) float32 { return sumSquaresNEON(x, n) }

func (s *simd) norm(dst, x, weight *float32, n int, r float32) { normNEON(dst, x, weight, n, r) }

func (s *simd) rotate(a, b, cos, sin *float32, n int) { rotateNEON(a, b, cos, sin, n) }

func (s *simd) sum(x *float32, n int) float32 { return sumNEON(x, n) }

func (s *simd) shift(dst, x *float32, n int, a float32) { shiftNEON(dst, x, n, a) }

func (s *simd) selfGate(x *float32, n int, a, b float32) { selfGateNEON(x, n, a, b) }

func (s *simd) gelu(x *float32, n int) { geluNEON(x, n) }

func (s *simd) swiglu(dst, gate, up *float32, n int) { swigluNEON(dst, gate, up, n) }

func (s *simd) maximum(x *float32, n int) float32 { return maximumNEON(x, n) }

func (s *simd) indexOf(x *float32, n int, a float32) int { return indexOfNEON(x, n, a) }

func (s *simd) sumExp(x *float32, n int, m float32) float32 { return sumExpNEON(x, n, m) }

func (s *simd) round(dst *uint16, src *float32, n int) { roundNEON(dst, src, n) }

func (s *simd) weigh(t *weighing) { weighNEON(t) }

// Exp implements Gradients. What else only training needs is portable here.
func (s *simd) Exp(x []float32, shift, scale float32) { expNEON(first(x), len(x), shift, scale) }
