package pickle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/softbench/softbench/engine/safetensors"
)

// kinds are torch's storages, by their number types.
var kinds = map[string]safetensors.DType{
	"FloatStorage": safetensors.F32, "HalfStorage": safetensors.F16, "BFloat16Storage": safetensors.BF16, "DoubleStorage": safetensors.F64,
	"LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}

// Bounds far above real files.
const (
	maxPickle    = 64 << 20  // bytes of the pickle
	maxEntries   = 1 << 18   // of the zip
	maxDirectory = 256 << 20 // bytes at the zip's end where its directory lies
)

// Open maps a file that torch.save wrote of a dictionary of tensors. Errors are one
// line and start with the path.
func Open(path string) (f *safetensors.File, tensors []*safetensors.Tensor, err error) {
	if f, err = safetensors.Map(path); err != nil {
		return nil, nil, err
	}
	err = safetensors.Guard(func() error {
		tensors, err = read(f)
		return err
	})
	if err != nil {
		_ = f.Close() // the error that matters is err
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, tensors, nil
}

// stretch is where an entry of the zip lies in the file.
type stretch struct{ start, size int64 }

func read(f *safetensors.File) ([]*safetensors.Tensor, error) {
	data := f.Bytes()
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return nil, errors.New("not a zip of torch's: files of torch before 1.6 are not read; load it with torch and save safetensors")
	}
	// Counted before the directory is read, of which each entry takes ten times its bytes.
	if n := bytes.Count(data[max(0, len(data)-maxDirectory):], []byte("PK\x01\x02")); n > maxEntries {
		return nil, fmt.Errorf("its zip has %d entries or more, more than %d", n, maxEntries)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("its zip is broken or cut off: %w", err)
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("its zip has %d entries, more than %d", len(z.File), maxEntries)
	}
	entries := map[string]stretch{}
	var program *zip.File
	prefix := ""
	for _, e := range z.File {
		if before, ok := strings.CutSuffix(e.Name, "data.pkl"); ok && program == nil && (before == "" || strings.Count(before, "/") == 1 && strings.HasSuffix(before, "/")) {
			program, prefix = e, before
		}
	}
	if program == nil {
		return nil, errors.New("its zip has no data.pkl: not a file of torch.save")
	}
	for _, e := range z.File {
		key, ok := strings.CutPrefix(e.Name, prefix+"data/")
		if !ok {
			continue
		}
		start, err := e.DataOffset()
		size := int64(min(e.UncompressedSize64, math.MaxInt64))
		if err != nil || e.Method != zip.Store || start < 0 || size > int64(len(data))-start {
			return nil, fmt.Errorf("entry %q is compressed, broken or cut off", e.Name)
		}
		entries[key] = stretch{start, size}
	}
	if e, err := z.Open(prefix + "byteorder"); err == nil {
		order, _ := io.ReadAll(io.LimitReader(e, 16))
		e.Close()
		if s := strings.TrimSpace(string(order)); s != "little" {
			return nil, fmt.Errorf("byte order %q: want little", s)
		}
	}
	text, err := contents(program)
	if err != nil {
		return nil, err
	}
	top, err := run(text)
	if err != nil {
		return nil, err
	}
	d, ok := top.(*dict)
	if !ok {
		return nil, errors.New("it does not hold a dictionary of tensors")
	}
	return tensorsOf(f, d, entries)
}

// contents reads the pickle, whole.
func contents(e *zip.File) ([]byte, error) {
	if e.UncompressedSize64 > maxPickle {
		return nil, fmt.Errorf("its pickle has %d bytes, more than %d", e.UncompressedSize64, maxPickle)
	}
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("its pickle: %w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxPickle))
	if err != nil {
		return nil, fmt.Errorf("its pickle: %w", err)
	}
	return text, nil
}

func tensorsOf(f *safetensors.File, d *dict, entries map[string]stretch) (all []*safetensors.Tensor, err error) {
	seen := map[string]bool{}
	for i, k := range d.keys {
		name, ok := k.(string)
		t, isTensor := d.values[i].(*tensor)
		if !ok || !isTensor {
			if _, nested := d.values[i].(*dict); nested {
				if !ok {
					name = "a key that is not a text"
				}
				return nil, fmt.Errorf("%.60q holds a dictionary: want one of tensors, a model's state_dict", name)
			}
			continue // a number or a name beside the tensors
		}
		if seen[name] {
			return nil, fmt.Errorf("two tensors are named %q", name)
		}
		seen[name] = true
		made, err := place(f, name, t, entries)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		all = append(all, made)
	}
	return all, nil
}

// place makes a tensor of the bytes that it is a view of.
func place(f *safetensors.File, name string, t *tensor, entries map[string]stretch) (*safetensors.Tensor, error) {
	where, ok := entries[t.storage.key]
	if !ok {
		return nil, fmt.Errorf("its numbers, entry %q, are not in the file", t.storage.key)
	}
	kind := kinds[t.storage.kind]
	width := int64(kind.Bits() / 8)
	count := where.size / width
	shape, elements, last := make([]int, len(t.shape)), int64(1), t.offset
	inOrder := true
	for i := len(t.shape) - 1; i >= 0; i-- {
		n := t.shape[i]
		if n > math.MaxInt32 || n > 0 && elements > math.MaxInt64/16/n {
			return nil, fmt.Errorf("shape %v", t.shape)
		}
		inOrder = inOrder && (t.steps[i] == elements || n <= 1)
		shape[i] = int(n)
		elements *= n
		if n > 1 {
			if step := t.steps[i]; step == 0 || n-1 > count/step || last > count {
				return nil, fmt.Errorf("shape %v with strides %v is not a view of its %d numbers", t.shape, t.steps, count)
			}
			last += (n - 1) * t.steps[i]
		}
	}
	if t.offset < 0 || elements > 0 && (last < 0 || last >= count) {
		return nil, fmt.Errorf("shape %v from %d on reaches beyond its %d numbers", t.shape, t.offset, count)
	}
	if elements == 0 {
		return f.Stretch(name, kind, shape, int(where.start), int(where.start)), nil
	}
	if inOrder {
		start := where.start + t.offset*width
		return f.Stretch(name, kind, shape, int(start), int(start+elements*width)), nil
	}
	if !kind.Readable() || len(shape) != 2 {
		return nil, fmt.Errorf("shape %v with strides %v: only matrices may lie in another order", t.shape, t.steps)
	}
	whole := f.Stretch(name, kind, []int{int(count)}, int(where.start), int(where.start+count*width))
	read := func(i int, dst []float32) {
		for j := range dst {
			dst[j] = whole.ElementF32(int(t.offset + int64(i)*t.steps[0] + int64(j)*t.steps[1]))
		}
	}
	how := fmt.Sprintf("%s from %d by %v", kind, t.offset, t.steps)
	return safetensors.NewDecoded(name, safetensors.DType(how), shape, safetensors.Rows{Width: shape[1], Read: read}, whole), nil
}
