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

var amx = &amxSet{simd{isa: isaAVX512BF16, name: "amx", lanes: 16, rows: 14, panel: 32, products: amxProducts, tiles: true}}

// amxTileRows is the rows of a block: two tiles of 16.
const amxTileRows = 32

// amxCall is one use of the tiles. Distances are in bytes. The assembly changes
// left, panels and where its panels are; behind the last panel that is an address
// outside B and C, which is why it is not kept in pointers: the garbage collector
// would take what happens to lie there for something in use.
type amxCall struct {
	config  *[64]byte
	a, b, c unsafe.Pointer
	lda     uintptr
	ldc     uintptr
	bstride uintptr // between B's pairs of k
	bvec    uintptr // from a panel's first 16 columns to its second
	bpanel  uintptr // between panels of B
	steps   int     // of 32 k
	rows    int     // of a block
	blocks  int
	left    int //lint:ignore U1000 the assembly's own: blocks to go
	panels  int
	panelB  uintptr //lint:ignore U1000 the assembly's own: the panel of b
	panelC  uintptr //lint:ignore U1000 the same of c
	both    int     // more than 16 rows
	direct  int     // C is stored whole, else through scratch
	chain   int     // the sums begin from C
	add     int     // C is added to y
	mask    uint64  // columns that exist
	scratch unsafe.Pointer
}

// block sets how many rows the blocks of a call have, and how many blocks.
func (t *amxCall) block(rows, blocks int) {
	t.rows, t.blocks, t.both = rows, blocks, 0
	if rows > 16 {
		t.both = 1
	}
	t.config = &tileConfigs[rows]
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

// amxProducts has the one product in tiles; float32 is AVX-512's.
var amxProducts = products[simdProduct]{
	StoredFloat32:  {Float32: (*simd).matMulF32},
	StoredBFloat16: {BFloat16: (*simd).matMulTiles},
	StoredCodes:    {Float32: (*simd).matMulCodes, BFloat16: (*simd).matMulCodes},
}

// matMulTiles multiplies pairs of bfloat16 in tiles.
func (s *simd) matMulTiles(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int) {
	add := mode == modeAdd
	stride, padded := InputStride(in.K), PairedK(w.K)
	scratch := amxScratch.Get().(*[amxTileRows * 32]float32)
	defer amxScratch.Put(scratch)
	t := amxCall{
		lda: uintptr(stride) * 2, ldc: uintptr(ldy) * 4, steps: padded / 32,
		bstride: 128, bvec: 64, scratch: unsafe.Pointer(scratch),
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
			t.direct = 0
			columns := min(32, n1-n)
			if t.mask = 1<<columns - 1; columns == 32 && !add {
				t.direct = 1
			}
			for i := b; i < end; {
				rows := min(amxTileRows, end-i)
				t.block(rows, min(most, (end-i)/rows))
				t.a, t.b, t.c = at(in.BF16, i*stride), at(w.BF16, n*padded), at(y, (i-m0)*ldy+n-n0)
				t.panels = 1
				amxRows(&t)
				i += t.rows * t.blocks
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
	w := s.NewMatrix(StoredBFloat16, n, k)
	s.PackRows(w, 0, n, fill)
	want, got := make([]float32, m*n), make([]float32, m*n)
	avx512.MatMul(want, n, &in, 0, m, w, 0, n, false)
	s.MatMul(got, n, &in, 0, m, w, 0, n, true)
	return slices.Equal(got, want) && s.selfTestInt8(&in, m, n, k) && s.selfTestAttention()
}

// selfTestInt8 compares a product of bytes with the portable one.
func (s *amxSet) selfTestInt8(in *Input, m, n, k int) bool {
	var y [2][]float32
	for i, set := range []Set{s, Generic{}} {
		w := set.NewInt8(n, k)
		w.PackInt8(0, n, func(j int, codes []int8) float32 {
			for l := range codes {
				codes[l] = int8(j*37 + l*91)
			}
			return float32(j + 1)
		})
		var q Int8Input
		q.Reset(m, k)
		set.QuantiseInt8(&q, in, 0, m)
		y[i] = make([]float32, m*n)
		set.MatMulInt8(y[i], n, &q, 0, m, w, 0, n, false)
	}
	return slices.Equal(y[0], y[1])
}

// selfTestAttention compares attention's two products likewise.
func (s *amxSet) selfTestAttention() bool {
	const m, w, groups = 51, 64, 3
	half := func(n, a, b int) []uint16 {
		x := make([]uint16, n)
		for i := range x {
			x[i] = ToBF16(float32(i*a%b - b/2))
		}
		return x
	}
	q, kt := half(m*w, 7, 13), half(groups*KeyGroup*w, 3, 11)
	want, got := make([]float32, m*groups*KeyGroup), make([]float32, m*groups*KeyGroup)
	avx512.ScoresBF16(want, groups*KeyGroup, q, m, w, kt, groups)
	s.ScoresBF16(got, groups*KeyGroup, q, m, w, kt, groups)
	if !slices.Equal(got, want) {
		return false
	}
	p, v := half(m*KeyBlock, 5, 13), half(KeyBlock*w, 7, 11)
	want, got = make([]float32, m*w), make([]float32, m*w)
	for range 2 {
		avx512.AccumulateBF16(want, p, m, v, w)
		s.AccumulateBF16(got, p, m, v, w)
	}
	return slices.Equal(got, want)
}

// QueryTile implements Set: two blocks of rows.
func (s *amxSet) QueryTile() int { return 2 * amxTileRows }

// BatchRows implements Set. At 3 TFLOP/s and 10 GB/s a core, reading a weight of
// two bytes takes as long as its products with 300 rows.
func (s *amxSet) BatchRows(a Arithmetic) int {
	if a == BFloat16 {
		return 2048
	}
	return s.simd.BatchRows(a)
}

// ScoresBF16 implements Set. Two groups of keys are a panel.
func (s *amxSet) ScoresBF16(out []float32, lds int, q []uint16, m, w int, kt []uint16, groups int) {
	if m == 0 || groups == 0 {
		return
	}
	checkScores(out, lds, q, m, w, kt, groups)
	group := uintptr(w) * KeyGroup * 2
	t := amxCall{
		lda: uintptr(w) * 2, ldc: uintptr(lds) * 4, steps: w / 32,
		bstride: KeyGroup * 4, bvec: group, bpanel: 2 * group, direct: 1,
	}
	even := groups &^ 1
	if even > 0 {
		s.attentionRows(&t, even/2, at(out, 0), at(q, 0), at(kt, 0), m)
	}
	if even < groups {
		// Twice the same group: the second half of the panel is not stored.
		scratch := amxScratch.Get().(*[amxTileRows * 32]float32)
		t.bvec, t.direct, t.mask, t.scratch = 0, 0, 1<<KeyGroup-1, unsafe.Pointer(scratch)
		s.attentionRows(&t, 1, at(out, even*KeyGroup), at(q, 0), at(kt, even*KeyGroup*w), m)
		amxScratch.Put(scratch)
	}
}

func (s *amxSet) AccumulateBF16(o []float32, p []uint16, m int, v []uint16, w int) {
	if m == 0 {
		return
	}
	checkAccumulate(o, p, m, v, w)
	t := amxCall{
		lda: KeyBlock * 2, ldc: uintptr(w) * 4, steps: KeyBlock / 32,
		bstride: uintptr(w) * 4, bvec: 64, bpanel: 128, direct: 1, chain: 1,
	}
	s.attentionRows(&t, w/32, at(o, 0), at(p, 0), at(v, 0), m)
}

// attentionRows multiplies m rows with panels of 32 columns: whole blocks, then
// the rows that are left.
func (s *amxSet) attentionRows(t *amxCall, panels int, c, a, b unsafe.Pointer, m int) {
	for i := 0; i < m; i += t.rows * t.blocks {
		rows := min(amxTileRows, m-i)
		t.block(rows, (m-i)/rows)
		t.panels = panels
		t.a, t.b, t.c = unsafe.Add(a, uintptr(i)*t.lda), b, unsafe.Add(c, uintptr(i)*t.ldc)
		amxRows(t)
	}
}

//go:noescape
func amxRows(t *amxCall)
