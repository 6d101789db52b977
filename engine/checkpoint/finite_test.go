package checkpoint

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/softbench/softbench/engine/safetensors"
)

// Every 16-bit pattern, in every lane, among neighbours whose exponents are as
// large as finite ones get: a carry into the next lane would show.
func TestNonFiniteBits(t *testing.T) {
	for d, c := range map[safetensors.DType]struct {
		exponent, largest uint16
	}{safetensors.F16: {0x7c00, 0xfbff}, safetensors.BF16: {0x7f80, 0xff7f}} {
		data := make([]byte, 2*37) // a block, a tail, and an odd end
		for i := range 37 {
			binary.LittleEndian.PutUint16(data[2*i:], c.largest)
		}
		for bits := range 1 << 16 {
			at := 2 * (bits * 7 % 37)
			binary.LittleEndian.PutUint16(data[at:], uint16(bits))
			if got, want := anyNonFinite(d, data), uint16(bits)&c.exponent == c.exponent; got != want {
				t.Fatalf("%s %04x at element %d: non-finite %v, want %v", d, bits, at/2, got, want)
			}
			binary.LittleEndian.PutUint16(data[at:], c.largest)
		}
		for at := range 37 {
			binary.LittleEndian.PutUint16(data[2*at:], c.exponent)
			if !anyNonFinite(d, data) {
				t.Fatalf("%s: infinity at element %d of 37 is not seen", d, at)
			}
			binary.LittleEndian.PutUint16(data[2*at:], c.largest)
		}
	}
	for _, n := range []int{1, 2, 7, 8, 9, 16, 17} {
		for at := range n {
			for _, x := range []float32{0, float32(math.Copysign(0, -1)), 1, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0xff800001)} {
				data := make([]byte, 4*n)
				for i := range n {
					binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(-math.MaxFloat32))
				}
				binary.LittleEndian.PutUint32(data[4*at:], math.Float32bits(x))
				want := math.IsNaN(float64(x)) || math.IsInf(float64(x), 0)
				if got := anyNonFinite(safetensors.F32, data); got != want {
					t.Fatalf("%v at element %d of %d: non-finite %v, want %v", x, at, n, got, want)
				}
			}
		}
	}
	if anyNonFinite(safetensors.BF16, nil) {
		t.Error("nothing at all is not finite")
	}
}

func BenchmarkAnyNonFinite(b *testing.B) {
	data := make([]byte, chunk)
	b.SetBytes(chunk)
	for b.Loop() {
		if anyNonFinite(safetensors.BF16, data) {
			b.Fatal("zeros are not finite")
		}
	}
}
