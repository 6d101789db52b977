//go:build !noasm

package kernel

// Peaks returns the loops that this machine can run, for one goroutine: each
// goroutine that measures asks for its own.
func Peaks() []Peak {
	const n = 2000
	loop := func(name string, a Arithmetic, each float64, run func(n int)) Peak {
		return Peak{name, "FLOP", a, func() float64 { run(n); return n * each }}
	}
	var list []Peak
	if hasBF16() {
		list = append(list, loop("bfloat16 BFDOT", BFloat16, 20*2*2*4, peakDotNEON))
	}
	return append(list, loop("float32 FMA", Float32, 20*2*4, peakF32NEON), memoryPeak(func(x *float32, n int) { maximumNEON(x, n) }))
}
