package asmgen

import "fmt"

// keyBlock is the number of scores of a key block: kernel.KeyBlock.
const keyBlock = 64

// Registers of weigh. Register 0 to group-1 hold scores, then their exponent's
// temporaries; these hold what lasts.
type weighRegisters struct {
	group                     int // vectors handled side by side
	tmp, max, floor, sum, nil int
	any                       int // AVX2: lanes above zero so far
}

// weigh writes the weights of one key block, a body for each rule.
func (v *vector) weigh() {
	g := weighRegisters{group: 2, tmp: 3, max: 9, floor: 10, sum: 11, nil: 2, any: 12}
	if v.wide {
		g = weighRegisters{group: 4, tmp: 4, max: 20, floor: 21, sum: 22, nil: 23}
	}
	v.text("weigh"+v.isa(), 8, `
weigh turns the scores of a key block into weights, in place:

	m = max(t.max, s[lo:hi]), ignoring NaN
	t.factor, floor, t.max = exp(t.max-m), exp(-m), m
	for i := range keyBlock {
	    e := exp(s[i]-m)
	    softmax:   w, d = e, e
	    softpick:  w, d = max(e-floor, 0), abs(e-floor)
	    rectified: w, d = max(e-floor, 0), max(e-floor, 0)
	    masked:    w, d = e, e where !(s[i] < 0), else 0, 0
	    if i < lo || i >= hi { w, d = 0, 0 }
	    s[i], lane[i%lanes], t.any = w, lane[i%lanes]+d, t.any || w > 0
	}
	t.sum = lane[0] + ..., half by half`)
	v.op("MOVQ", "t+0(FP)", "AX")
	v.op("MOVQ", "weighing_s(AX)", "DI")
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.weighMax(g)
	for rule := 1; rule < 4; rule++ {
		v.op("CMPQ", "weighing_rule(AX)", imm(rule))
		v.op("JEQ", fmt.Sprintf("rule%d", rule))
	}
	for rule := range 4 {
		v.label(fmt.Sprintf("rule%d", rule))
		v.weighRule(g, rule)
	}
}

// blockMask is the mask of vector j of the block: K1 to K4 hold them all with
// AVX-512; with AVX2 it is made in register to.
func (v *vector) blockMask(j, to int) string {
	if v.wide {
		return fmt.Sprintf("K%d", j+1)
	}
	v.op("VMOVUPS", mem(j*32, "R10", "", 0), v.r(to))
	v.op("VANDPS", mem(j*32, "R11", "", 0), v.r(to), v.r(to))
	return v.r(to)
}

// weighMax finds the new maximum, and the factor and floor it gives.
func (v *vector) weighMax(g weighRegisters) {
	old := "weighing_max(AX)"
	v.op("VBROADCASTSS", old, v.r(0))
	if v.wide {
		v.op("KMOVQ", "weighing_mask(AX)", "K1")
		for j := 1; j < 4; j++ {
			v.op("KSHIFTRQ", imm(16*j), "K1", fmt.Sprintf("K%d", j+1))
		}
		for j := range 4 {
			k := v.blockMask(j, 0)
			v.op("VMOVUPS.Z", mem(64*j, "DI", "", 0), k, v.r(1))
			v.op("VMAXPS", v.r(0), v.r(1), k, v.r(0))
		}
	} else {
		v.op("MOVQ", "weighing_from(AX)", "R10")
		v.op("MOVQ", "weighing_until(AX)", "R11")
		v.op("VMOVUPS", v.r(0), v.r(2))
		for j := range 8 {
			k := v.blockMask(j, 3)
			v.op("VMOVUPS", mem(32*j, "DI", "", 0), v.r(1))
			v.op("VBLENDVPS", k, v.r(1), v.r(2), v.r(1))
			v.op("VMAXPS", v.r(0), v.r(1), v.r(0))
		}
	}
	v.fold("VMAXPS", 0, 1)
	v.op("VBROADCASTSS", v.x(0), v.r(g.max))
	v.op("VBROADCASTSS", old, v.r(0))
	v.op("VSUBPS", v.r(g.max), v.r(0), v.r(0))
	v.zero(1)
	v.op("VSUBPS", v.r(g.max), v.r(1), v.r(1))
	v.exp(g.tmp, 0, 1)
	v.op("VMOVSS", "X0", "weighing_factor(AX)")
	v.op("VMOVUPS", v.r(1), v.r(g.floor))
	if v.wide {
		v.op("VEXTRACTF32X4", "$0", v.r(g.max), "X0")
	} else {
		v.op("VMOVUPS", v.x(g.max), "X0")
	}
	v.op("VMOVSS", "X0", old)
	v.zero(0)
	v.op("VMOVUPS", v.r(0), v.r(g.sum))
	v.op("VMOVUPS", v.r(0), v.r(g.nil))
	if v.wide {
		v.op("KXORW", "K6", "K6", "K6")
	} else {
		v.op("VMOVUPS", v.r(0), v.r(g.any))
	}
}

// weighRule writes the weights of the whole block under one rule.
func (v *vector) weighRule(g weighRegisters, rule int) {
	var xs []int
	for i := range g.group {
		xs = append(xs, i)
	}
	for j := 0; j < keyBlock/v.lanes(); j += g.group {
		masks := make([]string, g.group)
		for i := range g.group {
			masks[i] = v.blockMask(j+i, 13+i)
			at := mem((j+i)*v.size(), "DI", "", 0)
			if !v.wide {
				v.op("VMOVUPS", at, v.r(i))
				if rule == 3 {
					v.op("VCMPPS", "$0x15", v.r(g.nil), v.r(i), v.r(g.tmp))
					v.op("VANDPS", v.r(g.tmp), masks[i], masks[i])
				}
			} else {
				v.op("VMOVUPS.Z", at, masks[i], v.r(i))
				if rule == 3 {
					v.op("VCMPPS", "$0x15", v.r(g.nil), v.r(i), masks[i], masks[i])
				}
			}
			v.op("VSUBPS", v.r(g.max), v.r(i), v.r(i))
		}
		v.exp(g.tmp, xs...)
		for i := range g.group {
			v.weighVector(g, rule, i, masks[i])
			v.op("VMOVUPS", v.r(i), mem((j+i)*v.size(), "DI", "", 0))
		}
	}
	if v.wide {
		v.op("KMOVW", "K6", "CX")
	} else {
		v.op("VMOVMSKPS", v.r(g.any), "CX")
	}
	v.op("VMOVUPS", v.r(g.sum), v.r(0))
	v.op("MOVL", "CX", "weighing_any(AX)")
	v.fold("VADDPS", 0, 1)
	v.op("VMOVSS", "X0", "weighing_sum(AX)")
	v.end()
}

// weighVector turns e^(s-m) in register i into weights, and adds them up.
func (v *vector) weighVector(g weighRegisters, rule, i int, mask string) {
	x, d, above := v.r(i), v.r(g.tmp), v.r(g.tmp+1)
	if rule == 1 || rule == 2 {
		v.op("VSUBPS", v.r(g.floor), x, x)
	}
	if v.wide {
		v.op("VMOVAPS.Z", x, mask, x)
	} else {
		v.op("VANDPS", mask, x, x)
	}
	switch rule {
	case 1:
		v.op("VANDPS", constant(expAbs), x, d)
		v.op("VMAXPS", x, v.r(g.nil), x)
	case 2:
		v.op("VMAXPS", x, v.r(g.nil), x)
		d = x
	default:
		d = x
	}
	v.op("VADDPS", d, v.r(g.sum), v.r(g.sum))
	if v.wide {
		v.op("VCMPPS", "$0x1e", v.r(g.nil), x, "K5")
		v.op("KORW", "K5", "K6", "K6")
	} else {
		v.op("VCMPPS", "$0x1e", v.r(g.nil), x, above)
		v.op("VORPS", above, v.r(g.any), v.r(g.any))
	}
}
