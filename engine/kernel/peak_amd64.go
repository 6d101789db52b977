//go:build !noasm

package kernel

// memoryBlock is more than the caches of a core hold: 128 MiB.
const memoryBlock = 32 << 20

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
		var block []float32
		at := 0
		list = append(list, Peak{"memory read", "byte", Float32, func() float64 {
			const piece = 1 << 16
			if block == nil {
				block = NewFloats(memoryBlock)
				for i := 0; i < len(block); i += 1024 {
					block[i] = 1 // a page that was never written is not memory
				}
			}
			maximumAVX2(&block[at], piece)
			at = (at + piece) % len(block)
			return 4 * piece
		}})
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
