package sim

import (
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/kernel"
)

const (
	ptr = device.Pointer
	num = device.Int32
	flt = device.Float32
	mat = device.Boxes
)

type simulated struct {
	params []device.ArgKind
	run    func(d *Device, l *device.Launch)
}

// kernels is what the contract calls for, each in the plainest form.
var kernels = map[string]simulated{
	"sb_gather":     {[]device.ArgKind{ptr, ptr, ptr, num, num}, gather},
	"sb_head_merge": {[]device.ArgKind{ptr, ptr, ptr, num, num}, headMerge},
}

func init() {
	for _, m := range []abi.Mode{abi.F32, abi.BF16} {
		suffix := map[abi.Mode]string{abi.F32: "_f32", abi.BF16: "_bf16"}[m]
		add := func(name string, run func(e element, d *Device, l *device.Launch), params ...device.ArgKind) {
			kernels[name+suffix] = simulated{params, func(d *Device, l *device.Launch) { run(element{m, d}, d, l) }}
		}
		add("sb_embed", embed, ptr, ptr, ptr, num, num)
		add("sb_rmsnorm", rmsNorm, ptr, ptr, ptr, ptr, num, num, flt)
		for _, e := range []string{"store", "add", "swiglu"} {
			add("sb_gemm_"+e, func(el element, d *Device, l *device.Launch) { gemm(el, d, l, e) }, ptr, ptr, ptr, ptr, num, num, num)
		}
		add("sb_rope", rope, slices.Concat([]device.ArgKind{ptr}, headParams, []device.ArgKind{num})...)
		add("sb_qkv", qkv, slices.Concat([]device.ArgKind{ptr, ptr, ptr}, headParams, []device.ArgKind{num, num, num})...)
		for _, size := range abi.HeadSizes {
			params := []device.ArgKind{ptr, ptr, ptr, ptr, ptr, ptr, ptr, num, num, num, num}
			kernels[abi.AttentionKernel(m, size, 0)] = simulated{params, func(d *Device, l *device.Launch) { attend(element{m, d}, d, l, size) }}
		}
		add("sb_observe", observe, ptr, ptr, ptr, ptr, ptr, ptr, num, num, num, num, num, num, num)
		add("sb_head", head, ptr, ptr, ptr, ptr, ptr, ptr, num, num, num)
	}
	// The kernels of sm_90a differ in how they are given their operands.
	add := func(name string, run func(e element, d *Device, l *device.Launch), params ...device.ArgKind) {
		kernels[name+"_wgmma"] = simulated{params, func(d *Device, l *device.Launch) {
			m, n, k := len(params)-3, len(params)-2, len(params)-1
			described(l, 0, m, k)
			described(l, 1, n, k)
			run(element{abi.BF16Hopper, d}, d, l)
		}}
	}
	for _, e := range []string{"store", "add", "swiglu"} {
		add("sb_gemm_"+e, func(el element, d *Device, l *device.Launch) { gemm(el, d, l, e) }, mat, mat, ptr, ptr, num, num, num)
	}
	add("sb_qkv", qkv, slices.Concat([]device.ArgKind{mat, mat, ptr}, headParams, []device.ArgKind{num, num, num})...)
	add("sb_head", head, mat, mat, ptr, ptr, ptr, ptr, num, num, num)
	for _, size := range []int{64, 128} {
		for _, kind := range abi.Kinds {
			kernels[abi.AttentionKernel(abi.BF16Hopper, size, kind)] = simulated{[]device.ArgKind{ptr, ptr, ptr, ptr, ptr, ptr, ptr, num, num, num}, func(d *Device, l *device.Launch) {
				with := *l
				with.Args = slices.Insert(slices.Clone(l.Args), 7, device.I(int(kind)))
				attend(element{abi.BF16Hopper, d}, d, &with, size)
			}}
		}
	}
}

// described checks that a matrix has the rows and columns that two arguments say.
func described(l *device.Launch, i, rows, columns int) {
	m := l.Args[i].Matrix
	if m.Rows != l.Args[rows].Int() || m.Columns != l.Args[columns].Int() {
		panic(fault{fmt.Sprintf("argument %d describes a matrix of %d x %d, the kernel computes %d x %d", i, m.Rows, m.Columns, l.Args[rows].Int(), l.Args[columns].Int())})
	}
}

// element reads and writes T.
type element struct {
	mode abi.Mode
	d    *Device
}

// load reads n elements from the at-th on.
func (e element) load(p device.Ptr, at, n int) []float32 {
	p += abi.Offset(at, e.mode.Bytes())
	if e.mode == abi.F32 {
		return view[float32](e.d, p, n)
	}
	out := make([]float32, n)
	for i, h := range view[uint16](e.d, p, n) {
		out[i] = kernel.FromBF16(h)
	}
	return out
}

// store writes elements from the at-th on.
func (e element) store(p device.Ptr, at int, x []float32) {
	p += abi.Offset(at, e.mode.Bytes())
	if e.mode == abi.F32 {
		copy(view[float32](e.d, p, len(x)), x)
		return
	}
	to := view[uint16](e.d, p, len(x))
	for i, v := range x {
		to[i] = kernel.ToBF16(v)
	}
}

// floats and ints read n numbers from the at-th on.
func floats(d *Device, p device.Ptr, at, n int) []float32 {
	return view[float32](d, p+abi.Offset(at, 4), n)
}

func ints(d *Device, p device.Ptr, at, n int) []int32 {
	return view[int32](d, p+abi.Offset(at, 4), n)
}

func embed(e element, d *Device, l *device.Launch) {
	ids, table, x, rows, hidden := l.Args[0].Ptr(), l.Args[1].Ptr(), l.Args[2].Ptr(), l.Args[3].Int(), l.Args[4].Int()
	eachBlock(l, func(r, _ int) {
		if r < rows {
			copy(floats(d, x, r*hidden, hidden), e.load(table, int(ints(d, ids, r, 1)[0])*hidden, hidden))
		}
	})
}

func rmsNorm(e element, d *Device, l *device.Launch) {
	x, weight, index, out := l.Args[0].Ptr(), l.Args[1].Ptr(), l.Args[2].Ptr(), l.Args[3].Ptr()
	rows, hidden, eps := l.Args[4].Int(), l.Args[5].Int(), l.Args[6].Float()
	w, y := floats(d, weight, 0, hidden), make([]float32, hidden)
	eachBlock(l, func(r, _ int) {
		if r >= rows {
			return
		}
		from := r
		if index != 0 {
			from = int(ints(d, index, r, 1)[0])
		}
		row, sum := floats(d, x, from*hidden, hidden), 0.0
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
		// The kernels' sum is float32, and infinite where it overflows.
		scale := 1 / math.Sqrt(float64(float32(sum))/float64(hidden)+float64(eps))
		for i, v := range row {
			y[i] = float32(float64(v) * scale * float64(w[i]))
		}
		e.store(out, r*hidden, y)
	})
}

// dot sums in the order of k.
func dot(a, b []float32) (sum float32) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// tiles calls f with the sums of each tile's rows, from column n0 on, bias included.
func tiles(e element, d *Device, l *device.Launch, bias device.Ptr, m, n, k int, f func(r, n0 int, sums []float32)) {
	a, w := l.Args[0].Ptr(), l.Args[1].Ptr()
	sums := make([]float32, abi.GemmN)
	eachBlock(l, func(x, y int) {
		n0, n1 := x*abi.GemmN, min(n, (x+1)*abi.GemmN)
		columns := e.load(w, n0*k, max(0, n1-n0)*k)
		for r := y * abi.GemmM; r < min(m, (y+1)*abi.GemmM) && n0 < n1; r++ {
			row := e.load(a, r*k, k)
			for j := n0; j < n1; j++ {
				sums[j-n0] = dot(row, columns[(j-n0)*k:][:k])
				if bias != 0 {
					sums[j-n0] += floats(d, bias, j, 1)[0]
				}
			}
			f(r, n0, sums[:n1-n0])
		}
	})
}

func gemm(e element, d *Device, l *device.Launch, epilogue string) {
	c, m, n, k := l.Args[3].Ptr(), l.Args[4].Int(), l.Args[5].Int(), l.Args[6].Int()
	tiles(e, d, l, l.Args[2].Ptr(), m, n, k, func(r, n0 int, s []float32) {
		switch epilogue {
		case "store":
			copy(floats(d, c, r*n+n0, len(s)), s)
		case "add":
			for i, out := range floats(d, c, r*n+n0, len(s)) {
				floats(d, c, r*n+n0, len(s))[i] = out + s[i]
			}
		case "swiglu":
			half := make([]float32, len(s)/2)
			for i := range half {
				g := s[2*i]
				half[i] = g / (1 + float32(math.Exp(-float64(g)))) * s[2*i+1]
			}
			e.store(c, r*(n/2)+n0/2, half)
		}
	})
}

func gather(d *Device, l *device.Launch) {
	in, index, out, rows, width := l.Args[0].Ptr(), l.Args[1].Ptr(), l.Args[2].Ptr(), l.Args[3].Int(), l.Args[4].Int()
	eachBlock(l, func(r, _ int) {
		if r < rows {
			copy(ints(d, out, r*width, width), ints(d, in, int(ints(d, index, r, 1)[0])*width, width))
		}
	})
}
