package data

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/softbench/softbench/internal/parquetread"
)

// readParquet reads a Parquet file row by row. size is the file's in bytes. A file that is not
// Parquet, is cut off, is damaged or holds what is not read is an error that names it.
func readParquet(ctx context.Context, r io.ReaderAt, size int64, name string, each func(row int, values map[string]any) error) error {
	if err := checkFooter(r, size, name); err != nil {
		return err
	}
	file, err := parquetread.Open(r, size)
	if err != nil {
		return fmt.Errorf("%s: not a readable Parquet file: %w", name, err)
	}
	err = file.Rows(ctx, func(row int64, values map[string]any) error { return each(int(row), values) })
	var damage *parquetread.RowError
	if errors.As(err, &damage) {
		return fmt.Errorf("%s: reading row %d of the Parquet file: %w", name, damage.Row, damage.Err)
	}
	return err
}

// checkFooter looks at the magic bytes and the footer's length, for a word of what is wrong.
func checkFooter(r io.ReaderAt, size int64, name string) error {
	if size < 12 {
		return fmt.Errorf("%s: not a Parquet file: %d bytes are too few for one", name, size)
	}
	var head, tail [8]byte
	if _, err := r.ReadAt(head[:4], 0); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if string(head[:4]) == "PARE" || string(tail[4:]) == "PARE" {
		return fmt.Errorf("%s: the Parquet file is encrypted; write it without encryption", name)
	}
	if string(head[:4]) != "PAR1" {
		return fmt.Errorf("%s: not a Parquet file: it starts with %q, not \"PAR1\"", name, head[:4])
	}
	if string(tail[4:]) != "PAR1" {
		return fmt.Errorf("%s: the Parquet file is cut off: it ends with %q, not \"PAR1\"", name, tail[4:])
	}
	footer := int64(tail[0]) | int64(tail[1])<<8 | int64(tail[2])<<16 | int64(tail[3])<<24
	if footer > size-12 {
		return fmt.Errorf("%s: the Parquet file's footer claims %d bytes of a file of %d", name, footer, size)
	}
	return nil
}
