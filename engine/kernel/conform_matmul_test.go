package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// widestRows and widestPanel bound the blocks of all Sets: lengths up to two
// of them and one more meet every edge.
const (
	widestRows  = 32
	widestPanel = 32
)

func conformMatMul(t *testing.T, s Set) {
	t.Run("rows of bfloat16", func(t *testing.T) { packHalves(t, s) })
	for _, dt := range []Arithmetic{Float32, BFloat16} {
		t.Run(dt.String(), func(t *testing.T) {
			t.Run("sizes", func(t *testing.T) { matMulSizes(t, s, dt) })
			t.Run("splits", func(t *testing.T) { matMulSplits(t, s, dt) })
			t.Run("NaN and Inf stay in their row and column", func(t *testing.T) { matMulNaN(t, s, dt) })
			t.Run("Prepare", func(t *testing.T) { prepareRounds(t, s, dt) })
			t.Run("panels packed apart", func(t *testing.T) { packApart(t, s, dt) })
		})
	}
}

// product is one matrix multiply and its operands.
type product struct {
	dt      Arithmetic
	m, n, k int
	x, rows []float32 // [m, k], [n, k]
	in      Input
	w       *Matrix
}

func newProduct(s Set, dt Arithmetic, m, n, k int, x, rows []float32) *product {
	p := &product{dt: dt, m: m, n: n, k: k, x: x, rows: rows}
	p.w = s.NewMatrix(FormatsOf(dt).Storage, n, k)
	s.PackRows(p.w, 0, n, func(j int, dst []float32) { copy(dst, rows[j*k:][:k]) })
	p.in.Reset(dt, m, k)
	// What an earlier, wider input left behind must not matter.
	for i := range p.in.F32 {
		p.in.F32[i] = guard
	}
	for i := range p.in.BF16 {
		p.in.BF16[i] = 0x7fc1
	}
	s.Prepare(&p.in, x, k, 0, m)
	return p
}

// dot returns the exact element and Σ|a·b|, over operands rounded to the dtype.
func (p *product) dot(i, j int) (sum, abs float64) {
	for l := range p.k {
		a, b := p.x[i*p.k+l], p.rows[j*p.k+l]
		if p.dt == BFloat16 {
			a, b = FromBF16(ToBF16(a)), FromBF16(ToBF16(b))
		}
		sum += float64(a) * float64(b)
		abs += math.Abs(float64(a) * float64(b))
	}
	return sum, abs
}

// matMulSizes sweeps each dimension past two blocks while the others take a
// few sizes. An ascending chain of k products and sums errs by at most
// 2k·u·Σ|a·b|, whether or not they are fused; add rounds once more.
func matMulSizes(t *testing.T, s Set, dt Arithmetic) {
	rng := rand.New(rand.NewPCG(3, uint64(dt)))
	try := func(m, n, k int) {
		t.Helper()
		p := newProduct(s, dt, m, n, k, normals(rng, m*k, 0), normals(rng, n*k, 0))
		ldy := n + (m+n+k)%5
		y, check := guarded(t, (m-1)*ldy+n, (m*3+n+k)%4)
		before := normals(rng, len(y), 0)
		for _, add := range []bool{false, true} {
			copy(y, before)
			s.MatMul(y, ldy, &p.in, 0, m, p.w, 0, n, add)
			check()
			for i, v := range y {
				r, c := i/ldy, i%ldy
				if c >= n {
					if !sameBits(v, before[i]) {
						t.Fatalf("%dx%dx%d: wrote behind column %d", m, n, k, n)
					}
					continue
				}
				want, abs := p.dot(r, c)
				bound := 2 * float64(k) * u * abs
				if add {
					want += float64(before[i])
					bound += u * (math.Abs(want) + bound)
				}
				if d := math.Abs(float64(v) - want); !(d <= bound) {
					t.Fatalf("%dx%dx%d add=%v: y[%d,%d] = %v, want %v ± %.2g", m, n, k, add, r, c, v, want, bound)
				}
			}
		}
	}
	for k := 1; k <= 2*pairBlockTest+1; k++ {
		try(3, widestPanel+1, k)
		try(15, 17, k)
	}
	for m := 1; m <= 2*widestRows+1; m++ {
		try(m, widestPanel, 5)
		try(m, 7, 33)
	}
	for n := 1; n <= 2*widestPanel+1; n++ {
		try(1, n, 9)
		try(2, n, 32)
		try(16, n, 35)
	}
	try(70, 100, 300)
}

// pairBlockTest is the widest step in k of any Set.
const pairBlockTest = 32

// matMulSplits compares parts with the whole, bit for bit: rectangles of rows
// and columns, a row alone, and neighbours added.
func matMulSplits(t *testing.T, s Set, dt Arithmetic) {
	rng := rand.New(rand.NewPCG(4, uint64(dt)))
	pw := s.PanelWidth()
	for _, size := range [][3]int{{37, 3*pw + 5, 45}, {66, 2 * pw, 130}, {29, pw + 1, 7}} {
		m, n, k := size[0], size[1], size[2]
		p := newProduct(s, dt, m, n, k, normals(rng, m*k, 0), normals(rng, n*k, 0))
		base := normals(rng, m*n, 0)
		for _, add := range []bool{false, true} {
			whole := append([]float32(nil), base...)
			s.MatMul(whole, n, &p.in, 0, m, p.w, 0, n, add)
			part := make([]float32, m*n)
			compare := func(m0, m1, n0, n1 int) {
				t.Helper()
				copy(part, base)
				s.MatMul(part[m0*n+n0:], n, &p.in, m0, m1, p.w, n0, n1, add)
				for i := range part {
					r, c := i/n, i%n
					want := base[i]
					if r >= m0 && r < m1 && c >= n0 && c < n1 {
						want = whole[i]
					}
					if !sameBits(part[i], want) {
						t.Fatalf("%dx%dx%d add=%v: rows %d:%d, columns %d:%d differ from the whole at [%d,%d]: %v, %v", m, n, k, add, m0, m1, n0, n1, r, c, part[i], want)
					}
				}
			}
			for i := range m {
				compare(i, i+1, 0, n)
			}
			for n0 := 0; n0 < n; n0 += pw {
				compare(0, m, n0, min(n, n0+pw))
				compare(0, m, n0, n0+1)
			}
			for range 50 {
				m0 := rng.IntN(m)
				n0 := rng.IntN((n+pw-1)/pw) * pw
				compare(m0, m0+1+rng.IntN(m-m0), n0, n0+1+rng.IntN(n-n0))
			}
			compare(0, 0, 0, n)
			compare(0, m, 0, 0)
		}
		// The same row in another batch, at another place.
		alone := newProduct(s, dt, 1, n, k, p.x[(m-1)*k:], p.rows)
		want, got := make([]float32, m*n), make([]float32, n)
		s.MatMul(want, n, &p.in, 0, m, p.w, 0, n, false)
		s.MatMul(got, n, &alone.in, 0, 1, alone.w, 0, n, false)
		for j := range got {
			if !sameBits(got[j], want[(m-1)*n+j]) {
				t.Fatalf("%dx%dx%d: row %d alone differs at column %d", m, n, k, m-1, j)
			}
		}
		// A view that skips rows.
		view := p.in
		view.Skip(m - 1)
		s.MatMul(got, n, &view, 0, 1, p.w, 0, n, false)
		for j := range got {
			if !sameBits(got[j], want[(m-1)*n+j]) {
				t.Fatalf("%dx%dx%d: Skip(%d) differs at column %d", m, n, k, m-1, j)
			}
		}
	}
}

// matMulNaN puts NaN into one row of x and Inf into one column of w: no other
// element may change a bit.
func matMulNaN(t *testing.T, s Set, dt Arithmetic) {
	rng := rand.New(rand.NewPCG(5, uint64(dt)))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, k := range []int{1, 2, 31, 32, 33, 65} {
		m, n := 17, s.PanelWidth()+3
		x, rows := normals(rng, m*k, 0), normals(rng, n*k, 0)
		clean := newProduct(s, dt, m, n, k, x, rows)
		want := make([]float32, m*n)
		s.MatMul(want, n, &clean.in, 0, m, clean.w, 0, n, false)

		row, column, at := rng.IntN(m), rng.IntN(n), rng.IntN(k)
		x[row*k+at], rows[column*k+at] = nan, inf
		dirty := newProduct(s, dt, m, n, k, x, rows)
		got := make([]float32, m*n)
		s.MatMul(got, n, &dirty.in, 0, m, dirty.w, 0, n, false)
		for i, v := range got {
			switch r, c := i/n, i%n; {
			case r == row:
				if !isNaN(v) {
					t.Fatalf("k=%d: y[%d,%d] = %v, want NaN", k, r, c, v)
				}
			case c == column:
				if isFinite(v) {
					t.Fatalf("k=%d: y[%d,%d] = %v, want Inf or NaN", k, r, c, v)
				}
			case !sameBits(v, want[i]):
				t.Fatalf("k=%d: NaN in row %d or Inf in column %d changed y[%d,%d]", k, row, column, r, c)
			}
		}
	}
}

// prepareRounds checks the rounding of inputs through a multiply with the unit
// matrix, whose result is the input itself: exact but for bfloat16 subnormals,
// which VDPBF16PS and TDPBF16PS take as zero. NaN and Inf are left to
// matMulNaN: here they would spoil their row.
func prepareRounds(t *testing.T, s Set, dt Arithmetic) {
	special := []float32{0, 1, -1, 1.00390625, 1.01171875, 3.3895314e38, -3.3895314e38, 1e-30, 65535, 1.0039063, 1.0117188}
	rng := rand.New(rand.NewPCG(6, 7))
	for k := 1; k <= 67; k++ {
		x := append(append([]float32(nil), special...), normals(rng, 2*k, 0)...)[: 2*k : 2*k]
		rng.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
		unit := make([]float32, k*k)
		for i := range k {
			unit[i*k+i] = 1
		}
		p := newProduct(s, dt, 2, k, k, x, unit)
		y := make([]float32, 2*k)
		s.MatMul(y, k, &p.in, 0, 2, p.w, 0, k, false)
		for i, v := range y {
			want := x[i]
			if dt == BFloat16 {
				want = FromBF16(ToBF16(want))
			}
			if v != want {
				t.Fatalf("k=%d: %v went in and came out as %v, want %v", k, x[i], v, want)
			}
		}
	}
}

// packApart packs panels in several calls, in any order.
func packApart(t *testing.T, s Set, dt Arithmetic) {
	for _, k := range []int{1, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65} {
		packApartOnce(t, s, dt, k)
	}
}

func packApartOnce(t testing.TB, s Set, dt Arithmetic, k int) {
	rng := rand.New(rand.NewPCG(8, uint64(dt)))
	pw := s.PanelWidth()
	n := 4*pw + 3
	x, rows := normals(rng, 2*k, 0), normals(rng, n*k, 0)
	p := newProduct(s, dt, 2, n, k, x, rows)
	want, got := make([]float32, 2*n), make([]float32, 2*n)
	s.MatMul(want, n, &p.in, 0, 2, p.w, 0, n, false)
	w := s.NewMatrix(FormatsOf(dt).Storage, n, k)
	row := func(j int, dst []float32) {
		if len(dst) != k {
			t.Fatalf("row gets %d floats to fill, want %d", len(dst), k)
		}
		copy(dst, rows[j*k:][:k])
	}
	s.PackRows(w, 2*pw, n, row)
	s.PackRows(w, pw, 2*pw, row)
	s.PackRows(w, 0, pw, row)
	s.MatMul(got, n, &p.in, 0, 2, w, 0, n, false)
	for i := range got {
		if !sameBits(got[i], want[i]) {
			t.Fatalf("k=%d: column %d differs when panels are packed apart", k, i%n)
		}
	}
}

// packHalves would break where rows that are bfloat16 already, at odd addresses
// too, were packed to other bits than their float32 values.
func packHalves(t *testing.T, s Set) {
	rng := rand.New(rand.NewPCG(9, 1))
	for _, k := range []int{1, 7, 16, 31, 32, 33, 64, 65, 96} {
		n := 2*s.PanelWidth() + 3
		bytes := make([]byte, 2*n*k+1)[1:]
		values := make([]float32, n*k)
		for i := range values {
			h := ToBF16(float32(rng.NormFloat64()))
			bytes[2*i], bytes[2*i+1] = byte(h), byte(h>>8)
			values[i] = FromBF16(h)
		}
		want, got := s.NewMatrix(StoredBFloat16, n, k), s.NewMatrix(StoredBFloat16, n, k)
		s.PackRows(want, 0, n, func(j int, dst []float32) { copy(dst, values[j*k:][:k]) })
		s.PackHalves(got, s.PanelWidth(), n, func(j int) []byte { return bytes[2*j*k:][: 2*k : 2*k] })
		s.PackHalves(got, 0, s.PanelWidth(), func(j int) []byte { return bytes[2*j*k:][: 2*k : 2*k] })
		for i, h := range want.BF16 {
			if got.BF16[i] != h {
				t.Fatalf("k=%d: element %d of %d is %#x, want %#x", k, i, len(want.BF16), got.BF16[i], h)
			}
		}
	}
}

// TestMatMulRefuses: assembly checks no index, so a call that would reach
// outside its operands must stop before it.
func TestMatMulRefuses(t *testing.T) {
	for _, name := range Available() {
		s, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "generic" {
			continue // Go checks its indices
		}
		for _, dt := range []Arithmetic{Float32, BFloat16} {
			const m, n, k = 4, 40, 20
			p := newProduct(s, dt, m, n, k, make([]float32, m*k), make([]float32, n*k))
			y := make([]float32, m*n)
			other := newProduct(s, 1-dt, m, n, k, p.x, p.rows)
			short := newProduct(s, dt, m, n, k-1, p.x, p.rows)
			for what, call := range map[string]func(){
				"columns behind the last": func() { s.MatMul(y, n, &p.in, 0, 1, p.w, 0, n+1, false) },
				"a column inside a panel": func() { s.MatMul(y, n, &p.in, 0, 1, p.w, 1, n, false) },
				"rows behind the last":    func() { s.MatMul(make([]float32, 1000*n), n, &p.in, 0, 999, p.w, 0, n, false) },
				"an output too short":     func() { s.MatMul(y[1:], n, &p.in, 0, m, p.w, 0, n, false) },
				"another format":          func() { s.MatMul(y, n, &other.in, 0, 1, p.w, 0, n, false) },
				"another k":               func() { s.MatMul(y, n, &short.in, 0, 1, p.w, 0, n, false) },
			} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s %v: %s was accepted", name, dt, what)
						}
					}()
					call()
				}()
			}
		}
	}
}
