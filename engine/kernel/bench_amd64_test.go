package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
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
