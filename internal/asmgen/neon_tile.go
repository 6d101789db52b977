package asmgen

import "fmt"

// The micro-kernels for arm64 hold 5 rows x 4 vectors of C in registers 0 to 19, four steps
// of the rows of A in 20 to 24, and a step of B in 25 to 28. Of their instructions four
// fifths multiply; TestNEONPeak counts them.
const (
	neonRows = 5
	neonVecs = 4
	neonA    = 20
	neonB    = 25
	neonLow  = 29 // lower halves of B's pairs, widened
	neonMask = 31 // of the upper halves
)

// neonTile says how a micro-kernel multiplies.
type neonTile struct {
	name string
	// wide: B has pairs of bfloat16, which are widened, and A float32, two a step.
	wide bool
	// dot: A and B have pairs of bfloat16, multiplied by BFDOT.
	dot bool
}

func tilesNEON() []byte {
	f := newFile()
	v := &neon{f}
	v.tile(neonTile{name: "tileF32NEON"}, "tileF32NEON is tile's loop over float32.")
	v.tile(neonTile{name: "tileWideNEON", wide: true}, "tileWideNEON is tile's loop over float32 in A and pairs of bfloat16 in B; a step\nis a pair, the lower element first.")
	v.tile(neonTile{name: "tileDotNEON", dot: true}, "tileDotNEON is tile's loop over pairs of bfloat16 in A and B; a step is a pair,\nmultiplied by BFDOT.")
	return f.buf.Bytes()
}

// tile writes the function: a dispatch over (rows, vecs), then one body each. R1 to R5 walk
// over A's rows, R8 over B by R10, R11 is left of the steps, R6 is C and R7 the distance of its rows.
func (v *neon) tile(k neonTile, comment string) {
	v.text(k.name, 8, comment)
	v.op("MOVD", "t+0(FP)", "R0")
	v.op("MOVD", "tile_a(R0)", "R1")
	v.op("MOVD", "tile_lda(R0)", "R9")
	for r := 1; r < neonRows; r++ {
		v.op("ADD", "R9", fmt.Sprintf("R%d", r), fmt.Sprintf("R%d", r+1))
	}
	v.op("MOVD", "tile_b(R0)", "R8")
	v.op("MOVD", "tile_bstep(R0)", "R10")
	v.op("MOVD", "tile_steps(R0)", "R11")
	v.op("MOVD", "tile_c(R0)", "R6")
	v.op("MOVD", "tile_ldc(R0)", "R7")
	v.op("MOVD", "tile_rows(R0)", "R12")
	v.op("MOVD", "tile_vecs(R0)", "R13")
	v.op("MOVD", "tile_mode(R0)", "R14")
	if k.wide {
		v.op("MOVD", "$0xffff0000", "R9")
		v.word(0x4e040c00|9<<5|neonMask, "dup v%d.4s, w9", neonMask)
	}
	for vecs := neonVecs; vecs >= 1; vecs-- {
		next := fmt.Sprintf("vecs%d", vecs-1)
		if vecs > 1 {
			v.op("CMP", imm(vecs), "R13")
			v.op("BNE", next)
		}
		for rows := neonRows; rows > 1; rows-- {
			v.op("CMP", imm(rows), "R12")
			v.op("BEQ", fmt.Sprintf("tile%dx%d", rows, vecs))
		}
		v.op("B", fmt.Sprintf("tile%dx%d", 1, vecs))
		if vecs > 1 {
			v.label(next)
		}
	}
	for vecs := neonVecs; vecs >= 1; vecs-- {
		for rows := neonRows; rows >= 1; rows-- {
			v.tileBody(k, rows, vecs)
		}
	}
}

// vectors loads or stores so many registers from t on, at x.
func (v *neon) vectors(load bool, t, x, count int) {
	one, two := "str q", "stp"
	if load {
		one, two = "ldr q", "ldp"
	}
	for i := 0; i < count; i += 2 {
		if i+1 < count {
			v.pairAt(two, t+i, t+i+1, x, 16*i)
		} else {
			v.at(one, t+i, x, 16*i)
		}
	}
}

func (v *neon) tileBody(k neonTile, rows, vecs int) {
	id := fmt.Sprintf("%dx%d", rows, vecs)
	acc := func(r, c int) int { return r*vecs + c }
	v.label("tile" + id)
	v.op("CMP", "$const_modeChain", "R14")
	v.op("BEQ", "load"+id)
	for i := range rows * vecs {
		v.zero(i)
	}
	v.op("B", "begin"+id)
	v.label("load" + id)
	v.op("MOVD", "R6", "R9")
	for r := range rows {
		v.vectors(true, acc(r, 0), 9, vecs)
		if r < rows-1 {
			v.op("ADD", "R7", "R9", "R9")
		}
	}
	v.label("begin" + id)
	whole := 4 // steps of A in a register
	if k.wide {
		whole = 2
	}
	v.op("SUBS", imm(whole), "R11", "R11")
	v.op("BLT", "rest"+id)
	v.label("loop" + id)
	for r := range rows {
		v.post("ldr q", neonA+r, 1+r)
	}
	for s := range whole {
		v.step(k, rows, vecs, s, acc)
	}
	v.op("SUBS", imm(whole), "R11", "R11")
	v.op("BGE", "loop"+id)
	v.label("rest" + id)
	v.op("ADDS", imm(whole), "R11", "R11")
	v.op("BEQ", "done"+id)
	v.label("one" + id)
	for r := range rows {
		if k.wide {
			v.post("ldr d", neonA+r, 1+r)
		} else {
			v.post("ldr s", neonA+r, 1+r)
		}
	}
	v.step(k, rows, vecs, 0, acc)
	v.op("SUBS", "$1", "R11", "R11")
	v.op("BNE", "one"+id)

	v.label("done" + id)
	v.op("CMP", "$const_modeAdd", "R14")
	v.op("BNE", "store"+id)
	v.op("MOVD", "R6", "R9")
	for r := range rows {
		v.vectors(true, neonB, 9, vecs)
		for c := range vecs {
			v.op3("fadd", acc(r, c), neonB+c, acc(r, c))
		}
		if r < rows-1 {
			v.op("ADD", "R7", "R9", "R9")
		}
	}
	v.label("store" + id)
	for r := range rows {
		v.vectors(false, acc(r, 0), 6, vecs)
		if r < rows-1 {
			v.op("ADD", "R7", "R6", "R6")
		}
	}
	v.op("RET")
}

// step multiplies step s of those of A that are in registers with B's next.
func (v *neon) step(k neonTile, rows, vecs, s int, acc func(r, c int) int) {
	v.vectors(true, neonB, 8, vecs)
	v.op("ADD", "R10", "R8", "R8")
	for c := range vecs {
		b := neonB + c
		if k.wide {
			v.shift("shl", neonLow, b, 16)
			for r := range rows {
				v.byLane(acc(r, c), neonLow, neonA+r, 2*s)
			}
			v.op3("and", b, b, neonMask)
		}
		for r := range rows {
			switch {
			case k.wide:
				v.byLane(acc(r, c), b, neonA+r, 2*s+1)
			case k.dot:
				v.dot(acc(r, c), b, neonA+r, s)
			default:
				v.byLane(acc(r, c), b, neonA+r, s)
			}
		}
	}
}

// peakNEON writes loops that do nothing but multiply in registers.
func peakNEON() []byte {
	f := newFile()
	v := &neon{f}
	loop := func(name, comment string, multiply func(d int)) {
		v.text(name, 8, comment)
		v.op("MOVD", "n+0(FP)", "R1")
		for i := range 32 {
			v.zero(i)
		}
		again := v.newLabel("again")
		v.label(again)
		for d := range 20 {
			multiply(d)
		}
		v.op("SUBS", "$1", "R1", "R1")
		v.op("BNE", again)
		v.op("RET")
	}
	loop("peakF32NEON", "peakF32NEON does 20 independent FMLA of 4 lanes, n times.", func(d int) { v.byLane(d, 20+d%4, 24+d%5, d%4) })
	loop("peakDotNEON", "peakDotNEON does 20 independent BFDOT of 4 lanes, n times.", func(d int) { v.dot(d, 20+d%4, 24+d%5, d%4) })
	return f.buf.Bytes()
}
