package asmgen

import "fmt"

// tallies writes the loops of diagnostics.
func (v *vector) tallies() {
	v.tally()
	v.sumRange()
	v.powers()
}

// tallyRegisters are the vector registers of tally.
type tallyRegisters struct {
	group, tmp               int // as weighRegisters'
	low, high, zeros, little int // what a row adds up in its lanes
	one                      int // AVX-512: 1 as a whole number
	nil, max                 int
}

// tally writes the final weights of one key block for several queries.
func (v *vector) tally() {
	g := tallyRegisters{group: 2, tmp: 3, low: 2, high: 15, zeros: 9, little: 10, nil: 11, max: 12}
	if v.wide {
		g = tallyRegisters{group: 4, tmp: 4, low: 24, high: 25, zeros: 26, little: 27, one: 28, nil: 23, max: 20}
	}
	v.text("tally"+v.isa(), 8, `
tally turns the scores of a key block into final weights, in place, and counts them:

	for r := range rows {
	    floor[r] = exp(-max[r])
	    for i := range keyBlock {
	        e := exp(s[r][i]-max[r])
	        rule 0: w = e * norm[r]
	        rule 1, 2: w = max(e-floor, 0) * norm[r]
	        rule 3: w = e * norm[r] where !(s[r][i] < 0), else 0
	        if i < lo || i >= hi { w = 0 } else {
	            if w == 0 { zeros[r]++ }
	            if w <= small { little[r]++ }
	        }
	        s[r][i] = w
	        lane[i%lanes] += float64(w)
	    }
	    total[r] = lane[0] + ..., half by half
	}`)
	v.op("MOVQ", "t+0(FP)", "AX")
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.weighFactors(weighRegisters{tmp: g.tmp})
	if v.wide {
		v.op("LEAQ", "·roundTable(SB)", "R8")
		v.op("VPBROADCASTD", mem(64, "R8", "", 0), v.r(g.one))
	}
	for rule := 1; rule < 4; rule++ {
		v.op("CMPQ", "weighing_rule(AX)", imm(rule))
		v.op("JEQ", fmt.Sprintf("rule%d", rule))
	}
	for rule := range 4 {
		v.label(fmt.Sprintf("rule%d", rule))
		if rule != 1 { // the numerators of 1 are those of 2, which follows
			v.tallyRule(g, rule)
		}
	}
}

// tallyRule writes the weights of all rows under one rule.
func (v *vector) tallyRule(g tallyRegisters, rule int) {
	v.zero(g.nil)
	v.eachRow(func() {
		v.op("VBROADCASTSS", ofRow("max"), v.r(g.max))
		for _, r := range []int{g.low, g.high, g.zeros, g.little} {
			v.zero(r)
		}
		for j := 0; j < keyBlock/v.lanes(); j += g.group {
			v.tallyGroup(g, rule, j)
		}
		v.op("VADDPD", v.r(g.high), v.r(g.low), v.r(0))
		v.foldDoubles(0, 1)
		v.op("VMOVSD", "X0", "weighing_total(AX)(DX*2)")
		for _, c := range []struct {
			array string
			r     int
		}{{"zeros", g.zeros}, {"little", g.little}} {
			v.op("VMOVUPS", v.r(c.r), v.r(0))
			v.fold("VPADDD", 0, 1)
			v.op("VMOVD", "X0", ofRow(c.array))
		}
	})
	v.end()
}

// tallyGroup writes the weights of g.group vectors, the block's j-th first.
func (v *vector) tallyGroup(g tallyRegisters, rule, j int) {
	xs, masks := make([]int, g.group), make([]string, g.group)
	at := func(i int) string { return mem((j+i)*v.size(), "DI", "", 0) }
	for i := range g.group {
		xs[i], masks[i] = i, v.blockMask(j+i, 13+i)
		v.op("VMOVUPS", at(i), v.r(i))
		v.op("VSUBPS", v.r(g.max), v.r(i), v.r(i))
	}
	v.exp(g.tmp, xs...)
	t, u := v.r(g.tmp), v.r(g.tmp+1)
	if rule == 2 {
		v.op("VBROADCASTSS", ofRow("floor"), t)
		for i := range g.group {
			v.op("VSUBPS", t, v.r(i), v.r(i))
			v.op("VMAXPS", v.r(i), v.r(g.nil), v.r(i))
		}
	}
	v.op("VBROADCASTSS", ofRow("norm"), t)
	for i := range g.group {
		v.op("VMULPS", t, v.r(i), v.r(i))
	}
	for i := range g.group {
		// Rule 3 keeps what is not below zero, NaN with it (NLT).
		switch {
		case rule == 3 && v.wide:
			v.op("VMOVUPS", at(i), t)
			v.op("VCMPPS", "$0x15", v.r(g.nil), t, "K5")
			v.op("VMOVAPS.Z", v.r(i), "K5", v.r(i))
		case rule == 3:
			v.op("VMOVUPS", at(i), t)
			v.op("VCMPPS", "$0x15", v.r(g.nil), t, t)
			v.op("VANDPS", t, v.r(i), v.r(i))
		}
		if v.wide {
			v.op("VMOVAPS.Z", v.r(i), masks[i], v.r(i))
		} else {
			v.op("VANDPS", masks[i], v.r(i), v.r(i))
		}
		v.op("VMOVUPS", v.r(i), at(i))
		v.count(g, "$0", v.r(g.nil), i, masks[i], g.zeros)
		v.op("VBROADCASTSS", "weighing_small(AX)", u)
		v.count(g, "$2", u, i, masks[i], g.little)
		v.addDoubles(i, g.tmp, g.low, g.high)
	}
}

// count adds 1 to register to in the lanes of register x, under the mask, that stand in a
// relation to limit: the predicate $0 is equal, $2 at most.
func (v *vector) count(g tallyRegisters, predicate, limit string, x int, mask string, to int) {
	if v.wide {
		v.op("VCMPPS", predicate, limit, v.r(x), mask, "K5")
		v.op("VPADDD", v.r(g.one), v.r(to), "K5", v.r(to))
		return
	}
	t := v.r(g.tmp + 2)
	v.op("VCMPPS", predicate, limit, v.r(x), t)
	v.op("VANDPS", mask, t, t)
	v.op("VPSUBD", t, v.r(to), v.r(to))
}

// doubles widens the halves of register x into registers low and high.
func (v *vector) doubles(x, low, high int) {
	if v.wide {
		v.op("VEXTRACTF64X4", "$1", v.r(x), fmt.Sprintf("Y%d", high))
		v.op("VCVTPS2PD", fmt.Sprintf("Y%d", x), v.r(low))
		v.op("VCVTPS2PD", fmt.Sprintf("Y%d", high), v.r(high))
		return
	}
	v.op("VEXTRACTF128", "$1", v.r(x), v.x(high))
	v.op("VCVTPS2PD", v.x(x), v.r(low))
	v.op("VCVTPS2PD", v.x(high), v.r(high))
}

// addDoubles adds register x to the float64 lanes of registers low and high; it changes tmp and
// the one behind it.
func (v *vector) addDoubles(x, tmp, low, high int) {
	v.doubles(x, tmp, tmp+1)
	v.op("VADDPD", v.r(tmp), v.r(low), v.r(low))
	v.op("VADDPD", v.r(tmp+1), v.r(high), v.r(high))
}

// foldDoubles is fold for float64.
func (v *vector) foldDoubles(i, tmp int) {
	x, y := v.x(i), v.x(tmp)
	if v.wide {
		v.op("VEXTRACTF64X4", "$1", v.r(i), fmt.Sprintf("Y%d", tmp))
		v.op("VADDPD", fmt.Sprintf("Y%d", tmp), fmt.Sprintf("Y%d", i), fmt.Sprintf("Y%d", i))
	}
	v.op("VEXTRACTF128", "$1", fmt.Sprintf("Y%d", i), y)
	v.op("VADDPD", y, x, x)
	v.op("VPERMILPD", "$1", x, y)
	v.op("VADDPD", y, x, x)
}

// sumRange writes the sum and the extremes of a row.
func (v *vector) sumRange() {
	v.text("sumRange"+v.isa(), 24, `
sumRange adds a row of n numbers in float64, and finds its extremes; n is at least one and a
multiple of the lanes. Of a row with NaN the sum is NaN, and the extremes are arbitrary:

	for i := range n { lane[i%lanes] += x[i]; min, max = ... }
	out[0], out[1], out[2] = lane[0] + ..., min, max`)
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("MOVQ", "out+16(FP)", "DI")
	v.zero(1)
	v.zero(2)
	v.op("VMOVUPS", "(SI)", v.r(3))
	v.op("VMOVUPS", v.r(3), v.r(4))
	loop := v.newLabel("loop")
	v.label(loop)
	v.op("VMOVUPS", "(SI)", v.r(0))
	v.op("VMINPS", v.r(3), v.r(0), v.r(3))
	v.op("VMAXPS", v.r(4), v.r(0), v.r(4))
	v.addDoubles(0, 5, 1, 2)
	v.op("ADDQ", imm(v.size()), "SI")
	v.op("SUBQ", imm(v.lanes()), "BX")
	v.op("JGT", loop)
	v.op("VADDPD", v.r(2), v.r(1), v.r(1))
	v.foldDoubles(1, 0)
	v.op("VMOVSD", "X1", "(DI)")
	for i, name := range []string{"VMINPS", "VMAXPS"} {
		v.fold(name, 3+i, 0)
		v.op("VCVTPS2PD", v.x(3+i), "X0")
		v.op("VMOVSD", "X0", mem(8*(i+1), "DI", "", 0))
	}
	v.end()
}

// powers writes the sums of powers of the distances from a mean.
func (v *vector) powers() {
	v.text("powers"+v.isa(), 32, `
powers adds powers of distances; n is at least one and a multiple of the lanes:

	for i := range n {
	    d := float64(x[i]) - mean
	    for p := range 3 { lane[p][i%lanes] += d^(p+2) }
	}
	out[p] = lane[p][0] + ...`)
	v.op("MOVQ", "x+0(FP)", "SI")
	v.op("MOVQ", "n+8(FP)", "BX")
	v.op("VBROADCASTSD", "mean+16(FP)", v.r(7))
	v.op("MOVQ", "out+24(FP)", "DI")
	for r := 1; r <= 6; r++ {
		v.zero(r)
	}
	loop := v.newLabel("loop")
	v.label(loop)
	v.op("VMOVUPS", "(SI)", v.r(0))
	v.doubles(0, 8, 9)
	for half := range 2 {
		d, square := v.r(8+half), v.r(10+half)
		v.op("VSUBPD", v.r(7), d, d)
		v.op("VMULPD", d, d, square)
		v.op("VADDPD", square, v.r(1+half), v.r(1+half))
		v.op("VFMADD231PD", d, square, v.r(3+half))
		v.op("VFMADD231PD", square, square, v.r(5+half))
	}
	v.op("ADDQ", imm(v.size()), "SI")
	v.op("SUBQ", imm(v.lanes()), "BX")
	v.op("JGT", loop)
	for p := range 3 {
		low := 1 + 2*p
		v.op("VADDPD", v.r(low+1), v.r(low), v.r(low))
		v.foldDoubles(low, 0)
		v.op("VMOVSD", v.x(low), mem(8*p, "DI", "", 0))
	}
	v.end()
}
