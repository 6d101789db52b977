//go:build !noasm

package kernel

import (
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// codeRow is one call of a loop that multiplies a row with the codes of a panel, or stores the
// panel's numbers; see internal/asmgen. As in unpack, what the assembly moves on is not kept in
// pointers.
type codeRow struct {
	sum    unsafe.Pointer // [panel], which the chain of sums begins and ends with; or the numbers [k][panel]
	a      uintptr
	codes  uintptr
	cvec   uintptr // from the first vector's codes to the second's
	scales uintptr
	svec   uintptr
	zeros  uintptr
	zvec   uintptr
	zstep  uintptr // bytes between groups' zeros: 0 where all have the same
	levels unsafe.Pointer
	steps  int
	group  int // steps that share a scale
}

// codeFinish is what a loop rounds numbers to before they are multiplied.
type codeFinish uint8

// The finishes.
const (
	finish codeFinish = iota // to nothing
	finishBF16
	finishF16
	finishF16BF16
	finishExact // to bfloat16, of products that are exact
	finishPair  // of bfloat16, for VDPBF16PS
	finishF16Pair
	finishExactPair

	codeFinishes
)

// rowScratch is what rows times codes need.
type rowScratch struct {
	a    []float32 // a row, widened
	sum  [32]float32
	tail codeScratch
}

var rowScratches = sync.Pool{New: func() any { return new(rowScratch) }}

// codeLoops are the loops for a product of codes, nil where there is none: numbers times a row,
// and numbers stored as a panel of weights that the arithmetic takes.
func (s *simd) codeLoops(in *Input, w *Matrix) (row, panel func(*codeRow)) {
	c := w.Codes
	if c.wild.Load() {
		return nil, nil
	}
	bfloat16, half := in.Arithmetic == BFloat16, c.Round == RoundFloat16
	exact := !half && !c.inexact.Load() && (bfloat16 || c.Round == RoundBFloat16)
	form, to, pairs := c.Form, finish, finish
	switch {
	case exact:
		to, pairs = finishExact, finishExactPair
	case half && bfloat16:
		to, pairs = finishF16BF16, finishF16Pair
	case half:
		to = finishF16
	case bfloat16 || c.Round == RoundBFloat16:
		to, pairs = finishBF16, finishPair
	}
	if c.Form == Centred && c.Bits >= 4 && c.zeros == nil && c.Zero == float32(int(1)<<c.Bits/2) {
		form = signedCodes
	}
	kind := [2]int{c.Bits, int(form)}
	rows, panels := codeRowsAVX512[kind], codePanelsAVX512[kind]
	if s.isa == isaAVX2 {
		rows, panels = codeRowsAVX2[kind], codePanelsAVX2[kind]
	}
	row, panel = rows[to], panels[to]
	if bfloat16 {
		panel = panels[pairs]
		switch {
		case s.tiles: // which add in another order
			row = nil
		case s.isa == isaAVX512BF16:
			row = rows[pairs]
			if look := codeLookupsAVX512[kind][pairs]; look != nil && lookups(c) {
				row = look
			}
		}
	}
	return row, panel
}

// lookups reports whether numbers are looked up in tables of their group: where groups are long
// enough that tables take less than what they save. Numbers of four bits take as much to look up as
// to make, but for those that are rounded to float16 too.
func lookups(c *Codes) bool {
	least := 16
	switch {
	case c.Bits == 4 && c.Round != RoundFloat16:
		least = 64
	case c.Bits >= 3:
		least = 32
	}
	return cpu.X86.HasAVX512VBMI && c.Group >= least
}

// signedCodes are Centred with the zero in the middle of the codes, of loops alone.
const signedCodes = E4M3 + 1

// codeRowTable are the loops' constants; see asmgen.
//
//lint:ignore U1000 the assembly's own
var codeRowTable = func() (rows [20][64]uint8) {
	for i := range 64 {
		for j := range uint8(4) {
			rows[j][i], rows[4+j][i] = 0x80, 0x80 // a zero
			if i%4 == 0 {
				rows[j][i] = uint8(i)%16 + j
			}
			if i%4 == 3 {
				rows[4+j][i] = uint8(i)%16/4*4 + j
			}
		}
		rows[8][i], rows[9][i] = 0x0f, 0xf0
		rows[10][i], rows[11][i] = 0x88, 0x80
	}
	for i := 0; i < 64; i += 4 {
		for j, x := range []float32{0x1p16, 0xffff, 0x1p-12, 0xffffp-28, 0x1p-8, 0xffffp-24, 0x1p-28, 0x1p-24} {
			binary.LittleEndian.PutUint32(rows[12+j][i:], math.Float32bits(x))
		}
	}
	return rows
}()

// lookupTable are the constants of the loops that look numbers up; see asmgen.
//
//lint:ignore U1000 the assembly's own
var lookupTable = func() (rows [34][64]uint8) {
	word := func(row, lane, x int) { binary.LittleEndian.PutUint16(rows[row][2*lane:], uint16(x)) }
	for i := range 32 {
		word(0, i, 2*i+1) // of two vectors: the second's are 32 further on
		for bits := 2; bits <= 4; bits++ {
			word(bits-1, i, i/2&(1<<(6-bits)-1))
			word(bits+2, i, (1<<bits-1)<<(6-bits))
		}
		word(7, i, 0x18)
	}
	// control says for each word of a row which of a code's bits come to its lowest place, and on: those
	// from so many bits on for the first code, so many more for each next.
	control := func(row, first, width int) {
		for i := range 32 {
			rows[row][2*i] = uint8(32*(i/2%2)+first+width*(i%2)) & 63
		}
	}
	for p := range 8 {
		control(8+p, 4*p-4, 2)
		control(16+p, 4*p-3, 2)
		if p < 4 {
			control(24+p, 2*p-5, 1)
			control(28+p, 8*p-2, 4)
		}
	}
	for i := range 16 {
		binary.LittleEndian.PutUint32(rows[32][4*i:], math.Float32bits(float32(i)))
		binary.LittleEndian.PutUint32(rows[33][4*i:], math.Float32bits(float32(i-8)))
	}
	return rows
}()

// matMulCodeRows multiplies rows one by one with the numbers that codes stand for, each made in
// a register: the same sums in the same order as those of the tiles.
func (s *simd) matMulCodeRows(loop func(*codeRow), y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1, mode int) {
	scratch := rowScratches.Get().(*rowScratch)
	defer rowScratches.Put(scratch)
	scratch.tail.constants(w.Codes)
	for i := m0; i < m1; i++ {
		a, element := s.rowOf(scratch, in, i)
		for n := n0; n < n1; n += s.panel {
			s.codeRow(loop, scratch, a, element, in, i, w, n)
			out := y[(i-m0)*ldy+n-n0:][:min(s.panel, n1-n)]
			for j, sum := range scratch.sum[:len(out)] {
				if mode == modeAdd {
					out[j] += sum
				} else {
					out[j] = sum
				}
			}
		}
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(in)
}

// rowOf is row i as the loops read it, and the bytes of an activation.
func (s *simd) rowOf(scratch *rowScratch, in *Input, i int) (a unsafe.Pointer, element int) {
	stride := InputStride(in.K)
	switch {
	case in.Arithmetic == Float32:
		return at(in.F32, i*stride), 4
	case s.isa == isaAVX512BF16:
		return at(in.BF16, i*stride), 2
	}
	padded := PairedK(in.K)
	if cap(scratch.a) < padded {
		scratch.a = newSlice[float32](padded)
	}
	scratch.a = scratch.a[:padded]
	s.widen(scratch.a, in.BF16[i*stride:][:padded])
	return at(scratch.a, 0), 4
}

// codeRow makes the sums of row i with the panel from column n on.
func (s *simd) codeRow(loop func(*codeRow), scratch *rowScratch, a unsafe.Pointer, element int, in *Input, i int, w *Matrix, n int) {
	clear(scratch.sum[:])
	whole := w.K &^ (codeStep - 1)
	if whole > 0 {
		r := &scratch.tail.panel
		*r = s.codeCall(&scratch.tail, w, n, whole)
		r.sum, r.a = unsafe.Pointer(&scratch.sum), uintptr(a)
		loop(r)
	}
	if whole == w.K {
		return
	}
	// What is left of the row goes through a tile, whose chains begin with the sums.
	storage := usual[in.Arithmetic].Storage
	t := &scratch.tail
	t.resize(storage, w.K-whole, s.panel*codeStep)
	t.w.N = s.panel
	for v := 0; v < s.panel; v += s.lanes {
		s.unpackColumns(t, w, n+v, v, whole)
	}
	rest := Input{K: w.K - whole, Arithmetic: in.Arithmetic}
	if in.Arithmetic == Float32 {
		rest.F32 = in.F32[i*InputStride(in.K)+whole:]
	} else {
		rest.BF16 = in.BF16[i*InputStride(in.K)+whole:]
	}
	s.products[storage][in.Arithmetic](s, scratch.sum[:], s.panel, &rest, 0, 1, &t.w, 0, s.panel, modeChain)
}

// codeCall is a call of a loop for whole k of the panel from column n on, but for what it sums or
// stores to.
func (s *simd) codeCall(scratch *codeScratch, w *Matrix, n, whole int) codeRow {
	c := w.Codes
	vector, words, step := n/s.lanes, c.Bits*s.lanes, 32/c.Bits
	if c.Bits == 3 {
		step = codeStep
	}
	r := codeRow{
		codes: address(c.words, vector*c.steps*words), cvec: uintptr(c.steps*words) * 4,
		scales: address(c.scales, vector*c.groups*s.lanes), svec: uintptr(c.groups*s.lanes) * 4,
		zeros: uintptr(unsafe.Pointer(&scratch.zeros)), levels: unsafe.Pointer(&scratch.levels),
		steps: whole / step, group: (c.Group + step - 1) / step,
	}
	if c.zeros != nil {
		r.zeros, r.zvec, r.zstep = address(c.zeros, vector*c.groups*s.lanes), r.svec, uintptr(s.lanes)*4
	}
	return r
}

// codePanel stores the numbers of the panel from column n on where column to of the scratch matrix
// lies.
func (s *simd) codePanel(loop func(*codeRow), scratch *codeScratch, w *Matrix, n, to int) {
	whole := w.K &^ (codeStep - 1)
	if whole > 0 {
		r := &scratch.panel
		*r = s.codeCall(scratch, w, n, whole)
		r.sum = unsafe.Pointer(unsafe.SliceData(scratch.out(s, to)))
		loop(r)
	}
	for v := 0; whole < w.K && v < s.panel; v += s.lanes {
		s.unpackColumns(scratch, w, n+v, to+v, whole)
	}
}
