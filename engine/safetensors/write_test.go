package safetensors

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func samples() []Entry {
	return []Entry{
		Float32("b.weight", BF16, []int{2, 2}, []float32{1, -2, 3, 0.5}),
		Float32("a.weight", F32, []int{3}, []float32{1, 2, 3}),
		Float32("odd", F16, []int{1}, []float32{-1.5}),
		{Name: "bytes", DType: "U8", Shape: []int{3}, Data: []byte("xyz")},
		{Name: "scalar", DType: F32, Data: []byte{0, 0, 128, 63}},
		{Name: "none", DType: F32, Shape: []int{0, 4}},
		{Name: `quote"\<é`, DType: "I64", Shape: []int{1}, Stream: func(w io.Writer) error {
			for range 8 {
				if _, err := w.Write([]byte{7}); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(path, samples(), map[string]string{"format": "pt", "k": "v"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]string{"format": "pt", "k": "v"}; !reflect.DeepEqual(f.Metadata, want) {
		t.Errorf("metadata %v, want %v", f.Metadata, want)
	}
	if len(f.Tensors()) != len(samples()) {
		t.Errorf("%d tensors, want %d", len(f.Tensors()), len(samples()))
	}
	for _, e := range samples() {
		if e.Stream != nil {
			e.Data = bytes.Repeat([]byte{7}, 8)
		}
		got := f.Tensor(e.Name)
		if got == nil || got.DType != e.DType || !slices.Equal(got.Shape, e.Shape) || !bytes.Equal(got.Data, e.Data) {
			t.Errorf("%q: got %+v, want %+v", e.Name, got, e)
		}
		if width := got.DType.Bits() / 8; got.offset%width != 0 {
			t.Errorf("%q lies at %d, not aligned to %d", e.Name, got.offset, width)
		}
	}
}

// Equal tensors must give equal files whatever order they come in: a checkpoint's
// hash by file would otherwise change for nothing.
func TestBytesDoNotDependOnOrder(t *testing.T) {
	dir := t.TempDir()
	forward, backward := filepath.Join(dir, "f"), filepath.Join(dir, "b")
	reversed := samples()
	slices.Reverse(reversed)
	if err := errors.Join(Write(forward, samples(), nil), Write(backward, reversed, nil)); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(forward)
	b, _ := os.ReadFile(backward)
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the files differ")
	}
}

// What the reference implementation (safetensors 0.8.0 for Python) wrote for
// x = int16 [1, 2] and w = bfloat16 [[1, -2]] with metadata {"format": "pt"}.
func TestReferenceFile(t *testing.T) {
	const text = "kAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJ3Ijp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMSwyXSwiZGF0YV9vZmZzZXRzIjpbMCw0XX0sIngiOnsiZHR5cGUiOiJJMTYiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls0LDhdfX0gICCAPwDAAQACAA=="
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(write(t, "x.safetensors", b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := f.Tensor("w")
	if f.Metadata["format"] != "pt" || w == nil || !slices.Equal(w.F32(), []float32{1, -2}) || !slices.Equal(w.Shape, []int{1, 2}) {
		t.Errorf("w is %+v, metadata %v", w, f.Metadata)
	}
	if x := f.Tensor("x"); x == nil || x.DType != "I16" || !bytes.Equal(x.Data, []byte{1, 0, 2, 0}) {
		t.Errorf("x is %+v", x)
	}
}

// A failed write must leave the old file as it was and nothing beside it.
func TestFailedWrite(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		entries []Entry
		part    string
	}{
		"stream fails":    {[]Entry{{Name: "a", DType: F32, Shape: []int{2}, Stream: func(io.Writer) error { return broken }}}, "broken"},
		"stream is short": {[]Entry{{Name: "a", DType: F32, Shape: []int{2}, Stream: func(w io.Writer) error { _, err := w.Write([]byte("four")); return err }}}, `tensor "a": 4 bytes for shape [2] of F32, want 8`},
		"data is long":    {[]Entry{{Name: "a", DType: F32, Shape: []int{1}, Data: make([]byte, 5)}}, "5 bytes"},
		"two of a name":   {[]Entry{{Name: "a", DType: "U8"}, {Name: "a", DType: "U8"}}, `two tensors named "a"`},
		"reserved name":   {[]Entry{{Name: "__metadata__", DType: "U8", Shape: []int{0}}}, "two tensors named"},
		"unknown type":    {[]Entry{{Name: "a", DType: "F33"}}, "cannot store"},
		"negative shape":  {[]Entry{{Name: "a", DType: F32, Shape: []int{-1}}}, "cannot store"},
		"bad name":        {[]Entry{{Name: "\xff", DType: F32, Shape: []int{0}}}, "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "x.safetensors", []byte("old"))
			err := Write(path, c.entries, nil)
			wantError(t, err, path, c.part)
			if b, _ := os.ReadFile(path); string(b) != "old" {
				t.Errorf("the old file now holds %q", b)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
				t.Errorf("files left behind: %v", left)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "no", "such", "x.safetensors")
	wantError(t, Write(path, nil, nil), path, "no such file")
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	if err := WriteShards(dir, samples(), nil, 12); err != nil {
		t.Fatal(err)
	}
	s, err := OpenSet(filepath.Join(dir, "model.safetensors.index.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Files) < 3 || len(s.Names()) != len(samples()) || !slices.IsSorted(s.Names()) {
		t.Errorf("%d shards with %v", len(s.Files), s.Names())
	}
	for _, f := range s.Files {
		data := 0
		for _, x := range f.Tensors() {
			data += len(x.Data)
			if s.FileOf(x) != f.Path {
				t.Errorf("FileOf(%q) = %s, want %s", x.Name, s.FileOf(x), f.Path)
			}
		}
		if data > 12 {
			t.Errorf("%s holds %d bytes, want at most 12", f.Path, data)
		}
	}
	if x := s.Tensor("a.weight"); x == nil || !slices.Equal(x.F32(), []float32{1, 2, 3}) {
		t.Errorf("a.weight is %+v", x)
	}

	one := t.TempDir()
	if err := WriteShards(one, samples(), nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(one, "model.safetensors")); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func TestRefusedIndexes(t *testing.T) {
	for name, c := range map[string]struct{ index, part string }{
		"garbled":          {`{"weight_map":`, "unexpected end of JSON"},
		"not an object":    {`[]`, "not a JSON object"},
		"no weight_map":    {`{"metadata":{}}`, "no weight_map"},
		"empty weight_map": {`{"weight_map":{}}`, "no weight_map"},
		"not text":         {`{"weight_map":{"a":1}}`, "not a string"},
		"parent":           {`{"weight_map":{"a":"../s.safetensors"}}`, "not a .safetensors file below"},
		"absolute":         {`{"weight_map":{"a":"/s.safetensors"}}`, "not a .safetensors file below"},
		"hidden parent":    {`{"weight_map":{"a":"x/../../s.safetensors"}}`, "not a .safetensors file below"},
		"backslash":        {`{"weight_map":{"a":"..\\s.safetensors"}}`, "not a .safetensors file below"},
		"line break":       {`{"weight_map":{"a":"s\n.safetensors"}}`, "not a .safetensors file below"},
		"other file":       {`{"weight_map":{"a":"pytorch_model.bin"}}`, "not a .safetensors file below"},
		"twice":            {`{"weight_map":{"a":"s.safetensors","a":"s.safetensors"}}`, "appears twice"},
		"more text":        {`{"weight_map":{"a":"s.safetensors"}} x`, "goes on"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Write(filepath.Join(dir, "s.safetensors"), []Entry{{Name: "a", DType: "U8", Shape: []int{0}}, {Name: "b", DType: "U8", Shape: []int{0}}}, nil); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "model.safetensors.index.json")
			if err := os.WriteFile(path, []byte(c.index), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := OpenSet(path)
			wantError(t, err, path, c.part)
		})
	}
}

// An index that says other than its shards is read as transformers does: the
// shards that it names, whole.
func TestLooseIndexes(t *testing.T) {
	dir := t.TempDir()
	index := filepath.Join(dir, "model.safetensors.index.json")
	open := func(text string) (*Set, error) {
		if err := os.WriteFile(index, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return OpenSet(index)
	}
	for shard, a := range map[string]byte{"s": 1, "u": 1, "v": 2} {
		if err := Write(filepath.Join(dir, shard+".safetensors"), []Entry{{Name: "a", DType: "U8", Shape: []int{1}, Data: []byte{a}}, {Name: shard, DType: "U8", Shape: []int{0}}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ index, names, note string }{
		{`{"weight_map":{"a":"s.safetensors","s":"s.safetensors"}}`, "a s", ""},
		{`{"weight_map":{"a":"s.safetensors"}}`, "a s", `1 tensors (such as "s") are in the shards though`},
		{`{"weight_map":{"a":"s.safetensors","s":"s.safetensors","c":"s.safetensors"}}`, "a s", `1 tensors (such as "c") are named by the index but in none`},
		{`{"weight_map":{"a":"s.safetensors","s":"s.safetensors","u":"u.safetensors"}}`, "a s u", `1 tensors (such as "a") are in two shards, with the same contents`},
		{`{"weight_map":{"s":"u.safetensors","u":"s.safetensors","a":"s.safetensors"}}`, "a s u", `2 tensors (such as "s") are in another shard`},
	} {
		s, err := open(c.index)
		if err != nil {
			t.Errorf("%s: %v", c.index, err)
			continue
		}
		if got := strings.Join(s.Names(), " "); got != c.names || !strings.Contains(strings.Join(s.Notes, "; "), c.note) || len(s.Notes) > 0 != (c.note != "") {
			t.Errorf("%s: %s with notes %q, want %s and %q", c.index, got, s.Notes, c.names, c.note)
		}
		s.Close()
	}
	_, err := open(`{"weight_map":{"a":"t.safetensors"}}`)
	wantError(t, err, filepath.Join(dir, "t.safetensors"), "names this shard; download it")
	_, err = open(`{"weight_map":{"a":"s.safetensors","v":"v.safetensors"}}`)
	wantError(t, err, filepath.Join(dir, "v.safetensors"), `tensor "a" is in `+filepath.Join(dir, "s.safetensors")+" too, with other contents")
}

// Dropped pages must read the same afterwards, and be gone from memory in
// between: a leak here would keep two copies of every packed weight.
func TestDrop(t *testing.T) {
	const size = 32 << 20
	path := filepath.Join(t.TempDir(), "x.safetensors")
	fill := bytes.Repeat([]byte{3}, size)
	if err := Write(path, []Entry{{Name: "a", DType: "U8", Shape: []int{size}, Data: fill}}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := f.Tensor("a")
	if !bytes.Equal(x.Data, fill) {
		t.Fatal("wrong data")
	}
	before := fileResident(t)
	Drop(x)
	after := fileResident(t)
	if !bytes.Equal(x.Data, fill) {
		t.Error("wrong data after Drop")
	}
	Drop(&Tensor{DType: "U8", Shape: []int{3}, Data: []byte("abc")}) // ordinary memory stays
	if before < size {
		t.Skipf("this system does not tell resident file pages (%d bytes for %d mapped)", before, size)
	}
	if before-after < size*3/4 {
		t.Errorf("resident file pages went from %d to %d bytes, want %d less", before, after, size)
	}
}

// fileResident is the resident memory that files back, in bytes; 0 where the
// system does not say.
func fileResident(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssFile:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	return 0
}
