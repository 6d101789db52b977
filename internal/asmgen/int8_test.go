package asmgen

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// TestInt8Tile: the tiles of int8, on paper, have exact sums, also of numbers at the ends of the range.
func TestInt8Tile(t *testing.T) {
	for isa, text := range map[string]string{"AVX2": string(tilesAVX2()), "AVX512": string(tilesAVX512())} {
		lanes, most := 8, 6
		if isa == "AVX512" {
			lanes, most = 16, 14
		}
		for each, name := range map[int]string{2: "tileInt8", 4: "tileQuads"} {
			_, body, ok := strings.Cut(text, "TEXT ·"+name+isa)
			if !ok {
				t.Fatalf("no %s%s", name, isa)
			}
			body, _, _ = strings.Cut(body, "\nTEXT")
			for rows := 1; rows <= most; rows++ {
				if err := int8Tile("TEXT"+body, lanes, rows, 1+rows%2, each); err != nil {
					t.Errorf("%s%s, %d rows: %v", name, isa, rows, err)
				}
			}
		}
	}
}

// int8Tile runs a tile over codes that lie in pairs, or in fours.
func int8Tile(text string, lanes, rows, vecs, each int) error {
	const steps, object, a, b, c, masks = 5, 0x100, 0x1000, 0x4000, 0x8000, 0x600
	m := &machine{mem: make([]byte, 1<<16), gpr: map[string]uint64{"AX": object}, symbols: map[string]uint64{"const_modeChain": 2, "const_modeAdd": 1}}
	for i, f := range []struct {
		name string
		v    int
	}{
		{"c", c}, {"a", a}, {"b", b}, {"ldc", 8 * lanes}, {"lda", 4 * steps}, {"bstep", 2 * each * lanes}, {"bvec", each * lanes},
		{"steps", steps}, {"rows", rows}, {"vecs", vecs}, {"mode", 0}, {"mask", 1<<lanes - 1}, {"lanes", masks},
	} {
		m.symbols["tile_"+f.name] = uint64(8 * i)
		binary.LittleEndian.PutUint64(m.mem[object+8*i:], uint64(f.v))
	}
	for i := range 4 * lanes {
		m.mem[masks+i] = 0xff
	}
	value := func(i int) int { return (i*i*37+i*11)%256 - 128 }
	activation := func(i int) int { return value(i) }
	if each == 4 { // which have no sign
		activation = func(i int) int { return value(i) + 128 }
	}
	for i := range rows * each * steps {
		if each == 4 {
			m.mem[a+i] = byte(activation(i))
		} else {
			binary.LittleEndian.PutUint16(m.mem[a+2*i:], uint16(activation(i)))
		}
	}
	for i := range steps * 2 * each * lanes {
		m.mem[b+i] = byte(value(i + 7))
	}
	if err := m.run(text); err != nil {
		return err
	}
	for r := range rows {
		for col := range vecs * lanes {
			want := 0
			for k := range each * steps {
				want += activation(r*each*steps+k) * value(7+k/each*2*each*lanes+each*col+k%each)
			}
			if got := int32(binary.LittleEndian.Uint32(m.mem[c+r*8*lanes+4*col:])); got != int32(want) {
				return fmt.Errorf("the sum of row %d and column %d is %d, want %d", r, col, got, want)
			}
		}
	}
	return nil
}
