package asmgen

// The micro-kernels of engine/kernel: how one step multiplies rows x vecs.

// productF32 is acc += a[row]·b[vec], both in float32.
func productF32(f *file, t *tiler, rows, vecs int) {
	for v := range vecs {
		f.op("VMOVUPS", t.b(v), t.v(v))
	}
	for r := range rows {
		x := t.v(2 + r%2)
		f.op("VBROADCASTSS", t.a(r, 0), x)
		for v := range vecs {
			f.op("VFMADD231PS", x, t.v(v), t.acc(r, v, vecs))
		}
	}
}

// productDot is acc += the dot product of pairs of bfloat16 (VDPBF16PS).
func productDot(f *file, t *tiler, rows, vecs int) {
	for v := range vecs {
		f.op("VMOVDQU32", t.b(v), t.v(v))
	}
	for r := range rows {
		x := 2 + r%2
		f.op("VPBROADCASTD", t.a(r, 0), t.v(x))
		for v := range vecs {
			vdpbf16ps(f, 4+r*vecs+v, v, x)
		}
	}
}

// productWide is acc += a0·b0 then a1·b1: B holds pairs of bfloat16, which are
// widened; A is in float32, two values a step. Register 3 is the mask of the
// upper half of each lane.
func productWide(f *file, t *tiler, rows, vecs int) {
	for half := range 2 {
		for v := range vecs {
			switch {
			case t.kind.reg == "Z" && half == 0:
				f.op("VPSLLD", "$16", t.b(v), t.v(v))
			case t.kind.reg == "Z":
				f.op("VPANDD", t.b(v), "Z3", t.v(v))
			case half == 0:
				f.op("VMOVDQU", t.b(v), t.v(v))
				f.op("VPSLLD", "$16", t.v(v), t.v(v))
			default:
				f.op("VPAND", t.b(v), "Y3", t.v(v))
			}
		}
		for r := range rows {
			f.op("VBROADCASTSS", t.a(r, 4*half), t.v(2))
			for v := range vecs {
				f.op("VFMADD231PS", t.v(2), t.v(v), t.acc(r, v, vecs))
			}
		}
	}
}

func wideMask(reg string) func(f *file) {
	return func(f *file) {
		f.op("MOVL", "$0xffff0000", "R10")
		f.op("VMOVD", "R10", "X3")
		f.op("VPBROADCASTD", "X3", reg+"3")
		f.op("MOVQ", "tile_bstep(AX)", "R10")
	}
}
