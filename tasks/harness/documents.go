package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// row is a document: its columns as Python has them, and the source it came from.
type row struct {
	doc   *py.Dict
	hash  string
	where string
	raw   map[string]any
}

// split is the documents of a split, processed.
type split struct {
	rows    []row
	columns map[string]bool
	files   []data.File
}

// maxTimes and minTexts bound the documents of a split that are held, by the bytes of their files.
const (
	maxTimes = 64
	minBytes = 1 << 30
)

// read reads a split as the harness sees it: columns typed as one table's are, then process applied.
func (d *dataset) read(ctx context.Context, src data.Source, name string, process function) (*split, error) {
	var rows []data.Row
	var files []data.File
	var err, first error
	for i, ds := range d.places {
		rows, files, err = data.Keep(func(each func(data.Row) error) ([]data.File, error) {
			held, limit, last := int64(0), int64(minBytes), ""
			return src.Read(ctx, ds, []string{name}, 0, func(r data.Row) error {
				if r.File != last {
					last = r.File
					if d.headless && (strings.Contains(strings.ToLower(filepath.Base(last)), ".csv") || strings.Contains(strings.ToLower(filepath.Base(last)), ".tsv")) {
						return fmt.Errorf("%s: the task names the columns itself (dataset_kwargs.column_names), and tables without a line of names are not understood: give the documents as .jsonl or .parquet", last)
					}
					if info, err := os.Stat(r.File); err == nil {
						limit += maxTimes * info.Size()
					}
				}
				if held += sizeOf(r.Values); held > limit {
					return fmt.Errorf("%s: the documents so far are more than %d MiB, too much for files of this size", r.Where(), limit>>20)
				}
				return each(r)
			})
		}, func(r *data.Row) int { return int(sizeOf(r.Values)) })
		_, none := errors.AsType[*data.NotFoundError](err)
		_, misfit := errors.AsType[*data.MisfitError](err)
		if misfit && first == nil {
			first = err
		}
		if err == nil || !none && !misfit {
			break
		}
		if i == len(d.places)-1 && first != nil {
			err = first // what is there, and does not fit, tells more than what is not
		}
	}
	if err != nil {
		return nil, err
	}
	t, err := newTable(ctx, rows, d.ordered)
	if err != nil {
		return nil, err
	}
	s := &split{files: files, rows: make([]row, len(rows))}
	for i, r := range rows {
		s.rows[i] = row{doc: t.row(r.Values), hash: data.Hash(r.Values), where: r.Where(), raw: r.Values}
	}
	s.columns = t.names()
	if process != nil {
		return s, s.process(process)
	}
	return s, nil
}

// sizeOf is about what a value takes.
func sizeOf(v any) int64 {
	switch x := v.(type) {
	case string:
		return int64(16 + len(x))
	case []any:
		n := int64(24)
		for _, e := range x {
			n += sizeOf(e)
		}
		return n
	case map[string]any:
		n := int64(48 + 8*32) // Go's map of up to eight
		for k, e := range x {
			n += int64(len(k)) + 32 + sizeOf(e)
		}
		return n
	}
	return 16
}
