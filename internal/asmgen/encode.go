package asmgen

import "fmt"

// vdpbf16ps writes VDPBF16PS zmm[dst], zmm[b], zmm[a]: for each of 16 lanes,
// dst += a.lo·b.lo + a.hi·b.hi over pairs of bfloat16.
//
// EVEX.512.F3.0F38.W0 52 /r (Intel SDM, volume 2).
func vdpbf16ps(f *file, dst, b, a int) {
	f.raw(evex(2, 2, 0x52, dst, b, a), fmt.Sprintf("vdpbf16ps zmm%d, zmm%d, zmm%d", dst, b, a))
}

// evex encodes a 512-bit EVEX instruction with register operands: opcode map
// mm, mandatory prefix pp (0 none, 1 66, 2 F3, 3 F2), W0, no mask.
func evex(mm, pp, opcode byte, reg, vvvv, rm int) []byte {
	not := func(bit int) byte { return byte(^bit & 1) }
	p0 := not(reg>>3)<<7 | not(rm>>4)<<6 | not(rm>>3)<<5 | not(reg>>4)<<4 | mm
	p1 := byte(^vvvv&15)<<3 | 1<<2 | pp
	p2 := byte(2)<<5 | not(vvvv>>4)<<3
	return []byte{0x62, p0, p1, p2, opcode, 0xc0 | byte(reg&7)<<3 | byte(rm&7)}
}
