package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"
)

// Coding says what the codes of a matrix stand for. A code of so many bits, in a group of
// Group columns k of a row that share a scale s and a zero z, is, each operation rounded to
// float32 and the last to Round:
//
//	Centred  (code - z)·s
//	Offset   code·s + z
//	Level    Levels[code]·s, of four bits
//	E4M3     float8(code)·s, of eight bits
type Coding struct {
	Bits   int
	Group  int
	Form   CodeForm
	Levels [16]float32
	Zero   float32 // where Zeros says that groups have none of their own
	Zeros  bool
	Round  Rounding
}

// CodeForm is how a number is made of a code.
type CodeForm uint8

// The forms, as Coding says.
const (
	Centred CodeForm = iota
	Offset
	Level
	E4M3
)

// Rounding is the format that a code's number is rounded to.
type Rounding uint8

// The formats of numbers that codes stand for.
const (
	RoundFloat32 Rounding = iota
	RoundBFloat16
	RoundFloat16
)

// codeStep is the number of k whose codes lie together.
const codeStep = 32

// Check is the error of codes that no kernel reads.
func (c *Coding) Check(k int) error {
	whole := 16
	if c.Bits == 3 {
		whole = codeStep
	}
	switch {
	case c.Bits != 2 && c.Bits != 3 && c.Bits != 4 && c.Bits != 8:
		return fmt.Errorf("codes of %d bits: want 2, 3, 4 or 8", c.Bits)
	case c.Group < 1 || c.Group < k && c.Group%whole != 0:
		return fmt.Errorf("groups of %d columns: want a multiple of %d with %d bits, or a row", c.Group, whole, c.Bits)
	case c.Form == Level && c.Bits != 4 || c.Form == E4M3 && c.Bits != 8:
		return fmt.Errorf("codes of %d bits in form %d", c.Bits, c.Form)
	}
	return nil
}

// Codes are the codes of a Matrix, in vectors of so many columns (lanes):
//
//	words  [vector][k/32][bits][lane]: words of 32 bits; of 2, 4 and 8 bits codes lie one behind
//	       the other, the first lowest; of 3 bits two words hold 16 low pairs each, the third 32
//	       high bits
//	scales [vector][group][lane], and zeros, which may be nil
type Codes struct {
	Coding
	lanes  int
	steps  int // of 32 k
	groups int // of a row
	words  []uint32
	scales []float32
	zeros  []float32

	wild    atomic.Bool // some scale or zero is out of the range of tame
	inexact atomic.Bool // some product with a scale may be inexact
}

// newCoded allocates W [n, k], whole panels of it.
func newCoded(c Coding, n, k, panel, lanes int) *Matrix {
	if err := c.Check(k); err != nil {
		panic("kernel: " + err.Error())
	}
	c.Group = min(c.Group, k)
	columns := (n + panel - 1) / panel * panel
	w := &Codes{Coding: c, lanes: lanes, steps: (k + codeStep - 1) / codeStep, groups: (k + c.Group - 1) / c.Group}
	w.words = newSlice[uint32](columns * w.steps * c.Bits)
	w.scales = newSlice[float32](columns * w.groups)
	if c.Zeros {
		w.zeros = newSlice[float32](columns * w.groups)
	}
	return &Matrix{N: n, K: k, Storage: StoredCodes, Codes: w}
}

func (Generic) NewCoded(c Coding, n, k int) *Matrix {
	return newCoded(c, n, k, genericPanel, genericPanel)
}

// PackCodes fills rows [n0, n1) of W, as PackRows does; row writes row j's K codes, and a scale
// and a zero of each group (zeros is empty where groups have none of their own). All are finite.
func (w *Matrix) PackCodes(n0, n1 int, row func(j int, codes []uint8, scales, zeros []float32)) {
	c := w.Codes
	codes, scales := make([]uint8, c.steps*codeStep), make([]float32, c.groups)
	var zeros []float32
	if c.zeros != nil {
		zeros = make([]float32, c.groups)
	}
	for j := n0; j < n1; j++ {
		row(j, codes[:w.K], scales, zeros)
		if !c.tame(scales, zeros) {
			c.wild.Store(true)
		}
		if !c.exact(scales, zeros) {
			c.inexact.Store(true)
		}
		vector, lane := j/c.lanes, j%c.lanes
		for g := range scales {
			at := (vector*c.groups+g)*c.lanes + lane
			c.scales[at] = scales[g]
			if zeros != nil {
				c.zeros[at] = zeros[g]
			}
		}
		for s := range c.steps {
			at := (vector*c.steps+s)*c.Bits*c.lanes + lane
			packStep(c.words[at:], c.lanes, c.Bits, codes[s*codeStep:][:codeStep])
		}
	}
}

// tame reports whether every number of such groups that is not zero lies between 2^-90 and 2^90, and
// with Round of float16 within its range: then numbers can be rounded to eight bits by arithmetic
// that has neither overflow nor subnormals.
func (c *Coding) tame(scales, zeros []float32) bool {
	most := float32(int(1)<<c.Bits - 1)
	switch c.Form {
	case Level:
		most = 0
		for _, l := range c.Levels {
			if l != 0 && abs(l) < 0x1p-30 {
				return false
			}
			most = max(most, abs(l))
		}
	case E4M3:
		most = 448
	}
	limit := float32(0x1p60)
	if c.Round == RoundFloat16 {
		limit = 65000
	}
	within := func(x, least float32) bool { return x == 0 || abs(x) >= least && abs(x) <= limit }
	for g, scale := range scales {
		zero := c.Zero
		if len(zeros) > 0 {
			zero = zeros[g]
		}
		largest := most * abs(scale)
		switch c.Form {
		case Centred:
			largest += abs(zero) * abs(scale)
		case Offset:
			largest += abs(zero)
		default:
			zero = 0
		}
		// A difference that is not zero is at least the last place of the smaller, 2^-24 of it.
		if !within(scale, 0x1p-60) || !within(zero, 0x1p-30) || !(largest <= limit) {
			return false
		}
	}
	return true
}

// exact reports whether scales times codes less zeros are float32 as they are: scales are bfloat16 and
// zeros whole, of codes whose loops make use of it.
func (c *Coding) exact(scales, zeros []float32) bool {
	whole := func(x float32) bool { return abs(x) <= 256 && x == float32(int(x)) }
	for _, x := range scales {
		if FromBF16(ToBF16(x)) != x {
			return false
		}
	}
	for _, x := range zeros {
		if !whole(x) {
			return false
		}
	}
	return c.Form == Centred && c.Bits != 3 && (len(zeros) > 0 || whole(c.Zero))
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// packStep stores the 32 codes of a step.
func packStep(words []uint32, stride, bits int, codes []uint8) {
	codes = codes[:codeStep]
	switch bits {
	case 2:
		for w := range 2 {
			words[w*stride] = lowPairs(codes[16*w:]) | lowPairs(codes[16*w+8:])<<16
		}
	case 3: // two bits of each as of codes of two bits, and the third
		var high uint32
		for i, v := range codes {
			high |= uint32(v>>2) << i
		}
		for w := range 2 {
			words[w*stride] = lowPairs(codes[16*w:]) | lowPairs(codes[16*w+8:])<<16
		}
		words[2*stride] = high
	case 4:
		for w := range 4 {
			words[w*stride] = nibbles(binary.LittleEndian.Uint64(codes[8*w:]))
		}
	case 8:
		for w := range 8 {
			words[w*stride] = binary.LittleEndian.Uint32(codes[4*w:])
		}
	}
}

// lowPairs are the two lowest bits of eight bytes, the first's lowest.
func lowPairs(codes []uint8) uint32 {
	x := nibbles(binary.LittleEndian.Uint64(codes) & 0x0303030303030303)
	x = (x | x>>2) & 0x0f0f0f0f
	x = (x | x>>4) & 0x00ff00ff
	return (x | x>>8) & 0xffff
}

// nibbles are the lower halves of eight bytes whose upper ones are zero, the first lowest.
func nibbles(x uint64) uint32 {
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16)
}

// numbers writes the numbers of rows k0 to k1 of a vector of columns into dst [k1-k0, lanes]: of
// few bits, each that a group has is made once.
func (c *Codes) numbers(dst []float32, vector, k0, k1 int) {
	words := c.words[vector*c.steps*c.Bits*c.lanes:]
	var known [16][16]float32 // [lane][code] of group g
	g, few := -1, c.Bits <= 4 && c.lanes <= len(known)
	for k := k0; k < k1; k++ {
		step := words[k/codeStep*c.Bits*c.lanes:]
		at := (vector*c.groups + k/c.Group) * c.lanes
		if few && k/c.Group != g {
			g = k / c.Group
			for lane := range c.lanes {
				for code := range uint32(1) << c.Bits {
					known[lane][code] = c.number(code, at+lane)
				}
			}
		}
		out := dst[(k-k0)*c.lanes:][:c.lanes]
		for lane := range out {
			code := codeOf(step[lane:], c.lanes, c.Bits, k%codeStep)
			if few {
				out[lane] = known[lane&15][code&15]
			} else {
				out[lane] = c.number(code, at+lane)
			}
		}
	}
}

func codeOf(words []uint32, stride, bits, i int) uint32 {
	if bits == 3 {
		return words[i/16*stride]>>(i%16*2)&3 | words[2*stride]>>i&1<<2
	}
	each := 32 / bits
	return words[i/each*stride] >> (i % each * bits) & (1<<bits - 1)
}

// number is what a code stands for in the group whose scale is number at.
func (c *Codes) number(code uint32, at int) float32 {
	scale, zero := c.scales[at], c.Zero
	if c.zeros != nil {
		zero = c.zeros[at]
	}
	var x float32
	switch c.Form {
	case Offset:
		x = float32(float32(code)*scale) + zero
	case Level:
		x = c.Levels[code] * scale
	case E4M3:
		x = smallFloats[code] * scale
	default:
		x = float32(float32(code)-zero) * scale
	}
	switch c.Round {
	case RoundBFloat16:
		return FromBF16(ToBF16(x))
	case RoundFloat16:
		return roundFloat16(x)
	}
	return x
}

// Row writes row j, K numbers, of a matrix of codes: what its codes stand for.
func (w *Matrix) Row(j int, dst []float32) {
	c := w.Codes
	vector, lane := j/c.lanes, j%c.lanes
	words := c.words[vector*c.steps*c.Bits*c.lanes+lane:]
	for k := range dst[:w.K] {
		code := codeOf(words[k/codeStep*c.Bits*c.lanes:], c.lanes, c.Bits, k%codeStep)
		dst[k] = c.number(code, (vector*c.groups+k/c.Group)*c.lanes+lane)
	}
}
