package asmgen

import "fmt"

// Registers of weigh that last through a row: two vectors are handled side by side in
// registers 0 to 7, under the masks in 8 and 9.
const (
	weighSum   = 10
	weighAny   = 11 // lanes above zero so far
	weighZero  = 12
	weighMax   = 16
	weighFloor = 17
)

func (v *neon) weigh() {
	v.text("weighNEON", 8, "weighNEON is the loop of weighAVX2, in vectors of four.")
	v.op("MOVD", "t+0(FP)", "R0")
	v.expConstants()
	v.weighMax()
	v.weighFactors()
	v.zero(weighZero)
	v.zero(weighAny)
	v.op("MOVD", "weighing_rule(R0)", "R3")
	for rule := 1; rule < 4; rule++ {
		v.op("CMP", imm(rule), "R3")
		v.op("BEQ", fmt.Sprintf("rule%d", rule))
	}
	for rule := range 4 {
		v.label(fmt.Sprintf("rule%d", rule))
		v.eachRow(func() {
			v.ofRow("max", weighMax)
			v.ofRow("floor", weighFloor)
			for j := 0; j < keyBlock/4; j += 2 {
				v.weighTwo(rule, j)
			}
			v.sum(weighSum)
			v.op("FMOVS", fmt.Sprintf("F%d", weighSum), "weighing_sum(R5)")
		})
		v.largest("umaxv", weighAny, weighAny)
		v.lane0(3, weighAny)
		v.op("MOVD", "R3", "weighing_any(R0)")
		v.op("RET")
	}
}

// eachRow runs body for every row: R1 is its scores, R10 and R11 are its masks, and R5 is moved by
// four times its number, for the arrays of weighing.
func (v *neon) eachRow(body func()) {
	row := v.newLabel("row")
	v.op("MOVD", "weighing_s(R0)", "R1")
	v.op("ADD", "$weighing_ranges", "R0", "R2")
	v.op("MOVD", "weighing_rows(R0)", "R6")
	v.op("MOVD", "R0", "R5")
	v.label(row)
	v.op("MOVD", "keyRange_from(R2)", "R10")
	v.op("MOVD", "keyRange_until(R2)", "R11")
	body()
	v.op("ADD", imm(4*keyBlock), "R1", "R1")
	v.op("ADD", "$keyRange__size", "R2", "R2")
	v.op("ADD", "$4", "R5", "R5")
	v.op("SUBS", "$1", "R6", "R6")
	v.op("BNE", row)
}

// ofRow puts the row's element of an array into all lanes.
func (v *neon) ofRow(array string, d int) {
	v.op("FMOVS", fmt.Sprintf("weighing_%s(R5)", array), fmt.Sprintf("F%d", d))
	v.dup(d, d)
}

// blockMask makes the mask of vector j of the block; it changes the register behind d.
func (v *neon) blockMask(j, d, tmp int) {
	v.at("ldr q", d, 10, 16*j)
	v.at("ldr q", tmp, 11, 16*j)
	v.op3("and", d, d, tmp)
}

// weighMax finds the new maxima, ignoring NaN, in four chains.
func (v *neon) weighMax() {
	v.eachRow(func() {
		v.ofRow("old", 4)
		for i := range 4 {
			v.mov(i, 4)
		}
		for j := range keyBlock / 4 {
			v.blockMask(j, 5, 6)
			v.at("ldr q", 6, 1, 16*j)
			v.op3("bsl", 5, 6, 4)
			v.op3("fmaxnm", j%4, j%4, 5)
		}
		v.op3("fmaxnm", 0, 0, 1)
		v.op3("fmaxnm", 2, 2, 3)
		v.op3("fmaxnm", 0, 0, 2)
		v.largest("fmaxnmv", 0, 0)
		v.op("FMOVS", "F0", "weighing_max(R5)")
	})
}

// weighFactors computes the factors and floors of four rows at once; the arrays have room for
// whole vectors.
func (v *neon) weighFactors() {
	v.op("MOVD", "weighing_rows(R0)", "R6")
	v.op("ADD", "$weighing_max", "R0", "R1")
	v.op("ADD", "$weighing_old", "R0", "R2")
	v.op("ADD", "$weighing_factor", "R0", "R3")
	v.op("ADD", "$weighing_floor", "R0", "R4")
	rows := v.newLabel("rows")
	v.label(rows)
	v.post("ldr q", 4, 1)
	v.post("ldr q", 0, 2)
	v.op3("fsub", 0, 0, 4)
	v.op2("fneg", 4, 4)
	v.exp(0, 4)
	v.post("str q", 0, 3)
	v.post("str q", 4, 4)
	v.op("SUBS", "$4", "R6", "R6")
	v.op("BGT", rows)
}

// weighTwo writes the weights of vectors j and j+1 of the block.
func (v *neon) weighTwo(rule, j int) {
	for i := range 2 {
		x, mask := 4*i, 8+i
		v.blockMask(j+i, mask, x+1)
		v.at("ldr q", x, 1, 16*(j+i))
		if rule == 3 { // what is not below zero, NaN with it
			v.compare0("fcmlt", x+1, x)
			v.op3("bic", mask, mask, x+1)
		}
		v.op3("fsub", x, x, weighMax)
	}
	v.exp(0, 4)
	for i := range 2 {
		x, d := 4*i, 4*i
		if rule == 1 || rule == 2 {
			v.op3("fsub", x, x, weighFloor)
		}
		v.op3("and", x, x, 8+i)
		if rule == 1 {
			d = x + 1
			v.op2("fabs", d, x)
		}
		if rule == 1 || rule == 2 {
			v.op3("fmax", x, x, weighZero)
		}
		if j+i == 0 {
			v.mov(weighSum, d)
		} else {
			v.op3("fadd", weighSum, weighSum, d)
		}
		v.compare0("fcmgt", x+2, x)
		v.op3("orr", weighAny, weighAny, x+2)
		v.at("str q", x, 1, 16*(j+i))
	}
}
