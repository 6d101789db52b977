package asmgen

import "fmt"

// Registers of the constants of expTable: row i is in neonExp+i.
const neonExp = 19

func rowsNEON() []byte {
	f := newFile()
	v := &neon{f}
	v.rows()
	v.activations()
	v.convert()
	v.weigh()
	return f.buf.Bytes()
}

// arguments loads arguments into R1, R2 and so on.
func (v *neon) arguments(names ...string) {
	for i, name := range names {
		v.op("MOVD", fmt.Sprintf("%s+%d(FP)", name, 8*i), fmt.Sprintf("R%d", i+1))
	}
}

// argument puts a float32 into all lanes.
func (v *neon) argument(name string, offset, d int) {
	v.op("FMOVS", fmt.Sprintf("%s+%d(FP)", name, offset), fmt.Sprintf("F%d", d))
	v.dup(d, d)
}

// each runs body over count (a register) floats: vectors of four, then one by one, when other
// lanes are zero as they are loaded. Pointers are registers that advance.
func (v *neon) each(count int, pointers []int, body func(load, store string)) {
	n := fmt.Sprintf("R%d", count)
	loop, tail, one, done := v.newLabel("loop"), v.newLabel("tail"), v.newLabel("one"), v.newLabel("done")
	advance := func(by int) {
		for _, p := range pointers {
			v.op("ADD", imm(by), fmt.Sprintf("R%d", p), fmt.Sprintf("R%d", p))
		}
	}
	v.op("SUBS", "$4", n, n)
	v.op("BLT", tail)
	v.label(loop)
	body("ldr q", "str q")
	advance(16)
	v.op("SUBS", "$4", n, n)
	v.op("BGE", loop)
	v.label(tail)
	v.op("ADDS", "$4", n, n)
	v.op("BLE", done)
	v.label(one)
	body("ldr s", "str s")
	advance(4)
	v.op("SUBS", "$1", n, n)
	v.op("BNE", one)
	v.label(done)
}

// sum adds the lanes of register d into its lane 0: neighbours first.
func (v *neon) sum(d int) {
	v.op3("faddp", d, d, d)
	v.op3("faddp", d, d, d)
}

// expConstants loads expTable.
func (v *neon) expConstants() {
	v.op("MOVD", "$·expTable(SB)", "R9")
	for row := expLow; row <= expAbs; row++ {
		v.at("ldr q", neonExp+row, 9, 64*row)
	}
}

// exp turns registers x into e^x, side by side; each x uses the three behind it. See expTable.
func (v *neon) exp(xs ...int) {
	constant := func(row int) int { return neonExp + row }
	all := func(body func(x, n, p, t int)) {
		for _, x := range xs {
			body(x, x+1, x+2, x+3)
		}
	}
	// fmax and fmin keep NaN.
	all(func(x, n, p, t int) { v.op3("fmax", x, x, constant(expLow)) })
	all(func(x, n, p, t int) { v.op3("fmin", x, x, constant(expHigh)) })
	all(func(x, n, p, t int) { v.op3("fmul", n, x, constant(expLog2E)) })
	all(func(x, n, p, t int) { v.op2("frintn", n, n) })
	all(func(x, n, p, t int) { v.op3("fmls", x, n, constant(expLn2Hi)) })
	all(func(x, n, p, t int) { v.op3("fmls", x, n, constant(expLn2Lo)) })
	// p = c2 + x·(c3 + ...), by turns in p and t.
	all(func(x, n, p, t int) { v.mov(p, constant(expC5)) })
	all(func(x, n, p, t int) { v.op3("fmla", p, x, constant(expC6)) })
	for c := expC4; c <= expC2; c++ {
		all(func(x, n, p, t int) {
			if (c-expC4)%2 == 1 {
				p, t = t, p
			}
			v.mov(t, constant(c))
			v.op3("fmla", t, x, p)
		})
	}
	all(func(x, n, p, t int) { v.op3("fmul", p, x, x) })
	all(func(x, n, p, t int) { v.op3("fmla", x, p, t) })
	all(func(x, n, p, t int) { v.op3("fadd", p, x, constant(expOne)) })
	// x = p·2^n in two factors: 2^n alone may be out of range where p·2^n is not.
	all(func(x, n, p, t int) { v.op2("fcvtzs", n, n) })
	all(func(x, n, p, t int) { v.shift("sshr", t, n, 1) })
	all(func(x, n, p, t int) { v.op3("sub", n, n, t) })
	all(func(x, n, p, t int) { v.op3("add", t, t, constant(expBias)) })
	all(func(x, n, p, t int) { v.op3("add", n, n, constant(expBias)) })
	all(func(x, n, p, t int) { v.shift("shl", t, t, 23) })
	all(func(x, n, p, t int) { v.shift("shl", n, n, 23) })
	all(func(x, n, p, t int) { v.op3("fmul", p, p, t) })
	all(func(x, n, p, t int) { v.op3("fmul", x, p, n) })
}

func (v *neon) rows() {
	v.text("scaleNEON", 20, "scaleNEON is the loop of scaleAVX2.")
	v.arguments("x", "n")
	v.argument("a", 16, 1)
	v.each(2, []int{1}, func(load, store string) {
		v.at(load, 0, 1, 0)
		v.op3("fmul", 0, 0, 1)
		v.at(store, 0, 1, 0)
	})
	v.op("RET")

	v.text("sumSquaresNEON", 20, `
sumSquaresNEON adds squares in lanes: element i goes to lane i modulo four vectors
(behind the last whole four, to the first vector, and behind the last whole vector to its
first lane), and the lanes are added last.`)
	v.sumRow(func(x, lane int) { v.op3("fmla", lane, x, x) })

	v.text("normNEON", 36, "normNEON is the loop of normAVX2.")
	v.arguments("dst", "x", "weight", "n")
	v.argument("r", 32, 2)
	v.each(4, []int{1, 2, 3}, func(load, store string) {
		v.at(load, 0, 2, 0)
		v.at(load, 1, 3, 0)
		v.op3("fmul", 0, 0, 2)
		v.op3("fmul", 0, 0, 1)
		v.at(store, 0, 1, 0)
	})
	v.op("RET")

	v.text("rotateNEON", 40, "rotateNEON is the loop of rotateAVX2.")
	v.arguments("a", "b", "cos", "sin", "n")
	v.each(5, []int{1, 2, 3, 4}, func(load, store string) {
		for i := range 4 {
			v.at(load, i, 1+i, 0)
		}
		v.op3("fmul", 4, 0, 2)
		v.op3("fmul", 5, 1, 2)
		v.op3("fmls", 4, 1, 3)
		v.op3("fmla", 5, 0, 3)
		v.at(store, 4, 1, 0)
		v.at(store, 5, 2, 0)
	})
	v.op("RET")

	v.text("swigluNEON", 32, "swigluNEON is the loop of swigluAVX2.")
	v.expConstants()
	v.arguments("dst", "gate", "up", "n")
	v.each(4, []int{1, 2, 3}, func(load, store string) {
		v.at(load, 0, 2, 0)
		v.op2("fneg", 4, 0)
		v.exp(4)
		v.op3("fadd", 4, 4, neonExp+expOne)
		v.op3("fdiv", 0, 0, 4)
		v.at(load, 1, 3, 0)
		v.op3("fmul", 0, 0, 1)
		v.at(store, 0, 1, 0)
	})
	v.op("RET")

	v.text("expNEON", 24, "expNEON is the loop of expAVX2.")
	v.expConstants()
	v.arguments("x", "n")
	v.argument("shift", 16, 1)
	v.argument("scale", 20, 2)
	v.each(2, []int{1}, func(load, store string) {
		v.at(load, 4, 1, 0)
		v.op3("fsub", 4, 4, 1)
		v.exp(4)
		v.op3("fmul", 4, 4, 2)
		v.at(store, 4, 1, 0)
	})
	v.op("RET")

	v.text("maximumNEON", 20, "maximumNEON is the loop of maximumAVX2: it ignores NaN.")
	v.arguments("x", "n")
	v.op("MOVD", "$0xff800000", "R3")
	v.word(0x4e040c00|3<<5, "dup v0.4s, w3")
	v.each(2, []int{1}, func(load, _ string) {
		if load == "ldr q" {
			v.at(load, 1, 1, 0)
		} else {
			v.spread(1, 1)
		}
		v.op3("fmaxnm", 0, 0, 1)
	})
	v.largest("fmaxnmv", 0, 0)
	v.op("FMOVS", "F0", "m+16(FP)")
	v.op("RET")

	v.text("indexOfNEON", 32, "indexOfNEON is the loop of indexOfAVX2.")
	v.arguments("x", "n")
	v.argument("a", 16, 1)
	v.op("MOVD", "R1", "R4")
	v.label("index4")
	v.op("CMP", "$4", "R2")
	v.op("BLT", "index1")
	v.at("ldr q", 0, 1, 0)
	v.op3("fcmeq", 0, 0, 1)
	v.largest("umaxv", 0, 0)
	v.lane0(5, 0)
	v.op("CBNZW", "R5", "index1")
	v.op("ADD", "$16", "R1", "R1")
	v.op("SUB", "$4", "R2", "R2")
	v.op("B", "index4")
	v.label("index1")
	v.op("MOVD", "$-1", "R3")
	v.op("CBZ", "R2", "indexed")
	v.post("ldr s", 0, 1)
	v.op("SUB", "$1", "R2", "R2")
	v.op("FCMPS", "F1", "F0")
	v.op("BNE", "index1")
	v.op("SUB", "R4", "R1", "R3")
	v.op("LSR", "$2", "R3", "R3")
	v.op("SUB", "$1", "R3", "R3")
	v.label("indexed")
	v.op("MOVD", "R3", "i+24(FP)")
	v.op("RET")

	v.text("sumExpNEON", 28, `
sumExpNEON adds in lanes, element i to lane i modulo 4 (behind the last whole vector, to the
first), and the lanes last:

	for i := range n { lane[i%4] += exp(x[i] - m) }`)
	v.expConstants()
	v.arguments("x", "n")
	v.argument("m", 16, 1)
	v.zero(0)
	v.each(2, []int{1}, func(load, _ string) {
		v.at(load, 4, 1, 0)
		v.op3("fsub", 4, 4, 1)
		v.exp(4)
		if load == "ldr s" {
			v.first(4)
		}
		v.op3("fadd", 0, 0, 4)
	})
	v.sum(0)
	v.op("FMOVS", "F0", "sum+24(FP)")
	v.op("RET")
}

func (v *neon) convert() {
	v.text("widenNEON", 24, "widenNEON is exact; n is a multiple of 32.")
	v.arguments("dst", "src", "n")
	v.label("widen")
	v.post("ldr q", 0, 2)
	v.shll(1, 0, false)
	v.shll(2, 0, true)
	v.pairAt("stp", 1, 2, 1, 0)
	v.op("ADD", "$32", "R1", "R1")
	v.op("SUBS", "$8", "R3", "R3")
	v.op("BGT", "widen")
	v.op("RET")

	v.text("roundNEON", 24, "roundNEON rounds to nearest, ties to even; NaN stays NaN.")
	v.op("MOVD", "$·roundTable(SB)", "R9")
	for i := range 3 {
		v.at("ldr q", 16+i, 9, 64*i)
	}
	v.arguments("dst", "src", "n")
	v.each(3, nil, func(load, _ string) {
		v.post(load, 0, 2)
		// x + 0x7fff + (x>>16 & 1); for NaN x | 0x400000.
		v.shift("ushr", 1, 0, 16)
		v.op3("and", 1, 1, 17)
		v.op3("add", 1, 1, 16)
		v.op3("add", 1, 1, 0)
		v.op3("fcmeq", 2, 0, 0)
		v.op3("orr", 3, 0, 18)
		v.op3("bsl", 2, 1, 3)
		v.shrn(2, 2)
		if load == "ldr q" {
			v.post("str d", 2, 1)
		} else {
			v.post("str h", 2, 1)
		}
	})
	v.op("RET")
}
