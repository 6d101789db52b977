package gguf_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	. "github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/internal/golden"
)

// Blocks of random bytes of every type decode to the numbers of the gguf package,
// to the bit, whether rows, columns or single numbers are asked for.
func TestBlocks(t *testing.T) {
	text, err := os.ReadFile(golden.Dir(t, "formats", "gguf", "blocks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		SHA256 string
		First  []float32
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	f, err := Open(golden.Dir(t, "formats", "gguf", "blocks.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Tensors) != len(want) || len(want) < 16 {
		t.Fatalf("%d tensors, %d in the golden", len(f.Tensors), len(want))
	}
	for _, x := range f.Tensors {
		t.Run(x.Name, func(t *testing.T) {
			if !slices.Equal(x.Shape, []int{3, 512}) || !x.Readable() {
				t.Fatalf("shape %v, readable %t", x.Shape, x.Readable())
			}
			all := x.F32()
			if !slices.Equal(all[:8], want[x.Name].First) {
				t.Errorf("first numbers %v, want %v", all[:8], want[x.Name].First)
			}
			var bytes []byte
			for _, v := range all {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
			}
			if sum := sha256.Sum256(bytes); hex.EncodeToString(sum[:]) != want[x.Name].SHA256 {
				t.Error("the numbers are not those of the gguf package")
			}
			row, column := make([]float32, 512), make([]float32, 2)
			for i := range 3 {
				if x.RowF32(i, row); !slices.Equal(row, all[i*512:(i+1)*512]) {
					t.Fatalf("row %d differs", i)
				}
			}
			for i := range 512 {
				x.ColumnF32(i, 1, column)
				if column[0] != all[512+i] || column[1] != all[1024+i] || x.ElementF32(512+i) != all[512+i] {
					t.Fatalf("column %d: %v, want %v and %v", i, column, all[512+i], all[1024+i])
				}
			}
		})
	}
}
