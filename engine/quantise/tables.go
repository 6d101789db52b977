package quantise

import (
	"math"
	"slices"

	"github.com/softbench/softbench/engine/safetensors"
)

// nf4 are the quantiles of a normal distribution that bitsandbytes' NF4 has.
var nf4 = [16]float32{
	-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
	-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0,
	0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
	0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
}

// fp4 are bitsandbytes' floating-point numbers of four bits, over the largest.
var fp4 = func() (t [16]float32) {
	for i, v := range []float32{0, 0.0625, 8, 12, 4, 6, 2, 3} {
		t[i], t[i+8] = v/12, -v/12
	}
	t[8] = 0
	return t
}()

// decision says which codes lie between which bounds.
type decision struct {
	bounds []float32 // halfway between neighbours
	codes  []uint8   // ascending by number
}

var decisions = map[*float32]*decision{&nf4[0]: decide(nf4[:]), &fp4[0]: decide(fp4[:])}

func decide(levels []float32) *decision {
	d := &decision{}
	for i := range levels {
		d.codes = append(d.codes, uint8(i))
	}
	slices.SortStableFunc(d.codes, func(a, b uint8) int {
		switch {
		case levels[a] < levels[b]:
			return -1
		case levels[a] > levels[b]:
			return 1
		}
		return 0
	})
	for i := range d.codes[1:] {
		d.bounds = append(d.bounds, float32(levels[d.codes[i]]+levels[d.codes[i+1]])/2)
	}
	return d
}

// table is bitsandbytes' rule for NF4 and FP4: numbers over the group's largest
// magnitude become the nearest level, the lower one of two that are as near. A group
// that is cut short is divided, others are multiplied with the inverse, as there.
func (w *weights) table(g int, x []float32, codes []uint8) {
	low, high := span(x)
	largest := max(-low, high)
	w.Scales[g] = largest
	divisor := max(largest, 1e-38)
	inverse := 1 / divisor
	d := decisions[&w.Levels[0]]
	for j, v := range x {
		if len(x) < w.Group {
			v /= divisor
		} else {
			v *= inverse
		}
		at, _ := slices.BinarySearch(d.bounds, min(max(v, -1), 1))
		codes[j] = d.codes[at]
	}
}

// largestE4M3 is the largest number of eight bits with four of exponent.
const largestE4M3 = 448

// e4m3 are the numbers of all codes of F8_E4M3.
func e4m3() []float32 {
	var codes [256]byte
	for i := range codes {
		codes[i] = byte(i)
	}
	levels := make([]float32, 256)
	safetensors.Decode(safetensors.E4M3, levels, codes[:])
	return levels
}

// eightBitFloat is compressed-tensors' FP8: the scale takes the largest magnitude to
// E4M3's.
func (w *weights) eightBitFloat(g int, x []float32, codes []uint8) {
	low, high := span(x)
	scale := w.notZero(w.round(max(-low, high) / largestE4M3))
	w.Scales[g] = scale
	for j, v := range x {
		codes[j] = toE4M3(min(max(w.round(v/scale), -largestE4M3), largestE4M3))
	}
}

// toE4M3 rounds a number of at most 448 to the nearest, ties to even.
func toE4M3(x float32) uint8 {
	b := math.Float32bits(x)
	sign := uint8(b >> 24 & 0x80)
	b &= 0x7fffffff
	if b < 0x3c800000 { // below 2^-6: in units of 2^-9
		return sign | uint8(nearest(math.Float32frombits(b)*512, 0, 8))
	}
	b += 0x7ffff + b>>20&1
	return sign | uint8((b-120<<23)>>20)
}
