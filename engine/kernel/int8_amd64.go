//go:build !noasm

package kernel

import (
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// fours reports whether int8 codes lie in fours, for instructions that multiply as many at once.
func (s *simd) fours() bool {
	if s.isa == isaAVX2 {
		return !s.pairs && cpu.X86.HasAVXVNNI
	}
	return !s.pairs && cpu.X86.HasAVX512VNNI
}

// int8Each is how many codes lie side by side.
func (s *simd) int8Each() int {
	if s.fours() {
		return 4
	}
	return 2
}

// NewInt8 implements Set.
func (s *simd) NewInt8(n, k int) *Matrix { return newInt8(n, k, s.panel, s.int8Each()) }

// int8Rows is the most rows whose sums are made before they become numbers.
const int8Rows = 256

type int8Scratch struct {
	sums [int8Rows * 32]int32
	row  []float32
	ends int8Ends
	tile tile
	amx  amxCall
}

var int8Scratches = sync.Pool{New: func() any { return new(int8Scratch) }}

// int8Ends is one call of the loop that makes numbers of sums; see internal/asmgen. Distances are in
// bytes.
type int8Ends struct {
	y, sums unsafe.Pointer
	ldy     uintptr
	lds     uintptr
	over    unsafe.Pointer // of the columns
	columns unsafe.Pointer // their scales
	rows    unsafe.Pointer // the rows' scales
	n       int            // columns
	count   int            // rows
	add     int
}

// QuantiseInt8 implements Set.
func (s *simd) QuantiseInt8(in *Int8Input, from *Input, m0, m1 int) {
	scratch := int8Scratches.Get().(*int8Scratch)
	defer int8Scratches.Put(scratch)
	stride, padded := InputStride(in.K), PairedK(in.K)
	if cap(scratch.row) < padded {
		scratch.row = newSlice[float32](padded)
	}
	_, _ = in.codes[:m1*stride], in.scales[:m1]
	wide := s.isa != isaAVX2
	for i := m0; i < m1; i++ {
		var x []float32
		if from.Arithmetic == Float32 {
			x = from.F32[i*stride:][:padded]
		} else {
			x = scratch.row[:padded]
			s.widen(x, from.BF16[i*stride:][:padded])
		}
		bits := pick(wide, false, int8MostAVX512, int8MostAVX2, nil, nil)(&x[0], padded)
		scale := int8Scale(bits)
		in.scales[i] = scale
		if !s.fours() {
			pick(wide, false, int8PairsAVX512, int8PairsAVX2, nil, nil)(&in.codes[i*stride], &x[0], padded, scale)
			continue
		}
		row := in.fours()[i*int8Stride(in.K):][:int8K(in.K, 4)]
		pick(wide, false, int8QuadsAVX512, int8QuadsAVX2, nil, nil)(&row[0], &x[0], padded, scale)
		clear(row[min(padded, len(row)):]) // where weights are zero
	}
}

// MatMulInt8 implements Set: sums are whole numbers, so that all Sets have the same.
func (s *simd) MatMulInt8(y []float32, ldy int, in *Int8Input, m0, m1 int, w *Matrix, n0, n1 int, add bool) {
	if m0 >= m1 || n0 >= n1 {
		return
	}
	each := s.int8Each()
	checkInt8(y, ldy, in, m0, m1, w, n0, n1, s.panel, each)
	scratch := int8Scratches.Get().(*int8Scratch)
	defer int8Scratches.Put(scratch)
	stride, a := 2*InputStride(in.K), at(in.codes, 0)
	if each == 4 {
		stride = int8Stride(in.K)
	}
	t := &scratch.tile
	*t = tile{
		ldc: uintptr(s.panel) * 4, lda: uintptr(stride), bstep: uintptr(s.panel * each), bvec: uintptr(s.lanes * each),
		steps: (w.K + each - 1) / each, mode: modeStore,
	}
	s.columns(t, s.panel)
	e := &scratch.ends
	*e = int8Ends{ldy: uintptr(ldy) * 4, sums: unsafe.Pointer(&scratch.sums), lds: uintptr(s.panel) * 4}
	if add {
		e.add = 1
	}
	tiles := s.tiles && each == 4 && int8Tiled() && m1-m0 > int8TileLeast
	for b := m0; b < m1; b += int8Rows {
		end := min(m1, b+int8Rows)
		for n := n0; n < n1; n += s.panel {
			t.b = at(w.Int8.codes, n*int8K(w.K, each))
			if tiles {
				s.int8Tiles(scratch, unsafe.Add(a, b*stride), end-b, w)
			} else {
				s.int8Sums(scratch, unsafe.Add(a, b*stride), end-b)
			}
			e.n, e.count = min(s.panel, n1-n), end-b
			e.y, e.rows = at(y, (b-m0)*ldy+n-n0), at(in.scales, b)
			e.over, e.columns = at(w.Int8.over, n), at(w.Int8.scales, n)
			if s.isa == isaAVX2 {
				int8EndsAVX2(e)
			} else {
				int8EndsAVX512(e)
			}
		}
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(in)
	scratch.tile, scratch.ends, scratch.amx = tile{}, int8Ends{}, amxCall{} // which keep what they point to
}

// int8Sums makes the sums of rows from a on with a panel.
func (s *simd) int8Sums(scratch *int8Scratch, a unsafe.Pointer, rows int) {
	t := &scratch.tile
	for i := 0; i < rows; i += s.rows {
		t.rows = min(s.rows, rows-i)
		t.a, t.c = unsafe.Add(a, uintptr(i)*t.lda), at(scratch.sums[:], i*s.panel)
		fours := s.fours()
		switch {
		case s.isa == isaAVX2 && fours:
			tileQuadsAVX2(t)
		case s.isa == isaAVX2:
			tileInt8AVX2(t)
		case fours:
			tileQuadsAVX512(t)
		default:
			tileInt8AVX512(t)
		}
	}
}

// int8Tiled reports whether the tiles multiply bytes; where none are, an emulator is asked to.
func int8Tiled() bool { return cpu.X86.HasAMXInt8 || !cpu.X86.HasAMXTile }

// int8TileLeast is the most rows that AMX's Set multiplies without tiles.
const int8TileLeast = 4

// int8Tiles is int8Sums in AMX's tiles.
func (s *simd) int8Tiles(scratch *int8Scratch, a unsafe.Pointer, rows int, w *Matrix) {
	t := &scratch.amx
	*t = amxCall{
		lda: scratch.tile.lda, ldc: amxTileRows * 4, steps: int8K(w.K, 4) / int8Step, bstride: 128, bvec: 64,
		b: scratch.tile.b, panels: 1,
	}
	for i := 0; i < rows; i += t.rows * t.blocks {
		most := min(amxTileRows, rows-i)
		t.block(most, (rows-i)/most)
		t.panels = 1
		t.a, t.c = unsafe.Add(a, uintptr(i)*t.lda), at(scratch.sums[:], i*amxTileRows)
		amxBytes(t)
	}
}

//go:noescape
func amxBytes(t *amxCall)
