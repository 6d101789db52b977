package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/atomicfile"
)

// Entry is one tensor to write. Its bytes, little-endian and row-major, are
// Data, or what Stream writes where Data is nil, so that a large tensor need
// never be in memory whole.
type Entry struct {
	Name   string
	DType  DType
	Shape  []int
	Data   []byte
	Stream func(w io.Writer) error
}

// Float32 returns an entry that stores values as elements of type d, rounded to
// nearest even.
func Float32(name string, d DType, shape []int, values []float32) Entry {
	data := make([]byte, len(values)*d.Bits()/8)
	Encode(d, data, values)
	return Entry{Name: name, DType: d, Shape: shape, Data: data}
}

// Write stores the tensors at path. The file appears complete or not at all
// (see WriteFile), and equal entries give equal bytes: wider elements come
// first, so all are aligned, and names are in order among equals.
func Write(path string, entries []Entry, metadata map[string]string) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int {
		if a.DType.Bits() != b.DType.Bits() {
			return b.DType.Bits() - a.DType.Bits()
		}
		return strings.Compare(a.Name, b.Name)
	})
	header, sizes, err := encodeHeader(entries, metadata)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
			return err
		}
		if _, err := w.Write(header); err != nil {
			return err
		}
		for i, e := range entries {
			count := &counter{w: w}
			var err error
			if e.Data == nil && e.Stream != nil {
				err = e.Stream(count)
			} else {
				_, err = count.Write(e.Data)
			}
			if err != nil {
				return err
			}
			if count.n != sizes[i] {
				return fmt.Errorf("tensor %q: %d bytes for shape %v of %s, want %d", e.Name, count.n, e.Shape, e.DType, sizes[i])
			}
		}
		return nil
	})
}

// WriteShards stores the tensors in dir under the hub's names, in shards of at
// most limit data bytes (but at least one tensor) and an index over them. Where
// one shard is enough, or limit is 0, it writes model.safetensors alone.
func WriteShards(dir string, entries []Entry, metadata map[string]string, limit int64) error {
	var shards [][]Entry
	total, room := uint64(0), uint64(0)
	for _, e := range entries {
		size, ok := byteSize(e.DType, e.Shape)
		if !ok {
			return fmt.Errorf("%s: tensor %q: cannot store shape %v of %q", dir, e.Name, e.Shape, e.DType)
		}
		if len(shards) == 0 || limit > 0 && size > room {
			shards = append(shards, nil)
			room = uint64(limit)
		}
		last := len(shards) - 1
		shards[last] = append(shards[last], e)
		total += size
		room -= min(size, room)
	}
	if len(shards) <= 1 {
		return Write(filepath.Join(dir, "model.safetensors"), entries, metadata)
	}
	weightMap := map[string]string{}
	for i, shard := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		for _, e := range shard {
			if _, twice := weightMap[e.Name]; twice {
				return fmt.Errorf("%s: two tensors named %q", dir, e.Name)
			}
			weightMap[e.Name] = name
		}
		if err := Write(filepath.Join(dir, name), shard, metadata); err != nil {
			return err
		}
	}
	index, err := json.MarshalIndent(map[string]any{
		"metadata":   map[string]any{"total_size": total},
		"weight_map": weightMap,
	}, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "model.safetensors.index.json"), func(w io.Writer) error {
		_, err := w.Write(append(index, '\n'))
		return err
	})
}

// encodeHeader returns the padded JSON header and the size of each entry.
func encodeHeader(entries []Entry, metadata map[string]string) ([]byte, []uint64, error) {
	var b bytes.Buffer
	member := func(name string, value any) error {
		separator := byte(',')
		if b.Len() == 0 {
			separator = '{'
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		b.WriteByte(separator)
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
		return nil
	}
	if metadata != nil {
		if err := member(metadataKey, metadata); err != nil {
			return nil, nil, err
		}
	}
	var (
		at    uint64
		sizes []uint64
		seen  = map[string]bool{metadataKey: true}
	)
	for _, e := range entries {
		size, ok := byteSize(e.DType, e.Shape)
		switch {
		case !utf8.ValidString(e.Name):
			return nil, nil, fmt.Errorf("tensor name %q is not UTF-8", e.Name)
		case seen[e.Name]:
			return nil, nil, fmt.Errorf("two tensors named %q", e.Name)
		case !e.DType.Known() || !ok:
			return nil, nil, fmt.Errorf("tensor %q: cannot store shape %v of %q", e.Name, e.Shape, e.DType)
		}
		seen[e.Name] = true
		shape := e.Shape
		if shape == nil {
			shape = []int{} // a scalar: [] and not null
		}
		if err := member(e.Name, struct {
			DType   DType     `json:"dtype"`
			Shape   []int     `json:"shape"`
			Offsets [2]uint64 `json:"data_offsets"`
		}{e.DType, shape, [2]uint64{at, at + size}}); err != nil {
			return nil, nil, err
		}
		at += size
		sizes = append(sizes, size)
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > MaxHeader {
		return nil, nil, fmt.Errorf("the header would have %d bytes, more than the limit of %d", b.Len(), MaxHeader)
	}
	return b.Bytes(), sizes, nil
}

type counter struct {
	w io.Writer
	n uint64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += uint64(n)
	return n, err
}
