//go:build !noasm

package kernel

// Peaks returns the loops that this machine can run, for one goroutine: each
// goroutine that measures asks for its own.
func Peaks() []Peak {
	const n = 2000
	var list []Peak
	flops := func(name string, a Arithmetic, each float64, run func(n int)) {
		list = append(list, Peak{name, "FLOP", a, func() float64 { run(n); return n * each }})
	}
	set := map[string]bool{}
	for _, name := range Available() {
		set[name] = true
	}
	if set["amx"] {
		flops("bfloat16 TDPBF16PS", BFloat16, 4*2*16*16*32, peakAMX)
	}
	if set["avx512bf16"] {
		flops("bfloat16 VDPBF16PS", BFloat16, 28*2*2*16, peakDotAVX512)
	}
	switch {
	case set["avx512"]:
		flops("float32 FMA", Float32, 28*2*16, peakF32AVX512)
	case set["avx2"]:
		flops("float32 FMA", Float32, 12*2*8, peakF32AVX2)
	}
	if set["avx2"] {
		list = append(list, memoryPeak(func(x *float32, n int) { maximumAVX2(x, n) }))
	}
	return list
}

//go:noescape
func peakF32AVX512(n int)

//go:noescape
func peakDotAVX512(n int)

//go:noescape
func peakF32AVX2(n int)

//go:noescape
func peakAMX(n int)
