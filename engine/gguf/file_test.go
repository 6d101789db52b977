package gguf_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/internal/golden"
)

// builder writes a GGUF file.
type builder struct{ b []byte }

func (w *builder) u32(n uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, n) }
func (w *builder) u64(n uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, n) }
func (w *builder) text(s string) {
	w.u64(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *builder) head(version uint32, tensors, keys uint64) {
	w.b = append(w.b, "GGUF"...)
	w.u32(version)
	w.u64(tensors)
	w.u64(keys)
}

func (w *builder) tensor(name string, kind uint32, offset uint64, dims ...uint64) {
	w.text(name)
	w.u32(uint32(len(dims)))
	for _, d := range dims {
		w.u64(d)
	}
	w.u32(kind)
	w.u64(offset)
}

// data pads and appends n bytes.
func (w *builder) data(n int) {
	for len(w.b)%32 != 0 {
		w.b = append(w.b, 0)
	}
	w.b = append(w.b, make([]byte, n)...)
}

func (w *builder) write(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, w.b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Files that are broken, or claim what their size does not hold, are refused with
// one line that says where.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make func(w *builder)
		part string
	}{
		"empty":              {func(*builder) {}, "does not begin with GGUF"},
		"another format":     {func(w *builder) { w.b = append(w.b, "PK\x03\x04 and more than 24 bytes of it"...) }, "does not begin with GGUF"},
		"version 1":          {func(w *builder) { w.head(1, 0, 0) }, "version 1"},
		"big-endian":         {func(w *builder) { w.head(3<<24, 0, 0) }, "big-endian"},
		"many keys":          {func(w *builder) { w.head(3, 0, 1<<60) }, "keys"},
		"many tensors":       {func(w *builder) { w.head(3, 1<<60, 0) }, "tensors"},
		"cut in the keys":    {func(w *builder) { w.head(3, 0, 1) }, "cut off"},
		"long key":           {func(w *builder) { w.head(3, 0, 1); w.u64(1 << 62) }, "key of"},
		"key twice":          {func(w *builder) { w.head(3, 0, 2); w.flag("a"); w.flag("a") }, `key "a" appears twice`},
		"unknown value":      {func(w *builder) { w.head(3, 0, 1); w.text("a"); w.u32(99) }, "value type 99"},
		"arrays of arrays":   {func(w *builder) { w.head(3, 0, 1); w.text("a"); w.u32(9); w.u32(9); w.u64(1) }, "array of arrays"},
		"array of a billion": {func(w *builder) { w.head(3, 0, 1); w.text("a"); w.u32(9); w.u32(8); w.u64(1 << 50) }, "cut off"},
		"alignment":          {func(w *builder) { w.head(3, 0, 1); w.text("general.alignment"); w.u32(4); w.u32(24) }, "power of two"},
		"no dimensions":      {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 0) }, "0 dimensions"},
		"nine dimensions":    {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1) }, "9 dimensions"},
		"a dimension of 0":   {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 0, 4, 0) }, "a dimension of 0"},
		"huge dimensions":    {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 0, 1<<31-1, 1<<31-1, 1<<31-1) }, "a dimension of"},
		"odd row":            {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 2, 0, 33) }, "whole blocks of 32"},
		"unread type":        {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 16, 0, 256); w.data(99) }, "type IQ2_XXS is not read"},
		"unknown type":       {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 77, 0, 256) }, "type 77"},
		"beyond the file":    {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 0, 64); w.data(64) }, "cut off"},
		"offset overflows":   {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 1<<64-32, 8); w.data(64) }, "cut off"},
		"odd offset":         {func(w *builder) { w.head(3, 1, 0); w.tensor("x", 0, 8, 8); w.data(64) }, "multiple of 32"},
		"two of a name":      {func(w *builder) { w.head(3, 2, 0); w.tensor("x", 0, 0, 8); w.tensor("x", 0, 32, 8); w.data(64) }, `named "x"`},
		"overlapping":        {func(w *builder) { w.head(3, 2, 0); w.tensor("x", 0, 0, 16); w.tensor("y", 0, 32, 8); w.data(64) }, "inside another"},
	} {
		t.Run(name, func(t *testing.T) {
			var w builder
			c.make(&w)
			path := w.write(t, "x.gguf")
			f, err := Open(path)
			if err == nil {
				f.Close()
				t.Fatalf("opened, want an error with %q", c.part)
			}
			if text := err.Error(); !strings.HasPrefix(text, path+": ") || !strings.Contains(text, c.part) || strings.Contains(text, "\n") {
				t.Errorf("error %q: want one line that begins with the path and has %q", text, c.part)
			}
		})
	}
}

func (w *builder) flag(key string) {
	w.text(key)
	w.u32(7)
	w.b = append(w.b, 1)
}

func (w *builder) short(key string, n uint16) {
	w.text(key)
	w.u32(2)
	w.b = binary.LittleEndian.AppendUint16(w.b, n)
}

// A file in parts is read from any of them, and parts that are absent or of another
// file are named.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	part := func(no int, count uint16, tensor string) string {
		var w builder
		w.head(3, 1, 2)
		w.short("split.no", uint16(no))
		w.short("split.count", count)
		w.tensor(tensor, 0, 0, 8)
		w.data(32)
		path := filepath.Join(dir, "m-0000"+string(rune('1'+no))+"-of-00002.gguf")
		if err := os.WriteFile(path, w.b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := part(0, 2, "a")
	refused := func(part string) {
		t.Helper()
		if f, err := Open(first); err == nil {
			f.Close()
			t.Errorf("opened, want an error with %q", part)
		} else if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q: want %q", err, part)
		}
	}
	refused("download it")
	second := part(1, 2, "b")
	for _, path := range []string{first, second} {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, x := range f.Tensors {
			names = append(names, x.Name)
		}
		if !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("%s: tensors %q", path, names)
		}
		f.Close()
	}
	part(1, 2, "a")
	refused("in another part too")
	part(0, 3, "a")
	refused("by its metadata one of 3")
}

// No file, however made, ends in anything but a File or an error.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"llama", "gpt-oss", "blocks"} {
		data, err := os.ReadFile(golden.Dir(f, "formats", "gguf", name+".gguf"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.gguf")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := Open(path)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %q", err)
			}
			return
		}
		defer g.Close()
		for _, x := range g.Tensors {
			if x.Elements() < 1<<20 {
				x.F32()
			}
		}
	})
}
