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

// The AMX instructions (Intel SDM, volume 2): VEX.128.0F38.W0, opcode 49 for
// the tile state, 4B for loads and stores, 5C for the product. Tiles are tmm0
// to tmm7; memory operands are base + index, 64-bit registers in lower case.

func ldtilecfg(f *file, base string) {
	b := gpr[base]
	f.raw(append(vex(0, 0, 0, b), 0x49, byte(b&7)), fmt.Sprintf("ldtilecfg [%s]", base))
}

func tilerelease(f *file) { f.raw(append(vex(0, 0, 0, 0), 0x49, 0xc0), "tilerelease") }

func tilezero(f *file, t int) {
	f.raw(append(vex(3, 0, 0, 0), 0x49, 0xc0|byte(t)<<3), fmt.Sprintf("tilezero tmm%d", t))
}

func tileloadd(f *file, t int, base, index string) {
	f.raw(tileMemory(3, t, base, index), fmt.Sprintf("tileloadd tmm%d, [%s+%s*1]", t, base, index))
}

func tilestored(f *file, t int, base, index string) {
	f.raw(tileMemory(2, t, base, index), fmt.Sprintf("tilestored [%s+%s*1], tmm%d", base, index, t))
}

// tdpbf16ps writes tmm[c] += tmm[a]·tmm[b].
func tdpbf16ps(f *file, c, a, b int) {
	f.raw(append(vex(2, b, 0, 0), 0x5c, 0xc0|byte(c)<<3|byte(a)), fmt.Sprintf("tdpbf16ps tmm%d, tmm%d, tmm%d", c, a, b))
}

// tdpbusd writes tmm[c] += tmm[a]·tmm[b] over fours of bytes, those of a without a sign.
func tdpbusd(f *file, c, a, b int) {
	f.raw(append(vex(1, b, 0, 0), 0x5e, 0xc0|byte(c)<<3|byte(a)), fmt.Sprintf("tdpbusd tmm%d, tmm%d, tmm%d", c, a, b))
}

// gpr numbers the registers that memory operands here may use. rsp, rbp, r12
// and r13 would need another form.
var gpr = map[string]int{"rax": 0, "rcx": 1, "rdx": 2, "rbx": 3, "rsi": 6, "rdi": 7, "r8": 8, "r9": 9, "r10": 10, "r11": 11, "r14": 14, "r15": 15}

// vex is the three-byte prefix of map 0F38, W0, 128 bits.
func vex(pp byte, vvvv, index, base int) []byte {
	not := func(bit int) byte { return byte(^bit & 1) }
	return []byte{0xc4, 1<<7 | not(index>>3)<<6 | not(base>>3)<<5 | 2, byte(^vvvv&15)<<3 | pp}
}

func tileMemory(pp byte, t int, base, index string) []byte {
	b, i := gpr[base], gpr[index]
	return append(vex(pp, 0, i, b), 0x4b, byte(t)<<3|4, byte(i&7)<<3|byte(b&7))
}
