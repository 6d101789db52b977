package asmgen

import "fmt"

// peak writes loops that do nothing but multiply in registers: what a kernel
// could reach at most.
func peak() []byte {
	f := newFile()
	loop := func(name, comment string, prepare, multiply, end func()) {
		f.text(name, 8, comment)
		f.op("MOVQ", "n+0(FP)", "CX")
		prepare()
		again := f.newLabel("again")
		f.label(again)
		multiply()
		f.op("DECQ", "CX")
		f.op("JNZ", again)
		end()
		f.op("RET")
	}
	upper := func() { f.op("VZEROUPPER") }
	zero := func(reg string, n int) func() {
		return func() {
			for i := range n {
				f.op("VXORPS", fmt.Sprintf("%s%d", reg, i), fmt.Sprintf("%s%d", reg, i), fmt.Sprintf("%s%d", reg, i))
			}
		}
	}
	loop("peakF32AVX512", "peakF32AVX512 does 28 independent VFMADD231PS of 16 lanes, n times.", zero("Z", 32), func() {
		for i := range 28 {
			f.op("VFMADD231PS", fmt.Sprintf("Z%d", 2+i%2), fmt.Sprintf("Z%d", i%2), fmt.Sprintf("Z%d", 4+i))
		}
	}, upper)
	loop("peakDotAVX512", "peakDotAVX512 does 28 independent VDPBF16PS of 16 lanes, n times.", zero("Z", 32), func() {
		for i := range 28 {
			vdpbf16ps(f, 4+i, i%2, 2+i%2)
		}
	}, upper)
	loop("peakF32AVX2", "peakF32AVX2 does 12 independent VFMADD231PS of 8 lanes, n times.", zero("Y", 16), func() {
		for i := range 12 {
			f.op("VFMADD231PS", fmt.Sprintf("Y%d", 2+i%2), fmt.Sprintf("Y%d", i%2), fmt.Sprintf("Y%d", 4+i))
		}
	}, upper)
	loop("peakAMX", "peakAMX does 4 independent TDPBF16PS of whole tiles, n times.", func() {
		f.op("LEAQ", "·tileConfigs+2048(SB)", "AX") // 32 rows
		ldtilecfg(f, "rax")
		for i := range 8 {
			tilezero(f, i)
		}
	}, func() {
		for i := range 4 {
			tdpbf16ps(f, i, 4+i/2, 6+i%2)
		}
	}, func() { tilerelease(f) })
	return f.buf.Bytes()
}
