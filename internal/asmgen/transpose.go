package asmgen

import "fmt"

// transpose writes the transposition that packing a panel needs.
func transpose() []byte {
	f := newFile()
	f.text("transpose8AVX2", 40, `
transpose8AVX2 turns 8 rows of n 32-bit elements (a multiple of 8) into n rows
of 8; lds and ldd are the distances of rows in bytes:

	for r := range 8, i := range n { dst[i,r] = src[r,i] }`)
	f.op("MOVQ", "dst+0(FP)", "DI")
	f.op("MOVQ", "ldd+8(FP)", "BX")
	f.op("MOVQ", "src+16(FP)", "SI")
	f.op("MOVQ", "lds+24(FP)", "DX")
	f.op("MOVQ", "n+32(FP)", "CX")
	f.op("LEAQ", "(DX)(DX*2)", "R8")
	f.op("LEAQ", "(BX)(BX*2)", "R9")
	f.op("LEAQ", "(SI)(DX*4)", "R10")
	f.label("loop")
	y := func(i int) string { return fmt.Sprintf("Y%d", i) }
	row := func(base, four, one, three string, i int) string {
		if i >= 4 {
			base = four
		}
		return []string{mem(0, base, "", 0), mem(0, base, one, 1), mem(0, base, one, 2), mem(0, base, three, 1)}[i%4]
	}
	for i := range 8 {
		f.op("VMOVUPS", row("SI", "R10", "DX", "R8", i), y(i))
	}
	// Pairs of rows, then fours, then the halves.
	for i := 0; i < 8; i += 2 {
		f.op("VUNPCKLPS", y(i+1), y(i), y(8+i))
		f.op("VUNPCKHPS", y(i+1), y(i), y(9+i))
	}
	for i := 0; i < 8; i += 4 {
		f.op("VSHUFPS", "$0x44", y(10+i), y(8+i), y(i))
		f.op("VSHUFPS", "$0xee", y(10+i), y(8+i), y(i+1))
		f.op("VSHUFPS", "$0x44", y(11+i), y(9+i), y(i+2))
		f.op("VSHUFPS", "$0xee", y(11+i), y(9+i), y(i+3))
	}
	f.op("LEAQ", "(DI)(BX*4)", "R11")
	for i := range 4 {
		f.op("VPERM2F128", "$0x20", y(i+4), y(i), y(8+i))
		f.op("VPERM2F128", "$0x31", y(i+4), y(i), y(12+i))
	}
	for i := range 8 {
		f.op("VMOVUPS", y(8+i), row("DI", "R11", "BX", "R9", i))
	}
	f.op("ADDQ", "$32", "SI")
	f.op("ADDQ", "$32", "R10")
	f.op("LEAQ", "(DI)(BX*8)", "DI")
	f.op("SUBQ", "$8", "CX")
	f.op("JGT", "loop")
	f.op("VZEROUPPER")
	f.op("RET")
	return f.buf.Bytes()
}
