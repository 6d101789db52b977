package asmgen

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestLookupLoops: every loop that looks numbers up makes, on paper, the sums of the numbers that its
// codes stand for. engine/kernel's conformance suite runs them where the processor has AVX-512 VBMI.
func TestLookupLoops(t *testing.T) {
	text := string(lookupFile())
	for _, c := range lookups() {
		v := vector{wide: true}
		name := c.name(v.isa())
		_, body, ok := strings.Cut(text, "TEXT ·"+name+"(SB)")
		if !ok {
			t.Fatalf("no %s", name)
		}
		body, _, _ = strings.Cut(body, "\n// codeLookup")
		if err := codeLoop(c, v.lanes(), "TEXT"+body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lookupConstants writes what engine/kernel's lookupTable has.
func (m *machine) lookupConstants(at int) {
	word := func(row, lane, x int) { binary.LittleEndian.PutUint16(m.mem[at+64*row+2*lane:], uint16(x)) }
	for i := range 32 {
		word(lookupOdd, i, 2*i+1)
		for bits := 2; bits <= 4; bits++ {
			word(lookupColumn+bits-2, i, i/2&(1<<(6-bits)-1))
			word(lookupMask+bits-2, i, (1<<bits-1)<<(6-bits))
		}
		word(lookupMask+3, i, 0x18)
	}
	control := func(row, first, width int) {
		for i := range 32 {
			m.mem[at+64*row+2*i] = uint8(32*(i/2%2)+first+width*(i%2)) & 63
		}
	}
	for p := range 8 {
		control(lookupControl2+p, 4*p-4, 2)
		control(lookupControl3+p, 4*p-3, 2)
		if p < 4 {
			control(lookupControl3+8+p, 2*p-5, 1)
			control(lookupControl4+p, 8*p-2, 4)
		}
	}
	for i := range 16 {
		binary.LittleEndian.PutUint32(m.mem[at+64*lookupCodes+4*i:], math.Float32bits(float32(i)))
		binary.LittleEndian.PutUint32(m.mem[at+64*(lookupCodes+1)+4*i:], math.Float32bits(float32(i-8)))
	}
}

// lookupStep executes an instruction that the loops above have and others have not; done is false for
// any other. Operands are in the assembler's order, the manual's backwards.
func (m *machine) lookupStep(name string, o []string) (done bool) {
	last := o[len(o)-1]
	if name == "KMOVD" {
		m.masks[last] = m.value(o[0])
		return true
	}
	if !strings.HasPrefix(last, "Z") || len(o) < 3 {
		return false
	}
	switch name {
	case "VPMULTISHIFTQB":
		m.put(last, multishift(m.words(o[0], 16), m.words(o[1], 16)))
	case "VPERMT2W":
		m.put(last, permuted(m.words(o[1], 16), m.words(last, 16), m.words(o[0], 16), 1<<32-1))
	case "VPERMI2W":
		mask := uint64(1<<32 - 1)
		if len(o) == 4 {
			mask = m.masks[o[2]]
		}
		m.put(last, permuted(m.words(last, 16), m.words(o[1], 16), m.words(o[0], 16), mask))
	case "VPTERNLOGD":
		table, _ := strconv.ParseUint(o[0][1:], 0, 8)
		c, b, a := m.words(o[1], 16), m.words(o[2], 16), m.words(last, 16)
		for i := range a {
			x := uint32(0)
			for bit := range 32 {
				at := a[i]>>bit&1<<2 | b[i]>>bit&1<<1 | c[i]>>bit&1
				x |= uint32(table>>at&1) << bit
			}
			a[i] = x
		}
		m.put(last, a)
	case "VSHUFI64X2":
		lanes, _ := strconv.ParseUint(o[0][1:], 0, 8)
		from := [2][]uint32{m.words(o[2], 16), m.words(o[1], 16)}
		out := make([]uint32, 16)
		for lane := range 4 {
			copy(out[4*lane:4*lane+4], from[lane/2][lanes>>(2*lane)&3*4:])
		}
		m.put(last, out)
	case "VPUNPCKLQDQ", "VPUNPCKHQDQ":
		second, first := m.words(o[0], 16), m.words(o[1], 16)
		out, at := make([]uint32, 16), 0
		if name == "VPUNPCKHQDQ" {
			at = 2
		}
		for lane := 0; lane < 16; lane += 4 {
			copy(out[lane:lane+2], first[lane+at:])
			copy(out[lane+2:lane+4], second[lane+at:])
		}
		m.put(last, out)
	default:
		return false
	}
	return true
}

// multishift is VPMULTISHIFTQB: each byte is eight bits of its quadword, from the bit on that its control
// names, around the end.
func multishift(data, control []uint32) []uint32 {
	out := make([]uint32, len(data))
	for i := range out {
		q := uint64(data[i&^1]) | uint64(data[i|1])<<32
		for at := 0; at < 32; at += 8 {
			by := control[i] >> at & 63
			out[i] |= uint32(q>>by|q<<(64-by)) & 0xff << at
		}
	}
	return out
}

// permuted is VPERMI2W and VPERMT2W: each word is the one of two tables of 32 that its index names. Words whose
// bit of the mask is 0 keep the index.
func permuted(index, first, second []uint32, mask uint64) []uint32 {
	word := func(x []uint32, i uint32) uint32 { return x[i/2] >> (i % 2 * 16) & 0xffff }
	out := make([]uint32, len(index))
	for i := range uint32(2 * len(index)) {
		x := word(index, i)
		if mask>>i&1 == 1 {
			from := first
			if x&32 != 0 {
				from = second
			}
			x = word(from, x&31)
		}
		out[i/2] |= x << (i % 2 * 16)
	}
	return out
}
