//go:build !noasm

package kernel

import (
	"runtime"
	"sync"
	"unsafe"
)

// unpack is one call of an unpacker over a vector of columns; see internal/asmgen. What
// the assembly moves on is not kept in pointers: behind the last column they would be those
// of something else.
type unpack struct {
	dst    unsafe.Pointer // [k][lane]
	stride uintptr        // bytes between its rows
	codes  uintptr
	scales uintptr
	zeros  uintptr
	zstep  uintptr // bytes between groups' zeros: 0 where all have the same
	levels unsafe.Pointer
	steps  int // of 16 k, of 32 with 3 bits
	group  int // steps that share a scale
	left   int // steps until the next scale
}

// unpackChunk is the number of k that are unpacked before they are rounded: 16 columns
// of them are eight kilobytes.
const unpackChunk = 128

// codeScratch is what a product of codes needs: the numbers of some columns, packed, and
// those of a vector of columns on the way.
type codeScratch struct {
	w      Matrix
	chunk  [unpackChunk * 16]float32
	zeros  [16]float32
	levels [16]float32
	call   unpack
	panel  codeRow
}

var codeScratches = sync.Pool{New: func() any { return new(codeScratch) }}

// codeRowsMost is the most rows that are multiplied one by one: with more, a panel's numbers are
// made once for all.
const codeRowsMost = 1

// codeBlock is the size in bytes of the numbers that are unpacked at once: they stay in
// the second-level cache until the rows have passed.
const codeBlock = 512 << 10

func (s *simd) NewCoded(c Coding, n, k int) *Matrix { return newCoded(c, n, k, s.panel, s.lanes) }

// matMulCodes multiplies with the numbers that codes stand for: rows that are alone with each as
// it is made, others with some columns of them that are unpacked into panels as PackRows would
// make them.
func (s *simd) matMulCodes(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int) {
	row, panel := s.codeLoops(in, w)
	if row != nil && m1-m0 <= codeRowsMost {
		s.matMulCodeRows(row, y, ldy, in, m0, m1, w, n0, n1, mode)
		return
	}
	scratch := codeScratches.Get().(*codeScratch)
	defer codeScratches.Put(scratch)
	storage := usual[in.Arithmetic].Storage
	product := s.products[storage][in.Arithmetic]
	elements := w.K
	if storage == StoredBFloat16 {
		elements = PairedK(w.K) / 2
	}
	width := s.panel
	if m1-m0 > s.rows { // fewer are done with a panel before the next is needed
		width *= max(1, codeBlock/(4*elements*s.panel))
	}
	scratch.resize(storage, w.K, min(width, (n1-n0+s.panel-1)/s.panel*s.panel)*elements)
	scratch.constants(w.Codes)
	for n := n0; n < n1; n += width {
		end := min(n1, n+width)
		scratch.w.N = end - n
		for c := n; c < end; c += s.panel {
			if panel != nil {
				s.codePanel(panel, scratch, w, c, c-n)
				continue
			}
			for v := 0; v < s.panel; v += s.lanes {
				s.unpackColumns(scratch, w, c+v, c-n+v, 0)
			}
		}
		product(s, y[n-n0:], ldy, in, m0, m1, &scratch.w, 0, end-n, mode)
	}
	runtime.KeepAlive(w)
}

// constants puts in place what loops read that is the same for all columns.
func (c *codeScratch) constants(of *Codes) {
	c.levels = of.Levels
	for i := range c.zeros {
		c.zeros[i] = of.Zero
	}
}

// resize makes room for so many numbers of 32 bits, or pairs of 16.
func (c *codeScratch) resize(f Storage, k, size int) {
	c.w.Storage, c.w.K = f, k
	if f == StoredFloat32 {
		if cap(c.w.F32) < size {
			c.w.F32 = newSlice[float32](size)
		}
		c.w.F32 = c.w.F32[:size]
		return
	}
	if cap(c.w.BF16) < 2*size {
		c.w.BF16 = newSlice[uint16](2 * size)
	}
	c.w.BF16 = c.w.BF16[:2*size]
}

// unpackColumns makes the numbers of a vector of columns from column n on, of rows first to K,
// and puts them where column to of the scratch matrix lies, which has as many rows or but those
// from first on; first is a whole number of codeStep.
func (s *simd) unpackColumns(scratch *codeScratch, w *Matrix, n, to, first int) {
	c := w.Codes
	vector, step := n/s.lanes, 16
	if c.Bits == 3 {
		step = codeStep
	}
	run := c.unpacker(s.isa == isaAVX2)
	u := &scratch.call
	*u = unpack{
		codes: address(c.words, vector*c.steps*c.Bits*s.lanes+first*c.Bits/32*s.lanes),
		group: (c.Group + step - 1) / step,
	}
	group := first / c.Group
	if in := first % c.Group; in != 0 { // the loop reads the scales before those it is to go on with
		group++
		u.left = u.group - in/step
	}
	u.scales = address(c.scales, (vector*c.groups+group)*s.lanes)
	if c.zeros != nil {
		u.zeros, u.zstep = address(c.zeros, (vector*c.groups+group)*s.lanes), uintptr(s.lanes)*4
	} else {
		u.zeros = uintptr(unsafe.Pointer(&scratch.zeros))
	}
	u.levels = unsafe.Pointer(&scratch.levels)
	out, stride := scratch.out(s, to), uintptr(s.panel)*4
	direct := scratch.w.Storage == StoredFloat32 && c.Round == RoundFloat32
	rows, base := w.K-first, first-(w.K-scratch.w.K)
	for k := 0; k < rows; k += unpackChunk {
		count := min(unpackChunk, rows-k)
		u.steps = (count + step - 1) / step
		u.dst, u.stride = unsafe.Pointer(&scratch.chunk), uintptr(s.lanes)*4
		if direct && count == unpackChunk {
			u.dst, u.stride = at(out, (base+k)*s.panel), stride
			run(u)
			continue
		}
		run(u)
		s.roundChunk(scratch, c.Round, out, base+k, count)
	}
	if scratch.w.Storage == StoredBFloat16 {
		for p := (rows + 1) / 2; p < PairedK(rows)/2; p++ {
			clear(out[(base/2+p)*s.panel:][:s.lanes])
		}
	}
}

// out is the scratch matrix from column to on, in elements of 32 bits.
func (c *codeScratch) out(s *simd, to int) []float32 {
	all, rows := c.w.F32, c.w.K
	if c.w.Storage == StoredBFloat16 {
		all, rows = pairs(c.w.BF16), PairedK(c.w.K)/2
	}
	return all[to/s.panel*s.panel*rows+to%s.panel:]
}

// roundChunk moves count numbers of each column, unpacked from number k on, to out.
func (s *simd) roundChunk(scratch *codeScratch, round Rounding, out []float32, k, count int) {
	stride := uintptr(s.panel) * 4
	wide := s.isa != isaAVX2
	src := unsafe.Pointer(&scratch.chunk)
	if scratch.w.Storage == StoredBFloat16 {
		if count%2 != 0 {
			clear(scratch.chunk[count*s.lanes:][:s.lanes])
		}
		pick(wide, round == RoundFloat16, pairCodesAVX512, pairCodesAVX2, pairCodesF16AVX512, pairCodesF16AVX2)(at(out, k/2*s.panel), stride, src, (count+1)/2)
		return
	}
	if round == RoundFloat32 {
		for i := range count {
			copy(out[(k+i)*s.panel:][:s.lanes], scratch.chunk[i*s.lanes:])
		}
		return
	}
	pick(wide, round == RoundFloat16, roundCodesBF16AVX512, roundCodesBF16AVX2, roundCodesF16AVX512, roundCodesF16AVX2)(at(out, k*s.panel), stride, src, count)
}

// pick chooses one of four by the vectors' length and the rounding.
func pick[F any](wide, half bool, a, b, aHalf, bHalf F) F {
	switch {
	case wide && half:
		return aHalf
	case half:
		return bHalf
	case wide:
		return a
	}
	return b
}

// unpackers by bits and form, for both lengths of vectors.
var unpackers = map[[2]int][2]func(*unpack){
	{2, int(Centred)}: {unpack2CentredAVX512, unpack2CentredAVX2}, {2, int(Offset)}: {unpack2OffsetAVX512, unpack2OffsetAVX2},
	{3, int(Centred)}: {unpack3CentredAVX512, unpack3CentredAVX2}, {3, int(Offset)}: {unpack3OffsetAVX512, unpack3OffsetAVX2},
	{4, int(Centred)}: {unpack4CentredAVX512, unpack4CentredAVX2}, {4, int(Offset)}: {unpack4OffsetAVX512, unpack4OffsetAVX2},
	{8, int(Centred)}: {unpack8CentredAVX512, unpack8CentredAVX2}, {8, int(Offset)}: {unpack8OffsetAVX512, unpack8OffsetAVX2},
	{4, int(Level)}: {unpack4LevelAVX512, unpack4LevelAVX2}, {8, int(E4M3)}: {unpack8E4M3AVX512, unpack8E4M3AVX2},
}

// unpacker is the loop for the codes, with vectors of AVX2 or AVX-512.
func (c *Codes) unpacker(short bool) func(*unpack) {
	both := unpackers[[2]int{c.Bits, int(c.Form)}]
	if short {
		return both[1]
	}
	return both[0]
}
