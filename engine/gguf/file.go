package gguf

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/engine/safetensors"
)

// File is an open GGUF file, or all parts of one. Its tensors are valid until
// Close, and safe for concurrent use.
type File struct {
	Path    string
	Files   []*safetensors.File
	Tensors []*safetensors.Tensor // in the order of the file, names as there
	// Kinds counts the tensors of each type, by its name.
	Kinds map[string]int

	values map[string]value
}

// partName is the name of a part of a file that is split.
var partName = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.gguf$`)

// Is reports whether a path is named like a GGUF file.
func Is(path string) bool { return strings.EqualFold(filepath.Ext(path), ".gguf") }

// First returns the first part of the file that path is a part of; path itself where
// it is whole.
func First(path string) string {
	if m := partName.FindStringSubmatch(path); m != nil {
		return fmt.Sprintf("%s-00001-of-%s.gguf", m[1], m[3])
	}
	return path
}

// Open maps a file, and, where path is a part of one that is split, all its parts.
func Open(path string) (*File, error) {
	path = First(path)
	f := &File{Path: path, Kinds: map[string]int{}}
	err := safetensors.Guard(func() error { return f.openParts() })
	if err != nil {
		_ = f.Close() // the error that matters is err
		return nil, err
	}
	return f, nil
}

func (f *File) openParts() error {
	first, err := f.open(f.Path)
	if err != nil {
		return err
	}
	f.values = first.values
	parts, _ := f.Integer("split.count")
	m := partName.FindStringSubmatch(f.Path)
	switch {
	case m == nil && parts > 1:
		return fmt.Errorf("%s: it is one of %d parts: give them their names back, NAME-00001-of-%05[2]d.gguf and so on", f.Path, parts)
	case m == nil:
		return nil
	case m[3] != fmt.Sprintf("%05d", parts):
		return fmt.Errorf("%s: by its name it is one of %s parts, by its metadata one of %d", f.Path, m[3], parts)
	}
	seen := map[string]bool{}
	for _, t := range f.Tensors {
		seen[t.Name] = true
	}
	for i := int64(2); i <= parts; i++ {
		path := fmt.Sprintf("%s-%05d-of-%s.gguf", m[1], i, m[3])
		at := len(f.Tensors)
		h, err := f.open(path)
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: it is a part of %s; download it", err, f.Path)
		} else if err != nil {
			return err
		}
		if no, ok := h.values["split.no"]; ok {
			if n, _ := no.integer(); n != i-1 {
				return fmt.Errorf("%s: by its metadata it is part %d", path, n+1)
			}
		}
		for _, t := range f.Tensors[at:] {
			if seen[t.Name] {
				return fmt.Errorf("%s: tensor %q is in another part too", path, t.Name)
			}
			seen[t.Name] = true
		}
	}
	if n, ok := f.Integer("split.tensors.count"); ok && n != int64(len(f.Tensors)) {
		return fmt.Errorf("%s: %d tensors in its parts, %d by its metadata", f.Path, len(f.Tensors), n)
	}
	return nil
}

// open maps one file and adds its tensors.
func (f *File) open(path string) (*header, error) {
	m, err := safetensors.Map(path)
	if err != nil {
		return nil, err
	}
	f.Files = append(f.Files, m)
	h, err := parse(m.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	seen := map[string]bool{}
	end := uint64(0)
	inOrder := slices.SortedFunc(slices.Values(h.tensors), func(a, b info) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.bytes, b.bytes))
	})
	for _, t := range inOrder {
		if t.offset < end && t.bytes > 0 {
			return nil, fmt.Errorf("%s: tensor %q begins at byte %d of the data, inside another", path, t.name, t.offset)
		}
		end = max(end, t.offset+t.bytes)
	}
	for _, t := range h.tensors {
		if seen[t.name] {
			return nil, fmt.Errorf("%s: two tensors are named %q", path, t.name)
		}
		seen[t.name] = true
		start := h.data + int(t.offset)
		raw := m.Stretch(t.name, safetensors.DType(t.kind.name), t.shape, start, start+int(t.bytes))
		f.Tensors = append(f.Tensors, decoded(raw, t.kind))
		f.Kinds[t.kind.name]++
	}
	return h, nil
}

// Part returns slice i along the first dimension of t, a tensor of this package's of
// three dimensions, as a matrix.
func Part(name string, t *safetensors.Tensor, i int) *safetensors.Tensor {
	if !t.Decoded() {
		return safetensors.Part(name, t, i)
	}
	raw := t.Stored()[0]
	for _, kind := range types {
		if kind.name == string(raw.DType) {
			size := len(raw.Data) / t.Shape[0]
			return decoded(raw.Sub(name, t.Shape[1:], i*size, size), kind)
		}
	}
	panic("gguf: Part of a tensor of type " + string(raw.DType))
}

// Close unmaps the files: no tensor may be touched afterwards.
func (f *File) Close() error {
	var errs []error
	for _, m := range f.Files {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// Has reports whether the metadata have a key.
func (f *File) Has(key string) bool { _, ok := f.values[key]; return ok }

// Text returns a string of the metadata.
func (f *File) Text(key string) (string, bool) {
	v, ok := f.values[key]
	if !ok || v.isArray || v.kind != kindString {
		return "", false
	}
	return strings.ToValidUTF8(string(v.data[8:]), "\ufffd"), true
}

// Integer returns a whole number; of an array of equal ones, as some files give it a
// layer, that number.
func (f *File) Integer(key string) (int64, bool) {
	v, ok := f.values[key]
	if !ok || v.kind == kindString || v.count == 0 {
		return 0, false
	}
	n, ok := v.integerAt(0)
	for i := 1; i < v.count && ok; i++ {
		if other, _ := v.integerAt(i); other != n {
			return 0, false
		}
	}
	return n, ok
}

// Number returns a number.
func (f *File) Number(key string) (float64, bool) {
	v, ok := f.values[key]
	if !ok || v.isArray || v.kind == kindString {
		return 0, false
	}
	return v.floatAt(0)
}

// Flag returns a truth value.
func (f *File) Flag(key string) (is, ok bool) {
	v, ok := f.values[key]
	if !ok || v.isArray || v.kind != kindBool {
		return false, false
	}
	return v.data[0] != 0, true
}

// Texts returns an array of strings.
func (f *File) Texts(key string) ([]string, error) {
	v, ok := f.values[key]
	if !ok || !v.isArray || v.kind != kindString {
		return nil, fmt.Errorf("%s: %s is not a list of strings", f.Path, key)
	}
	all := make([]string, 0, v.count)
	for at := 0; len(all) < v.count; {
		n := int(binary.LittleEndian.Uint64(v.data[at:]))
		text := string(v.data[at+8 : at+8+n])
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%s: %s[%d], %q, is not UTF-8", f.Path, key, len(all), text)
		}
		all = append(all, text)
		at += 8 + n
	}
	return all, nil
}

// Numbers returns an array of numbers.
func (f *File) Numbers(key string) ([]float64, error) {
	v, ok := f.values[key]
	if !ok || !v.isArray || v.kind == kindString {
		return nil, fmt.Errorf("%s: %s is not a list of numbers", f.Path, key)
	}
	all := make([]float64, v.count)
	for i := range all {
		all[i], _ = v.floatAt(i)
	}
	return all, nil
}
