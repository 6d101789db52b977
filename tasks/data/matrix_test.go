package data

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// matrix is testdata/matrix.zip's files by name.
func matrix(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, b := range unzip(t, "testdata/matrix.zip") {
		files[strings.TrimSuffix(name, ".parquet")] = b
	}
	return files
}

func unzip(t testing.TB, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = b
	}
	return files
}

func digestOf(b []byte) (rows int, sum string, err error) {
	h := sha256.New()
	err = readParquet(context.Background(), bytes.NewReader(b), int64(len(b)), "f.parquet", func(row int, v map[string]any) error {
		rows = row
		h.Write(append(Canonical(v), '\n'))
		return nil
	})
	return rows, hex.EncodeToString(h.Sum(nil)), err
}

// Every codec, encoding, page version and type that pyarrow, DuckDB and Polars write reads as the
// rows that were written. A page taken for another, a null too many or an option not known would
// be another digest.
func TestParquetMatrix(t *testing.T) {
	text, err := os.ReadFile("testdata/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Rows   int
		SHA256 string
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	files := matrix(t)
	if len(files) != len(want) || len(files) < 150 {
		t.Fatalf("%d files and %d digests", len(files), len(want))
	}
	for name, w := range want {
		rows, sum, err := digestOf(files[name])
		if err != nil || rows != w.Rows || sum != w.SHA256 {
			t.Errorf("%s: %d rows of %d, digest %.12s, want %.12s: %v", name, rows, w.Rows, sum, w.SHA256, err)
		}
	}
}

// The files that the library read wrongly: LZ4 pages as empty texts, booleans in RLE as false, and
// pages of empty lists not at all.
func TestSharedParquetCases(t *testing.T) {
	dir := golden.Shared(t, "cases/parquet")
	for _, name := range []string{"lz4", "rle_boolean", "empty_lists"} {
		if got, want := hashes(t, filepath.Join(dir, name+".parquet")), hashes(t, filepath.Join(dir, name+".jsonl")); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %d documents are not the %d that were written", name, len(got), len(want))
		}
	}
}
