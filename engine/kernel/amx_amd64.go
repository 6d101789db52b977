//go:build !noasm

package kernel

import (
	"slices"
	"sync"
	"unsafe"
)

// amxSet multiplies bfloat16 in AMX tiles; all else is AVX-512. Its panels have
// the same layout as the others' bfloat16 panels: pairs of k side by side are
// what TDPBF16PS wants of B.
//
// TDPBF16PS sums the 16 even and the 16 odd products of a step of 32 k in two
// chains from zero, adds those, and adds that to C. So an element's order is
// fixed by k alone.
type amxSet struct{ simd }

var amx = &amxSet{simd{isa: isaAVX512BF16, name: "amx", lanes: 16, rows: 14, panel: 32}}

// amxTileRows is the rows of a block: two tiles of 16.
const amxTileRows = 32

// amxCall is one use of the tiles. Distances are in bytes.
type amxCall struct {
	config  *[64]byte
	a, b, c unsafe.Pointer
	lda     uintptr
	ldc     uintptr
	steps   int // of 32 k
	rows    int // of a block
	blocks  int
	both    int    // more than 16 rows
	direct  int    // C is stored whole, else through scratch
	add     int    // C is added to y
	mask    uint64 // columns that exist
	scratch unsafe.Pointer
}

// tileConfigs[r] is the palette for blocks of r rows: the operand of LDTILECFG.
var tileConfigs = func() (all [amxTileRows + 1][64]byte) {
	for r := 1; r <= amxTileRows; r++ {
		c := &all[r]
		c[0] = 1 // palette
		set := func(tile, rows int) {
			if rows > 0 {
				c[16+2*tile] = 64 // bytes a row
				c[48+tile] = byte(rows)
			}
		}
		upper, lower := min(r, 16), max(r-16, 0)
		for tile, rows := range []int{upper, upper, lower, lower, upper, lower, 16, 16} {
			set(tile, rows)
		}
	}
	return all
}()

var amxScratch = sync.Pool{New: func() any { return new([amxTileRows * 32]float32) }}

// MatMul implements Set.
func (s *amxSet) MatMul(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, add bool) {
	if w.DType != BFloat16 {
		s.simd.MatMul(y, ldy, in, m0, m1, w, n0, n1, add)
		return
	}
	if m0 >= m1 || n0 >= n1 {
		return
	}
	checkProduct(y, ldy, in, m0, m1, w, n0, n1, s.panel)
	stride, padded := InputStride(in.K), pairedK(w.K)
	scratch := amxScratch.Get().(*[amxTileRows * 32]float32)
	defer amxScratch.Put(scratch)
	t := amxCall{
		lda: uintptr(stride) * 2, ldc: uintptr(ldy) * 4, steps: padded / 32,
		scratch: unsafe.Pointer(scratch),
	}
	if add {
		t.add = 1
	}
	// A call takes at most 2^22 products a column, a tenth of a millisecond: the
	// garbage collector cannot stop it half-way.
	most := max(1, 1<<22/(amxTileRows*padded))
	block := max(1, cacheBlock/(int(t.lda)*amxTileRows)) * amxTileRows
	for b := m0; b < m1; b += block {
		end := min(m1, b+block)
		for n := n0; n < n1; n += 32 {
			t.b = at(w.BF16, n*padded)
			t.direct = 0
			columns := min(32, n1-n)
			if t.mask = 1<<columns - 1; columns == 32 && !add {
				t.direct = 1
			}
			for i := b; i < end; {
				t.rows = min(amxTileRows, end-i)
				t.blocks = min(most, (end-i)/t.rows)
				t.both = 0
				if t.rows > 16 {
					t.both = 1
				}
				t.config = &tileConfigs[t.rows]
				t.a, t.c = at(in.BF16, i*stride), at(y, (i-m0)*ldy+n-n0)
				step := t.rows * t.blocks
				amxRows(&t)
				i += step
			}
		}
	}
}

// selfTest compares a product in tiles, every kind of edge in it, with the same
// in AVX-512. The operands are small integers, so that both are exact.
func (s *amxSet) selfTest() bool {
	const m, n, k = 51, 41, 70
	x := make([]float32, m*k)
	for i := range x {
		x[i] = float32(i*7%13 - 6)
	}
	fill := func(j int, dst []float32) {
		for l := range dst {
			dst[l] = float32((j*5+l*3)%11 - 5)
		}
	}
	var in Input
	in.Reset(BFloat16, m, k)
	s.Prepare(&in, x, k, 0, m)
	w := s.NewMatrix(BFloat16, n, k)
	s.PackRows(w, 0, n, fill)
	want, got := make([]float32, m*n), make([]float32, m*n)
	avx512.MatMul(want, n, &in, 0, m, w, 0, n, false)
	s.MatMul(got, n, &in, 0, m, w, 0, n, true)
	return slices.Equal(got, want)
}

//go:noescape
func amxRows(t *amxCall)
