package data

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Small files that unpack to very much are refused in a line, in a process of far less than a gigabyte.
func TestBombs(t *testing.T) {
	want := map[string]string{
		"choices.parquet":      "it would have 20000000 values; at most 16777216 of a page are read",
		"more_choices.parquet": "the row has more than 1048576 values",
		"dictionary.parquet":   "", // rows of less than the bound; their prompts are bounded in tasks
		"text.parquet":         "bytes of memory",
		"line.jsonl.gz":        ":1: one document is more than 64 MiB",
		"deep.jsonl.gz":        "more than 500 deep",
		"values.jsonl.gz":      "the document has more than 1048576 values",
		"array.json.gz":        "one document is more than 64 MiB",
		"text.txt.gz":          "more than 128 MiB are too much for one document",
		"table.csv.gz":         ":2: one document is more than 64 MiB",
		"blank.jsonl.gz":       "MiB of the file are blank",
	}
	files := unzip(t, "testdata/bombs.zip")
	if len(files) != len(want) {
		t.Fatalf("%d files, %d errors", len(files), len(want))
	}
	for name, b := range files {
		dir := t.TempDir()
		write(t, filepath.Join(dir, name), b)
		d := Dataset{Base: dir, Files: map[string][]string{"test": {name}}}
		rows := 0
		runtime.GC() // what earlier files took is not this one's
		_, err := Source{}.Read(t.Context(), d, []string{"test"}, 0, func(Row) error { rows++; return nil })
		if want[name] == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want[name]) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d rows, %v; want %q", name, rows, err, want[name])
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.Sys > 900<<20 {
			t.Errorf("%s: the process took %d MiB so far", name, m.Sys>>20)
		}
	}
}

// Whatever a file is made of, reading ends soon after the context does: here while one document that
// is never handed out is read.
func TestReadingHearsTheContext(t *testing.T) {
	for name, b := range unzip(t, "testdata/bombs.zip") {
		dir := t.TempDir()
		write(t, filepath.Join(dir, name), b)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := readFile(ctx, filepath.Join(dir, name), "test", func(Row) error { t.Errorf("%s: a row", name); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		late, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = readFile(late, filepath.Join(dir, name), "test", func(Row) error { return nil })
		cancel()
		if err == nil && name != "dictionary.parquet" && name != "blank.jsonl.gz" {
			t.Errorf("%s: read", name)
		}
	}
}

// A file that changes between its hash and its use is found, whatever its size and time say.
func TestChangedWhileRead(t *testing.T) {
	large := make([]byte, 3*hashBlock)
	f := &memory{large}
	h, err := hashFile(t.Context(), f, int64(len(large)))
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if _, err := h.ReadAt(p, hashBlock-5); err != nil {
		t.Fatal(err)
	}
	large[2*hashBlock+7] = 1
	if _, err := h.ReadAt(p, 2*hashBlock+100); !errors.Is(err, errChanged) {
		t.Errorf("a changed block is read: %v", err)
	}
	f.b = large[:len(large)-1]
	if _, err := h.ReadAt(p, 0); err != nil {
		t.Error(err)
	}
	if _, err := h.ReadAt(p, int64(len(large))-10); !errors.Is(err, errChanged) {
		t.Errorf("a file cut off is read: %v", err)
	}
	lines := filepath.Join(t.TempDir(), "f.jsonl")
	write(t, lines, []byte("{\"a\":1}\n{\"a\":2}\n"))
	_, err = readFile(t.Context(), lines, "test", func(r Row) error {
		if r.Line > 1 {
			return nil
		}
		return os.Rename(lines, lines+".was")
	})
	if !errors.Is(err, errChanged) {
		t.Errorf("a file that was replaced: %v", err)
	}
}

type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, at int64) (int, error) {
	n := copy(p, m.b[min(at, int64(len(m.b))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
