package asmgen

import "fmt"

// unpacker is a loop that makes numbers of the codes of one vector of columns.
type unpacker struct {
	bits int
	form string // Centred, Offset, Level or E4M3
}

// unpackers are the forms that codes of each number of bits come in.
var unpackers = []unpacker{
	{2, "Centred"}, {2, "Offset"}, {3, "Centred"}, {3, "Offset"}, {4, "Centred"}, {4, "Offset"}, {4, "Level"},
	{8, "Centred"}, {8, "Offset"}, {8, "E4M3"},
}

// meaning is each form's number.
var meaning = map[string]string{
	"Centred": "(float(code) - zero)·scale", "Offset": "float(code)·scale + zero", "Level": "levels[code]·scale", "E4M3": "e4m3(code)·scale",
}

func codes(wide bool) []byte {
	v := &vector{newFile(), wide}
	for _, u := range unpackers {
		v.unpack(u)
	}
	for _, half := range []bool{false, true} {
		v.roundCodes(half)
		v.pairCodes(half)
	}
	return v.buf.Bytes()
}

// Registers of the unpackers.
const (
	codeScale, codeZero     = 0, 1
	codeLevels, codeLevels8 = 2, 3
	codeMask                = 15
	codeWord, codeHigh      = 4, 5
	codeX, codeY            = 6, 7
)

// unpack writes one loop. Codes lie in words of 32 bits, one of each column side by
// side: those of 2, 4 and 8 bits one behind the other, lowest first; of 3 bits two
// words of 16 low pairs each, then a word of 32 high bits.
func (v *vector) unpack(u unpacker) {
	step := 16
	if u.bits == 3 {
		step = 32
	}
	name := fmt.Sprintf("unpack%d%s%s", u.bits, u.form, v.isa())
	v.text(name, 8, fmt.Sprintf(`
%s makes steps of %d numbers of each of %d columns, of which groups share
a scale and a zero, and leaves u where the next call goes on:

	for s := range steps {
	    if left == 0 { next scales and zeros; left = group }
	    for k := range %d { dst[k] = %s }     (each operation rounded)
	    left--
	}`, name, step, v.lanes(), step, meaning[u.form]))
	v.op("MOVQ", "u+0(FP)", "AX")
	for _, r := range [][2]string{{"dst", "DI"}, {"stride", "R11"}, {"codes", "SI"}, {"scales", "R8"}, {"zeros", "R9"}, {"zstep", "R10"}, {"steps", "CX"}, {"left", "DX"}} {
		v.op("MOVQ", "unpack_"+r[0]+"(AX)", r[1])
	}
	width := u.bits
	if width == 3 {
		width = 2
	}
	v.broadcastBits("BX", 1<<width-1, codeMask)
	switch u.form {
	case "Level":
		v.op("MOVQ", "unpack_levels(AX)", "BX")
		v.op("VMOVUPS", "(BX)", v.r(codeLevels))
		if !v.wide {
			v.op("VMOVUPS", "32(BX)", v.r(codeLevels8))
		}
	case "E4M3":
		v.broadcastBits("BX", 0x43800000, codeLevels) // 256: float16 has eight less in its exponent
		v.broadcastBits("BX", 0x8000, codeLevels8)    // the sign
		v.broadcastBits("BX", 0x3f80, codeMask)
	}
	v.op("TESTQ", "DX", "DX")
	v.op("JEQ", name+"Step")
	v.op("VMOVUPS", mem(-v.size(), "R8", "", 0), v.r(codeScale)) // a group that is not at its end
	v.op("MOVQ", "R9", "BX")
	v.op("SUBQ", "R10", "BX")
	v.op("VMOVUPS", "(BX)", v.r(codeZero))
	v.label(name + "Step")
	v.op("TESTQ", "DX", "DX")
	v.op("JNE", name+"Same")
	v.op("VMOVUPS", "(R8)", v.r(codeScale))
	v.op("VMOVUPS", "(R9)", v.r(codeZero))
	v.op("ADDQ", imm(v.size()), "R8")
	v.op("ADDQ", "R10", "R9")
	v.op("MOVQ", "unpack_group(AX)", "DX")
	v.label(name + "Same")
	v.op("DECQ", "DX")
	if u.bits == 3 {
		v.op("VMOVDQU"+v.dwords(), mem(2*v.size(), "SI", "", 0), v.r(codeHigh))
		v.broadcastBits("BX", 4, 14)
	}
	words := step * u.bits / 32
	if u.bits == 3 {
		words = 2
	}
	each := step / words
	for w := range words {
		v.op("VMOVDQU"+v.dwords(), mem(w*v.size(), "SI", "", 0), v.r(codeWord))
		for i := range each {
			v.number(u, i, w*each+i)
			v.op("VMOVUPS", v.r(codeX), "(DI)")
			v.op("ADDQ", "R11", "DI")
		}
	}
	v.op("ADDQ", imm(step*u.bits/32*v.size()), "SI")
	v.op("DECQ", "CX")
	v.op("JNZ", name+"Step")
	for _, r := range [][2]string{{"codes", "SI"}, {"scales", "R8"}, {"zeros", "R9"}, {"left", "DX"}} {
		v.op("MOVQ", r[1], "unpack_"+r[0]+"(AX)")
	}
	v.op("VZEROUPPER")
	v.op("RET")
}

// dwords is the ending of a move of whole words.
func (v *vector) dwords() string {
	if v.wide {
		return "32"
	}
	return ""
}

// bitwise is VPAND or VPOR.
func (v *vector) bitwise(name, a, b, dst string) {
	if v.wide {
		name += "D"
	}
	v.op(name, a, b, dst)
}

// broadcastBits fills a vector with a word; it changes the register tmp.
func (v *vector) broadcastBits(tmp string, word, dst int) {
	v.op("MOVL", fmt.Sprintf("$0x%x", uint32(word)), tmp)
	if v.wide {
		v.op("VPBROADCASTD", tmp, v.r(dst))
		return
	}
	v.op("VMOVD", tmp, v.x(dst))
	v.op("VPBROADCASTD", v.x(dst), v.r(dst))
}

// number makes the number of field i of the word, which is number k of the step.
func (v *vector) number(u unpacker, i, k int) {
	x, y, word := v.r(codeX), v.r(codeY), v.r(codeWord)
	width := u.bits
	if u.bits == 3 {
		width = 2
	}
	field := word
	if i > 0 {
		v.op("VPSRLD", imm(i*width), word, x)
		field = x
	}
	switch {
	case u.form == "Level" && v.wide:
		v.op("VPERMPS", v.r(codeLevels), field, x) // looks at four bits
		v.op("VMULPS", v.r(codeScale), x, x)
		return
	case u.form == "Level":
		v.op("VPERMPS", v.r(codeLevels8), field, y) // looks at three
		v.op("VPERMPS", v.r(codeLevels), field, x)
		v.op("VPSLLD", imm(28-4*i), word, v.r(8))
		v.op("VBLENDVPS", v.r(8), y, x, x)
		v.op("VMULPS", v.r(codeScale), x, x)
		return
	case u.form == "E4M3":
		// As float16: the sign, and exponent and fraction one place above.
		if i == 0 {
			v.op("VPSLLD", "$8", word, y)
			v.op("VPSLLD", "$7", word, x)
		} else {
			v.op("VPSRLD", imm(8*i-7), word, x)
			if i == 1 {
				v.op("VMOVUPS", word, y)
			} else {
				v.op("VPSRLD", imm(8*i-8), word, y)
			}
		}
		v.bitwise("VPAND", v.r(codeLevels8), y, y)
		v.bitwise("VPAND", v.r(codeMask), x, x)
		v.bitwise("VPOR", y, x, x)
		if v.wide {
			v.op("VPMOVDW", x, fmt.Sprintf("Y%d", codeX))
			v.op("VCVTPH2PS", fmt.Sprintf("Y%d", codeX), x)
		} else {
			v.op("VPACKUSDW", x, x, x)
			v.op("VPERMQ", "$0x08", x, x)
			v.op("VCVTPH2PS", v.x(codeX), x)
		}
		v.op("VMULPS", v.r(codeLevels), x, x)
		v.op("VMULPS", v.r(codeScale), x, x)
		return
	case i < 32/width-1:
		v.bitwise("VPAND", v.r(codeMask), field, x)
	}
	if u.bits == 3 {
		// The high bit, to the third place.
		switch {
		case k < 2:
			v.op("VPSLLD", imm(2-k), v.r(codeHigh), y)
		case k == 2:
			v.op("VMOVUPS", v.r(codeHigh), y)
		default:
			v.op("VPSRLD", imm(k-2), v.r(codeHigh), y)
		}
		v.bitwise("VPAND", v.r(14), y, y)
		v.bitwise("VPOR", y, x, x)
	}
	v.op("VCVTDQ2PS", x, x)
	if u.form == "Centred" {
		v.op("VSUBPS", v.r(codeZero), x, x)
		v.op("VMULPS", v.r(codeScale), x, x)
	} else {
		v.op("VMULPS", v.r(codeScale), x, x)
		v.op("VADDPS", v.r(codeZero), x, x)
	}
}

// halved rounds register i to float16 and back; it changes register tmp.
func (v *vector) halved(i, tmp int) {
	small := v.x(tmp)
	if v.wide {
		small = fmt.Sprintf("Y%d", tmp)
	}
	v.op("VCVTPS2PH", "$0", v.r(i), small)
	v.op("VCVTPH2PS", small, v.r(i))
}

// biased adds to register i what rounds its upper half to nearest, ties to even;
// registers one and most hold 1 and 0x7fff. It changes register tmp.
func (v *vector) biased(i, tmp, one, most int) {
	v.op("VPSRLD", "$16", v.r(i), v.r(tmp))
	v.bitwise("VPAND", v.r(one), v.r(tmp), v.r(tmp))
	v.op("VPADDD", v.r(most), v.r(i), v.r(i))
	v.op("VPADDD", v.r(tmp), v.r(i), v.r(i))
}

func (v *vector) roundingConstants() {
	v.broadcastBits("BX", 1, 10)
	v.broadcastBits("BX", 0x7fff, 11)
	v.broadcastBits("BX", 0xffff0000, 12)
}

// roundCodes writes the loop that rounds vectors to bfloat16 or float16.
func (v *vector) roundCodes(half bool) {
	name := "roundCodesBF16" + v.isa()
	what := "bfloat16"
	if half {
		name, what = "roundCodesF16"+v.isa(), "float16"
	}
	v.text(name, 32, fmt.Sprintf(`
%s rounds n vectors of finite numbers to %s, and lays them
stride bytes apart:

	for i := range n { dst[i] = round(src[i]) }`, name, what))
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "stride+8(FP)", "R11")
	v.op("MOVQ", "src+16(FP)", "SI")
	v.op("MOVQ", "n+24(FP)", "CX")
	v.roundingConstants()
	v.label(name + "Loop")
	v.op("VMOVUPS", "(SI)", v.r(0))
	if half {
		v.halved(0, 1)
	} else {
		v.biased(0, 1, 10, 11)
		v.bitwise("VPAND", v.r(12), v.r(0), v.r(0))
	}
	v.op("VMOVUPS", v.r(0), "(DI)")
	v.op("ADDQ", imm(v.size()), "SI")
	v.op("ADDQ", "R11", "DI")
	v.op("DECQ", "CX")
	v.op("JNZ", name+"Loop")
	v.op("VZEROUPPER")
	v.op("RET")
}

// pairCodes writes the loop that makes pairs of bfloat16 of vectors, which are
// rounded to float16 before where half says so.
func (v *vector) pairCodes(half bool) {
	name, before := "pairCodes"+v.isa(), ""
	if half {
		name, before = "pairCodesF16"+v.isa(), ", to float16 first"
	}
	v.text(name, 32, fmt.Sprintf(`
%s rounds n pairs of vectors of finite numbers to bfloat16%s, and lays
the two of a lane side by side, pairs stride bytes apart:

	for i := range n, l := range %d { dst[i][l] = bf16(src[2i][l]), bf16(src[2i+1][l]) }`, name, before, v.lanes()))
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "stride+8(FP)", "R11")
	v.op("MOVQ", "src+16(FP)", "SI")
	v.op("MOVQ", "n+24(FP)", "CX")
	v.roundingConstants()
	v.label(name + "Loop")
	v.op("VMOVUPS", "(SI)", v.r(0))
	v.op("VMOVUPS", mem(v.size(), "SI", "", 0), v.r(1))
	if half {
		v.halved(0, 2)
		v.halved(1, 3)
	}
	v.biased(0, 2, 10, 11)
	v.biased(1, 3, 10, 11)
	v.op("VPSRLD", "$16", v.r(0), v.r(0))
	v.bitwise("VPAND", v.r(12), v.r(1), v.r(1))
	v.bitwise("VPOR", v.r(1), v.r(0), v.r(0))
	v.op("VMOVUPS", v.r(0), "(DI)")
	v.op("ADDQ", imm(2*v.size()), "SI")
	v.op("ADDQ", "R11", "DI")
	v.op("DECQ", "CX")
	v.op("JNZ", name+"Loop")
	v.op("VZEROUPPER")
	v.op("RET")
}
