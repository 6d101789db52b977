package randmodel

import (
	"io"
	"math"

	"github.com/softbench/softbench/engine/safetensors"
)

// mix is splitmix64's finaliser (Steele, Lea and Flood, OOPSLA 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// stream is the seed of one tensor's numbers: from the model's seed and the
// tensor's name (FNV-1a), so a tensor is the same in every model that has it.
func stream(seed uint64, name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return mix(h ^ mix(seed+0x9e3779b97f4a7c15))
}

// bell returns number i of a stream: the sum of four independent 16-bit
// uniforms, centred and scaled to variance 1. Its tails end at ±3.46; its bits
// are the same on every machine, as one rounded product of exact values.
func bell(stream, i uint64) float64 {
	z := mix(stream + i*0x9e3779b97f4a7c15)
	sum := int64(z&0xffff) + int64(z>>16&0xffff) + int64(z>>32&0xffff) + int64(z>>48)
	return float64(2*sum-4*0xffff) * bellUnit
}

// bellUnit is half the inverse of the standard deviation of the sum of four
// uniforms over 0..65535.
var bellUnit = 0.5 / math.Sqrt(4*(65536.0*65536.0-1)/12)

// fill streams n values centre + width·bell as elements of type d.
func fill(d safetensors.DType, seed uint64, n int, centre, width float64) func(io.Writer) error {
	return func(w io.Writer) error {
		const block = 1 << 14
		values := make([]float32, block)
		bytes := make([]byte, block*d.Bits()/8)
		for at := 0; at < n; at += block {
			part := values[:min(block, n-at)]
			for i := range part {
				// The conversion keeps the product from being fused with the sum.
				scaled := float64(bell(seed, uint64(at+i)) * width)
				part[i] = float32(centre + scaled)
			}
			out := bytes[:len(part)*d.Bits()/8]
			safetensors.Encode(d, out, part)
			if _, err := w.Write(out); err != nil {
				return err
			}
		}
		return nil
	}
}
