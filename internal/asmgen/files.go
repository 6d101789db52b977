package asmgen

// Files returns the generated files by name.
func Files() map[string][]byte {
	return map[string][]byte{
		"tile_avx512_amd64.s":  tilesAVX512(),
		"tile_avx2_amd64.s":    tilesAVX2(),
		"rows_avx512_amd64.s":  rows(true),
		"rows_avx2_amd64.s":    rows(false),
		"amx_amd64.s":          amx(),
		"peak_amd64.s":         peak(),
		"transpose_amd64.s":    transpose(),
		"tally_avx512_amd64.s": tallies(true),
		"tally_avx2_amd64.s":   tallies(false),
		"codes_avx512_amd64.s": codes(true),
		"codes_avx2_amd64.s":   codes(false),

		"code_rows_avx512_amd64.s": codeRows(true),
		"code_rows_avx2_amd64.s":   codeRows(false),
		"code_rows_amd64.go":       codeRowTable(),
		"code_lookups_amd64.s":     lookupFile(),
		"tile_neon_arm64.s":        tilesNEON(),
		"rows_neon_arm64.s":        rowsNEON(),
		"peak_neon_arm64.s":        peakNEON(),
	}
}

func tilesAVX512() []byte {
	f := newFile()
	(&tileKind{name: "tileF32AVX512", reg: "Z", rows: 14, vecs: 2, step: 4, product: productF32}).
		emit(f, "tileF32AVX512 is tile's loop over float32.")
	(&tileKind{name: "tileDotAVX512", reg: "Z", rows: 14, vecs: 2, step: 4, product: productDot}).
		emit(f, "tileDotAVX512 is tile's loop over pairs of bfloat16 in A and B; a step is a pair,\nmultiplied by VDPBF16PS.")
	(&tileKind{name: "tileWideAVX512", reg: "Z", rows: 14, vecs: 2, step: 8, product: productWide, constants: wideMask("Z")}).
		emit(f, "tileWideAVX512 is tile's loop over float32 in A and pairs of bfloat16 in B; a step\nis a pair, the lower element first.")
	(&tileKind{name: "tileInt8AVX512", reg: "Z", rows: 14, vecs: 2, step: 4, product: productInt8}).
		emit(f, "tileInt8AVX512 is tile's loop over pairs of int16 in A and of int8 in B; C is int32.")
	(&tileKind{name: "tileQuadsAVX512", reg: "Z", rows: 14, vecs: 2, step: 4, product: productQuads}).
		emit(f, "tileQuadsAVX512 is tile's loop over fours of uint8 in A and of int8 in B, by VPDPBUSD; C is\nint32.")
	return f.buf.Bytes()
}

func tilesAVX2() []byte {
	f := newFile()
	(&tileKind{name: "tileF32AVX2", reg: "Y", rows: 6, vecs: 2, step: 4, product: productF32}).
		emit(f, "tileF32AVX2 is tile's loop over float32.")
	(&tileKind{name: "tileWideAVX2", reg: "Y", rows: 6, vecs: 2, step: 8, product: productWide, constants: wideMask("Y")}).
		emit(f, "tileWideAVX2 is tile's loop over float32 in A and pairs of bfloat16 in B; a step\nis a pair, the lower element first.")
	(&tileKind{name: "tileInt8AVX2", reg: "Y", rows: 6, vecs: 2, step: 4, product: productInt8}).
		emit(f, "tileInt8AVX2 is tile's loop over pairs of int16 in A and of int8 in B; C is int32.")
	(&tileKind{name: "tileQuadsAVX2", reg: "Y", rows: 6, vecs: 2, step: 4, product: productQuads}).
		emit(f, "tileQuadsAVX2 is tile's loop over fours of uint8 in A and of int8 in B, by VPDPBUSD; C is\nint32.")
	return f.buf.Bytes()
}

func rows(wide bool) []byte {
	v := &vector{newFile(), wide}
	v.rows()
	v.activations()
	v.weigh()
	v.gradients()
	v.int8()
	return v.buf.Bytes()
}

func tallies(wide bool) []byte {
	v := &vector{newFile(), wide}
	v.tallies()
	return v.buf.Bytes()
}
