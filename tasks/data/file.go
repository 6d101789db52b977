package data

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"compress/gzip"

	"github.com/klauspost/compress/zstd"

	"github.com/softbench/softbench/internal/regularfile"
)

// File is one file that was read, for the run's manifest.
type File struct {
	Path   string `json:"path"`   // as opened
	SHA256 string `json:"sha256"` // of its bytes, lower-case hexadecimal
	Bytes  int64  `json:"bytes"`
	Rows   int    `json:"rows"`  // documents taken from it (fewer than it holds under a limit)
	Split  string `json:"split"` // "test", "validation", "train"
}

// maxText bounds a text file, which is one document held whole.
const maxText = 128 << 20

// maxWindow bounds what Zstandard keeps of what it wrote: the most its own command uses unasked.
const maxWindow = 128 << 20

// formats are how a file's content is read, by the ending of its name, less one of a compression.
var formats = map[string]func(r io.Reader, name string, each func(line int, values map[string]any) error) error{
	".jsonl":  readJSON,
	".ndjson": readJSON,
	".json":   readJSON,
	".csv": func(r io.Reader, name string, each func(int, map[string]any) error) error {
		return readTable(r, name, ',', each)
	},
	".tsv": func(r io.Reader, name string, each func(int, map[string]any) error) error {
		return readTable(r, name, '\t', each)
	},
	".txt":  readText,
	".text": readText,
	".md":   readText,
}

// format is the ending of a data file's name, in two parts: "x.jsonl.gz" is of ".jsonl" and ".gz".
func format(path string) (content, packed string) {
	path = strings.ToLower(path)
	ext := filepath.Ext(path)
	if ext == ".gz" || ext == ".zst" {
		return filepath.Ext(strings.TrimSuffix(path, ext)), ext
	}
	return ext, ""
}

// readFile reads the rows of one file, whatever its format, and hashes all of it: also what a limit
// leaves unread. What is hashed is what is read. each may return errStop.
func readFile(ctx context.Context, path, split string, each func(Row) error) (File, error) {
	out := File{Path: path, Split: split}
	f, err := regularfile.Open(path)
	if err != nil {
		return out, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return out, err
	}
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
	content, packed := format(path)
	switch read := formats[content]; {
	case content == ".parquet" && packed == "":
		out.Bytes = info.Size()
		out.SHA256, err = readHashed(ctx, f, info.Size(), path, row)
	case read != nil:
		out.Bytes, out.SHA256, err = readStream(ctx, f, packed, path, read, row)
	case content+packed == "":
		return out, fmt.Errorf("%s: its name has no ending that tells its format, such as .jsonl, .csv, .parquet or .txt", path)
	default:
		return out, fmt.Errorf("%s: %s files are not read; use .jsonl, .json, .csv or .tsv (also .gz or .zst of these), .parquet or .txt", path, content+packed)
	}
	if err != nil && !errors.Is(err, errStop) {
		return out, err
	}
	if now, serr := os.Stat(path); serr != nil || !os.SameFile(now, info) || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		return out, fmt.Errorf("%s: %w", path, errChanged)
	}
	return out, err
}

// readHashed reads a file of a format that is read out of order.
func readHashed(ctx context.Context, f io.ReaderAt, size int64, path string, row func(int, map[string]any) error) (sum string, err error) {
	h, err := hashFile(ctx, f, size)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return h.sum, readParquet(ctx, h, size, path, row)
}

// readStream reads a file of a format that is read in order, unpacked where it is packed.
func readStream(ctx context.Context, f io.Reader, packed, path string,
	read func(io.Reader, string, func(int, map[string]any) error) error, row func(int, map[string]any) error) (size int64, sum string, err error) {
	h := sha256.New()
	count := &counter{r: io.TeeReader(regularfile.Reader(ctx, f), h)}
	unpacked, closing, err := unpack(count, packed)
	if err == nil {
		err = read(unpacked, path, row)
		closing()
	} else {
		err = fmt.Errorf("%s: %w", path, err)
	}
	if err != nil && !errors.Is(err, errStop) {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return 0, "", err
	}
	if _, err := io.Copy(io.Discard, count); err != nil { // what a limit left: the hash is of the whole file
		return 0, "", fmt.Errorf("%s: %w", path, err)
	}
	return count.n, hex.EncodeToString(h.Sum(nil)), err
}

// unpack undoes the compression that a name's ending tells.
func unpack(r io.Reader, packed string) (unpacked io.Reader, closing func(), err error) {
	switch packed {
	case ".gz":
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
		if err != nil {
			return nil, nil, fmt.Errorf("not gzip data: %w", err)
		}
		return &packedReader{z, "gzip"}, func() { _ = z.Close() }, nil
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("not Zstandard data: %w", err)
		}
		return &packedReader{z, "Zstandard"}, z.Close, nil
	}
	return r, func() {}, nil
}

// packedReader says of what its errors are.
type packedReader struct {
	r    io.Reader
	name string
}

func (p *packedReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("its %s data is damaged or cut off: %w", p.name, err)
	}
	return n, err
}

// counter counts what was read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// readText takes a whole text file as one document with the column "text".
func readText(r io.Reader, name string, each func(line int, values map[string]any) error) error {
	b, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(b) > maxText {
		return fmt.Errorf("%s: more than %d MiB are too much for one document; split it, or use JSON lines", name, maxText>>20)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("%s: not valid UTF-8 text", name)
	}
	return each(1, map[string]any{"text": string(b)})
}
