package rundir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"github.com/softbench/softbench/internal/parquetread"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/reports/text"
)

// readParquet reads a file of rows of this schema version. Errors name the file, check's
// too, which sees each row as it is read; it may be nil.
func readParquet[T any](ctx context.Context, path string, check func(*T) error) ([]T, error) {
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: this file of the run is missing", path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	rows, err := readRows(ctx, f, info.Size(), check)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}

func readRows[T any](ctx context.Context, f io.ReaderAt, size int64, check func(*T) error) (rows []T, err error) {
	file, err := parquetread.Open(f, size)
	if err != nil {
		return nil, fmt.Errorf("damaged or not a Parquet file: %w", err)
	}
	if v, ok := file.Lookup(schemaKey); !ok {
		return nil, errors.New("a Parquet file, but not of a run: it has no schema version")
	} else if version, err := strconv.Atoi(v); err != nil || !readable(version) {
		return nil, fmt.Errorf("schema %s, this version of softbench reads 1 to %d: use the version that wrote it", text.Printable(v), Schema)
	} else if err := checkColumns(file.Columns(), parquet.SchemaOf(*new(T)), added[T](version)); err != nil {
		return nil, err
	}
	var failed error
	budget := memory{most: max(leastRows, size*perByte), last: map[string]*byte{}}
	if n := file.NumRows(); n >= 0 && n <= budget.most/int64(unsafe.Sizeof(*new(T))) {
		rows = make([]T, 0, n)
	}
	err = file.Rows(ctx, func(_ int64, values map[string]any) error {
		var row T
		if err := budget.take(int64(unsafe.Sizeof(row)), values); err != nil {
			return err
		}
		if err := fill(reflect.ValueOf(&row).Elem(), values); err != nil {
			return err
		}
		if check != nil {
			if failed = check(&row); failed != nil {
				return failed
			}
		}
		rows = append(rows, row)
		return nil
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		if damage, ok := errors.AsType[*parquetread.RowError](err); ok {
			err = damage.Err
		}
		return nil, fmt.Errorf("damaged after row %d of %d: %s", len(rows), file.NumRows(), text.Printable(err.Error()))
	}
	return rows, nil
}

// A file's rows may take so much memory: a hundred bytes for each of its own, of which the
// samples of a run take about ten.
const (
	leastRows = 128 << 20
	perByte   = 100
)

// memory counts what rows take.
type memory struct {
	most, taken int64
	last        map[string]*byte // the text that a column had last: many rows share one
}

func (m *memory) take(row int64, values map[string]any) error {
	m.taken += row
	for name, v := range values {
		switch v := v.(type) {
		case string:
			if at := unsafe.StringData(v); m.last[name] != at {
				m.last[name] = at
				m.taken += int64(len(v))
			}
		case []any:
			m.taken += int64(len(v)) * 8
		}
	}
	if m.taken > m.most {
		return fmt.Errorf("the rows so far take %d MiB, too much for the file's bytes", m.most>>20)
	}
	return nil
}

// added are the columns of a row that files of a schema version do not have yet.
func added[T any](version int) (out []string) {
	if row, ok := any(*new(T)).(interface{ since() map[int][]string }); ok {
		for first, columns := range row.since() {
			if version < first {
				out = append(out, columns...)
			}
		}
	}
	return out
}

// fill sets the fields of a row from columns of their names; one without a column
// stays as it is.
func fill(row reflect.Value, values map[string]any) error {
	for i := range row.NumField() {
		name, _, _ := strings.Cut(row.Type().Field(i).Tag.Get("parquet"), ",")
		v, ok := values[name]
		if !ok {
			continue
		}
		if err := set(row.Field(i), v); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
	}
	return nil
}

// set sets a field: null leaves a pointer or list nil.
func set(to reflect.Value, v any) error {
	switch {
	case v == nil && (to.Kind() == reflect.Pointer || to.Kind() == reflect.Slice):
		return nil
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return set(to.Elem(), v)
	}
	switch v := v.(type) {
	case string:
		if to.Kind() == reflect.String {
			to.SetString(v)
			return nil
		}
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(v)
			return nil
		}
	case int64:
		if to.CanInt() && !to.OverflowInt(v) {
			to.SetInt(v)
			return nil
		}
	case float64:
		if to.CanFloat() {
			to.SetFloat(v)
			return nil
		}
	case []any:
		if to.Kind() == reflect.Slice {
			to.Set(reflect.MakeSlice(to.Type(), len(v), len(v)))
			for i, e := range v {
				if err := set(to.Index(i), e); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return fmt.Errorf("a value that is not %s", to.Type())
}

// checkColumns compares a file's columns with those of a row, of which some may
// be missing.
func checkColumns(have []parquetread.Column, want *parquet.Schema, optional []string) error {
	found, wanted := map[string]string{}, map[string]string{}
	for _, c := range have {
		found[strings.Join(c.Path, ".")] = describeColumn(c.Type, c.MaxRepetition, c.MaxDefinition)
	}
	for _, path := range want.Columns() {
		leaf, _ := want.Lookup(path...)
		name := strings.Join(path, ".")
		wanted[name] = describeColumn(leaf.Node.Type().Kind().String(), int(leaf.MaxRepetitionLevel), int(leaf.MaxDefinitionLevel))
		switch {
		case found[name] == "" && slices.Contains(optional, name):
		case found[name] == "":
			return fmt.Errorf("column %s is missing", name)
		case found[name] != wanted[name]:
			return fmt.Errorf("column %s is %s, want %s", name, found[name], wanted[name])
		}
	}
	for _, c := range have {
		if name := strings.Join(c.Path, "."); wanted[name] == "" {
			return fmt.Errorf("column %s is not one of this schema", text.Printable(name))
		}
	}
	return nil
}

func describeColumn(kind string, repetition, definition int) string {
	return fmt.Sprintf("%s (repeated to level %d, optional to level %d)", kind, repetition, definition)
}
