package data

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/softbench/softbench/internal/parquetcheck"
)

// readParquet reads a Parquet file row by row, nested structs as maps and lists as slices. size is
// the file's in bytes. A file that is not Parquet, is cut off, or whose pages are damaged is an
// error that names it.
func readParquet(r io.ReaderAt, size int64, name string, each func(row int, values map[string]any) error) error {
	if err := checkFooter(r, size, name); err != nil {
		return err
	}
	if err := parquetcheck.Check(r, size); err != nil {
		return fmt.Errorf("%s: not a readable Parquet file: %w", name, err)
	}
	file, err := openParquet(r, size)
	if err != nil {
		return fmt.Errorf("%s: not a readable Parquet file: %w", name, err)
	}
	row := 0
	for _, group := range file.RowGroups() {
		if row, err = readRowGroup(group, file.Schema(), row, each); err != nil {
			var damage *damageError
			if errors.As(err, &damage) {
				return fmt.Errorf("%s: reading row %d of the Parquet file: %w", name, row, damage.cause)
			}
			return err
		}
	}
	if int64(row) != file.NumRows() {
		return fmt.Errorf("%s: the Parquet file ends after row %d, but its footer promises %d rows", name, row, file.NumRows())
	}
	return nil
}

// damageError is an error of the file, not of whoever is given its rows.
type damageError struct{ cause error }

func (e *damageError) Error() string { return e.cause.Error() }

// readRowGroup hands out the rows of one group; row counts those before it, and is returned with
// them, or as the number of the row that failed.
func readRowGroup(group parquet.RowGroup, schema *parquet.Schema, row int, each func(int, map[string]any) error) (_ int, err error) {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		n, readErr := readRows(rows, buffer)
		for _, raw := range buffer[:n] {
			row++
			values, err := reconstruct(schema, raw)
			if err != nil {
				return row, &damageError{err}
			}
			if err := each(row, values); err != nil {
				return row, err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return row, nil
		}
		if readErr != nil {
			return row + 1, &damageError{readErr}
		}
	}
}

// openParquet turns the library's panics on a damaged footer into errors.
func openParquet(r io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer recoverInto(&err)
	return parquet.OpenFile(r, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
}

// readRows and reconstruct turn the library's panics on damaged pages into errors.
func readRows(rows parquet.Rows, into []parquet.Row) (n int, err error) {
	defer recoverInto(&err)
	return rows.ReadRows(into)
}

func reconstruct(schema *parquet.Schema, row parquet.Row) (values map[string]any, err error) {
	defer recoverInto(&err)
	raw := map[string]any{}
	if err := schema.Reconstruct(&raw, row); err != nil {
		return nil, err
	}
	return normalise(raw).(map[string]any), nil
}

func recoverInto(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged: %v", p)
	}
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
