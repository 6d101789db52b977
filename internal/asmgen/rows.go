package asmgen

// rows writes the operations on single rows for one vector length.
func (v *vector) rows() {
	v.scale()
	v.sumSquares()
	v.norm()
	v.rotate()
	v.swiglu()
	v.maximum()
	v.indexOf()
	v.sumExp()
	v.convert()
}

func (v *vector) scale() {
	v.text("scale"+v.isa(), 20, `
scale multiplies in place:

	for i := range n { x[i] *= a }`)
	v.op("MOVQ", "x+0(FP)", "DI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("VBROADCASTSS", "a+16(FP)", v.r(1))
	v.each("BX", []string{"DI"}, func(masked bool) {
		v.load("(DI)", v.r(0), masked)
		v.op("VMULPS", v.r(1), v.r(0), v.r(0))
		v.store(v.r(0), "(DI)", masked)
	})
	v.end()
}

func (v *vector) end() {
	v.op("VZEROUPPER")
	v.op("RET")
}

func (v *vector) zero(i int) {
	v.op("VXORPS", v.x(i), v.x(i), v.x(i))
}

func (v *vector) sumSquares() {
	v.text("sumSquares"+v.isa(), 20, `
sumSquares adds squares in lanes: element i goes to lane i modulo four vectors
(behind the last whole four, to the first vector), and the lanes are added
last, vector by vector, then half by half:

	for i := range n { lane[i%lanes] += x[i]*x[i] }
	return lane[0] + ...`)
	v.sumRow(func(x, lane string) { v.op("VFMADD231PS", x, x, lane) })
}

func (v *vector) norm() {
	v.text("norm"+v.isa(), 36, `
norm scales a row and weighs it:

	for i := range n { dst[i] = weight[i] * (x[i] * r) }`)
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "x+8(FP)", "SI")
	v.op("MOVQ", "weight+16(FP)", "DX")
	v.op("MOVQ", "n+24(FP)", "BX")
	v.op("VBROADCASTSS", "r+32(FP)", v.r(2))
	v.each("BX", []string{"DI", "SI", "DX"}, func(masked bool) {
		v.load("(SI)", v.r(0), masked)
		v.load("(DX)", v.r(1), masked)
		v.op("VMULPS", v.r(2), v.r(0), v.r(0))
		v.op("VMULPS", v.r(1), v.r(0), v.r(0))
		v.store(v.r(0), "(DI)", masked)
	})
	v.end()
}

func (v *vector) rotate() {
	v.text("rotate"+v.isa(), 40, `
rotate turns n pairs:

	for i := range n {
	    a[i], b[i] = a[i]*cos[i] - b[i]*sin[i], b[i]*cos[i] + a[i]*sin[i]
	}`)
	v.op("MOVQ", "a+0(FP)", "DI")
	v.op("MOVQ", "b+8(FP)", "SI")
	v.op("MOVQ", "cos+16(FP)", "DX")
	v.op("MOVQ", "sin+24(FP)", "R8")
	v.op("MOVQ", "n+32(FP)", "BX")
	v.each("BX", []string{"DI", "SI", "DX", "R8"}, func(masked bool) {
		v.load("(DI)", v.r(0), masked)
		v.load("(SI)", v.r(1), masked)
		v.load("(DX)", v.r(2), masked)
		v.load("(R8)", v.r(3), masked)
		v.op("VMULPS", v.r(3), v.r(1), v.r(4))
		v.op("VMULPS", v.r(3), v.r(0), v.r(5))
		v.op("VFMSUB231PS", v.r(2), v.r(0), v.r(4))
		v.op("VFMADD231PS", v.r(2), v.r(1), v.r(5))
		v.store(v.r(4), "(DI)", masked)
		v.store(v.r(5), "(SI)", masked)
	})
	v.end()
}

func (v *vector) swiglu() {
	v.text("swiglu"+v.isa(), 32, `
swiglu is the gated activation:

	for i := range n { dst[i] = gate[i] / (1 + exp(-gate[i])) * up[i] }`)
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "gate+8(FP)", "SI")
	v.op("MOVQ", "up+16(FP)", "DX")
	v.op("MOVQ", "n+24(FP)", "BX")
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.each("BX", []string{"DI", "SI", "DX"}, func(masked bool) {
		v.load("(SI)", v.r(0), masked)
		v.zero(1)
		v.op("VSUBPS", v.r(0), v.r(1), v.r(1))
		v.exp(3, 1)
		v.with("VADDPS", expOne, v.r(1), v.r(1))
		v.op("VDIVPS", v.r(1), v.r(0), v.r(0))
		v.load("(DX)", v.r(1), masked)
		v.op("VMULPS", v.r(1), v.r(0), v.r(0))
		v.store(v.r(0), "(DI)", masked)
	})
	v.end()
}

func (v *vector) maximum() {
	v.text("maximum"+v.isa(), 20, `
maximum ignores NaN:

	m = -Inf
	for i := range n { if x[i] > m { m = x[i] } }`)
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("MOVL", "$0xff800000", "AX")
	v.op("VMOVD", "AX", "X0")
	v.op("VBROADCASTSS", "X0", v.r(0))
	v.op("VMOVUPS", v.r(0), v.r(2))
	v.each("BX", []string{"SI"}, func(masked bool) {
		switch {
		case !masked:
			v.op("VMOVUPS", "(SI)", v.r(1))
		case v.wide:
			v.op("VMOVUPS", v.r(2), v.r(1))
			v.op("VMOVUPS", "(SI)", "K1", v.r(1))
		default:
			v.op("VMASKMOVPS", "(SI)", "Y15", v.r(1))
			v.op("VBLENDVPS", "Y15", v.r(1), v.r(2), v.r(1))
		}
		v.op("VMAXPS", v.r(0), v.r(1), v.r(0))
	})
	v.fold("VMAXPS", 0, 1)
	v.op("VMOVSS", "X0", "m+16(FP)")
	v.end()
}

func (v *vector) indexOf() {
	v.text("indexOf"+v.isa(), 32, `
indexOf returns the lowest index of a value, or -1:

	for i := range n { if x[i] == a { return i } }`)
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("VBROADCASTSS", "a+16(FP)", v.r(1))
	v.op("MOVQ", "SI", "R8")
	found := v.newLabel("found")
	v.each("BX", []string{"SI"}, func(masked bool) {
		v.load("(SI)", v.r(0), masked)
		switch {
		case v.wide && masked:
			v.op("VCMPPS", "$0", v.r(1), v.r(0), "K1", "K2")
			v.op("KMOVW", "K2", "AX")
		case v.wide:
			v.op("VCMPPS", "$0", v.r(1), v.r(0), "K2")
			v.op("KMOVW", "K2", "AX")
		default:
			v.op("VCMPPS", "$0", v.r(1), v.r(0), v.r(0))
			if masked {
				v.op("VANDPS", "Y15", v.r(0), v.r(0))
			}
			v.op("VMOVMSKPS", v.r(0), "AX")
		}
		v.op("TESTL", "AX", "AX")
		v.op("JNE", found)
	})
	v.op("MOVQ", "$-1", "i+24(FP)")
	v.end()
	v.label(found)
	v.op("BSFL", "AX", "AX")
	v.op("SUBQ", "R8", "SI")
	v.op("SHRQ", "$2", "SI")
	v.op("ADDQ", "SI", "AX")
	v.op("MOVQ", "AX", "i+24(FP)")
	v.end()
}

func (v *vector) sumExp() {
	v.text("sumExp"+v.isa(), 28, `
sumExp adds in lanes, element i to lane i modulo a vector, and the lanes last,
half by half:

	for i := range n { lane[i%lanes] += exp(x[i] - m) }
	return lane[0] + ...`)
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("VBROADCASTSS", "m+16(FP)", v.r(2))
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.zero(0)
	v.each("BX", []string{"SI"}, func(masked bool) {
		v.load("(SI)", v.r(1), masked)
		v.op("VSUBPS", v.r(2), v.r(1), v.r(1))
		v.exp(3, 1)
		switch {
		case masked && v.wide:
			v.op("VADDPS", v.r(1), v.r(0), "K1", v.r(0))
		case masked:
			v.op("VANDPS", "Y15", v.r(1), v.r(1))
			v.op("VADDPS", v.r(1), v.r(0), v.r(0))
		default:
			v.op("VADDPS", v.r(1), v.r(0), v.r(0))
		}
	})
	v.fold("VADDPS", 0, 1)
	v.op("VMOVSS", "X0", "sum+24(FP)")
	v.end()
}

func (v *vector) convert() {
	v.text("widen"+v.isa(), 24, `
widen is exact; n is a multiple of 32:

	for i := range n { dst[i] = FromBF16(src[i]) }`)
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "src+8(FP)", "SI")
	v.op("MOVQ", "n+16(FP)", "BX")
	loop := v.newLabel("loop")
	v.label(loop)
	v.op("VPMOVZXWD", "(SI)", v.r(0))
	v.op("VPSLLD", "$16", v.r(0), v.r(0))
	v.op("VMOVUPS", v.r(0), "(DI)")
	v.op("ADDQ", imm(v.size()/2), "SI")
	v.op("ADDQ", imm(v.size()), "DI")
	v.op("SUBQ", imm(v.lanes()), "BX")
	v.op("JGT", loop)
	v.end()

	v.text("round"+v.isa(), 24, `
round rounds to nearest, ties to even; NaN stays NaN; dst has room for n rounded
up to whole vectors, and the elements behind n become zero:

	for i := range n { dst[i] = ToBF16(src[i]) }`)
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "src+8(FP)", "SI")
	v.op("MOVQ", "n+16(FP)", "BX")
	v.op("LEAQ", "·roundTable(SB)", "R9")
	for i, r := range []int{8, 9, 10} {
		v.op("VMOVUPS", mem(64*i, "R9", "", 0), v.r(r))
	}
	next := v.newLabel("next")
	done := v.newLabel("done")
	v.label(next)
	v.op("CMPQ", "BX", imm(v.lanes()))
	whole, have := v.newLabel("whole"), v.newLabel("have")
	v.op("JGE", whole)
	v.op("TESTQ", "BX", "BX")
	v.op("JLE", done)
	v.tailMask("BX")
	v.load("(SI)", v.r(0), true)
	v.op("JMP", have)
	v.label(whole)
	v.load("(SI)", v.r(0), false)
	v.label(have)
	v.roundUpper(0, 1)
	v.op("VPSRLD", "$16", v.r(1), v.r(1))
	if v.wide {
		v.op("VPMOVDW", v.r(1), "(DI)")
	} else {
		v.op("VEXTRACTI128", "$1", v.r(1), "X2")
		v.op("VPACKUSDW", "X2", "X1", "X1")
		v.op("VMOVUPS", "X1", "(DI)")
	}
	v.op("ADDQ", imm(v.size()), "SI")
	v.op("ADDQ", imm(v.size()/2), "DI")
	v.op("SUBQ", imm(v.lanes()), "BX")
	v.op("JMP", next)
	v.label(done)
	v.end()

	v.text("pair"+v.isa(), 32, `
pair rounds two rows as round does and puts them side by side, a pair of bfloat16
in an element of 32 bits:

	for i := range n { dst[i] = ToBF16(a[i]) | ToBF16(b[i])<<16 }`)
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "a+8(FP)", "SI")
	v.op("MOVQ", "b+16(FP)", "DX")
	v.op("MOVQ", "n+24(FP)", "BX")
	v.op("LEAQ", "·roundTable(SB)", "R9")
	for i, r := range []int{8, 9, 10} {
		v.op("VMOVUPS", mem(64*i, "R9", "", 0), v.r(r))
	}
	v.each("BX", []string{"DI", "SI", "DX"}, func(masked bool) {
		v.load("(SI)", v.r(0), masked)
		v.load("(DX)", v.r(4), masked)
		v.roundUpper(0, 1)
		v.roundUpper(4, 5)
		v.op("VPSRLD", "$16", v.r(1), v.r(1))
		v.op("VPSRLD", "$16", v.r(5), v.r(5))
		v.op("VPSLLD", "$16", v.r(5), v.r(5))
		if v.wide {
			v.op("VPORD", v.r(1), v.r(5), v.r(1))
		} else {
			v.op("VPOR", v.r(1), v.r(5), v.r(1))
		}
		v.store(v.r(1), "(DI)", masked)
	})
	v.end()
}

// roundUpper rounds register x to bfloat16, in the upper halves of register to:
// x + 0x7fff + (x>>16 & 1); for NaN x | 0x400000. Registers 8 to 10 hold
// roundTable. It changes K2, or registers 2 and 3.
func (v *vector) roundUpper(x, to int) {
	from, out := v.r(x), v.r(to)
	if v.wide {
		v.op("VCMPPS", "$3", from, from, "K2")
		v.op("VPSRLD", "$16", from, out)
		v.op("VPANDD", v.r(9), out, out)
		v.op("VPADDD", v.r(8), out, out)
		v.op("VPADDD", from, out, out)
		v.op("VPORD", v.r(10), from, "K2", out)
		return
	}
	v.op("VCMPPS", "$3", from, from, v.r(2))
	v.op("VPSRLD", "$16", from, out)
	v.op("VPAND", v.r(9), out, out)
	v.op("VPADDD", v.r(8), out, out)
	v.op("VPADDD", from, out, out)
	v.op("VPOR", v.r(10), from, v.r(3))
	v.op("VBLENDVPS", v.r(2), v.r(3), out, out)
}
