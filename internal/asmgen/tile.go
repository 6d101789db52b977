package asmgen

import (
	"fmt"
)

// tileKind says how a micro-kernel reads its operands.
type tileKind struct {
	name string
	reg  string // Z or Y
	rows int    // accumulator rows at most
	vecs int    // accumulator columns at most, in vectors
	// step is the bytes of a row of A that one step of the loop uses.
	step int
	// constants sets registers that the products use.
	constants func(f *file)
	// product emits one step for a block of rows x vecs.
	product func(f *file, t *tiler, rows, vecs int)
}

// Registers of every micro-kernel. A's rows lie base + row*R11; five bases are
// three rows apart, so that each row is base, base+R11 or base+2*R11.
var aBases = []string{"SI", "R12", "R13", "R15", "DX"}

// Bytes of a vector register.
func (k *tileKind) bytes() int {
	if k.reg == "Z" {
		return 64
	}
	return 32
}

// tiler names the registers of one micro-kernel.
type tiler struct {
	kind *tileKind
}

func (t *tiler) v(i int) string { return fmt.Sprintf("%s%d", t.kind.reg, i) }

// acc is the accumulator of a row and a vector. Registers 0 to 3 are for
// operands.
func (t *tiler) acc(row, vec, vecs int) string { return t.v(4 + row*vecs + vec) }

// a is the operand in A's row, disp bytes after the step's first.
func (t *tiler) a(row, disp int) string {
	base := aBases[row/3]
	switch row % 3 {
	case 1:
		return mem(disp, base, "R11", 1)
	case 2:
		return mem(disp, base, "R11", 2)
	}
	return mem(disp, base, "", 0)
}

// b is the operand of B's vector: vectors lie R9 bytes apart.
func (t *tiler) b(vec int) string {
	if vec == 0 {
		return mem(0, "R8", "", 0)
	}
	return mem(0, "R8", "R9", vec)
}

// emit writes the function: a dispatch over (rows, vecs), then one body each.
func (k *tileKind) emit(f *file, comment string) {
	f.text(k.name, 8, comment)
	f.op("MOVQ", "t+0(FP)", "AX")
	f.op("MOVQ", "tile_a(AX)", "SI")
	f.op("MOVQ", "tile_lda(AX)", "R11")
	f.op("LEAQ", "(R11)(R11*2)", "BX")
	f.op("LEAQ", "(SI)(BX*1)", "R12")
	f.op("LEAQ", "(SI)(BX*2)", "R13")
	f.op("LEAQ", "(R12)(BX*2)", "R15")
	f.op("LEAQ", "(R13)(BX*2)", "DX")
	f.op("MOVQ", "tile_b(AX)", "R8")
	f.op("MOVQ", "tile_bvec(AX)", "R9")
	f.op("MOVQ", "tile_bstep(AX)", "R10")
	f.op("MOVQ", "tile_steps(AX)", "CX")
	f.op("MOVQ", "tile_c(AX)", "DI")
	f.op("MOVQ", "tile_ldc(AX)", "BX")
	k.setup(f)
	for v := k.vecs; v >= 1; v-- {
		next := ""
		if v > 1 {
			next = fmt.Sprintf("vecs%d", v-1)
			f.op("CMPQ", "tile_vecs(AX)", imm(v))
			f.op("JNE", next)
		}
		for r := k.rows; r > 1; r-- {
			f.op("CMPQ", "tile_rows(AX)", imm(r))
			f.op("JEQ", fmt.Sprintf("tile%dx%d", r, v))
		}
		f.op("JMP", fmt.Sprintf("tile%dx%d", 1, v))
		if next != "" {
			f.label(next)
		}
	}
	for v := k.vecs; v >= 1; v-- {
		for r := k.rows; r >= 1; r-- {
			k.body(f, r, v)
		}
	}
}

// setup loads the mask of the last vector and the constants of the products.
func (k *tileKind) setup(f *file) {
	if k.reg == "Z" {
		f.op("KMOVW", "tile_mask(AX)", "K1")
	}
	if k.constants != nil {
		k.constants(f)
	}
}

// mask makes the mask ready for loads and stores of C: AVX2 has no register to
// spare for it in the loop.
func (k *tileKind) mask(f *file) {
	if k.reg == "Y" {
		f.op("MOVQ", "tile_lanes(AX)", "R10")
		f.op("VMOVUPS", "(R10)", "Y3")
	}
}

// body is the micro-kernel of rows x vecs.
func (k *tileKind) body(f *file, rows, vecs int) {
	t := &tiler{kind: k}
	f.label(fmt.Sprintf("tile%dx%d", rows, vecs))
	id := fmt.Sprintf("%dx%d", rows, vecs)
	f.op("CMPQ", "tile_mode(AX)", "$const_modeChain")
	f.op("JEQ", "load"+id)
	for r := range rows {
		for v := range vecs {
			k.zero(f, t.acc(r, v, vecs))
		}
	}
	f.op("JMP", "begin"+id)
	f.label("load" + id)
	k.mask(f)
	f.op("MOVQ", "DI", "R10")
	for r := range rows {
		for v := range vecs {
			k.load(f, mem(v*k.bytes(), "R10", "", 0), t.acc(r, v, vecs), v == vecs-1)
		}
		if r < rows-1 {
			f.op("ADDQ", "BX", "R10")
		}
	}
	if k.constants != nil {
		k.constants(f)
	}
	f.op("MOVQ", "tile_bstep(AX)", "R10")
	f.label("begin" + id)
	f.op("TESTQ", "CX", "CX")
	f.op("JLE", "done"+id)
	f.label("loop" + id)
	k.product(f, t, rows, vecs)
	f.op("ADDQ", "R10", "R8")
	for i := range (rows + 2) / 3 {
		f.op("ADDQ", imm(k.step), aBases[i])
	}
	f.op("DECQ", "CX")
	f.op("JNZ", "loop"+id)

	f.label("done" + id)
	k.mask(f)
	f.op("CMPQ", "tile_mode(AX)", "$const_modeAdd")
	f.op("JNE", "store"+id)
	f.op("MOVQ", "DI", "R10")
	for r := range rows {
		for v := range vecs {
			x := t.v(v % 3)
			k.load(f, mem(v*k.bytes(), "R10", "", 0), x, v == vecs-1)
			f.op("VADDPS", x, t.acc(r, v, vecs), t.acc(r, v, vecs))
		}
		if r < rows-1 {
			f.op("ADDQ", "BX", "R10")
		}
	}
	f.label("store" + id)
	for r := range rows {
		for v := range vecs {
			k.store(f, t.acc(r, v, vecs), mem(v*k.bytes(), "DI", "", 0), v == vecs-1)
		}
		if r < rows-1 {
			f.op("ADDQ", "BX", "DI")
		}
	}
	f.op("VZEROUPPER")
	f.op("RET")
}

func (k *tileKind) zero(f *file, r string) {
	if k.reg == "Z" {
		f.op("VPXORD", r, r, r)
	} else {
		f.op("VXORPS", r, r, r)
	}
}

// load reads a vector; the last of a row under the mask.
func (k *tileKind) load(f *file, from, to string, last bool) {
	switch {
	case !last:
		f.op("VMOVUPS", from, to)
	case k.reg == "Z":
		f.op("VMOVUPS.Z", from, "K1", to)
	default:
		f.op("VMASKMOVPS", from, "Y3", to)
	}
}

func (k *tileKind) store(f *file, from, to string, last bool) {
	switch {
	case !last:
		f.op("VMOVUPS", from, to)
	case k.reg == "Z":
		f.op("VMOVUPS", from, "K1", to)
	default:
		f.op("VMASKMOVPS", from, "Y3", to)
	}
}
