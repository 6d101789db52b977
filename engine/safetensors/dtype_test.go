package safetensors

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
)

// Every F16 and BF16 value must survive a round trip through float32, NaN as
// some NaN.
func TestNarrowTypesRoundTrip(t *testing.T) {
	for _, d := range []DType{F16, BF16} {
		for h := range 1 << 16 {
			in := binary.LittleEndian.AppendUint16(nil, uint16(h))
			var v, back [1]float32
			Decode(d, v[:], in)
			out := make([]byte, 2)
			Encode(d, out, v[:])
			if v[0] != v[0] {
				if Decode(d, back[:], out); back[0] == back[0] {
					t.Fatalf("%s %04x: NaN became %v", d, h, back[0])
				}
			} else if got := binary.LittleEndian.Uint16(out); got != uint16(h) {
				t.Fatalf("%s %04x is %v and encodes as %04x", d, h, v[0], got)
			}
		}
	}
}

// The values themselves, from the formats' definitions.
func TestDecodeValues(t *testing.T) {
	for _, c := range []struct {
		d    DType
		bits uint16
		want float64
	}{
		{F16, 0x3c00, 1}, {F16, 0xc000, -2}, {F16, 0x7bff, 65504}, {F16, 0x0001, math.Ldexp(1, -24)},
		{F16, 0x03ff, math.Ldexp(1023, -24)}, {F16, 0x0400, math.Ldexp(1, -14)}, {F16, 0x3555, 0.333251953125},
		{F16, 0x7c00, math.Inf(1)}, {F16, 0xfc00, math.Inf(-1)}, {F16, 0x8001, -math.Ldexp(1, -24)},
		{BF16, 0x3f80, 1}, {BF16, 0xc000, -2}, {BF16, 0x3eab, 0.333984375}, {BF16, 0x0001, math.Ldexp(1, -133)},
		{BF16, 0xff80, math.Inf(-1)},
	} {
		var v [1]float32
		Decode(c.d, v[:], binary.LittleEndian.AppendUint16(nil, c.bits))
		if float64(v[0]) != c.want {
			t.Errorf("%s %04x: got %v, want %v", c.d, c.bits, v[0], c.want)
		}
	}
}

// Between any two neighbours the nearest must be taken, and half way the even
// one. Midpoints and what lies next to them are float32 values.
func TestEncodeRounding(t *testing.T) {
	for d, infinity := range map[DType]int{F16: 0x7c00, BF16: 0x7f80} {
		encode := func(x float32) int {
			out := make([]byte, 2)
			Encode(d, out, []float32{x})
			return int(binary.LittleEndian.Uint16(out))
		}
		value := func(bits int) float64 {
			var v [1]float32
			Decode(d, v[:], binary.LittleEndian.AppendUint16(nil, uint16(bits)))
			return float64(v[0])
		}
		for low := 0; low < infinity; low++ {
			lo, hi := value(low), value(low+1)
			if low+1 == infinity { // the overflow threshold is where the next value would be
				hi = 2*lo - value(low-1)
			}
			middle := float32((lo + hi) / 2)
			even := low + low&1
			down, up := math.Nextafter32(middle, 0), math.Nextafter32(middle, float32(math.Inf(1)))
			if a, b, c := encode(down), encode(middle), encode(up); a != low || b != even || c != low+1 {
				t.Fatalf("%s between %04x and %04x: below %04x, middle %04x, above %04x", d, low, low+1, a, b, c)
			}
			if got := encode(-up); got != low+1|0x8000 {
				t.Fatalf("%s: -%v encodes as %04x, want %04x", d, up, got, low+1|0x8000)
			}
		}
	}
}

func TestRows(t *testing.T) {
	x := &Tensor{DType: BF16, Shape: []int{2, 3}, Data: []byte{0, 0, 128, 63, 0, 64, 64, 64, 128, 64, 160, 64}}
	row := make([]float32, 3)
	x.RowF32(1, row)
	if row[0] != 3 || row[1] != 4 || row[2] != 5 {
		t.Errorf("row 1 is %v, want [3 4 5]", row)
	}
	if all := x.F32(); len(all) != 6 || all[2] != 2 {
		t.Errorf("F32 is %v", all)
	}
}

// Whole numbers and the eight-bit floats of other makers, as PyTorch casts them to
// float32: the hashes are of all 256 bytes, NaN as 12345.
func TestDecodeAsTorchCasts(t *testing.T) {
	one := func(d DType, b ...byte) float32 {
		var v [1]float32
		Decode(d, v[:], b)
		return v[0]
	}
	for _, c := range []struct {
		d    DType
		bits uint64
		want float32
	}{
		{"I64", 1<<64 - 3, -3}, {"I64", 1<<62 + 1<<37, 1 << 62}, {"U64", 1<<64 - 1, 1 << 64}, {"U64", 1<<40 + 3, 1 << 40},
		{"I32", 1<<32 - 5, -5}, {"I32", 1<<24 + 1, 1 << 24}, {"I32", 1<<24 + 3, 1<<24 + 4}, {"U32", 1<<32 - 1, 1 << 32},
		{"I16", 1<<16 - 7, -7}, {"U16", 1<<16 - 7, 65529}, {"I8", 0x80, -128}, {"U8", 0x80, 128}, {"BOOL", 0, 0}, {"BOOL", 1, 1},
	} {
		raw := binary.LittleEndian.AppendUint64(nil, c.bits)[:c.d.Bits()/8]
		if got := one(c.d, raw...); got != c.want || !c.d.Whole() || c.d.Float() {
			t.Errorf("%s %x is %v, want %v", c.d, c.bits, got, c.want)
		}
	}
	for d, want := range map[DType]string{
		"F8_E4M3FNUZ": "c48de4101485a47b602dd84af4534675961d470f8e3ce4f88b56f3da32f69f31",
		"F8_E5M2FNUZ": "c907f923be29a5ca0cc09d91c98cb490846042e5b6f266c4727c7c421b569ce5",
	} {
		sum := sha256.New()
		for b := range 256 {
			x := one(d, byte(b))
			if x != x {
				x = 12345
			}
			sum.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			t.Errorf("%s: the numbers of all bytes have hash %s, want %s", d, got, want)
		}
	}
}
