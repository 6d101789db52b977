package kernel

import (
	"math"

	"github.com/softbench/softbench/engine/attention"
)

// Generic is the portable Set: the reference for the others.
type Generic struct{}

const genericPanel = 8

// Name returns "generic".
func (Generic) Name() string { return "generic" }

func (Generic) PanelWidth() int { return genericPanel }

func (Generic) QueryTile() int { return 42 }

func (Generic) BatchRows(Arithmetic) int { return 512 }

// genericProducts are Generic's.
var genericProducts = products[struct {
	// panel is a panel of weights as numbers, in buf or where it lies.
	panel func(buf []float32, w *Matrix, n int) []float32
	// row is a row of the input as numbers, in buf or where it lies.
	row func(buf []float32, in *Input, i int) []float32
}]{
	StoredFloat32:  {Float32: {panelFloat32, rowFloat32}},
	StoredBFloat16: {BFloat16: {panelBFloat16, rowBFloat16}},
	StoredCodes:    {Float32: {panelCodes, rowFloat32}, BFloat16: {panelCodesBFloat16, rowBFloat16}},
}

func (Generic) Multiplies(w Storage, a Arithmetic) bool { return genericProducts[w][a].panel != nil }

// NewMatrix implements Set. Layout: [panel][k][column in panel], the last panel
// padded with zero columns.
func (Generic) NewMatrix(f Storage, n, k int) *Matrix {
	return newMatrix(f, n, k, (n+genericPanel-1)/genericPanel*genericPanel*k)
}

func (Generic) PackRows(w *Matrix, n0, n1 int, row func(j int, dst []float32)) {
	buf := make([]float32, w.K)
	for j := n0; j < n1; j++ {
		row(j, buf)
		at := j/genericPanel*genericPanel*w.K + j%genericPanel
		for k, x := range buf {
			if w.Storage == StoredBFloat16 {
				w.BF16[at+k*genericPanel] = ToBF16(x)
			} else {
				w.F32[at+k*genericPanel] = x
			}
		}
	}
}

func (g Generic) PackHalves(w *Matrix, n0, n1 int, row func(j int) []byte) {
	g.PackRows(w, n0, n1, func(j int, dst []float32) { WidenBF16(dst, row(j)) })
}

func (Generic) Prepare(in *Input, x []float32, ldx, m0, m1 int) {
	stride := InputStride(in.K)
	for i := m0; i < m1; i++ {
		src := x[i*ldx:][:in.K]
		if in.Arithmetic == Float32 {
			copy(in.F32[i*stride:], src)
			continue
		}
		dst := in.BF16[i*stride:][:in.K]
		for k, v := range src {
			dst[k] = ToBF16(v)
		}
	}
}

func (Generic) MatMul(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, add bool) {
	product := genericProducts[w.Storage][in.Arithmetic]
	if product.panel == nil {
		panic(noProduct("generic", w, in))
	}
	weights := make([]float32, w.K*genericPanel)
	x := make([]float32, w.K)
	for n := n0; n < n1; n += genericPanel {
		cols := min(genericPanel, n1-n)
		panel := product.panel(weights, w, n)
		for i := m0; i < m1; i++ {
			sum := dotPanel(product.row(x, in, i), panel)
			out := y[(i-m0)*ldy+n-n0:][:cols]
			for j := range out {
				if add {
					out[j] += sum[j]
				} else {
					out[j] = sum[j]
				}
			}
		}
	}
}

func panelFloat32(buf []float32, w *Matrix, n int) []float32 { return w.F32[n*w.K:][:len(buf)] }

func panelBFloat16(buf []float32, w *Matrix, n int) []float32 {
	for i, h := range w.BF16[n*w.K:][:len(buf)] {
		buf[i] = FromBF16(h)
	}
	return buf
}

// panelCodes are the numbers that a panel's codes stand for.
func panelCodes(buf []float32, w *Matrix, n int) []float32 {
	w.Codes.numbers(buf, n/genericPanel, 0, w.K)
	return buf
}

func panelCodesBFloat16(buf []float32, w *Matrix, n int) []float32 {
	for i, x := range panelCodes(buf, w, n) {
		buf[i] = FromBF16(ToBF16(x))
	}
	return buf
}

func rowFloat32(_ []float32, in *Input, i int) []float32 {
	return in.F32[i*InputStride(in.K):][:in.K]
}

func rowBFloat16(buf []float32, in *Input, i int) []float32 {
	for k, h := range in.BF16[i*InputStride(in.K):][:in.K] {
		buf[k] = FromBF16(h)
	}
	return buf
}

// dotPanel multiplies one row with a panel of eight columns.
func dotPanel(x, panel []float32) [genericPanel]float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for k, a := range x {
		p := panel[k*genericPanel:][:genericPanel]
		s0 += a * p[0]
		s1 += a * p[1]
		s2 += a * p[2]
		s3 += a * p[3]
		s4 += a * p[4]
		s5 += a * p[5]
		s6 += a * p[6]
		s7 += a * p[7]
	}
	return [genericPanel]float32{s0, s1, s2, s3, s4, s5, s6, s7}
}

func (Generic) Scores(s []float32, lds int, q []float32, m, hd int, kt []float32, groups int) {
	for i := range m {
		query := q[i*hd:][:hd]
		for g := range groups {
			var sum [KeyGroup]float32
			for d, a := range query {
				keys := kt[(g*hd+d)*KeyGroup:][:KeyGroup]
				for l, k := range keys {
					sum[l] += a * k
				}
			}
			copy(s[i*lds+g*KeyGroup:], sum[:])
		}
	}
}

func (Generic) Accumulate(o, p []float32, ldp, m int, v []float32, keys, hd int) {
	for i := range m {
		out := o[i*hd:][:hd]
		for j, w := range p[i*ldp:][:keys] {
			value := v[j*hd:][:hd]
			for d, x := range value {
				out[d] += w * x
			}
		}
	}
}

func (Generic) Round(dst []uint16, x []float32) {
	clear(dst[len(x):])
	for i, v := range x {
		dst[i] = ToBF16(v)
	}
}

func (Generic) ScoresBF16(s []float32, lds int, q []uint16, m, w int, kt []uint16, groups int) {
	for i := range m {
		for g := range groups {
			var sum [KeyGroup]float32
			for d := 0; d < w; d += 2 {
				a, b := FromBF16(q[i*w+d]), FromBF16(q[i*w+d+1])
				keys := kt[(g*w+d)*KeyGroup:][:2*KeyGroup]
				for l := range sum {
					sum[l] = sum[l] + a*FromBF16(keys[2*l]) + b*FromBF16(keys[2*l+1])
				}
			}
			copy(s[i*lds+g*KeyGroup:], sum[:])
		}
	}
}

func (Generic) AccumulateBF16(o []float32, p []uint16, m int, v []uint16, w int) {
	for i := range m {
		out := o[i*w:][:w]
		for j := 0; j < KeyBlock; j += 2 {
			a, b := FromBF16(p[i*KeyBlock+j]), FromBF16(p[i*KeyBlock+j+1])
			values := v[j*w:][:2*w]
			for d := range out {
				out[d] = out[d] + a*FromBF16(values[2*d]) + b*FromBF16(values[2*d+1])
			}
		}
	}
}

func (Generic) Scale(x []float32, a float32) {
	for i := range x {
		x[i] *= a
	}
}

func (Generic) RMSNorm(dst, x, weight []float32, eps float32) {
	var sum float32
	for _, v := range x {
		sum += v * v
	}
	r := float32(1 / math.Sqrt(float64(sum/float32(len(x))+eps)))
	for i, v := range x {
		dst[i] = weight[i] * (v * r)
	}
}

func (Generic) LayerNorm(dst, x, weight, bias []float32, eps float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	var squares float64
	for _, v := range x {
		d := float64(v) - mean
		squares += d * d
	}
	r := 1 / math.Sqrt(squares/float64(len(x))+float64(eps))
	for i, v := range x {
		y := float32((float64(v) - mean) * r)
		if weight != nil {
			y *= weight[i]
		}
		if bias != nil {
			y += bias[i]
		}
		dst[i] = y
	}
}

func (Generic) Rotate(x, cos, sin []float32) {
	h := len(cos)
	a, b := x[:h], x[h:][:h]
	for i, c := range cos {
		s := sin[i]
		a[i], b[i] = a[i]*c-b[i]*s, b[i]*c+a[i]*s
	}
}

func (Generic) SwiGLU(dst, gate, up []float32) {
	for i, g := range gate {
		dst[i] = g / (1 + exp32(-g)) * up[i]
	}
}

func (Generic) SelfGate(x []float32, a, b float32) {
	for i, v := range x {
		w := float64(max(-1e6, min(v, 1e6))) // beyond, the exponential is 0 or +Inf, and Inf·0 none
		x[i] = float32(float64(v) / (1 + math.Exp(-(float64(a)+float64(b)*w*w)*w)))
	}
}

func (Generic) GELU(x []float32) {
	for i, v := range x {
		x[i] = float32(0.5 * float64(v) * math.Erfc(-float64(v)/math.Sqrt2))
	}
}

func (Generic) MaxSumExp(x []float32) (max float32, arg int, sum float32) {
	max = x[0]
	for i, v := range x {
		if v > max {
			max, arg = v, i
		}
	}
	for _, v := range x {
		sum += exp32(v - max)
	}
	return max, arg, sum
}

func (Generic) Weigh(kind attention.Kind, s []float32, lo, hi int, st *State) (float32, bool) {
	return WeighGeneric(kind, s, lo, hi, st)
}

func (Generic) WeighRows(kind attention.Kind, s []float32, m int, lo, hi []int, st []State, factor []float32) bool {
	some := false
	for i := range m {
		from, until := lo[i], hi[i]
		if from >= until {
			from, until = 0, 0
		}
		f, any := WeighGeneric(kind, s[i*KeyBlock:][:KeyBlock], from, until, &st[i])
		factor[i] = f
		some = some || any
	}
	return some
}

func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }
