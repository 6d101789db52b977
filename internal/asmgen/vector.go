package asmgen

import "fmt"

// vector writes code that exists for both vector lengths: AVX-512 with tails
// under mask registers, AVX2 with tails under a mask in Y15.
type vector struct {
	*file
	wide bool // AVX-512
}

func (v *vector) isa() string {
	if v.wide {
		return "AVX512"
	}
	return "AVX2"
}

func (v *vector) lanes() int {
	if v.wide {
		return 16
	}
	return 8
}

func (v *vector) size() int { return 4 * v.lanes() }

// r is vector register i at full length.
func (v *vector) r(i int) string {
	if v.wide {
		return fmt.Sprintf("Z%d", i)
	}
	return fmt.Sprintf("Y%d", i)
}

// x is the lowest 128 bits of register i.
func (v *vector) x(i int) string { return fmt.Sprintf("X%d", i) }

// tailMask makes the mask of the first n lanes, n in register count (below
// the number of lanes); it changes CX and R10.
func (v *vector) tailMask(count string) {
	if v.wide {
		v.op("MOVQ", count, "CX")
		v.op("MOVL", "$1", "R10")
		v.op("SHLL", "CX", "R10")
		v.op("DECL", "R10")
		v.op("KMOVW", "R10", "K1")
		return
	}
	v.op("MOVQ", count, "CX")
	v.op("SHLQ", "$5", "CX")
	v.op("LEAQ", "·laneMasks(SB)", "R10")
	v.op("VMOVUPS", "(R10)(CX*1)", "Y15")
}

// load reads a vector; under the mask, other lanes become zero.
func (v *vector) load(from, to string, masked bool) {
	switch {
	case !masked:
		v.op("VMOVUPS", from, to)
	case v.wide:
		v.op("VMOVUPS.Z", from, "K1", to)
	default:
		v.op("VMASKMOVPS", from, "Y15", to)
	}
}

// store writes a vector, or its lanes under the mask.
func (v *vector) store(from, to string, masked bool) {
	switch {
	case !masked:
		v.op("VMOVUPS", from, to)
	case v.wide:
		v.op("VMOVUPS", from, "K1", to)
	default:
		v.op("VMASKMOVPS", from, "Y15", to)
	}
}

// each runs body over count floats: whole vectors, then the tail under the
// mask. Pointers advance by a vector.
func (v *vector) each(count string, pointers []string, body func(masked bool)) {
	loop, tail, done := v.newLabel("loop"), v.newLabel("tail"), v.newLabel("done")
	v.op("SUBQ", imm(v.lanes()), count)
	v.op("JLT", tail)
	v.label(loop)
	body(false)
	for _, p := range pointers {
		v.op("ADDQ", imm(v.size()), p)
	}
	v.op("SUBQ", imm(v.lanes()), count)
	v.op("JGE", loop)
	v.label(tail)
	v.op("ADDQ", imm(v.lanes()), count)
	v.op("JLE", done)
	v.tailMask(count)
	body(true)
	v.label(done)
}

// fold reduces register i to its lane 0 with op (VADDPS, VMAXPS): the upper
// half onto the lower, until one lane is left. It changes register tmp.
func (v *vector) fold(op string, i, tmp int) {
	x, y := fmt.Sprintf("X%d", i), fmt.Sprintf("X%d", tmp)
	if v.wide {
		v.op("VEXTRACTF64X4", "$1", fmt.Sprintf("Z%d", i), fmt.Sprintf("Y%d", tmp))
		v.op(op, fmt.Sprintf("Y%d", tmp), fmt.Sprintf("Y%d", i), fmt.Sprintf("Y%d", i))
	}
	v.op("VEXTRACTF128", "$1", fmt.Sprintf("Y%d", i), y)
	v.op(op, y, x, x)
	v.op("VPERMILPS", "$0x0e", x, y)
	v.op(op, y, x, x)
	v.op("VPERMILPS", "$0x01", x, y)
	v.op(op, y, x, x)
}

// Rows of expTable, in vectors of 64 bytes.
const (
	expLow = iota
	expHigh
	expLog2E
	expLn2Hi
	expLn2Lo
	expC6
	expC5
	expC4
	expC3
	expC2
	expOne
	expBias
	expAbs
)

// constant is the operand of a row of expTable, whose address is in R9.
func constant(row int) string { return mem(64*row, "R9", "", 0) }

// with writes an operation whose first operand is a constant. AVX-512 broadcasts
// it: a whole vector would cross a cache line where the table is not aligned.
func (v *vector) with(name string, row int, operands ...any) {
	if v.wide {
		name += ".BCST"
	}
	v.op(name, append([]any{constant(row)}, operands...)...)
}

// exp turns registers x into e^x, side by side; each x uses three registers
// from tmp on. R9 holds the address of expTable. See there.
func (v *vector) exp(tmp int, xs ...int) {
	n := func(i int) string { return v.r(tmp + 3*i) }
	p := func(i int) string { return v.r(tmp + 3*i + 1) }
	t := func(i int) string { return v.r(tmp + 3*i + 2) }
	all := func(body func(i int, x string)) {
		for i, x := range xs {
			body(i, v.r(x))
		}
	}
	// The second source is what MAX and MIN return where one is NaN.
	v.op("VBROADCASTSS", constant(expLow), t(0))
	v.op("VBROADCASTSS", constant(expHigh), p(0))
	all(func(i int, x string) { v.op("VMAXPS", x, t(0), x) })
	all(func(i int, x string) { v.op("VMINPS", x, p(0), x) })
	// n = round(x·log2 e), x -= n·ln 2 in two parts.
	all(func(i int, x string) { v.with("VMULPS", expLog2E, x, n(i)) })
	all(func(i int, x string) {
		if v.wide {
			v.op("VRNDSCALEPS", "$8", n(i), n(i))
		} else {
			v.op("VROUNDPS", "$8", n(i), n(i))
		}
	})
	all(func(i int, x string) { v.with("VFNMADD231PS", expLn2Hi, n(i), x) })
	all(func(i int, x string) { v.with("VFNMADD231PS", expLn2Lo, n(i), x) })
	// p = c2 + x·(c3 + ...)
	all(func(i int, x string) { v.op("VBROADCASTSS", constant(expC6), p(i)) })
	for c := expC5; c <= expC2; c++ {
		all(func(i int, x string) { v.with("VFMADD213PS", c, x, p(i)) })
	}
	// p = 1 + (x + x²·p)
	all(func(i int, x string) { v.op("VMULPS", x, x, t(i)) })
	all(func(i int, x string) { v.op("VFMADD213PS", x, t(i), p(i)) })
	all(func(i int, x string) { v.with("VADDPS", expOne, p(i), p(i)) })
	// x = p·2^n
	if v.wide {
		all(func(i int, x string) { v.op("VSCALEFPS", n(i), p(i), x) })
		return
	}
	// In two factors: 2^n alone may be out of range where p·2^n is not.
	all(func(i int, x string) { v.op("VCVTPS2DQ", n(i), n(i)) })
	all(func(i int, x string) { v.op("VPSRAD", "$1", n(i), t(i)) })
	all(func(i int, x string) { v.op("VPSUBD", t(i), n(i), n(i)) })
	all(func(i int, x string) { v.with("VPADDD", expBias, t(i), t(i)) })
	all(func(i int, x string) { v.with("VPADDD", expBias, n(i), n(i)) })
	all(func(i int, x string) { v.op("VPSLLD", "$23", t(i), t(i)) })
	all(func(i int, x string) { v.op("VPSLLD", "$23", n(i), n(i)) })
	all(func(i int, x string) { v.op("VMULPS", t(i), p(i), p(i)) })
	all(func(i int, x string) { v.op("VMULPS", n(i), p(i), x) })
}
