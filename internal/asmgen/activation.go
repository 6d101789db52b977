package asmgen

// Rows of activationTable, in vectors of 64 bytes.
const (
	geluMost  = iota // the largest |x| that is told from infinity
	geluSlope        // t = 1/(1 + slope·|x|)
	geluHalf         // -1/2
	geluC9           // the coefficients of t⁹ to t
	geluC1    = geluC9 + 8
	gateLeast = geluC1 + 1 // where the exponents of selfGate are past all bounds anyway
	gateMost  = gateLeast + 1
)

// activationConstant is the operand of a row of activationTable, whose address is in R8.
func activationConstant(row int) string { return mem(64*row, "R8", "", 0) }

// withTable writes an operation whose first operand is a constant of activationTable.
func (v *vector) withTable(name string, row int, operands ...any) {
	if v.wide {
		name += ".BCST"
	}
	v.op(name, append([]any{activationConstant(row)}, operands...)...)
}

// activations writes the loops of MLPs that have no gate of their own, and of LayerNorm.
func (v *vector) activations() {
	v.sum()
	v.shift()
	v.selfGate()
	v.gelu()
}

func (v *vector) sum() {
	v.text("sum"+v.isa(), 20, `
sum adds a row in lanes, as sumSquares adds squares:

	for i := range n { lane[i%lanes] += x[i] }
	return lane[0] + ...`)
	v.sumRow(func(x, lane string) { v.op("VADDPS", x, lane, lane) })
}

func (v *vector) shift() {
	v.text("shift"+v.isa(), 28, `
shift takes a number from a row:

	for i := range n { dst[i] = x[i] - a }`)
	v.op("MOVQ", "dst+0(FP)", "DI")
	v.op("MOVQ", "x+8(FP)", "SI")
	v.op("MOVQ", "n+16(FP)", "BX")
	v.op("VBROADCASTSS", "a+24(FP)", v.r(1))
	v.each("BX", []string{"DI", "SI"}, func(masked bool) {
		v.load("(SI)", v.r(0), masked)
		v.op("VSUBPS", v.r(1), v.r(0), v.r(0))
		v.store(v.r(0), "(DI)", masked)
	})
	v.end()
}

func (v *vector) selfGate() {
	v.text("selfGate"+v.isa(), 24, `
selfGate is an activation that is its own gate, in place:

	for i := range n {
	    y := max(-most, min(x[i], most))
	    x[i] = x[i] / (1 + exp((a + b*y*y)*y))
	}`)
	v.op("MOVQ", "x+0(FP)", "DI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("VBROADCASTSS", "a+16(FP)", v.r(6))
	v.op("VBROADCASTSS", "b+20(FP)", v.r(7))
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.op("LEAQ", "·activationTable(SB)", "R8")
	v.each("BX", []string{"DI"}, func(masked bool) {
		v.load("(DI)", v.r(0), masked)
		v.withTable("VMAXPS", gateLeast, v.r(0), v.r(2))
		v.withTable("VMINPS", gateMost, v.r(2), v.r(2))
		v.op("VMULPS", v.r(2), v.r(2), v.r(1))
		v.op("VFMADD213PS", v.r(6), v.r(7), v.r(1))
		v.op("VMULPS", v.r(2), v.r(1), v.r(1))
		v.exp(3, 1)
		v.with("VADDPS", expOne, v.r(1), v.r(1))
		v.op("VDIVPS", v.r(1), v.r(0), v.r(0))
		v.store(v.r(0), "(DI)", masked)
	})
	v.end()
}

// geluComment is gelu's loop; see activationTable for where it comes from.
const geluComment = `
gelu is x·Φ(x) in place, Φ the normal distribution's:

	for i := range n {
	    y := min(|x[i]|, most)
	    t := 1 / (1 + slope*y)
	    tail := exp(-y*y/2) * t*(c1 + t*(c2 + ...))
	    if x[i] < 0 { x[i] *= tail } else { x[i] *= 1-tail }
	}`

func (v *vector) gelu() {
	v.text("gelu"+v.isa(), 16, geluComment)
	v.op("MOVQ", "x+0(FP)", "DI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.op("LEAQ", "·activationTable(SB)", "R8")
	x, y, t, p, rest, e, one, abs := v.r(0), v.r(1), v.r(2), v.r(6), v.r(7), v.r(8), v.r(11), v.r(12)
	v.op("VBROADCASTSS", constant(expOne), one)
	v.op("VBROADCASTSS", constant(expAbs), abs)
	v.each("BX", []string{"DI"}, func(masked bool) {
		v.load("(DI)", x, masked)
		if v.wide {
			v.op("VPANDD", abs, x, y)
		} else {
			v.op("VANDPS", abs, x, y)
		}
		v.withTable("VMINPS", geluMost, y, y)
		v.op("VMOVAPS", one, t)
		v.withTable("VFMADD231PS", geluSlope, y, t)
		v.op("VDIVPS", t, one, t)
		// y² in two parts: what rounds off the first is a factor near 1.
		v.op("VMULPS", y, y, p)
		v.op("VMOVAPS", y, rest)
		v.op("VFMSUB213PS", p, y, rest)
		v.withTable("VMULPS", geluHalf, p, e)
		v.withTable("VMULPS", geluHalf, rest, rest)
		v.exp(3, 8)
		v.op("VFMADD231PS", rest, e, e)
		v.op("VBROADCASTSS", activationConstant(geluC9), p)
		for c := geluC9 + 1; c <= geluC1; c++ {
			v.withTable("VFMADD213PS", c, t, p)
		}
		v.op("VMULPS", t, p, p)
		v.op("VMULPS", e, p, p)
		v.op("VSUBPS", p, one, t)
		if v.wide {
			v.zero(3)
			v.op("VCMPPS", "$0x11", v.r(3), x, "K2")
			v.op("VMOVAPS", p, "K2", t)
		} else {
			v.op("VBLENDVPS", x, p, t, t)
		}
		v.op("VMULPS", t, x, x)
		v.store(x, "(DI)", masked)
	})
	v.end()
}

// activations writes the same for NEON.
func (v *neon) activations() {
	v.text("sumNEON", 20, "sumNEON adds a row in lanes, as sumSquaresNEON adds squares.")
	v.sumRow(func(x, lane int) { v.op3("fadd", lane, lane, x) })

	v.text("shiftNEON", 28, "shiftNEON is the loop of shiftAVX2.")
	v.arguments("dst", "x", "n")
	v.argument("a", 24, 1)
	v.each(3, []int{1, 2}, func(load, store string) {
		v.at(load, 0, 2, 0)
		v.op3("fsub", 0, 0, 1)
		v.at(store, 0, 1, 0)
	})
	v.op("RET")

	v.text("selfGateNEON", 24, "selfGateNEON is the loop of selfGateAVX2.")
	v.expConstants()
	v.arguments("x", "n")
	v.argument("a", 16, 2)
	v.argument("b", 20, 3)
	v.op("MOVD", "$·activationTable(SB)", "R8")
	v.at("ldr q", 8, 8, 64*gateLeast)
	v.at("ldr q", 9, 8, 64*gateMost)
	v.each(2, []int{1}, func(load, store string) {
		v.at(load, 0, 1, 0)
		v.op3("fmax", 10, 0, 8)
		v.op3("fmin", 10, 10, 9)
		v.op3("fmul", 1, 10, 10)
		v.mov(4, 2)
		v.op3("fmla", 4, 1, 3)
		v.op3("fmul", 4, 4, 10)
		v.exp(4)
		v.op3("fadd", 4, 4, neonExp+expOne)
		v.op3("fdiv", 0, 0, 4)
		v.at(store, 0, 1, 0)
	})
	v.op("RET")

	v.gelu()
}

func (v *neon) gelu() {
	v.text("geluNEON", 16, "geluNEON is the loop of geluAVX2.")
	v.expConstants()
	v.op("MOVD", "$·activationTable(SB)", "R8")
	const x, y, t, p, e, rest, c = 0, 1, 2, 3, 4, 8, 9
	row := func(row int) { v.at("ldr q", c, 8, 64*row) }
	v.arguments("x", "n")
	v.each(2, []int{1}, func(load, store string) {
		v.at(load, x, 1, 0)
		v.op2("fabs", y, x)
		row(geluMost)
		v.op3("fmin", y, y, c)
		v.mov(t, neonExp+expOne)
		row(geluSlope)
		v.op3("fmla", t, y, c)
		v.op3("fdiv", t, neonExp+expOne, t)
		v.op3("fmul", p, y, y)
		v.op2("fneg", rest, p)
		v.op3("fmla", rest, y, y)
		row(geluHalf)
		v.op3("fmul", e, p, c)
		v.op3("fmul", rest, rest, c)
		v.exp(e)
		v.mov(e+1, e)
		v.op3("fmla", e, e+1, rest)
		row(geluC9)
		v.mov(p, c)
		for at := geluC9 + 1; at <= geluC1; at++ {
			row(at)
			v.op3("fmla", c, p, t)
			v.mov(p, c)
		}
		v.op3("fmul", p, p, t)
		v.op3("fmul", p, p, e)
		v.op3("fsub", y, neonExp+expOne, p)
		v.compare0("fcmlt", t, x)
		v.op3("bsl", t, p, y)
		v.op3("fmul", x, x, t)
		v.at(store, x, 1, 0)
	})
	v.op("RET")
}

// sumRow sums up the row x of n into sum, as add adds a vector to the lanes.
func (v *vector) sumRow(add func(x, lane string)) {
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "BX")
	for i := range 4 {
		v.zero(i)
	}
	four, rest := v.newLabel("four"), v.newLabel("rest")
	v.op("SUBQ", imm(4*v.lanes()), "BX")
	v.op("JLT", rest)
	v.label(four)
	for i := range 4 {
		v.op("VMOVUPS", mem(i*v.size(), "SI", "", 0), v.r(4+i))
	}
	for i := range 4 {
		add(v.r(4+i), v.r(i))
	}
	v.op("ADDQ", imm(4*v.size()), "SI")
	v.op("SUBQ", imm(4*v.lanes()), "BX")
	v.op("JGE", four)
	v.label(rest)
	v.op("ADDQ", imm(4*v.lanes()), "BX")
	v.each("BX", []string{"SI"}, func(masked bool) {
		v.load("(SI)", v.r(4), masked)
		add(v.r(4), v.r(0))
	})
	v.op("VADDPS", v.r(1), v.r(0), v.r(0))
	v.op("VADDPS", v.r(3), v.r(2), v.r(2))
	v.op("VADDPS", v.r(2), v.r(0), v.r(0))
	v.fold("VADDPS", 0, 1)
	v.op("VMOVSS", "X0", "sum+16(FP)")
	v.end()
}

// sumRow is the same for NEON.
func (v *neon) sumRow(add func(x, lane int)) {
	v.arguments("x", "n")
	for i := range 4 {
		v.zero(i)
	}
	four, rest := v.newLabel("four"), v.newLabel("rest")
	v.op("SUBS", "$16", "R2", "R2")
	v.op("BLT", rest)
	v.label(four)
	v.vectors(true, 4, 1, 4)
	for i := range 4 {
		add(4+i, i)
	}
	v.op("ADD", "$64", "R1", "R1")
	v.op("SUBS", "$16", "R2", "R2")
	v.op("BGE", four)
	v.label(rest)
	v.op("ADD", "$16", "R2", "R2")
	v.each(2, []int{1}, func(load, _ string) {
		v.at(load, 4, 1, 0)
		add(4, 0)
	})
	v.op3("fadd", 0, 0, 1)
	v.op3("fadd", 2, 2, 3)
	v.op3("fadd", 0, 0, 2)
	v.sum(0)
	v.op("FMOVS", "F0", "sum+16(FP)")
	v.op("RET")
}
