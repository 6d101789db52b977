package safetensors

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// An element type is one row of elements. docs/extending.md says so.
func TestANewElementIsOneRow(t *testing.T) {
	const toy DType = "F8_TOY" // eighths
	path := filepath.Join(t.TempDir(), "model.safetensors")
	header := `{"weight":{"dtype":"F8_TOY","shape":[2,3],"data_offsets":[0,6]}}`
	file := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
	if err := os.WriteFile(path, append(file, 8, 4, 2, 0, 1, 16), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Open(path); err == nil {
		f.Close()
		t.Fatal("a type without a row is opened")
	}
	elements[toy] = element{bits: 8, decode: func(dst []float32, src []byte) {
		for i, b := range src[:len(dst)] {
			dst[i] = float32(b) / 8
		}
	}}
	t.Cleanup(func() { delete(elements, toy) })
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := f.Tensors()[0]
	row, column := make([]float32, 3), make([]float32, 2)
	w.RowF32(1, row)
	w.ColumnF32(1, 0, column)
	if !w.Readable() || !slices.Equal(row, []float32{0, 0.125, 2}) || !slices.Equal(column, []float32{0.5, 0.125}) || w.ElementF32(0) != 1 {
		t.Errorf("row 1 is %v, column 1 %v, the first %v", row, column, w.ElementF32(0))
	}
}
