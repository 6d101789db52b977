package amxemu

import (
	"encoding/binary"
	"math"
	"testing"
)

func config(rows [8]byte, bytes [8]byte) []byte {
	c := make([]byte, 64)
	c[0] = 1
	for i := range 8 {
		c[16+2*i], c[48+i] = bytes[i], rows[i]
	}
	return c
}

func bf16(x float32) uint16 { return uint16(math.Float32bits(x) >> 16) }

// TestProduct is worked by hand: [1 2 3 4] times [[1 10] [2 20] [3 30] [4 40]]ᵀ
// pairs, added to 100 and 1000.
func TestProduct(t *testing.T) {
	var s tiles
	if err := s.configure(config([8]byte{1, 1, 2}, [8]byte{8, 8, 8})); err != nil {
		t.Fatal(err)
	}
	put := func(tile, row, at int, x float32) {
		binary.LittleEndian.PutUint16(s.data[tile][row][2*at:], bf16(x))
	}
	for i := range 4 {
		put(1, 0, i, float32(i+1))
		// B's row k holds, for each column, the pair of elements 2k and 2k+1.
		put(2, i/2, i%2, float32(i+1))
		put(2, i/2, 2+i%2, float32(10*(i+1)))
	}
	binary.LittleEndian.PutUint32(s.data[0][0][0:], math.Float32bits(100))
	binary.LittleEndian.PutUint32(s.data[0][0][4:], math.Float32bits(1000))
	if err := s.product(0, 1, 2); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{130, 1300} {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(s.data[0][0][4*i:])); got != want {
			t.Errorf("column %d is %v, want %v", i, got, want)
		}
	}
}

// TestBytesProduct is worked by hand: bytes without a sign, 255 and 3 among them, times such with one.
func TestBytesProduct(t *testing.T) {
	var s tiles
	if err := s.configure(config([8]byte{1, 1, 2}, [8]byte{8, 8, 8})); err != nil {
		t.Fatal(err)
	}
	copy(s.data[1][0][:], []byte{255, 0, 0, 3, 0, 128, 0, 0})
	minus := func(x int8) byte { return byte(x) }
	// B's row k holds, for each column, elements 4k to 4k+3.
	copy(s.data[2][0][:], []byte{minus(-128), 9, 9, 1, 2, 9, 9, minus(-1)})
	copy(s.data[2][1][:], []byte{9, 127, 9, 9, 9, minus(-128), 9, 9})
	binary.LittleEndian.PutUint32(s.data[0][0][4:], 1<<31-1)
	if err := s.bytesProduct(0, 1, 2); err != nil {
		t.Fatal(err)
	}
	sum := int64(1<<31 - 1 + 255*2 - 3 - 128*128)
	for i, want := range []int32{255*-128 + 3 + 128*127, int32(sum)} {
		if got := int32(binary.LittleEndian.Uint32(s.data[0][0][4*i:])); got != want {
			t.Errorf("column %d is %d, want %d", i, got, want)
		}
	}
	if s.bytesProduct(0, 1, 1) == nil {
		t.Error("a product of a tile with itself passed")
	}
}

// TestFaults: what a processor answers with a fault must not pass.
func TestFaults(t *testing.T) {
	var s tiles
	if s.product(0, 1, 2) == nil {
		t.Error("a product without a configuration passed")
	}
	if err := s.configure(config([8]byte{16, 16, 8}, [8]byte{64, 64, 64})); err != nil {
		t.Fatal(err)
	}
	if s.product(0, 1, 2) == nil {
		t.Error("B with 8 rows passed where A has 16 pairs")
	}
	if s.need(3) == nil {
		t.Error("a tile without rows passed")
	}
	if s.configure(config([8]byte{17}, [8]byte{64})) == nil {
		t.Error("17 rows passed")
	}
	bad := config([8]byte{16}, [8]byte{64})
	bad[5] = 1
	if s.configure(bad) == nil {
		t.Error("a reserved byte that is not zero passed")
	}
	var regs registers
	if name, _, _ := s.step([]byte{0x0f, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0}, &regs, nil); name != "" {
		t.Errorf("ud2 was taken for %s", name)
	}
}
