package amxemu

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	tileCount = 8
	maxRows   = 16
	maxBytes  = 64
)

// tiles is the tile state of one thread.
type tiles struct {
	configured bool
	rows       [tileCount]int
	bytes      [tileCount]int
	data       [tileCount][maxRows][maxBytes]byte
}

// configure is LDTILECFG. What the processor answers with a fault is an error.
func (t *tiles) configure(c []byte) error {
	*t = tiles{}
	if c[0] == 0 {
		return nil
	}
	if c[0] != 1 {
		return fmt.Errorf("palette %d", c[0])
	}
	for i := 1; i < 16; i++ {
		if c[i] != 0 {
			return fmt.Errorf("byte %d of the configuration is %d, must be 0", i, c[i])
		}
	}
	for i := range tileCount {
		n, r := int(binary.LittleEndian.Uint16(c[16+2*i:])), int(c[48+i])
		if n > maxBytes || r > maxRows || (n == 0) != (r == 0) {
			return fmt.Errorf("tile %d has %d rows of %d bytes", i, r, n)
		}
		t.bytes[i], t.rows[i] = n, r
	}
	for i := 16 + 2*tileCount; i < 64; i++ {
		if c[i] != 0 && (i < 48 || i >= 48+tileCount) {
			return fmt.Errorf("byte %d of the configuration is %d, must be 0", i, c[i])
		}
	}
	t.configured = true
	return nil
}

// need reports a use of tiles that faults: none configured, or one without rows.
func (t *tiles) need(numbers ...int) error {
	if !t.configured {
		return fmt.Errorf("no tiles are configured")
	}
	for _, n := range numbers {
		if n >= tileCount || t.rows[n] == 0 {
			return fmt.Errorf("tile %d has no rows", n)
		}
	}
	return nil
}

// product is TDPBF16PS: C += A·B over pairs of bfloat16. Even and odd products
// are summed apart, in ascending order, and both are added to C; subnormals
// count as zero.
func (t *tiles) product(c, a, b int) error {
	if err := t.fit(c, a, b); err != nil {
		return err
	}
	columns := t.bytes[c] / 4
	for m := range t.rows[c] {
		var even, odd [maxBytes / 4]float32
		for k := range t.rows[b] {
			a0, a1 := half(t.data[a][m][4*k:]), half(t.data[a][m][4*k+2:])
			row := t.data[b][k][:]
			for n := range columns {
				even[n] = fma(a0, half(row[4*n:]), even[n])
				odd[n] = fma(a1, half(row[4*n+2:]), odd[n])
			}
		}
		out := t.data[c][m][:]
		for n := range columns {
			old := math.Float32frombits(binary.LittleEndian.Uint32(out[4*n:]))
			sum := flush(flush(old) + flush(even[n]+odd[n]))
			binary.LittleEndian.PutUint32(out[4*n:], math.Float32bits(sum))
		}
	}
	t.clearBehind(c)
	return nil
}

// bytesProduct is TDPBUSD: C += A·B over fours of bytes, those of A without a sign, in whole
// numbers that wrap.
func (t *tiles) bytesProduct(c, a, b int) error {
	if err := t.fit(c, a, b); err != nil {
		return err
	}
	for m := range t.rows[c] {
		for n := range t.bytes[c] / 4 {
			at := t.data[c][m][4*n:]
			sum := int32(binary.LittleEndian.Uint32(at))
			for k := range t.rows[b] {
				for i := range 4 {
					sum += int32(t.data[a][m][4*k+i]) * int32(int8(t.data[b][k][4*n+i]))
				}
			}
			binary.LittleEndian.PutUint32(at, uint32(sum))
		}
	}
	t.clearBehind(c)
	return nil
}

// fit is the fault of a product whose tiles are not what it takes.
func (t *tiles) fit(c, a, b int) error {
	if err := t.need(c, a, b); err != nil {
		return err
	}
	switch {
	case c == a || c == b || a == b:
		return fmt.Errorf("tiles %d, %d, %d are not distinct", c, a, b)
	case t.rows[c] != t.rows[a] || t.bytes[c] != t.bytes[b] || t.bytes[a] != 4*t.rows[b]:
		return fmt.Errorf("shapes do not fit: C %dx%d, A %dx%d, B %dx%d bytes",
			t.rows[c], t.bytes[c], t.rows[a], t.bytes[a], t.rows[b], t.bytes[b])
	}
	return nil
}

// clearBehind zeroes rows behind a tile's last, as columns behind the last are.
func (t *tiles) clearBehind(c int) {
	for m := t.rows[c]; m < maxRows; m++ {
		t.data[c][m] = [maxBytes]byte{}
	}
}

// fma rounds a·b + c once: a product of two bfloat16 is exact in float32.
func fma(a, b, c float32) float32 { return flush(float32(float64(a)*float64(b) + float64(c))) }

func half(b []byte) float32 {
	return flush(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
}

// flush turns a subnormal into zero of its sign.
func flush(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & 0x80000000)
	}
	return x
}
