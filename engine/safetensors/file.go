package safetensors

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/softbench/softbench/internal/regularfile"
)

// Tensor is a view of one tensor. Data is little-endian, row-major, read-only,
// and valid until the File or Set it came from is closed.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte

	mapping *mapping // where Data lies, nil where it is ordinary memory
	offset  int      // of Data in it
	path    string   // of the file it came from

	decoder Decoder   // where the numbers do not lie side by side in Data
	parts   []*Tensor // what it decodes
}

// Elements returns the number of elements.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// RowF32 converts row i, the i-th slice along the first dimension, to float32.
// dst must have the row's length; for a vector that is 1. It panics where i is
// out of range or the tensor is not Readable.
func (t *Tensor) RowF32(i int, dst []float32) {
	if t.decoder != nil {
		t.decoder.Row(i, dst[:t.width()])
		return
	}
	row := t.Row(i)
	Decode(t.DType, dst[:len(row)*8/t.DType.Bits()], row)
}

// ElementF32 is element i, counted row by row. It panics where i is out of range or
// the tensor is not Readable.
func (t *Tensor) ElementF32(i int) float32 {
	var v [1]float32
	if t.decoder != nil {
		return t.decodedElement(i)
	}
	width := t.DType.Bits() / 8
	Decode(t.DType, v[:], t.Data[i*width:(i+1)*width])
	return v[0]
}

// ColumnF32 converts len(dst) elements of column i, from row from on, to float32;
// a tensor of more dimensions is rows of its last one. It panics where the column
// is out of range or the tensor is not Readable.
func (t *Tensor) ColumnF32(i, from int, dst []float32) {
	if t.decoder != nil {
		t.decoder.Column(i, from, dst)
		return
	}
	width, columns := t.DType.Bits()/8, t.Shape[len(t.Shape)-1]
	decode := t.DType.decoder()
	for r := range dst {
		at := ((from+r)*columns + i) * width
		decode(dst[r:r+1], t.Data[at:at+width])
	}
}

// Row returns the bytes of row i, a view. It panics where i is out of range.
func (t *Tensor) Row(i int) []byte {
	n := 1
	for _, d := range t.Shape[1:] {
		n *= d
	}
	width := t.DType.Bits() / 8 * n
	return t.Data[i*width : (i+1)*width]
}

// F32 returns all elements as float32, a copy, row-major.
func (t *Tensor) F32() []float32 {
	out := make([]float32, t.Elements())
	if t.decoder != nil {
		for i, width := 0, t.width(); i < len(out); i += width {
			t.decoder.Row(i/width, out[i:i+width])
		}
		return out
	}
	Decode(t.DType, out, t.Data)
	return out
}

// Drop tells the system that t's pages, where they hold nothing else, will not
// be needed soon. Data stays readable (it is read from the file again), so this
// only bounds resident memory. It does nothing where memory is not mapped.
func Drop(t *Tensor) {
	for _, part := range t.Stored() {
		DropBytes(part, 0, len(part.Data))
	}
}

// DropBytes is Drop for n bytes of t's data from byte at on.
func DropBytes(t *Tensor, at, n int) {
	if t.mapping != nil {
		t.mapping.drop(t.offset+at, n)
	}
}

// File is one open safetensors file.
type File struct {
	Path     string
	Metadata map[string]string // the header's __metadata__, nil where absent

	tensors []*Tensor // in the order of their data
	byName  map[string]*Tensor
	mapping *mapping
}

// Open maps the file and validates its header. Errors are one line and start
// with the path.
func Open(path string) (*File, error) {
	m, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	f, err := newFile(path, m)
	if err != nil {
		m.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func newFile(path string, m *mapping) (*File, error) {
	entries, metadata, data, err := parse(m.data)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, Metadata: metadata, mapping: m, byName: make(map[string]*Tensor, len(entries))}
	for _, e := range entries {
		start, end := data+int(e.start), data+int(e.end)
		t := &Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: m.data[start:end:end], mapping: m, offset: start, path: path}
		f.tensors = append(f.tensors, t)
		f.byName[e.name] = t
	}
	return f, nil
}

// Tensors returns all tensors in the order of their data.
func (f *File) Tensors() []*Tensor { return f.tensors }

// Tensor returns the tensor of that name, nil where there is none.
func (f *File) Tensor(name string) *Tensor { return f.byName[name] }

// Unchanged returns an error where the file has been written to since Open, so
// that what was read of it may be of two states. What replaces the file at its
// path does not count: see InPlace.
func (f *File) Unchanged() error { return f.mapping.unchanged(f.Path) }

// InPlace returns an error where Path no longer leads to the file that is open.
func (f *File) InPlace() error { return f.mapping.inPlace(f.Path) }

// Close unmaps the file: no tensor's Data may be touched afterwards.
func (f *File) Close() error { return f.mapping.close() }

// openRegular opens a file that can be mapped or read whole.
func openRegular(path string) (*os.File, int, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	switch {
	case err != nil:
		err = regularfile.PathError(path, err)
	case st.Size() > math.MaxInt:
		err = fmt.Errorf("%s: %d bytes are more than this machine can address", path, st.Size())
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, int(st.Size()), nil
}

// readWhole is the mapping's portable stand-in.
func readWhole(f *os.File, path string, size int) ([]byte, error) {
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, regularfile.PathError(path, err)
	}
	return b, nil
}
