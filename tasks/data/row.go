package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Row is one document as read: its values by column name, and where it stands.
type Row struct {
	Values map[string]any // nil, bool, int64, float64, string, []any, map[string]any; json.Number beyond int64
	File   string         // path of the file it came from
	Line   int            // 1-based: the line of a JSON lines file, the row of a Parquet file
	Index  int            // 0-based position in the split, over all its files
}

// Where says where the row stands, for an error message.
func (r Row) Where() string {
	if strings.HasSuffix(r.File, ".parquet") {
		return fmt.Sprintf("%s: row %d", r.File, r.Line)
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

// Has reports whether the column (or dotted path) is there, with a value or with null.
func (r Row) Has(path string) bool {
	_, err := r.Get(path)
	return err == nil
}

// Get returns the value at a column name or, for nested objects, at a dotted path such as
// "choices.text". A column whose own name holds the dot wins over the path.
func (r Row) Get(path string) (any, error) {
	if v, ok := r.Values[path]; ok {
		return v, nil
	}
	var at any = r.Values
	have := r.Values
	for part := range strings.SplitSeq(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil, r.missing(path, have)
		}
		have = m
		if at, ok = m[part]; !ok {
			return nil, r.missing(path, have)
		}
	}
	return at, nil
}

func (r Row) missing(path string, have map[string]any) error {
	return &MissingColumnError{Column: path, Where: r.Where(), Have: slices.Sorted(maps.Keys(have))}
}

// MissingColumnError says that a document lacks a column the task needs.
type MissingColumnError struct {
	Column string
	Where  string   // file and line or row
	Have   []string // the columns there are, sorted
}

func (e *MissingColumnError) Error() string {
	have := "none"
	if len(e.Have) > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("%s: no column %q; the columns are: %s", e.Where, e.Column, have)
}
