package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/engine/attention"
)

func BenchmarkMatMul(b *testing.B) {
	for _, name := range Available() {
		if name == "generic" {
			continue
		}
		s, _ := ByName(name)
		for _, dt := range []DType{Float32, BFloat16} {
			for _, shape := range [][3]int{{512, 1024, 1024}, {512, 2816, 1024}, {512, 1024, 2816}, {512, 4096, 1024}, {1, 1024, 1024}, {4, 1024, 1024}} {
				m, n, k := shape[0], shape[1], shape[2]
				b.Run(fmt.Sprintf("%s/%v/%dx%dx%d", name, dt, m, n, k), func(b *testing.B) {
					benchMatMul(b, s, dt, m, n, k)
				})
			}
		}
	}
}

func benchMatMul(b *testing.B, s Set, dt DType, m, n, k int) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, m*k)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	rows := make([]float32, n*k)
	for i := range rows {
		rows[i] = float32(rng.NormFloat64())
	}
	w := s.NewMatrix(dt, n, k)
	s.PackRows(w, 0, n, func(j int, dst []float32) { copy(dst, rows[j*k:]) })
	var in Input
	in.Reset(dt, m, k)
	s.Prepare(&in, x, k, 0, m)
	y := make([]float32, m*n)
	s.MatMul(y, n, &in, 0, m, w, 0, n, false)
	for range 50 {
		i, j := rng.IntN(m), rng.IntN(n)
		var sum float64
		for l := range k {
			p, q := x[i*k+l], rows[j*k+l]
			if dt == BFloat16 {
				p, q = FromBF16(ToBF16(p)), FromBF16(ToBF16(q))
			}
			sum += float64(p) * float64(q)
		}
		if math.Abs(sum-float64(y[i*n+j])) > 1e-3 {
			b.Fatalf("y[%d,%d] = %v, want %v", i, j, y[i*n+j], sum)
		}
	}
	b.ResetTimer()
	for range b.N {
		s.MatMul(y, n, &in, 0, m, w, 0, n, false)
	}
	b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(float64(w.Bytes())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}

func BenchmarkPackRows(b *testing.B) {
	for _, name := range Available() {
		s, _ := ByName(name)
		for _, dt := range []DType{Float32, BFloat16} {
			b.Run(fmt.Sprintf("%s/%v", name, dt), func(b *testing.B) {
				const n, k = 256, 1024
				w := s.NewMatrix(dt, n, k)
				rows := make([]float32, n*k)
				for b.Loop() {
					s.PackRows(w, 0, n, func(j int, dst []float32) { copy(dst, rows[j*k:]) })
				}
				b.ReportMetric(float64(n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gelem/s")
			})
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, name := range Available() {
		s, _ := ByName(name)
		for _, shape := range [][2]int{{32, 64}, {32, 128}, {1, 64}, {32, 80}} {
			m, hd := shape[0], shape[1]
			b.Run(fmt.Sprintf("%s/Scores/%dx%d", name, m, hd), func(b *testing.B) {
				q, kt, out := make([]float32, m*hd), make([]float32, 64*hd), make([]float32, m*64)
				for b.Loop() {
					s.Scores(out, 64, q, m, hd, kt, 4)
				}
				b.ReportMetric(2*float64(m*hd*64)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
			b.Run(fmt.Sprintf("%s/Accumulate/%dx%d", name, m, hd), func(b *testing.B) {
				o, v, p := make([]float32, m*hd), make([]float32, 64*hd), make([]float32, m*64)
				for b.Loop() {
					s.Accumulate(o, p, 64, m, v, 64, hd)
				}
				b.ReportMetric(2*float64(m*hd*64)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		for _, kind := range []attention.Kind{attention.Softmax, attention.Softpick} {
			b.Run(fmt.Sprintf("%s/Weigh/%v", name, kind), func(b *testing.B) {
				x := normals(rand.New(rand.NewPCG(1, 1)), 64, 0)
				y := make([]float32, 64)
				st := NewState(kind)
				for b.Loop() {
					copy(y, x)
					s.Weigh(kind, y, 0, 64, &st)
				}
			})
		}
		x, y, w := make([]float32, 1024), make([]float32, 1024), make([]float32, 1024)
		b.Run(name+"/RMSNorm/1024", func(b *testing.B) {
			for b.Loop() {
				s.RMSNorm(y, x, w, 1e-5)
			}
		})
		b.Run(name+"/SwiGLU/1024", func(b *testing.B) {
			for b.Loop() {
				s.SwiGLU(y, x, w)
			}
		})
		b.Run(name+"/MaxSumExp/1024", func(b *testing.B) {
			for b.Loop() {
				s.MaxSumExp(x)
			}
		})
		b.Run(name+"/Scale/64", func(b *testing.B) {
			for b.Loop() {
				s.Scale(x[:64], 1)
			}
		})
		b.Run(name+"/Rotate/64", func(b *testing.B) {
			for b.Loop() {
				s.Rotate(x[:64], y[:32], w[:32])
			}
		})
		var in Input
		in.Reset(BFloat16, 16, 1024)
		z := make([]float32, 16*1024)
		b.Run(name+"/Prepare/16x1024", func(b *testing.B) {
			for b.Loop() {
				s.Prepare(&in, z, 1024, 0, 16)
			}
		})
	}
}
