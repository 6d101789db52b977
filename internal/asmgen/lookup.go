package asmgen

import "fmt"

// Loops that look numbers up: of each group the numbers of all codes are made once, rounded, and
// lie in registers, from which a code's is taken by a permutation of words (VPERMI2W). They are for
// AVX-512 with VBMI and pairs of bfloat16. A permutation sees 64 words: all columns of two
// bits, eight of three, four of four, so that three bits take two and four bits four of them.

// lookups are the loops: those of codeRow that multiply pairs, but for eight bits.
func lookups() (all []codeRow) {
	for _, c := range codeRowsOf(true, false) {
		if c.pairs() && c.bits < 8 {
			c.lookup = true
			all = append(all, c)
		}
	}
	return all
}

func lookupFile() []byte {
	v := &vector{newFile(), true}
	for _, c := range lookups() {
		v.lookup(c)
	}
	return v.buf.Bytes()
}

// Rows of lookupTable, 64 bytes each.
const (
	lookupOdd      = 0  // words: the upper halves of a vector's dwords, then another's
	lookupColumn   = 1  // of 2, 3 and 4 bits, what of a column's number is in an index
	lookupMask     = 4  // of 2, 3 and 4 bits, where the code is; then of three bits the two low ones
	lookupControl2 = 8  // of each pair which bits are moved to the index, eight of them
	lookupControl3 = 16 // of the low bits, eight; then of the high ones, four
	lookupControl4 = 28 // four
	lookupCodes    = 32 // 0 to 15; then -8 to 7
)

// Registers of the loops beside those of codeRow. Tables lie from lookupTables on: of two and three
// bits from the eighth of them.
const (
	lookScale, lookZero, lookRounded, lookOdd, lookU = 2, 3, 4, 9, 5 // while tables are made
	lookX, lookY, lookT                              = 6, 7, 8
	lookIndex, lookHigh, lookWords                   = 6, 2, 4 // while they are used; each and the next
	lookA, lookBase, lookMask, lookLow               = 9, 1, 15, 8
	lookControl                                      = 16 // of two and three bits
	lookTables                                       = 16
)

// lookControls are the registers of the controls of four bits, and of three bits' high ones.
var lookControls = []int{0, 12, 13, 14}

// lookup writes one loop.
func (v *vector) lookup(c codeRow) {
	name := c.name(v.isa())
	perWord := 32 / c.bits
	if c.bits == 3 {
		perWord = 32
	}
	v.text(name, 8, fmt.Sprintf(`
%s multiplies a row with the 32 columns of a panel, of which groups share a scale and a
zero, with the bits of the loop that makes each number:

	for s := range steps {     (of %d k)
	    if s%%group == 0 { tables of round(%s) of each code and column }
	    for pairs of k { sum += the next pair of a, by VDPBF16PS, times the table's }     (k ascending)
	}`, name, perWord, c.meaning()))
	v.codeRowArguments()
	for j := range 2 {
		v.op("VMOVUPS", mem(j*v.size(), "R15", "", 0), v.r(rowSum+j))
	}
	v.lookupMasks(c.bits)
	switch c.form { // what codes stand for before they are scaled
	case "Level":
		v.op("MOVQ", "codeRow_levels(AX)", "R15")
	case signed:
		v.op("LEAQ", "·lookupTable(SB)", "R15")
		v.op("ADDQ", imm(64*(lookupCodes+1)), "R15")
	default:
		v.op("LEAQ", "·lookupTable(SB)", "R15")
		v.op("ADDQ", imm(64*lookupCodes), "R15")
	}
	v.op("XORL", "DX", "DX") // steps until the next scales
	v.label(name + "Step")
	v.op("TESTQ", "DX", "DX")
	v.op("JNE", name+"Same")
	v.op("MOVQ", "codeRow_group(AX)", "DX")
	v.lookupGroup(c)
	v.label(name + "Same")
	v.op("DECQ", "DX")
	// The same place in the next panel.
	v.op("PREFETCHT0", mem(0, "SI", "R11", 2))
	v.op("PREFETCHT0", mem(0, "R14", "R11", 2))
	words := 1
	if c.bits == 3 {
		words = 3
		for j, codes := range []string{"SI", "R14"} {
			v.op("VMOVDQU32", mem(2*v.size(), codes, "", 0), v.r(lookWords+j))
		}
		v.lookupWord(c, 0)
		v.lookupWord(c, 1)
	} else {
		v.lookupWord(c, 0)
	}
	v.op("ADDQ", imm(words*v.size()), "SI")
	v.op("ADDQ", imm(words*v.size()), "R14")
	v.op("DECQ", "CX")
	v.op("JNZ", name+"Step")
	v.op("MOVQ", "codeRow_sum(AX)", "R15")
	for j := range 2 {
		v.op("VMOVUPS", v.r(rowSum+j), mem(j*v.size(), "R15", "", 0))
	}
	v.op("VZEROUPPER")
	v.op("RET")
}

// lookupMasks makes the masks of the columns that a permutation is for: K1 those of the first.
func (v *vector) lookupMasks(bits int) {
	n := 1 << (bits - 2) // permutations
	for q := 0; q < n && n > 1; q++ {
		width := 32 / n
		v.op("MOVL", fmt.Sprintf("$0x%x", uint32(1<<width-1)<<(width*q)), "BX")
		v.op("KMOVD", "BX", fmt.Sprintf("K%d", q+1))
	}
}

// lookupGroup reads the next scales and zeros and makes the tables, then what the loop needs besides.
func (v *vector) lookupGroup(c codeRow) {
	v.op("LEAQ", "·lookupTable(SB)", "BX")
	v.op("VMOVDQU32", table(lookupOdd), v.r(lookOdd))
	v.op("LEAQ", "·codeRowTable(SB)", "BX")
	for j, at := range []string{"", "R12"} {
		v.op("VMOVUPS", mem(0, "R8", at, 1), v.r(lookScale))
		if c.form == "Centred" || c.form == "Offset" {
			v.op("VMOVUPS", mem(0, "R9", []string{"", "R13"}[j], 1), v.r(lookZero))
		}
		if c.exact() {
			v.op("VMULPS", table(tableUnsigned+1), v.r(lookScale), v.r(lookRounded))
			v.op("VMULPS", table(tableUnsigned), v.r(lookScale), v.r(lookScale))
		} else {
			v.op("VMOVUPS", table(tableUnsigned), v.r(lookRounded)) // 65536
		}
		v.lookupTables(c, v.lookupTable(c.bits, j))
	}
	v.op("ADDQ", imm(v.size()), "R8")
	v.op("ADDQ", "R10", "R9")
	v.op("LEAQ", "·lookupTable(SB)", "BX")
	v.op("VMOVDQU32", table(lookupColumn+c.bits-2), v.r(lookBase))
	v.op("VMOVDQU32", table(lookupMask+c.bits-2), v.r(lookMask))
	load := func(row int, registers ...int) {
		for i, r := range registers {
			v.op("VMOVDQU32", table(row+i), v.r(r))
		}
	}
	eight := []int{16, 17, 18, 19, 20, 21, 22, 23}
	switch c.bits {
	case 2:
		load(lookupControl2, eight...)
	case 3:
		load(lookupControl3, eight...)
		load(lookupControl3+8, lookControls...)
		load(lookupMask+3, lookLow)
	default:
		load(lookupControl4, lookControls...)
	}
}

// lookupTable is the first register of the tables of vector j.
func (v *vector) lookupTable(bits, j int) int {
	n := 1 << (bits - 1) // registers
	return lookTables + 16 - 2*n + j*n
}

// lookupTables makes the tables of a vector from register to on.
func (v *vector) lookupTables(c codeRow, to int) {
	// Of each register two codes' numbers, and for four bits which: in such an order that they
	// come to lie in theirs.
	pairs := [][2]int{{0, 1}, {2, 3}, {4, 5}, {6, 7}}
	if c.bits == 4 {
		pairs = [][2]int{{0, 2}, {1, 3}, {4, 6}, {5, 7}, {8, 10}, {9, 11}, {12, 14}, {13, 15}}
	}
	for i, p := range pairs[:1<<(c.bits-1)] {
		v.lookupNumber(c, p[0], lookX)
		v.lookupNumber(c, p[1], lookY)
		v.op("VMOVDQA64", v.r(lookX), v.r(to+i))
		v.op("VPERMT2W", v.r(lookY), v.r(lookOdd), v.r(to+i))
	}
	shuffle := func(lanes, a, b, dst int) {
		v.op("VSHUFI64X2", fmt.Sprintf("$0x%x", lanes), v.r(b), v.r(a), v.r(dst))
	}
	const even, odd = 0x88, 0xdd
	switch c.bits {
	case 3: // eight columns in each
		for i := 0; i < 4; i += 2 {
			shuffle(even, to+i, to+i+1, lookX)
			shuffle(odd, to+i, to+i+1, to+i+1)
			v.op("VMOVDQA64", v.r(lookX), v.r(to+i))
		}
	case 4: // four
		for i := to; i < to+8; i += 4 {
			v.op("VPUNPCKLQDQ", v.r(i+1), v.r(i), v.r(lookX))
			v.op("VPUNPCKHQDQ", v.r(i+1), v.r(i), v.r(lookY))
			v.op("VPUNPCKLQDQ", v.r(i+3), v.r(i+2), v.r(lookT))
			v.op("VPUNPCKHQDQ", v.r(i+3), v.r(i+2), v.r(lookU))
			shuffle(even, lookX, lookT, i)
			shuffle(even, lookY, lookU, i+1)
			shuffle(odd, lookX, lookT, i+2)
			shuffle(odd, lookY, lookU, i+3)
		}
	}
}

// lookupNumber makes a code's number in register x, of all columns.
func (v *vector) lookupNumber(c codeRow, code, x int) {
	v.op("VBROADCASTSS", mem(4*code, "R15", "", 0), v.r(x))
	if c.form == "Level" {
		v.op("VMULPS", v.r(lookScale), v.r(x), v.r(x))
	} else {
		v.codeRowScaled(c, numberRegisters{x, lookT, lookScale, lookZero, lookRounded})
	}
	if c.half() {
		v.halved(x, x)
	}
	if c.bf16() {
		v.roundedToBF16(x, lookT, lookRounded)
	}
}

// lookupWord multiplies with the codes of a word of each vector.
func (v *vector) lookupWord(c codeRow, w int) {
	fields := 32 / c.bits
	if c.bits == 3 {
		fields = 16
	}
	for p := range fields / 2 {
		v.op("VPBROADCASTD", mem(4*p, "DI", "", 0), v.r(lookA))
		for j, codes := range []string{"SI", "R14"} {
			index, to := v.r(lookIndex+j), v.lookupTable(c.bits, j)
			control := lookControl + p
			if c.bits == 4 {
				control = lookControls[p]
			}
			v.op("VPMULTISHIFTQB", mem(w*v.size(), codes, "", 0), v.r(control), index)
			if c.bits == 3 {
				v.op("VPMULTISHIFTQB", v.r(lookWords+j), v.r(lookControls[p%4]), v.r(lookHigh+j))
				v.op("VPTERNLOGD", "$0xe4", v.r(lookLow), v.r(lookHigh+j), index) // bits of the low word where lookLow has them
			}
			v.op("VPTERNLOGD", "$0xea", v.r(lookBase), v.r(lookMask), index)
			switch c.bits {
			case 2:
				v.op("VPERMI2W", v.r(to+1), v.r(to), index)
			case 3:
				v.op("VPERMI2W", v.r(to+2), v.r(to), "K1", index)
				v.op("VPERMI2W", v.r(to+3), v.r(to+1), "K2", index)
			default:
				for q := range 4 {
					v.op("VPERMI2W", v.r(to+4+q), v.r(to+q), fmt.Sprintf("K%d", q+1), index)
				}
			}
		}
		for j := range 2 {
			vdpbf16ps(v.file, rowSum+j, lookIndex+j, lookA)
		}
		if c.bits == 3 && p%4 == 3 {
			for j := range 2 {
				v.op("VPSRLD", "$8", v.r(lookWords+j), v.r(lookWords+j))
			}
		}
	}
	v.op("ADDQ", imm(2*fields), "DI")
}
