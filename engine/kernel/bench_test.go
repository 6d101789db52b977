package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/engine/attention"
)

// Every benchmark compares its result with the portable form's before it is
// timed. Run one path with -bench 'MatMul/avx2/'.

// agree fails where got is further from want than rounding explains: want is
// of order one, and 1e-3 is what a wrong element would exceed.
func agree(b *testing.B, got, want []float32) {
	b.Helper()
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= 1e-3*(1+math.Abs(float64(want[i])))) {
			b.Fatalf("element %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// rate reports what was done per second, in units of 1e9.
func rate(b *testing.B, each float64, unit string) {
	b.Helper()
	b.ReportMetric(each*float64(b.N)/b.Elapsed().Seconds()/1e9, unit)
}

func eachSet(b *testing.B, body func(b *testing.B, s Set)) {
	for _, name := range Available() {
		s, err := ByName(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) { body(b, s) })
	}
}

// BenchmarkMatMul multiplies on one thread. On an AMD EPYC of family 25, model
// 17 (Zen 4), whose register loops (Peaks) reach 118 GFLOP/s in float32 and 236
// in bfloat16, commit 631f15a gave at 512x1024x1024:
//
//	go test -run '^$' -bench MatMul ./engine/kernel
//	avx512      float32   112 GFLOP/s    bfloat16 104
//	avx512bf16                           bfloat16 226
//	avx2        float32   106            bfloat16 105
func BenchmarkMatMul(b *testing.B) {
	shapes := [][3]int{{512, 1024, 1024}, {512, 2816, 1024}, {512, 1024, 2816}, {512, 32768, 1024}, {1, 1024, 1024}, {8, 1024, 1024}}
	eachSet(b, func(b *testing.B, s Set) {
		for _, dt := range []Arithmetic{Float32, BFloat16} {
			for _, shape := range shapes {
				b.Run(fmt.Sprintf("%v/%dx%dx%d", dt, shape[0], shape[1], shape[2]), func(b *testing.B) {
					benchMatMul(b, s, dt, shape[0], shape[1], shape[2])
				})
			}
		}
	})
}

func benchMatMul(b *testing.B, s Set, dt Arithmetic, m, n, k int) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := newProduct(s, dt, m, n, k, normals(rng, m*k, 0), normals(rng, n*k, 0))
	y := make([]float32, m*n)
	s.MatMul(y, n, &p.in, 0, m, p.w, 0, n, false)
	for range 50 {
		i, j := rng.IntN(m), rng.IntN(n)
		sum, abs := p.dot(i, j)
		if !(math.Abs(float64(y[i*n+j])-sum) <= 2*float64(k)*u*abs) {
			b.Fatalf("y[%d,%d] = %v, want %v", i, j, y[i*n+j], sum)
		}
	}
	for b.Loop() {
		s.MatMul(y, n, &p.in, 0, m, p.w, 0, n, false)
	}
	rate(b, 2*float64(m)*float64(n)*float64(k), "GFLOP/s")
	rate(b, float64(p.w.Bytes()), "GB/s")
}

func BenchmarkPackRows(b *testing.B) {
	const n, k = 256, 1024
	rows := normals(rand.New(rand.NewPCG(1, 3)), n*k, 0)
	row := func(j int, dst []float32) { copy(dst, rows[j*k:]) }
	eachSet(b, func(b *testing.B, s Set) {
		for _, dt := range []Arithmetic{Float32, BFloat16} {
			b.Run(dt.String(), func(b *testing.B) {
				packApartOnce(b, s, dt, k)
				w := s.NewMatrix(FormatsOf(dt).Storage, n, k)
				for b.Loop() {
					s.PackRows(w, 0, n, row)
				}
				rate(b, n*k, "Gelements/s")
			})
		}
	})
}

func BenchmarkAttention(b *testing.B) {
	eachSet(b, func(b *testing.B, s Set) {
		for _, shape := range [][2]int{{32, 64}, {32, 128}, {32, 80}, {1, 64}} {
			m, hd := shape[0], shape[1]
			rng := rand.New(rand.NewPCG(1, 4))
			q, kv := normals(rng, m*hd, 0), normals(rng, KeyBlock*hd, 0)
			got, want := make([]float32, m*KeyBlock), make([]float32, m*KeyBlock)
			flops := 2 * float64(m*hd*KeyBlock)
			b.Run(fmt.Sprintf("Scores/%dx%d", m, hd), func(b *testing.B) {
				s.Scores(got, KeyBlock, q, m, hd, kv, KeyBlock/KeyGroup)
				Generic{}.Scores(want, KeyBlock, q, m, hd, kv, KeyBlock/KeyGroup)
				agree(b, got, want)
				for b.Loop() {
					s.Scores(got, KeyBlock, q, m, hd, kv, KeyBlock/KeyGroup)
				}
				rate(b, flops, "GFLOP/s")
			})
			b.Run(fmt.Sprintf("Accumulate/%dx%d", m, hd), func(b *testing.B) {
				p := normals(rng, m*KeyBlock, 0)
				o, wantO := make([]float32, m*hd), make([]float32, m*hd)
				s.Accumulate(o, p, KeyBlock, m, kv, KeyBlock, hd)
				Generic{}.Accumulate(wantO, p, KeyBlock, m, kv, KeyBlock, hd)
				agree(b, o, wantO)
				clear(p)
				for b.Loop() {
					s.Accumulate(o, p, KeyBlock, m, kv, KeyBlock, hd)
				}
				rate(b, flops, "GFLOP/s")
			})
		}
		for _, kind := range attention.Kinds() {
			b.Run("WeighRows/32/"+kind.String(), func(b *testing.B) { benchWeigh(b, s, kind) })
		}
	})
}

func benchWeigh(b *testing.B, s Set, kind attention.Kind) {
	const m = 32
	scores := normals(rand.New(rand.NewPCG(1, 5)), m*KeyBlock, 0)
	lo, hi, factor := make([]int, m), make([]int, m), make([]float32, m)
	for i := range hi {
		hi[i] = KeyBlock
	}
	run := func(s Set, x []float32) {
		st := make([]State, m)
		for i := range st {
			st[i] = NewState(kind, 0.5)
		}
		s.WeighRows(kind, x, m, lo, hi, st, factor)
	}
	got, want := append([]float32(nil), scores...), append([]float32(nil), scores...)
	run(s, got)
	run(Generic{}, want)
	agree(b, got, want)
	st := make([]State, m)
	for b.Loop() {
		s.WeighRows(kind, got, m, lo, hi, st, factor)
	}
	rate(b, m*KeyBlock, "Gscores/s")
}

func BenchmarkRows(b *testing.B) {
	const n = 1024
	rng := rand.New(rand.NewPCG(1, 6))
	x, y, z := normals(rng, n, 0), normals(rng, n, 0), normals(rng, n, 0)
	operations := []struct {
		name string
		run  func(s Set, dst []float32)
	}{
		{"RMSNorm", func(s Set, dst []float32) { s.RMSNorm(dst, x, y, 1e-5) }},
		{"SwiGLU", func(s Set, dst []float32) { s.SwiGLU(dst, x, y) }},
		{"LayerNorm", func(s Set, dst []float32) { s.LayerNorm(dst, x, y, z, 1e-5) }},
		{"GELU", func(s Set, dst []float32) { s.GELU(dst) }},
		{"GELUTanh", func(s Set, dst []float32) { s.SelfGate(dst, GELUTanhA, GELUTanhB) }},
		{"MaxSumExp", func(s Set, dst []float32) {
			m, i, sum := s.MaxSumExp(x)
			dst[0], dst[1], dst[2] = m, float32(i), sum
		}},
		{"Rotate", func(s Set, dst []float32) { s.Rotate(dst, z[:n/2], y[:n/2]) }},
		{"Scale", func(s Set, dst []float32) { s.Scale(dst, 1.5) }},
	}
	eachSet(b, func(b *testing.B, s Set) {
		for _, o := range operations {
			b.Run(o.name, func(b *testing.B) {
				got, want := append([]float32(nil), x...), append([]float32(nil), x...)
				o.run(s, got)
				o.run(Generic{}, want)
				agree(b, got, want)
				for b.Loop() {
					copy(got, x)
					o.run(s, got)
				}
				rate(b, n, "Gelements/s")
			})
		}
	})
}
