package gguf

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A new format of blocks is a row of types with its decode, and nothing else knows of it.
// docs/extending.md says so.
func TestANewFormatIsOneRow(t *testing.T) {
	const toy = 999
	var b []byte
	text := func(s string) {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.LittleEndian.AppendUint32(append(b, "GGUF"...), 3)
	b = binary.LittleEndian.AppendUint64(b, 1) // tensors
	b = binary.LittleEndian.AppendUint64(b, 0) // keys
	text("weight")
	b = binary.LittleEndian.AppendUint32(b, 2)
	b = binary.LittleEndian.AppendUint64(b, 8) // a row
	b = binary.LittleEndian.AppendUint64(b, 2) // rows
	b = binary.LittleEndian.AppendUint32(b, toy)
	b = binary.LittleEndian.AppendUint64(b, 0) // offset
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	b = append(b, 0b0000_0001, 0b1000_0000)
	path := filepath.Join(t.TempDir(), "toy.gguf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Open(path); err == nil {
		f.Close()
		t.Fatal("a type without a row is opened")
	}

	types[toy] = blockType{name: "TOY", elements: 8, bytes: 1, decode: func(dst []float32, block []byte) { // a sign for each number
		for i := range dst {
			dst[i] = 1 - 2*float32(block[0]>>i&1)
		}
	}}
	t.Cleanup(func() { delete(types, toy) })
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	row := make([]float32, 8)
	for i, want := range [][]float32{{-1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, -1}} {
		if f.Tensors[0].RowF32(i, row); !slices.Equal(row, want) {
			t.Errorf("row %d is %v, want %v", i, row, want)
		}
	}
}
