package safetensors

import (
	"fmt"
	"maps"
	"slices"
)

// Decoder makes numbers of what is stored in another way than one beside the
// other: quantised, permuted, merged of several tensors. It is safe for concurrent
// use.
type Decoder interface {
	// Row writes row i, a slice along the first dimension.
	Row(i int, dst []float32)
	// Column writes len(dst) numbers of column i, from row from on, where the tensor
	// is rows of its last dimension.
	Column(i, from int, dst []float32)
}

// Finite is a Decoder that can tell without decoding that all numbers of a row are finite;
// where it cannot, it says false.
type Finite interface {
	Finite(i int) bool
}

// RowFinite reports whether the tensor's decoder knows that all numbers of row i are finite.
func (t *Tensor) RowFinite(i int) bool {
	f, ok := t.decoder.(Finite)
	return ok && f.Finite(i)
}

// NewDecoded returns a tensor whose numbers decoder makes of parts. how says how,
// with all that changes them: it stands for the decoder in a checkpoint's hash.
func NewDecoded(name string, how DType, shape []int, decoder Decoder, parts ...*Tensor) *Tensor {
	return &Tensor{Name: name, DType: how, Shape: shape, decoder: decoder, parts: stored(parts), path: parts[0].path}
}

// stored replaces tensors that are decoded by what they decode.
func stored(parts []*Tensor) (all []*Tensor) {
	for _, p := range parts {
		all = append(all, p.Stored()...)
	}
	return all
}

// Stored returns the tensors whose Data holds what t is made of: t itself where it
// is not decoded.
func (t *Tensor) Stored() []*Tensor {
	if t.decoder == nil {
		return []*Tensor{t}
	}
	return t.parts
}

// Decoded reports whether numbers are made by a Decoder: Data is nil then.
func (t *Tensor) Decoded() bool { return t.decoder != nil }

// Readable reports whether the tensor's numbers can be had as float32.
func (t *Tensor) Readable() bool { return t.decoder != nil || t.DType.Readable() }

// Path is the file that the tensor came from.
func (t *Tensor) Path() string { return t.path }

// width is the numbers of a row.
func (t *Tensor) width() int {
	n := 1
	for _, d := range t.Shape[min(1, len(t.Shape)):] {
		n *= d
	}
	return n
}

func (t *Tensor) decodedElement(i int) float32 {
	width := t.width()
	row := make([]float32, width)
	t.decoder.Row(i/width, row)
	return row[i%width]
}

// Rows is a Decoder made of a function that writes row i; a column is gathered
// from rows, one number of each.
type Rows struct {
	Width int // of the last dimension, which is a whole row's
	Read  func(i int, dst []float32)
}

// Row calls Read.
func (r Rows) Row(i int, dst []float32) { r.Read(i, dst) }

// Column decodes a row for each number.
func (r Rows) Column(i, from int, dst []float32) {
	row := make([]float32, r.Width)
	for j := range dst {
		r.Read(from+j, row)
		dst[j] = row[i]
	}
}

// Reordered returns a tensor of the same shape whose row i is row from(i) of t. how
// names the order.
func Reordered(name string, how DType, t *Tensor, from func(i int) int) *Tensor {
	rows := Rows{t.width(), func(i int, dst []float32) { t.RowF32(from(i), dst) }}
	return NewDecoded(name, t.DType+how, t.Shape, &reordered{rows, t, from}, t)
}

// reordered is the decoder of Reordered.
type reordered struct {
	Rows
	of   *Tensor
	from func(i int) int
}

// Finite implements Finite.
func (r *reordered) Finite(i int) bool { return r.of.RowFinite(r.from(i)) }

// Order returns, of what Reordered made, the tensor that it was made of and where a row
// of it lies there; nil of another.
func (t *Tensor) Order() (of *Tensor, from func(i int) int) {
	if r, ok := t.decoder.(*reordered); ok {
		return r.of, r.from
	}
	return nil, nil
}

// Decoder makes the tensor's numbers; nil where they lie side by side.
func (t *Tensor) Decoder() Decoder { return t.decoder }

// Part returns slice i along the first dimension of a tensor whose numbers lie side
// by side, as a tensor of its own.
func Part(name string, t *Tensor, i int) *Tensor {
	size := len(t.Row(i))
	return t.Sub(name, t.Shape[1:], i*size, size)
}

// Map maps a file of another format, whose tensors Stretch makes.
func Map(path string) (*File, error) {
	m, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	return &File{Path: path, mapping: m, byName: map[string]*Tensor{}}, nil
}

// Bytes is the whole file, valid until Close.
func (f *File) Bytes() []byte { return f.mapping.data }

// Stretch returns the bytes from start to end as a tensor.
func (f *File) Stretch(name string, d DType, shape []int, start, end int) *Tensor {
	return &Tensor{Name: name, DType: d, Shape: shape, Data: f.mapping.data[start:end:end], mapping: f.mapping, offset: start, path: f.Path}
}

// NewSet is the tensors of files that were opened elsewhere. It closes the files
// where two tensors have one name.
func NewSet(files []*File, tensors []*Tensor) (*Set, error) {
	s := &Set{Files: files}
	if err := s.Replace(tensors); err != nil {
		_ = s.Close() // the error that matters is err
		return nil, err
	}
	return s, nil
}

// Replace makes tensors the set's.
func (s *Set) Replace(tensors []*Tensor) error {
	byName := make(map[string]*Tensor, len(tensors))
	for _, t := range tensors {
		if byName[t.Name] != nil {
			return fmt.Errorf("%s: two tensors are named %q", t.path, t.Name)
		}
		byName[t.Name] = t
	}
	s.byName, s.names = byName, slices.Sorted(maps.Keys(byName))
	return nil
}

// All returns the tensors by name.
func (s *Set) All() []*Tensor {
	all := make([]*Tensor, 0, len(s.names))
	for _, name := range s.names {
		all = append(all, s.byName[name])
	}
	return slices.Clip(all)
}

// Sub returns n bytes of t's data from byte at on as a tensor of its own.
func (t *Tensor) Sub(name string, shape []int, at, n int) *Tensor {
	return &Tensor{Name: name, DType: t.DType, Shape: shape, Data: t.Data[at : at+n : at+n], mapping: t.mapping, offset: t.offset + at, path: t.path}
}
