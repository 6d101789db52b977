package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// File is one file that was read, for the run's manifest.
type File struct {
	Path   string `json:"path"`   // as opened
	SHA256 string `json:"sha256"` // of its bytes, lower-case hexadecimal
	Bytes  int64  `json:"bytes"`
	Rows   int    `json:"rows"`  // documents taken from it (fewer than it holds under a limit)
	Split  string `json:"split"` // "test", "validation", "train"
}

// maxText bounds a .txt file, which is one document held whole.
const maxText = 1 << 30

// readFile reads the rows of one file, whatever its format, and hashes all of it: also what a limit
// leaves unread. each may return errStop.
func readFile(ctx context.Context, path, split string, each func(Row) error) (File, error) {
	out := File{Path: path, Split: split}
	f, err := os.Open(path)
	if err != nil {
		return out, openError(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return out, err
	}
	if info.IsDir() {
		return out, fmt.Errorf("%s: is a directory, not a data file", path)
	}
	h := sha256.New()
	row := func(line int, values map[string]any) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(Row{Values: values, File: path, Line: line}); err != nil {
			return err
		}
		out.Rows++
		return nil
	}
	switch ext := filepath.Ext(path); ext {
	case ".parquet":
		err = readParquet(f, info.Size(), path, row)
		if err == nil || errors.Is(err, errStop) {
			if _, serr := f.Seek(0, io.SeekStart); serr != nil {
				return out, serr
			}
		}
	case ".txt", ".text", ".md":
		err = readText(io.TeeReader(f, h), path, info.Size(), row)
	case ".jsonl", ".json", ".ndjson":
		err = readJSONL(io.TeeReader(f, h), path, row)
	default:
		return out, fmt.Errorf("%s: %q is no data format softbench reads; use .jsonl, .parquet or .txt", path, ext)
	}
	stopped := errors.Is(err, errStop)
	if err != nil && !stopped {
		return out, err
	}
	// What is left, all of it for Parquet: the hash is of the whole file.
	if _, err := io.Copy(h, f); err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	out.Bytes, out.SHA256 = info.Size(), hex.EncodeToString(h.Sum(nil))
	if stopped {
		return out, errStop
	}
	return out, nil
}

// readText takes a whole text file as one document with the column "text".
func readText(r io.Reader, name string, size int64, each func(line int, values map[string]any) error) error {
	if size > maxText {
		return fmt.Errorf("%s: %d bytes are too many for one document; split it, or use JSON lines", name, size)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%s: not valid UTF-8 text", name)
	}
	return each(1, map[string]any{"text": string(b)})
}

func openError(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", path, pe.Err)
	}
	return err
}
