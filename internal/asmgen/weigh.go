package asmgen

import "fmt"

// keyBlock is the number of scores of a key block: kernel.KeyBlock.
const keyBlock = 64

// weighRegisters numbers the vector registers that last through a row.
type weighRegisters struct {
	group           int // vectors handled side by side, from register 0 on
	tmp             int // temporaries of their exponentials
	max, floor, sum int
	nil             int // zero
	any             int // AVX2: lanes above zero so far
}

// weigh writes the weights of one key block for several queries, in three
// passes over the queries: each pass has little to wait for within a query, so
// that the processor works on several at once.
func (v *vector) weigh() {
	g := weighRegisters{group: 2, tmp: 3, max: 9, floor: 10, sum: 11, nil: 2, any: 12}
	if v.wide {
		g = weighRegisters{group: 4, tmp: 4, max: 20, floor: 21, sum: 22, nil: 23}
	}
	v.text("weigh"+v.isa(), 8, `
weigh turns the scores of a key block into weights, in place:

	for r := range rows {
	    max[r] = max(old[r], max s[r][lo:hi]), ignoring NaN
	    factor[r], floor[r] = exp(old[r]-max[r]), exp(-max[r])
	    for i := range keyBlock {
	        e := exp(s[r][i]-max[r])
	        rule 0: w, d = e, e
	        rule 1: w, d = max(e-floor, 0), abs(e-floor)
	        rule 2: w, d = max(e-floor, 0), max(e-floor, 0)
	        rule 3: w, d = e, e where !(s[r][i] < 0), else 0, 0
	        if i < lo || i >= hi { w, d = 0, 0 }
	        s[r][i], lane[i%lanes], any = w, lane[i%lanes]+d, any || w > 0
	    }
	    sum[r] = lane[0] + ..., half by half
	}`)
	v.op("MOVQ", "t+0(FP)", "AX")
	v.op("LEAQ", "·expTable(SB)", "R9")
	v.weighMax()
	v.weighFactors(g)
	v.zero(0)
	v.op("VMOVUPS", v.r(0), v.r(g.nil))
	if v.wide {
		v.op("KXORW", "K6", "K6", "K6")
	} else {
		v.op("VMOVUPS", v.r(0), v.r(g.any))
	}
	for rule := 1; rule < 4; rule++ {
		v.op("CMPQ", "weighing_rule(AX)", imm(rule))
		v.op("JEQ", fmt.Sprintf("rule%d", rule))
	}
	for rule := range 4 {
		v.weighRule(g, rule)
	}
}

// eachRow runs body for every row: DI is its scores, SI its range, and DX four
// times its number, the offset in the arrays.
func (v *vector) eachRow(body func()) {
	row := v.newLabel("row")
	v.op("MOVQ", "weighing_s(AX)", "DI")
	v.op("LEAQ", "weighing_ranges(AX)", "SI")
	v.op("MOVQ", "weighing_rows(AX)", "BX")
	v.op("XORQ", "DX", "DX")
	v.label(row)
	if v.wide {
		v.op("KMOVQ", "keyRange_mask(SI)", "K1")
		for j := 1; j < 4; j++ {
			v.op("KSHIFTRQ", imm(16*j), "K1", fmt.Sprintf("K%d", j+1))
		}
	} else {
		v.op("MOVQ", "keyRange_from(SI)", "R10")
		v.op("MOVQ", "keyRange_until(SI)", "R11")
	}
	body()
	v.op("ADDQ", imm(4*keyBlock), "DI")
	v.op("ADDQ", "$keyRange__size", "SI")
	v.op("ADDQ", "$4", "DX")
	v.op("DECQ", "BX")
	v.op("JNZ", row)
}

// ofRow is the current row's element of an array in weighing.
func ofRow(array string) string { return fmt.Sprintf("weighing_%s(AX)(DX*1)", array) }

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

// weighMax finds the new maxima.
func (v *vector) weighMax() {
	v.eachRow(func() {
		v.op("VBROADCASTSS", ofRow("old"), v.r(0))
		v.op("VMOVUPS", v.r(0), v.r(2))
		for j := range keyBlock / v.lanes() {
			k := v.blockMask(j, 3)
			if v.wide {
				v.op("VMOVUPS.Z", mem(64*j, "DI", "", 0), k, v.r(1))
				v.op("VMAXPS", v.r(0), v.r(1), k, v.r(0))
			} else {
				v.op("VMOVUPS", mem(32*j, "DI", "", 0), v.r(1))
				v.op("VBLENDVPS", k, v.r(1), v.r(2), v.r(1))
				v.op("VMAXPS", v.r(0), v.r(1), v.r(0))
			}
		}
		v.fold("VMAXPS", 0, 1)
		v.op("VMOVSS", "X0", ofRow("max"))
	})
}

// weighFactors computes the factors and floors of a vector of rows at once; the
// arrays have room for whole vectors.
func (v *vector) weighFactors(g weighRegisters) {
	rows := v.newLabel("rows")
	v.op("MOVQ", "weighing_rows(AX)", "BX")
	v.op("XORQ", "DX", "DX")
	v.label(rows)
	v.op("VMOVUPS", ofRow("max"), v.r(1))
	v.op("VMOVUPS", ofRow("old"), v.r(0))
	v.op("VSUBPS", v.r(1), v.r(0), v.r(0))
	v.zero(2)
	v.op("VSUBPS", v.r(1), v.r(2), v.r(1))
	v.exp(g.tmp, 0, 1)
	v.op("VMOVUPS", v.r(0), ofRow("factor"))
	v.op("VMOVUPS", v.r(1), ofRow("floor"))
	v.op("ADDQ", imm(v.size()), "DX")
	v.op("SUBQ", imm(v.lanes()), "BX")
	v.op("JGT", rows)
}

// weighRule writes the weights of all rows under one rule.
func (v *vector) weighRule(g weighRegisters, rule int) {
	v.label(fmt.Sprintf("rule%d", rule))
	v.eachRow(func() {
		v.op("VBROADCASTSS", ofRow("max"), v.r(g.max))
		if rule == 1 || rule == 2 {
			v.op("VBROADCASTSS", ofRow("floor"), v.r(g.floor))
		}
		for j := 0; j < keyBlock/v.lanes(); j += g.group {
			v.weighGroup(g, rule, j)
		}
		v.op("VMOVUPS", v.r(g.sum), v.r(0))
		v.fold("VADDPS", 0, 1)
		v.op("VMOVSS", "X0", ofRow("sum"))
	})
	if v.wide {
		v.op("KMOVW", "K6", "CX")
	} else {
		v.op("VMOVMSKPS", v.r(g.any), "CX")
	}
	v.op("MOVL", "CX", "weighing_any(AX)")
	v.end()
}

// weighGroup writes the weights of g.group vectors, the block's j-th first.
func (v *vector) weighGroup(g weighRegisters, rule, j int) {
	xs, masks := make([]int, g.group), make([]string, g.group)
	at := func(i int) string { return mem((j+i)*v.size(), "DI", "", 0) }
	for i := range g.group {
		xs[i], masks[i] = i, v.blockMask(j+i, 13+i)
		if v.wide {
			v.op("VMOVUPS.Z", at(i), masks[i], v.r(i))
		} else {
			v.op("VMOVUPS", at(i), v.r(i))
		}
		// Rule 3 keeps what is not below zero, NaN with it (NLT).
		switch {
		case rule == 3 && v.wide:
			v.op("VCMPPS", "$0x15", v.r(g.nil), v.r(i), masks[i], masks[i])
		case rule == 3:
			v.op("VCMPPS", "$0x15", v.r(g.nil), v.r(i), v.r(g.tmp))
			v.op("VANDPS", v.r(g.tmp), masks[i], masks[i])
		}
		v.op("VSUBPS", v.r(g.max), v.r(i), v.r(i))
	}
	v.exp(g.tmp, xs...)
	for i := range g.group {
		v.weighVector(g, rule, i, masks[i], j+i == 0)
		v.op("VMOVUPS", v.r(i), at(i))
	}
}

// weighVector turns e^(s-m) in register i into weights, and adds them up.
func (v *vector) weighVector(g weighRegisters, rule, i int, mask string, first bool) {
	x, d, above := v.r(i), v.r(g.tmp), v.r(g.tmp+1)
	if rule == 1 || rule == 2 {
		v.op("VSUBPS", v.r(g.floor), x, x)
	}
	if v.wide {
		v.op("VMOVAPS.Z", x, mask, x)
	} else {
		v.op("VANDPS", mask, x, x)
	}
	if rule == 1 {
		v.with("VANDPS", expAbs, x, d)
	} else {
		d = x
	}
	if rule == 1 || rule == 2 {
		v.op("VMAXPS", x, v.r(g.nil), x)
	}
	if first {
		v.op("VMOVUPS", d, v.r(g.sum))
	} else {
		v.op("VADDPS", d, v.r(g.sum), v.r(g.sum))
	}
	if v.wide {
		v.op("VCMPPS", "$0x1e", v.r(g.nil), x, "K5")
		v.op("KORW", "K5", "K6", "K6")
	} else {
		v.op("VCMPPS", "$0x1e", v.r(g.nil), x, above)
		v.op("VORPS", above, v.r(g.any), v.r(g.any))
	}
}
