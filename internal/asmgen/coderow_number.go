package asmgen

import "fmt"

// Rows of codeRowTable, 64 bytes each: what moves byte 0 to 3 of each word to the lowest and to
// the highest, masks, and what scales are multiplied by in exact loops, so that the number before
// it is multiplied is as signed and unsigned fields have it.
const (
	tableLow      = 0
	tableHigh     = 4
	tableMask     = 8  // 0x0f of each byte, then 0xf0
	tableFlip     = 10 // 0x88 of each byte, then 0x80
	tableUnsigned = 12 // 65536, 65535
	tableSigned   = 14 // the same times 2^-28 of four bits, then 2^-24

	tableSignedAlone = 18 // 2^-28 of four bits, then 2^-24 of eight
)

// table is the operand of a row, whose address is in BX.
func table(row int) string { return mem(64*row, "BX", "", 0) }

// codeRowConstants fills the registers that stay.
func (v *vector) codeRowConstants(c codeRow) {
	if c.bytewise() {
		if c.bf16() {
			v.broadcastBits("BX", 0x477fff00, rowFour) // 65535
			v.broadcastBits("BX", 0x47800000, rowC)
		}
		v.op("LEAQ", "·codeRowTable(SB)", "BX")
		return
	}
	if c.bf16() {
		v.broadcastBits("BX", 0x47800000, rowC) // 65536
	}
	switch {
	case c.form == "Level":
		v.op("MOVQ", "codeRow_levels(AX)", "BX")
		v.op("VMOVUPS", "(BX)", v.r(rowZero))
		if !v.wide {
			v.op("VMOVUPS", "32(BX)", v.r(rowZero+1))
		}
	case c.form == "E4M3":
		v.broadcastBits("BX", 0x43800000, rowFour) // 256: float16 has eight less in its exponent
		v.broadcastBits("BX", 0x8000, rowZero)     // the sign
		v.broadcastBits("BX", 0x3f80, rowMask)
	case c.bits == 3:
		v.broadcastBits("BX", 3, rowMask)
		v.broadcastBits("BX", 4, rowFour)
	default:
		v.broadcastBits("BX", 1<<c.bits-1, rowMask)
	}
}

// codeRowFields makes a word of vector j ready to be moved byte by byte: of four bits the even
// fields are in rowWord then, the odd ones in rowHigh.
func (v *vector) codeRowFields(c codeRow, j int) {
	even, odd := v.r(rowWord+j), v.r(rowHigh+j)
	flip := table(tableFlip)
	if c.bits == 8 {
		flip = table(tableFlip + 1)
	}
	if c.form == signed {
		v.bitwise("VPXOR", flip, even, even)
	}
	switch {
	case c.bits == 8:
	case c.form == signed:
		v.bitwise("VPAND", table(tableMask+1), even, odd)
		v.op("VPSLLD", "$4", even, even)
		v.bitwise("VPAND", table(tableMask+1), even, even)
	default:
		v.op("VPSRLD", "$4", even, odd)
		v.bitwise("VPAND", table(tableMask), odd, odd)
		v.bitwise("VPAND", table(tableMask), even, even)
	}
}

// codeRowNumber makes the number of field i of vector j's word in rowX, rounded. But where
// fields are moved byte by byte the word is shifted on, and the field is its lowest.
func (v *vector) codeRowNumber(c codeRow, j, i, width int) {
	x, t, word, scale := v.r(rowX), v.r(rowT), v.r(rowWord+j), v.r(rowScale+j)
	of := numberRegisters{rowX, rowT, rowScale + j, rowZero + j, rowRounded + j}
	switch {
	case c.form == "Level":
		v.op("VPERMPS", v.r(rowZero), word, x)
		if !v.wide { // looks at three bits
			v.op("VPERMPS", v.r(rowZero+1), word, t)
			v.op("VPSLLD", "$28", word, v.r(rowHigh))
			v.op("VBLENDVPS", v.r(rowHigh), t, x, x)
		}
		v.op("VMULPS", scale, x, x)
	case c.form == "E4M3":
		// As float16: the sign, and exponent and fraction one place above.
		v.op("VPSLLD", "$8", word, t)
		v.op("VPSLLD", "$7", word, x)
		v.bitwise("VPAND", v.r(rowZero), t, t)
		v.bitwise("VPAND", v.r(rowMask), x, x)
		v.bitwise("VPOR", t, x, x)
		if v.wide {
			v.op("VPMOVDW", x, fmt.Sprintf("Y%d", rowX))
			v.op("VCVTPH2PS", fmt.Sprintf("Y%d", rowX), x)
		} else {
			v.op("VPACKUSDW", x, x, x)
			v.op("VPERMQ", "$0x08", x, x)
			v.op("VCVTPH2PS", v.x(rowX), x)
		}
		v.op("VMULPS", scale, x, x)
	case c.bytewise():
		byte, from := i, word
		if c.bits == 4 {
			if byte = i / 2; i%2 == 1 {
				from = v.r(rowHigh + j)
			}
		}
		move := tableLow
		if c.form == signed {
			move = tableHigh
		}
		v.op("VPSHUFB", table(move+byte), from, x)
		v.op("VCVTDQ2PS", x, x)
		v.codeRowScaled(c, of)
	default:
		v.bitwise("VPAND", v.r(rowMask), word, x)
		if c.bits == 3 {
			v.bitwise("VPAND", v.r(rowFour), v.r(rowHigh+j), t)
			v.op("VPSRLD", "$1", v.r(rowHigh+j), v.r(rowHigh+j))
			v.bitwise("VPOR", t, x, x)
		}
		v.op("VCVTDQ2PS", x, x)
		v.codeRowScaled(c, of)
	}
	if !c.bytewise() {
		v.op("VPSRLD", imm(width), word, word)
	}
	if c.half() {
		v.halved(rowX, rowX)
	}
	if !c.bf16() {
		return
	}
	if c.bytewise() {
		v.op("VMULPS", v.r(rowFour), x, t) // of 65535
		v.op("VFMSUB132PS", v.r(rowC), t, x)
		return
	}
	v.roundedToBF16(rowX, rowT, rowC)
}

// roundedToBF16 rounds the numbers in register x, with 65536 in register c; it changes t.
//
// x·65536 - round(x·65535): what is taken away has the exponent of x·65536 or the one
// below, so that its rounding leaves eight bits of x, to nearest, ties to even.
func (v *vector) roundedToBF16(x, t, c int) {
	v.op("VMOVAPS", v.r(x), v.r(t))
	v.op("VFMSUB132PS", v.r(c), v.r(x), v.r(t))
	v.op("VFMSUB132PS", v.r(c), v.r(t), v.r(x))
}

// numberRegisters are where a number is made, and of what.
type numberRegisters struct{ x, t, scale, zero, rounded int }

// codeRowScaled makes the number of the code in register x.
func (v *vector) codeRowScaled(c codeRow, of numberRegisters) {
	x, t, scale, zero := v.r(of.x), v.r(of.t), v.r(of.scale), v.r(of.zero)
	if c.form == "Centred" {
		v.op("VSUBPS", zero, x, x)
	}
	switch {
	case c.exact(): // as below, of the exact product
		v.op("VMULPS", v.r(of.rounded), x, t)
		v.op("VFMSUB132PS", scale, t, x)
	case c.form == "Offset":
		v.op("VMULPS", scale, x, x)
		v.op("VADDPS", zero, x, x)
	default:
		v.op("VMULPS", scale, x, x)
	}
}
