package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkDecode multiplies rows with the linear layers of SmolLM2-135M, 106 million weights of
// which bfloat16's do not fit into a cache, on one thread: with bfloat16 and with codes of groups of
// 64, and in int8, in turn, each in processor time. It reports the medians' rates, and how many times bfloat16's.
//
//	go test ./engine/kernel -run '^$' -bench Decode -benchtime 15x
func BenchmarkDecode(b *testing.B) {
	eachSet(b, func(b *testing.B, s Set) {
		if s.Name() == "generic" {
			b.Skip("reads nothing fast enough to compare")
		}
		for _, rows := range []int{1, 4, 8, 256} {
			b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) { benchDecode(b, s, rows) })
		}
	})
}

func benchDecode(b *testing.B, s Set, rows int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	layers := 30
	if rows > 16 {
		layers = 2
	}
	forms := []struct {
		name string
		Coding
	}{
		{"bf16", Coding{}},
		{"2", Coding{Bits: 2}}, {"3", Coding{Bits: 3}}, {"4", Coding{Bits: 4, Zero: 8}}, {"4zeros", Coding{Bits: 4, Zeros: true}},
		{"nf4", Coding{Bits: 4, Form: Level, Levels: [16]float32{-1, -.7, -.5, -.4, -.3, -.2, -.1, 0, .1, .2, .3, .4, .5, .6, .7, 1}}},
		{"8", Coding{Bits: 8, Zero: 128}}, {"w8a8", Coding{Bits: 8, Zero: 128}},
	}
	shapes := [][2]int{{960, 576}, {576, 576}, {3072, 576}, {576, 1536}}
	rng := rand.New(rand.NewPCG(1, 1))
	all := make([][]*Matrix, len(forms))
	inputs := make([]Input, len(shapes))
	total := 0.0
	for i, shape := range shapes {
		in := &inputs[i]
		in.Reset(BFloat16, rows, shape[1])
		s.Prepare(in, normals(rng, rows*shape[1], 0), shape[1], 0, rows)
	}
	for f, form := range forms {
		for range layers {
			for _, shape := range shapes {
				n, k := shape[0], shape[1]
				if f == 0 {
					w := s.NewMatrix(StoredBFloat16, n, k)
					x := normals(rng, k, 0)
					s.PackRows(w, 0, n, func(_ int, dst []float32) { copy(dst, x) })
					all[f] = append(all[f], w)
					total += float64(n * k)
					continue
				}
				if form.name == "w8a8" {
					w := s.NewInt8(n, k)
					w.PackInt8(0, n, func(_ int, codes []int8) float32 {
						for j := range codes {
							codes[j] = int8(rng.IntN(256) - 128)
						}
						return rng.Float32()
					})
					all[f] = append(all[f], w)
					continue
				}
				c := form.Coding
				c.Group, c.Round = 64, RoundBFloat16
				w := s.NewCoded(c, n, k)
				w.PackCodes(0, n, func(_ int, codes []uint8, scales, zeros []float32) {
					for j := range codes {
						codes[j] = uint8(rng.IntN(1 << c.Bits))
					}
					for j := range scales {
						scales[j] = FromBF16(ToBF16(rng.Float32()))
					}
					for j := range zeros {
						zeros[j] = rng.Float32() * 8
					}
				})
				all[f] = append(all[f], w)
			}
		}
	}
	y := make([]float32, rows*3072)
	var in Int8Input // its making is counted
	took := make([][]float64, len(forms))
	for b.Loop() {
		for f := range forms {
			start := threadTime(b)
			for i, w := range all[f] {
				if w.Int8 != nil {
					in.Reset(rows, w.K)
					s.QuantiseInt8(&in, &inputs[i%len(shapes)], 0, rows)
				}
				for n := 0; n < w.N; n += 256 {
					if w.Int8 != nil {
						s.MatMulInt8(y[n:], w.N, &in, 0, rows, w, n, min(w.N, n+256), false)
						continue
					}
					s.MatMul(y[n:], w.N, &inputs[i%len(shapes)], 0, rows, w, n, min(w.N, n+256), false)
				}
			}
			took[f] = append(took[f], float64(threadTime(b)-start))
		}
	}
	median := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
	base := median(took[0])
	for f, form := range forms {
		t := median(took[f])
		b.ReportMetric(total/t, form.name+":Gweights/s")
		b.ReportMetric(base/t, form.name+":×bf16")
	}
}
