package asmgen

import (
	"fmt"
	"slices"
	"strings"
)

// codeRow is a loop that multiplies one row of activations with the codes of a panel, each
// number made in a register, or stores the numbers.
type codeRow struct {
	unpacker
	finish string // what a number is rounded to: a name in finishes
	store  bool   // numbers are stored instead of multiplied
	lookup bool   // numbers are looked up
}

// finishes of a number, in the order of kernel's codeFinish: Exact is BF16 of products that are
// exact. Rows meet the pairs of the last by VDPBF16PS, which only AVX-512 has.
var finishes = []string{"", "BF16", "F16", "F16BF16", "Exact", "Pair", "F16Pair", "ExactPair"}

const finishesAVX2 = 5

// signed is Centred with the zero in the middle of the codes: their highest bit, turned over, is
// a sign.
const signed = "Signed"

// codeRowForms are what the loops exist for: unpackers, and signed codes.
var codeRowForms = append(slices.Clone(unpackers), unpacker{4, signed}, unpacker{8, signed})

func (c codeRow) name(isa string) string {
	what := "codeRow"
	switch {
	case c.store:
		what = "codePanel"
	case c.lookup:
		what = "codeLookup"
	}
	return fmt.Sprintf("%s%d%s%s%s", what, c.bits, c.form, c.finish, isa)
}

// meaning is the form's number.
func (c codeRow) meaning() string {
	if c.form == signed {
		return fmt.Sprintf("(code - %d)·scale", 1<<c.bits/2)
	}
	return meaning[c.form]
}

// exact reports whether scales are multiplied into numbers as they are rounded.
func (c codeRow) exact() bool { return strings.HasPrefix(c.finish, "Exact") }

// bytewise reports whether fields are moved byte by byte.
func (c codeRow) bytewise() bool {
	return c.bits >= 4 && (c.form == "Centred" || c.form == "Offset" || c.form == signed)
}

// pairs reports whether two numbers are multiplied at once.
func (c codeRow) pairs() bool { return strings.HasSuffix(c.finish, "Pair") }

func (c codeRow) half() bool { return strings.HasPrefix(c.finish, "F16") }

func (c codeRow) bf16() bool {
	return !c.exact() && (c.pairs() || strings.HasSuffix(c.finish, "BF16"))
}

// codeRowsOf are the loops of an instruction set that multiply, or store.
func codeRowsOf(wide, store bool) (all []codeRow) {
	for _, u := range codeRowForms {
		for i, f := range finishes {
			c := codeRow{unpacker: u, finish: f, store: store}
			switch {
			case !wide && !store && i >= finishesAVX2:
			case c.exact() && u.form != signed && (u.form != "Centred" || u.bits == 3):
			case store && (f == "" || c.half()): // unpackers and what rounds after them do it
			default:
				all = append(all, c)
			}
		}
	}
	return all
}

func codeRows(wide bool) []byte {
	v := &vector{newFile(), wide}
	for _, store := range []bool{false, true} {
		for _, c := range codeRowsOf(wide, store) {
			v.codeRow(c)
		}
	}
	return v.buf.Bytes()
}

// Registers of the loops: of each vector of the panel its scale, zero, word, high bits and sum.
// Levels and the sign's bit lie where zeros would.
const (
	rowRounded                 = 12 // of exact loops: 65535 times the scale, which is 65536 times itself
	rowScale, rowZero, rowWord = 0, 2, 4
	rowX, rowT                 = 6, 7
	rowHigh, rowSum            = 8, 10
	rowC, rowFour              = 12, 13 // 65536; 4, of three bits, 256, of E4M3, or 65535
	rowA, rowMask              = 14, 15
	rowLow                     = 16 // the lower of a pair
)

// codeRow writes one loop. It walks word by word, each shifted as its fields are used up.
func (v *vector) codeRow(c codeRow) {
	name := c.name(v.isa())
	perWord := 32 / c.bits
	if c.bits == 3 {
		perWord = 32
	}
	number, times := c.meaning(), "sum += a[k]·round(%s)"
	if c.pairs() {
		times = "sum += the next pair of a, by VDPBF16PS, times pairs of round(%s)"
	}
	does := "multiplies a row with"
	if c.store {
		does, times = "stores the numbers of", "sum[k] = round(%s)"
		if c.pairs() {
			times += ", in pairs"
		}
	}
	v.text(name, 8, fmt.Sprintf(`
%s %s the %d columns of a panel, of which groups share a scale
and a zero:

	for s := range steps {     (of %d k)
	    if s%%group == 0 { next scales and zeros }
	    for k := range %d { %s }     (k ascending)
	}`, name, does, 2*v.lanes(), perWord, perWord, fmt.Sprintf(times, number)))
	v.codeRowArguments()
	v.codeRowConstants(c)
	for j := 0; j < 2 && !c.store; j++ {
		v.op("VMOVUPS", mem(j*v.size(), "R15", "", 0), v.r(rowSum+j))
	}
	v.op("XORL", "DX", "DX") // steps until the next scales
	v.label(name + "Step")
	v.op("TESTQ", "DX", "DX")
	v.op("JNE", name+"Same")
	v.op("MOVQ", "codeRow_group(AX)", "DX")
	if c.exact() && !c.bytewise() {
		v.op("LEAQ", "·codeRowTable(SB)", "BX")
	}
	for j, index := range []string{"", "R12"} {
		v.op("VMOVUPS", mem(0, "R8", index, 1), v.r(rowScale+j))
		if c.exact() {
			at := tableUnsigned
			if c.form == signed {
				at = tableSigned + c.bits/8*2
			}
			v.op("VMULPS", table(at+1), v.r(rowScale+j), v.r(rowRounded+j))
			v.op("VMULPS", table(at), v.r(rowScale+j), v.r(rowScale+j))
		}
		if c.form == signed && !c.exact() {
			v.op("VMULPS", table(tableSignedAlone+c.bits/8), v.r(rowScale+j), v.r(rowScale+j))
		}
		if c.form == "E4M3" {
			v.op("VMULPS", v.r(rowFour), v.r(rowScale+j), v.r(rowScale+j))
		}
	}
	if c.form == "Centred" || c.form == "Offset" {
		v.op("VMOVUPS", "(R9)", v.r(rowZero))
		v.op("VMOVUPS", "(R9)(R13*1)", v.r(rowZero+1))
	}
	v.op("ADDQ", imm(v.size()), "R8")
	v.op("ADDQ", "R10", "R9")
	v.label(name + "Same")
	v.op("DECQ", "DX")
	// The same place in the next panel.
	v.op("PREFETCHT0", mem(0, "SI", "R11", 2))
	v.op("PREFETCHT0", mem(0, "R14", "R11", 2))
	if c.bits == 3 {
		v.codeRowWord(c, name+"Low", 0, 16, 2)
		v.codeRowWord(c, name+"High", 1, 16, 2)
		v.op("ADDQ", imm(3*v.size()), "SI")
		v.op("ADDQ", imm(3*v.size()), "R14")
	} else {
		v.codeRowWord(c, name+"Word", 0, perWord, c.bits)
		v.op("ADDQ", imm(v.size()), "SI")
		v.op("ADDQ", imm(v.size()), "R14")
	}
	v.op("DECQ", "CX")
	v.op("JNZ", name+"Step")
	for j := 0; j < 2 && !c.store; j++ {
		v.op("VMOVUPS", v.r(rowSum+j), mem(j*v.size(), "R15", "", 0))
	}
	v.op("VZEROUPPER")
	v.op("RET")
}

// codeRowArguments reads the call into registers: AX stays at it.
func (v *vector) codeRowArguments() {
	v.op("MOVQ", "r+0(FP)", "AX")
	for _, r := range [][2]string{
		{"a", "DI"}, {"codes", "SI"}, {"cvec", "R11"}, {"scales", "R8"}, {"svec", "R12"}, {"zeros", "R9"}, {"zvec", "R13"},
		{"zstep", "R10"}, {"steps", "CX"}, {"sum", "R15"},
	} {
		v.op("MOVQ", "codeRow_"+r[0]+"(AX)", r[1])
	}
	v.op("LEAQ", "(SI)(R11*1)", "R14")
}

// codeRowWord multiplies with the fields of word w of each vector, four to eight at a time.
func (v *vector) codeRowWord(c codeRow, label string, w, fields, width int) {
	for j, index := range []string{"SI", "R14"} {
		v.op("VMOVDQU"+v.dwords(), mem(w*v.size(), index, "", 0), v.r(rowWord+j))
		if c.bytewise() {
			v.codeRowFields(c, j)
		}
		if c.bits == 3 { // the first field's high bit to the third place
			v.op("VMOVDQU"+v.dwords(), mem(2*v.size(), index, "", 0), v.r(rowHigh+j))
			if w == 0 {
				v.op("VPSLLD", "$2", v.r(rowHigh+j), v.r(rowHigh+j))
			} else {
				v.op("VPSRLD", "$14", v.r(rowHigh+j), v.r(rowHigh+j))
			}
		}
	}
	each := fields
	if fields == 16 {
		each = 4
		v.op("MOVL", imm(fields/each), "BX")
		v.label(label)
	}
	for k := 0; k < each; {
		if c.pairs() {
			if !c.store {
				v.op("VPBROADCASTD", mem(2*k, "DI", "", 0), v.r(rowA))
			}
			for j := range 2 {
				v.codeRowNumber(c, j, k, width)
				low := v.r(rowLow)
				if c.store {
					low = v.r(rowA)
				}
				v.op("VPSRLD", "$16", v.r(rowX), low)
				v.codeRowNumber(c, j, k+1, width)
				v.bitwise("VPOR", low, v.r(rowX), v.r(rowX))
				if c.store {
					v.op("VMOVUPS", v.r(rowX), mem((k+j)*v.size(), "R15", "", 0))
				} else {
					vdpbf16ps(v.file, rowSum+j, rowX, rowA)
				}
			}
			k += 2
			continue
		}
		if !c.store {
			v.op("VBROADCASTSS", mem(4*k, "DI", "", 0), v.r(rowA))
		}
		for j := range 2 {
			v.codeRowNumber(c, j, k, width)
			if c.store {
				v.op("VMOVUPS", v.r(rowX), mem((2*k+j)*v.size(), "R15", "", 0))
			} else {
				v.op("VFMADD231PS", v.r(rowA), v.r(rowX), v.r(rowSum+j))
			}
		}
		k++
	}
	switch {
	case c.store && c.pairs():
		v.op("ADDQ", imm(each*v.size()), "R15")
	case c.store:
		v.op("ADDQ", imm(2*each*v.size()), "R15")
	case c.pairs():
		v.op("ADDQ", imm(2*each), "DI")
	default:
		v.op("ADDQ", imm(4*each), "DI")
	}
	if each < fields {
		v.op("DECL", "BX")
		v.op("JNZ", label)
	}
}
