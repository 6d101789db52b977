package safetensors

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// image is a file with the given header text and so many zero data bytes.
func image(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, data)...)
}

// write puts bytes in a file of the test's own.
func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError checks that err is one line, names the file and says what is wrong.
func wantError(t *testing.T, err error, path, part string) {
	t.Helper()
	switch {
	case err == nil:
		t.Fatalf("no error, want one about %q", part)
	case !strings.Contains(err.Error(), part) || !strings.HasPrefix(err.Error(), path+": "):
		t.Fatalf("error %q, want %q after %q", err, part, path)
	case strings.ContainsAny(err.Error(), "\n\r"):
		t.Fatalf("error %q is not one line", err)
	}
}

func TestRefusedFiles(t *testing.T) {
	const one = `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	long := binary.LittleEndian.AppendUint64(nil, MaxHeader+1)
	cases := []struct {
		name, part string
		file       []byte
	}{
		{"empty", "0 bytes, too few", nil},
		{"seven bytes", "7 bytes, too few", make([]byte, 7)},
		{"header over the limit", "more than the limit of 100000000", append(long, make([]byte, 64)...)},
		{"header length with the top bit", "more than the limit", binary.LittleEndian.AppendUint64(nil, 1<<63)},
		{"header beyond the file", "only 10 follow: the file is truncated", append(binary.LittleEndian.AppendUint64(nil, 100), make([]byte, 10)...)},
		{"no header", "not a JSON object", image("", 0)},
		{"an array", "not a JSON object", image("[]", 0)},
		{"leading space", "not a JSON object", image(" {}", 0)},
		{"not UTF-8", "not UTF-8", image("{\"\xff\":1}", 0)},
		{"cut off JSON", "unexpected end of JSON", image(one[:30], 8)},
		{"garbled JSON", "byte", image(`{"a":{"dtype":"F32",,}}`, 8)},
		{"text after the object", "goes on after its JSON object", image(one+"x", 8)},
		{"two objects", "goes on after its JSON object", image(one+"{}", 8)},
		{"repeated tensor", `"a" appears twice`, image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16)},
		{"repeated key", `"shape" appears twice`, image(`{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}`, 8)},
		{"repeated metadata", `"x" appears twice`, image(`{"__metadata__":{"x":"1","x":"2"}}`, 0)},
		{"metadata not text", "not a string", image(`{"__metadata__":{"x":1}}`, 0)},
		{"tensor not an object", "not a JSON object", image(`{"a":3}`, 0)},
		{"key in another case", "no dtype", image(`{"a":{"DTYPE":"F32","shape":[2],"data_offsets":[0,8]}}`, 8)},
		{"no shape", "no shape", image(`{"a":{"dtype":"F32","data_offsets":[0,8]}}`, 8)},
		{"no offsets", "no data_offsets", image(`{"a":{"dtype":"F32","shape":[2]}}`, 8)},
		{"unknown dtype", `unknown dtype "F33"`, image(`{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}`, 8)},
		{"dtype not text", "not a string", image(`{"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}}`, 8)},
		{"shape not a list", "not a JSON array", image(`{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}`, 8)},
		{"negative dimension", "-2 is not a non-negative integer", image(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8)},
		{"fractional dimension", "2.5 is not a non-negative integer", image(`{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}`, 8)},
		{"huge dimension", "too large", image(`{"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}}`, 8)},
		{"overflowing product", "not a whole number of bytes that a file can hold", image(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}}`, 8)},
		{"product that wraps to the span", "not a whole number", image(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0)},
		{"half a byte", "not a whole number", image(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 1)},
		{"one offset", "has 1 numbers", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}`, 8)},
		{"three offsets", "has 3 numbers", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}`, 8)},
		{"offsets backwards", "run backwards", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8)},
		{"span too short", "needs 8 bytes, data_offsets [0, 4] span 4", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4)},
		{"truncated data", `tensor "a": data_offsets [0, 8] end after the file's 7 data bytes`, image(one, 7)},
		{"bytes of no tensor", "end at data byte 8 of 9", image(one, 9)},
		{"no tensors but data", "end at data byte 0 of 4", image("{}", 4)},
		{"does not start at zero", "leave a hole after byte 0", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12)},
		{"hole", `tensor "b": data_offsets [12, 20] leave a hole after byte 8`, image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}`, 20)},
		{"overlap", `tensor "b": data_offsets [4, 12] overlap tensor "a"`, image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12)},
		{"same bytes twice", "overlap", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8)},
		{"a name with a line break", `tensor "a\nb": unknown dtype`, image(`{"a\nb":{"dtype":"?","shape":[2],"data_offsets":[0,8]}}`, 8)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, "x.safetensors", c.file)
			_, err := Open(path)
			wantError(t, err, path, c.part)
		})
	}
}

func TestAcceptedFiles(t *testing.T) {
	for name, file := range map[string][]byte{
		"no tensors":          image("{}", 0),
		"padding":             image("{}      ", 0),
		"metadata null":       image(`{"__metadata__":null}`, 0),
		"metadata only":       image(`{"__metadata__":{"format":"pt"}}`, 0),
		"scalar":              image(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
		"empty tensor":        image(`{"a":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]}}`, 0),
		"empty between":       image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},"c":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}`, 5),
		"names out of order":  image(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2),
		"key of the future":   image(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":{"x":[1]}}}`, 1),
		"a type of no use":    image(`{"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]}}`, 3),
		"packed to full byte": image(`{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}`, 2),
	} {
		f, err := Open(write(t, "x.safetensors", file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, x := range f.Tensors() {
			if got := f.Tensor(x.Name); got != x {
				t.Errorf("%s: Tensor(%q) = %v", name, x.Name, got)
			}
		}
		if f.Tensor("none") != nil {
			t.Errorf("%s: found a tensor that is not there", name)
		}
		f.Close()
	}
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	wantError(t, err, dir, "not a file")
	path := filepath.Join(dir, "none.safetensors")
	_, err = Open(path)
	wantError(t, err, path, "no such file")
}

// A file of every awkward kind must be refused or give tensors that lie inside
// it, one after another.
func FuzzHeader(f *testing.F) {
	f.Add(image("{}", 0))
	f.Add(image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(image(`{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[2,6]},"b":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, 6))
	f.Add(image(`{"a":{"dtype":"F4","shape":[4294967296,4294967296],"data_offsets":[0,18446744073709551615]}}`, 3))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, '{'})
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := newFile("x", &mapping{data: b})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error %q is not one line", err)
			}
			return
		}
		end := 8 + int(binary.LittleEndian.Uint64(b))
		for _, x := range file.Tensors() {
			if x.offset != end || len(x.Data)*8 != x.Elements()*x.DType.Bits() {
				t.Fatalf("tensor %q %s %v has %d bytes at %d, want them at %d", x.Name, x.DType, x.Shape, len(x.Data), x.offset, end)
			}
			end += len(x.Data)
		}
		if end != len(b) {
			t.Fatalf("tensors end at %d of %d", end, len(b))
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":3},"weight_map":{"a":"x.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../x.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"/x.safetensors","b":7}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		shards, err := parseIndex(b)
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Fatalf("error %q is not one line", err)
		}
		for name, shard := range shards {
			if !filepath.IsLocal(shard) || strings.Contains(fmt.Sprintf("%q", shard), `\`) && strings.ContainsFunc(shard, oddInPath) {
				t.Fatalf("%q leads to %q", name, shard)
			}
		}
	})
}
