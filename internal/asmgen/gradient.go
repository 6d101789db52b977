package asmgen

import "fmt"

// gradients writes the loops that only training needs.
func (v *vector) gradients() {
	v.expRow()
	v.swigluGrad()
	for rule := range 4 {
		v.weighGrad(rule)
	}
}

func (v *vector) expRow() {
	v.text("exp"+v.isa(), 24, `
exp is the scaled exponential, in place:

	for i := range n { x[i] = exp(x[i] - shift) * scale }`)
	v.op("MOVQ", "x+0(FP)", "DI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("VBROADCASTSS", "shift+16(FP)", v.r(6))
	v.op("VBROADCASTSS", "scale+20(FP)", v.r(7))
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.each("BX", []string{"DI"}, func(masked bool) {
		v.load("(DI)", v.r(0), masked)
		v.op("VSUBPS", v.r(6), v.r(0), v.r(0))
		v.exp(3, 0)
		v.op("VMULPS", v.r(7), v.r(0), v.r(0))
		v.store(v.r(0), "(DI)", masked)
	})
	v.end()
}

func (v *vector) swigluGrad() {
	v.text("swigluGrad"+v.isa(), 48, `
swigluGrad is the gradient of swiglu:

	for i := range n {
	    s := 1 / (1 + exp(-gate[i]))
	    silu := gate[i] * s
	    dgate[i] = dout[i] * up[i] * (s + silu*(1-s))
	    dup[i] = dout[i] * silu
	}`)
	for i, p := range []string{"dgate", "dup", "dout", "gate", "up"} {
		v.op("MOVQ", fmt.Sprintf("%s+%d(FP)", p, 8*i), []string{"DI", "R8", "AX", "SI", "DX"}[i])
	}
	v.op("MOVQ", "n+40(FP)", "BX")
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.op("VBROADCASTSS", constant(expOne), v.r(6))
	v.each("BX", []string{"DI", "R8", "AX", "SI", "DX"}, func(masked bool) {
		v.load("(SI)", v.r(0), masked)
		v.zero(1)
		v.op("VSUBPS", v.r(0), v.r(1), v.r(1))
		v.exp(3, 1)
		v.op("VADDPS", v.r(6), v.r(1), v.r(1))
		v.op("VDIVPS", v.r(1), v.r(6), v.r(1)) // s
		v.op("VMULPS", v.r(1), v.r(0), v.r(0)) // silu
		v.load("(AX)", v.r(2), masked)
		v.load("(DX)", v.r(3), masked)
		v.op("VMULPS", v.r(2), v.r(3), v.r(3)) // dout·up
		v.op("VMULPS", v.r(0), v.r(2), v.r(2)) // dup
		v.store(v.r(2), "(R8)", masked)
		v.op("VSUBPS", v.r(1), v.r(6), v.r(4)) // 1-s
		v.op("VMULPS", v.r(4), v.r(0), v.r(4))
		v.op("VADDPS", v.r(4), v.r(1), v.r(4))
		v.op("VMULPS", v.r(4), v.r(3), v.r(3))
		v.store(v.r(3), "(DI)", masked)
	})
	v.end()
}

// weighGrad writes one rule of attention's weights and their gradient; the rules
// are weigh's.
func (v *vector) weighGrad(rule int) {
	text := []string{
		"p, dx = e, e * (dots[i]-delta)",
		"p, dx = max(e-floor, 0), x[i] > 0: e * (dots[i]-delta), x[i] < 0: e * delta, else 0",
		"p, dx = max(e-floor, 0), x[i] > 0: e * (dots[i]-delta), else 0",
		"p, dx = e, e * (dots[i]-delta) where !(x[i] < 0), else 0, 0",
	}[rule]
	v.text(fmt.Sprintf("weighGrad%d%s", rule, v.isa()), 40, `
weighGrad is rule `+fmt.Sprint(rule)+` of the weights and the gradient of the scores:

	for i := range n {
	    e := exp(x[i]-max) * norm
	    `+text+`
	    x[i], dots[i] = p, dx
	}`)
	v.op("MOVQ", "x+0(FP)", "DI")
	v.op("MOVQ", "dots+8(FP)", "SI")
	v.op("MOVQ", "n+16(FP)", "BX")
	for i, p := range []string{"max", "norm", "floor", "delta"} {
		v.op("VBROADCASTSS", fmt.Sprintf("%s+%d(FP)", p, 24+4*i), v.r(6+i))
	}
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.zero(10)
	v.each("BX", []string{"DI", "SI"}, func(masked bool) {
		v.load("(DI)", v.r(0), masked)
		v.op("VMOVUPS", v.r(0), v.r(1))
		v.op("VSUBPS", v.r(6), v.r(0), v.r(0))
		v.exp(3, 0)
		v.op("VMULPS", v.r(7), v.r(0), v.r(0))
		v.load("(SI)", v.r(2), masked)
		v.op("VSUBPS", v.r(9), v.r(2), v.r(2))
		if rule == 3 {
			v.keep(0, "$0x15")
		}
		v.op("VMULPS", v.r(0), v.r(2), v.r(2))
		if rule == 1 || rule == 2 {
			v.keep(2, "$0x1e")
		}
		if rule == 1 {
			v.op("VMULPS", v.r(0), v.r(9), v.r(3))
			v.keep(3, "$0x11")
			v.op("VADDPS", v.r(3), v.r(2), v.r(2))
		}
		if rule == 1 || rule == 2 {
			v.op("VSUBPS", v.r(8), v.r(0), v.r(0))
			v.op("VMAXPS", v.r(10), v.r(0), v.r(0))
		}
		v.store(v.r(0), "(DI)", masked)
		v.store(v.r(2), "(SI)", masked)
	})
	v.end()
}

// keep zeroes the lanes of register i in which register 1 does not compare with
// zero (register 10) as predicate says; it changes register 4.
func (v *vector) keep(i int, predicate string) {
	if v.wide {
		v.op("VCMPPS", predicate, v.r(10), v.r(1), "K2")
		v.op("VMOVAPS.Z", v.r(i), "K2", v.r(i))
		return
	}
	v.op("VCMPPS", predicate, v.r(10), v.r(1), v.r(4))
	v.op("VANDPS", v.r(4), v.r(i), v.r(i))
}
