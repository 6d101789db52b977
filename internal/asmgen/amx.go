package asmgen

// amx writes the micro-kernel over tiles: C is 2x2 tiles of 16x16 in tmm0 to
// tmm3, A two tiles of 16 rows in tmm4 and tmm5, B two of 16 columns in tmm6
// and tmm7.
func amx() []byte {
	f := newFile()
	amxLoops(f, "amxRows", tdpbf16ps, `
amxRows multiplies blocks of up to 32 rows with panels of 32 columns, all rows
of a call in blocks of the same size, within one use of the tiles:

	configure the tiles
	for panel := range panels {
	    for block := range blocks {
	        C := zero, or y[block,panel] where chain is set
	        for s := range steps { C += A[block,s]·B[panel,s] }     (TDPBF16PS, 32 k a step)
	        y[block,panel] = C, or y[block,panel] + C where add is set, columns under the masks
	    }
	}
	release the tiles`)
	amxLoops(f, "amxBytes", tdpbusd, `
amxBytes is amxRows of bytes, those of A without a sign, of which 64 k are a step (TDPBUSD); C is
int32, stored whole.`)
	return f.buf.Bytes()
}

// amxLoops writes one micro-kernel. That of bytes has neither sums that begin from C nor edges.
func amxLoops(f *file, name string, product func(f *file, c, a, b int), comment string) {
	bytes := name == "amxBytes"
	f.text(name, 8, comment)
	f.op("MOVQ", "t+0(FP)", "AX")
	f.op("MOVQ", "amxCall_config(AX)", "CX")
	ldtilecfg(f, "rcx")
	f.op("MOVQ", "amxCall_a(AX)", "SI")
	f.op("MOVQ", "amxCall_lda(AX)", "R8")
	f.op("MOVQ", "amxCall_b(AX)", "CX")
	f.op("MOVQ", "CX", "amxCall_panelB(AX)")
	f.op("MOVQ", "amxCall_c(AX)", "DI")
	f.op("MOVQ", "DI", "amxCall_panelC(AX)")
	f.op("MOVQ", "amxCall_ldc(AX)", "R9")
	f.op("MOVQ", "amxCall_bstride(AX)", "R10")
	f.op("MOVQ", "$64", "R11")
	f.op("MOVQ", "amxCall_bvec(AX)", "R12")
	f.op("MOVQ", "R10", "R13")
	f.op("SHLQ", "$4", "R13")
	f.op("SUBQ", "R12", "R13") // from the second tile of a step to the next step
	f.op("MOVQ", "$128", "R14")
	if !bytes {
		f.op("MOVQ", "amxCall_mask(AX)", "BX")
		f.op("KMOVW", "BX", "K1")
		f.op("SHRQ", "$16", "BX")
		f.op("KMOVW", "BX", "K2")
	}
	f.op("CMPQ", "amxCall_both(AX)", "$0")
	f.op("JEQ", "one")
	amxBlocks(f, "both", product, bytes, true)
	f.label("one")
	amxBlocks(f, "one", product, bytes, false)
}

// amxBlocks is the loop over blocks of 17 to 32 rows (both), or of up to 16.
func amxBlocks(f *file, name string, product func(f *file, c, a, b int), bytes, both bool) {
	rows := 1
	if both {
		rows = 2
	}
	f.label(name + "Panel")
	f.op("MOVQ", "amxCall_blocks(AX)", "CX")
	f.op("MOVQ", "CX", "amxCall_left(AX)")
	f.label(name + "Block")
	if !bytes {
		f.op("CMPQ", "amxCall_chain(AX)", "$0")
		f.op("JNE", name+"Load")
	}
	for c := range 2 * rows {
		tilezero(f, c)
	}
	if !bytes {
		f.op("JMP", name+"Begin")
		f.label(name + "Load")
		amxSums(f, tileloadd, rows, "DI", "rdi", "r9")
		f.label(name + "Begin")
	}
	f.op("MOVQ", "SI", "DX") // rows 0 to 15
	f.op("MOVQ", "R8", "BX") // rows 16 to 31
	f.op("SHLQ", "$4", "BX")
	f.op("ADDQ", "SI", "BX")
	f.op("MOVQ", "amxCall_panelB(AX)", "R15")
	f.op("MOVQ", "amxCall_steps(AX)", "CX")
	f.label(name + "Step")
	tileloadd(f, 6, "r15", "r10")
	tileloadd(f, 4, "rdx", "r8")
	product(f, 0, 4, 6)
	f.op("ADDQ", "R12", "R15")
	tileloadd(f, 7, "r15", "r10")
	product(f, 1, 4, 7)
	if both {
		tileloadd(f, 5, "rbx", "r8")
		product(f, 2, 5, 6)
		product(f, 3, 5, 7)
		f.op("ADDQ", "$64", "BX")
	}
	f.op("ADDQ", "$64", "DX")
	f.op("ADDQ", "R13", "R15")
	f.op("DECQ", "CX")
	f.op("JNZ", name+"Step")

	if !bytes {
		f.op("CMPQ", "amxCall_direct(AX)", "$0")
		f.op("JEQ", name+"Scratch")
	}
	amxSums(f, tilestored, rows, "DI", "rdi", "r9")
	if !bytes {
		amxEdges(f, name, rows)
	}

	f.label(name + "Next")
	f.op("MOVQ", "amxCall_rows(AX)", "CX")
	f.op("MOVQ", "CX", "BX")
	f.op("IMULQ", "R8", "CX")
	f.op("ADDQ", "CX", "SI")
	f.op("IMULQ", "R9", "BX")
	f.op("ADDQ", "BX", "DI")
	f.op("DECQ", "amxCall_left(AX)")
	f.op("JNZ", name+"Block")
	f.op("MOVQ", "amxCall_bpanel(AX)", "CX")
	f.op("ADDQ", "CX", "amxCall_panelB(AX)")
	f.op("ADDQ", "$128", "amxCall_panelC(AX)")
	f.op("MOVQ", "amxCall_a(AX)", "SI")
	f.op("MOVQ", "amxCall_panelC(AX)", "DI")
	f.op("DECQ", "amxCall_panels(AX)")
	f.op("JNZ", name+"Panel")
	tilerelease(f)
	f.op("VZEROUPPER")
	f.op("RET")
}

// amxEdges stores C through a scratch block [32][32]: sums, edges.
func amxEdges(f *file, name string, rows int) {
	f.op("JMP", name+"Next")
	f.label(name + "Scratch")
	f.op("MOVQ", "amxCall_scratch(AX)", "DX")
	f.op("MOVQ", "DX", "R15")
	amxSums(f, tilestored, rows, "R15", "r15", "r14")
	f.op("MOVQ", "DI", "R15")
	f.op("MOVQ", "amxCall_rows(AX)", "CX")
	f.label(name + "Row")
	f.op("VMOVUPS", "(DX)", "Z0")
	f.op("VMOVUPS", "64(DX)", "Z1")
	f.op("CMPQ", "amxCall_add(AX)", "$0")
	f.op("JEQ", name+"Put")
	f.op("VMOVUPS.Z", "(R15)", "K1", "Z2")
	f.op("VMOVUPS.Z", "64(R15)", "K2", "Z3")
	f.op("VADDPS", "Z2", "Z0", "Z0")
	f.op("VADDPS", "Z3", "Z1", "Z1")
	f.label(name + "Put")
	f.op("VMOVUPS", "Z0", "K1", "(R15)")
	f.op("VMOVUPS", "Z1", "K2", "64(R15)")
	f.op("ADDQ", "$128", "DX")
	f.op("ADDQ", "R9", "R15")
	f.op("DECQ", "CX")
	f.op("JNZ", name+"Row")
}

// amxSums moves the tiles of C from or to at, rows stride apart. It changes BX
// and CX.
func amxSums(f *file, move func(f *file, t int, base, index string), rows int, at, base, stride string) {
	f.op("MOVQ", at, "BX")
	move(f, 0, base, stride)
	f.op("ADDQ", "R11", at)
	move(f, 1, base, stride)
	if rows == 2 {
		f.op("MOVQ", map[string]string{"r9": "R9", "r14": "R14"}[stride], "CX")
		f.op("SHLQ", "$4", "CX")
		f.op("LEAQ", "(BX)(CX*1)", at)
		move(f, 2, base, stride)
		f.op("ADDQ", "R11", at)
		move(f, 3, base, stride)
	}
	f.op("MOVQ", "BX", at)
}
