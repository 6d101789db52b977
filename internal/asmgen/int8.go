package asmgen

import "fmt"

// vpdpbusd writes VPDPBUSD in its VEX form, which AVX-VNNI has: ymm[dst] += the dot products of four
// bytes, those of ymm[a] without a sign and those of ymm[b] with one.
//
// VEX.256.66.0F38.W0 50 /r (Intel SDM, volume 2).
func vpdpbusd(f *file, dst, a, b int) {
	not := func(bit int) byte { return byte(^bit & 1) }
	f.raw([]byte{0xc4, not(dst>>3)<<7 | 1<<6 | not(b>>3)<<5 | 2, byte(^a&15)<<3 | 1<<2 | 1, 0x50, 0xc0 | byte(dst&7)<<3 | byte(b&7)},
		fmt.Sprintf("{vex} vpdpbusd ymm%d, ymm%d, ymm%d", dst, a, b))
}

// productInt8 is acc += a0·b0 + a1·b1 in whole numbers: B holds pairs of int8, which are widened,
// A pairs of int16.
func productInt8(f *file, t *tiler, rows, vecs int) {
	for v := range vecs {
		f.op("VPMOVSXBW", t.b(v), t.v(v))
	}
	for r := range rows {
		f.op("VPBROADCASTD", t.a(r, 0), t.v(2))
		for v := range vecs {
			f.op("VPMADDWD", t.v(2), t.v(v), t.v(3))
			f.op("VPADDD", t.v(3), t.acc(r, v, vecs), t.acc(r, v, vecs))
		}
	}
}

// productQuads is acc += a0·b0 + ... + a3·b3 in whole numbers: A holds bytes without a sign, B
// bytes with one.
func productQuads(f *file, t *tiler, rows, vecs int) {
	for v := range vecs {
		f.op("VMOVUPS", t.b(v), t.v(v))
	}
	for r := range rows {
		x := 2 + r%2
		f.op("VPBROADCASTD", t.a(r, 0), t.v(x))
		for v := range vecs {
			if t.kind.reg == "Y" {
				vpdpbusd(f, 4+r*vecs+v, x, v)
			} else {
				f.op("VPDPBUSD", t.v(v), t.v(x), t.acc(r, v, vecs))
			}
		}
	}
}

// int8 writes what int8's products need besides: the rounding of rows, and what becomes of sums.
func (v *vector) int8() {
	v.int8Most()
	v.int8Codes(false)
	v.int8Codes(true)
	v.int8Ends()
}

// int8Most writes the loop that finds a row's largest magnitude.
func (v *vector) int8Most() {
	v.text("int8Most"+v.isa(), 20, fmt.Sprintf(`
int8Most%s is the largest magnitude, of which bits are in the numbers' order (a NaN's are
above all), n a multiple of 32:

	for i := range n { bits = max(bits, bits of |x[i]|) }`, v.isa()))
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "CX")
	v.broadcastBits("BX", 0x7fffffff, 3)
	v.zero(0)
	loop := v.newLabel("most")
	v.label(loop)
	v.op("VMOVUPS", "(SI)", v.r(1))
	v.bitwise("VPAND", v.r(3), v.r(1), v.r(1))
	v.op("VPMAXUD", v.r(1), v.r(0), v.r(0))
	v.op("ADDQ", imm(v.size()), "SI")
	v.op("SUBQ", imm(v.lanes()), "CX")
	v.op("JNZ", loop)
	v.fold("VPMAXUD", 0, 1)
	v.op("VMOVD", "X0", "BX")
	v.op("MOVL", "BX", "bits+16(FP)")
	v.end()
}

// int8Codes writes the loop that rounds a row to whole numbers of 16 bits, or to bytes that are
// more by 128.
func (v *vector) int8Codes(bytes bool) {
	name, element, stored := "int8Pairs"+v.isa(), 2, "code"
	if bytes {
		name, element, stored = "int8Quads"+v.isa(), 1, "code + 128"
	}
	v.text(name, 28, fmt.Sprintf(`
%s rounds to nearest, ties to even; no quotient is below -128, n is a multiple of 32:

	for i := range n { code = min(round(x[i]/scale), 127); dst[i] = %s }`, name, stored))
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "x+8(FP)", "SI")
	v.op("MOVQ", "n+16(FP)", "CX")
	v.op("VBROADCASTSS", "scale+24(FP)", v.r(2))
	v.broadcastBits("BX", 127, 3)
	if bytes {
		v.broadcastBits("BX", 0x80, 4)
	}
	loop := v.newLabel("codes")
	v.label(loop)
	v.op("VMOVUPS", "(SI)", v.r(0))
	v.op("VDIVPS", v.r(2), v.r(0), v.r(0))
	v.op("VCVTPS2DQ", v.r(0), v.r(0))
	v.op("VPMINSD", v.r(3), v.r(0), v.r(0))
	if bytes {
		v.op("VPADDD", v.r(4), v.r(0), v.r(0))
	}
	switch {
	case v.wide && bytes:
		v.op("VPMOVDB", v.r(0), "X1")
		v.op("VMOVUPS", "X1", "(DI)")
	case v.wide:
		v.op("VPMOVDW", v.r(0), "Y1")
		v.op("VMOVUPS", "Y1", "(DI)")
	default:
		v.op("VEXTRACTF128", "$1", "Y0", "X1")
		v.op("VPACKSSDW", "X1", "X0", "X0")
		if bytes {
			v.op("VPACKUSWB", "X0", "X0", "X0")
			v.op("VMOVQ", "X0", "(DI)")
		} else {
			v.op("VMOVUPS", "X0", "(DI)")
		}
	}
	v.op("ADDQ", imm(v.size()), "SI")
	v.op("ADDQ", imm(element*v.lanes()), "DI")
	v.op("SUBQ", imm(v.lanes()), "CX")
	v.op("JNZ", loop)
	v.end()
}

// int8Ends writes the loop that makes numbers of sums.
func (v *vector) int8Ends() {
	name := "int8Ends" + v.isa()
	v.text(name, 8, fmt.Sprintf(`
%s makes numbers of sums, each operation rounded, and stores or adds them:

	for i := range count, j := range n {
	    y[i][j] (+)= float(sums[i][j] - over[j])·rows[i]·columns[j]
	}`, name))
	v.op("MOVQ", "e+0(FP)", "AX")
	v.op("MOVQ", "int8Ends_y(AX)", "R11")
	v.op("MOVQ", "int8Ends_sums(AX)", "R12")
	v.op("MOVQ", "int8Ends_rows(AX)", "R13")
	v.op("MOVQ", "int8Ends_count(AX)", "DX")
	row := v.newLabel("row")
	v.label(row)
	v.op("MOVQ", "R11", "DI")
	v.op("MOVQ", "R12", "SI")
	v.op("MOVQ", "int8Ends_over(AX)", "R8")
	v.op("MOVQ", "int8Ends_columns(AX)", "R9")
	v.op("MOVQ", "int8Ends_n(AX)", "BX")
	v.op("VBROADCASTSS", "(R13)", v.r(2))
	v.each("BX", []string{"DI", "SI", "R8", "R9"}, func(masked bool) {
		put := v.newLabel("put")
		v.load("(SI)", v.r(0), masked)
		v.load("(R8)", v.r(1), masked)
		v.op("VPSUBD", v.r(1), v.r(0), v.r(0))
		v.op("VCVTDQ2PS", v.r(0), v.r(0))
		v.op("VMULPS", v.r(2), v.r(0), v.r(0))
		v.load("(R9)", v.r(1), masked)
		v.op("VMULPS", v.r(1), v.r(0), v.r(0))
		v.op("CMPQ", "int8Ends_add(AX)", "$0")
		v.op("JEQ", put)
		v.load("(DI)", v.r(1), masked)
		v.op("VADDPS", v.r(0), v.r(1), v.r(0))
		v.label(put)
		v.store(v.r(0), "(DI)", masked)
	})
	v.op("ADDQ", "int8Ends_ldy(AX)", "R11")
	v.op("ADDQ", "int8Ends_lds(AX)", "R12")
	v.op("ADDQ", "$4", "R13")
	v.op("DECQ", "DX")
	v.op("JNZ", row)
	v.end()
}
