package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// codings are the forms of each number of bits, in turn with each rounding and with zeros of
// groups and of all.
func codings() (all []Coding) {
	var levels [16]float32
	for i := range levels {
		levels[i] = float32(i*i-70) / 64
	}
	n := 0
	for _, bits := range []int{2, 3, 4, 8} {
		for _, form := range []CodeForm{Centred, Offset, Level, E4M3} {
			for round := range Rounding(3) {
				n++
				c := Coding{Bits: bits, Group: 64, Form: form, Round: round, Levels: levels, Zero: 3, Zeros: n%2 == 0}
				if form == Offset {
					c.Zeros = true
				}
				if c.Check(64) != nil {
					continue
				}
				all = append(all, c)
				if form == Centred && !c.Zeros { // codes with a sign
					c.Zero = float32(int(1) << bits / 2)
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// coded is a matrix of codes and the numbers that they stand for by Coding's words.
type coded struct {
	w       *Matrix
	numbers []float32 // [n, k]
}

// Some of them have scales of bfloat16 and whole zeros, and some groups whose numbers no
// shortcut holds for.
func newCodedProduct(s Set, rng *rand.Rand, c Coding, n, k int) coded {
	m := coded{s.NewCoded(c, n, k), make([]float32, n*k)}
	group := min(c.Group, k)
	whole, wild := rng.IntN(2) == 0, rng.IntN(16) == 0
	m.w.PackCodes(0, n, func(j int, codes []uint8, scales, zeros []float32) {
		for g := range scales {
			// Some scales give numbers below what float16 holds exactly.
			scales[g] = float32(rng.NormFloat64() * math.Pow(2, -float64(rng.IntN(16))))
			if wild && rng.IntN(3) == 0 {
				scales[g] *= 0x1p-110
			}
			if whole {
				scales[g] = FromBF16(ToBF16(scales[g]))
			}
		}
		for g := range zeros {
			zeros[g] = float32(rng.NormFloat64() * 5)
			if whole {
				zeros[g] = float32(int(zeros[g]))
			}
		}
		for i := range codes {
			codes[i] = uint8(rng.IntN(1 << c.Bits))
			for c.Form == E4M3 && codes[i]&0x7f == 0x7f {
				codes[i] = uint8(rng.IntN(256))
			}
			g, zero := i/group, c.Zero
			if len(zeros) > 0 {
				zero = zeros[g]
			}
			m.numbers[j*k+i] = numberByWords(&c, codes[i], scales[g], zero)
		}
	})
	return m
}

// numberByWords is Coding's definition, each operation in float64 and rounded: products and
// sums of two float32 are exact there, or rounded twice to the same.
func numberByWords(c *Coding, code uint8, scale, zero float32) float32 {
	var x float32
	switch c.Form {
	case Centred:
		x = float32(float64(float32(float64(code)-float64(zero))) * float64(scale))
	case Offset:
		x = float32(float64(float32(float64(code)*float64(scale))) + float64(zero))
	case Level:
		x = float32(float64(c.Levels[code]) * float64(scale))
	case E4M3:
		x = float32(smallFloatByWords(code) * float64(scale))
	}
	switch c.Round {
	case RoundBFloat16:
		return FromBF16(ToBF16(x))
	case RoundFloat16:
		// The last place of a float16: of its eleven bits, and 2^-24 at least.
		_, e := math.Frexp(float64(x))
		place := math.Ldexp(1, max(e-11, -24))
		y := math.RoundToEven(float64(x)/place) * place
		if math.Abs(y) > 65504 {
			y = math.Copysign(math.Inf(1), y)
		}
		return float32(y)
	}
	return x
}

func smallFloatByWords(b uint8) float64 {
	exponent, fraction := int(b>>3&15), float64(b&7)
	x := math.Ldexp(1+fraction/8, exponent-7)
	if exponent == 0 {
		x = math.Ldexp(fraction/8, -6)
	}
	if b >= 128 {
		return -x
	}
	return x
}

// conformCodes: a product of codes has the bits of the product of the numbers that they stand
// for, whatever the bits, form, rounding, group and size, whole or in parts, and writes
// nothing else.
func conformCodes(t *testing.T, s Set) {
	for _, c := range codings() {
		t.Run(fmt.Sprintf("%d bits form %d round %d zeros %v", c.Bits, c.Form, c.Round, c.Zeros), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(c.Bits), uint64(c.Form)))
			for k := 1; k <= 100; k++ {
				codesOnce(t, s, rng, c, 1+k%5, 1+rng.IntN(2*s.PanelWidth()), k)
			}
			for _, group := range []int{16, 32, 48, 128, 1000} {
				c := c
				if c.Group = group; c.Check(300) != nil {
					continue
				}
				for _, k := range []int{1, 31, 127, 128, 129, 300} {
					codesOnce(t, s, rng, c, 3, s.PanelWidth()+3, k)
				}
			}
			for _, m := range []int{14, 15, 16, 33, 70} {
				codesOnce(t, s, rng, c, m, 300, 300) // more columns than are unpacked at once
			}
			codesOnce(t, s, rng, c, 20, 11*s.PanelWidth(), 2600)
		})
	}
}

func codesOnce(t *testing.T, s Set, rng *rand.Rand, c Coding, m, n, k int) {
	t.Helper()
	cm := newCodedProduct(s, rng, c, n, k)
	row := make([]float32, k)
	for j := range n {
		cm.w.Row(j, row)
		for i, v := range row {
			if !sameBits(v, cm.numbers[j*k+i]) {
				t.Fatalf("%dx%d: Row(%d)[%d] is %v, want %v", n, k, j, i, v, cm.numbers[j*k+i])
			}
		}
	}
	for _, dt := range []Arithmetic{Float32, BFloat16} {
		p := newProduct(s, dt, m, n, k, normals(rng, m*k, 0), cm.numbers)
		want := make([]float32, m*n)
		got, check := guarded(t, m*n, k%4)
		base := normals(rng, m*n, 0)
		for _, add := range []bool{false, true} {
			copy(want, base)
			copy(got, base)
			s.MatMul(want, n, &p.in, 0, m, p.w, 0, n, add)
			if k%2 == 0 {
				s.MatMul(got, n, &p.in, 0, m, cm.w, 0, n, add)
			} else { // in parts
				at, row := rng.IntN((n+s.PanelWidth()-1)/s.PanelWidth())*s.PanelWidth(), rng.IntN(m)
				s.MatMul(got[at:], n, &p.in, 0, m, cm.w, at, n, add)
				s.MatMul(got, n, &p.in, 0, row, cm.w, 0, at, add)
				s.MatMul(got[row*n:], n, &p.in, row, m, cm.w, 0, at, add)
			}
			check()
			for i := range got {
				if !sameBits(got[i], want[i]) {
					t.Fatalf("%v %dx%dx%d group %d add=%v: y[%d,%d] is %v, of the numbers themselves %v", dt, m, n, k, c.Group, add, i/n, i%n, got[i], want[i])
				}
			}
		}
	}
}

// Codes that no kernel reads are refused, and groups of any size that end with the row are not.
func TestCodingCheck(t *testing.T) {
	for _, c := range []struct {
		Coding
		k  int
		ok bool
	}{
		{Coding{Bits: 4, Group: 16}, 100, true}, {Coding{Bits: 4, Group: 24}, 100, false}, {Coding{Bits: 4, Group: 24}, 24, true},
		{Coding{Bits: 3, Group: 16}, 100, false}, {Coding{Bits: 3, Group: 32}, 100, true}, {Coding{Bits: 5, Group: 32}, 100, false},
		{Coding{Bits: 2, Group: 0}, 100, false}, {Coding{Bits: 8, Group: 32, Form: Level}, 100, false}, {Coding{Bits: 4, Group: 32, Form: E4M3}, 100, false},
	} {
		if err := c.Check(c.k); (err == nil) != c.ok {
			t.Errorf("%+v of %d columns: %v", c.Coding, c.k, err)
		}
	}
}

// BenchmarkCodes multiplies one row, as greedy decoding does, and many, with bfloat16 weights
// and with codes for the same, 32 MB of bfloat16 in all.
func BenchmarkCodes(b *testing.B) {
	const n, k = 16384, 1024
	eachSet(b, func(b *testing.B, s Set) {
		rng := rand.New(rand.NewPCG(1, 1))
		for _, m := range []int{1, 1024} {
			for _, bits := range []int{0, 2, 3, 4, 8} {
				c := Coding{Bits: max(bits, 2), Group: 64, Zero: 3, Round: RoundBFloat16}
				cm := newCodedProduct(s, rng, c, n, k)
				p := newProduct(s, BFloat16, m, n, k, normals(rng, m*k, 0), cm.numbers)
				want, got := make([]float32, m*n), make([]float32, m*n)
				s.MatMul(want, n, &p.in, 0, m, p.w, 0, n, false)
				w := p.w
				if bits != 0 {
					w = cm.w
				}
				s.MatMul(got, n, &p.in, 0, m, w, 0, n, false)
				agree(b, got, want)
				b.Run(fmt.Sprintf("rows=%d/bits=%d", m, bits), func(b *testing.B) {
					for b.Loop() {
						for n0 := 0; n0 < n; n0 += 256 {
							s.MatMul(got[n0:], n, &p.in, 0, m, w, n0, n0+256, false)
						}
					}
					rate(b, n*k, "Gweights/s")
				})
			}
		}
	})
}
