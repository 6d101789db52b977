package parquetread

import (
	"context"
	"errors"
	"fmt"
	"io"
)

const (
	MaxRowBytes  = 64 << 20  // bytes of a row's texts
	MaxRowValues = 1 << 20   // values of a row
	MaxPages     = 256 << 20 // bytes of the pages open at once, as stored and unpacked
)

// File is a Parquet file whose metadata was read and checked.
type File struct {
	r        io.ReaderAt
	rows     int64
	groups   []group
	root     *shape
	leaves   []*leaf
	metadata map[string]string
}

// Column is a column that holds values.
type Column struct {
	Path                         []string
	Type                         string // the physical type
	MaxRepetition, MaxDefinition int
}

// RowError is what is wrong with a file at a row, counted from 1.
type RowError struct {
	Row int64
	Err error
}

func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }
func (e *RowError) Unwrap() error { return e.Err }

// Open reads the metadata of a file of that size. Its errors do not name the file.
func Open(r io.ReaderAt, size int64) (*File, error) {
	text, end, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{r: r, metadata: map[string]string{}}
	if err := f.readMetadata(text, end); err != nil {
		return nil, err
	}
	return f, nil
}

// NumRows is the number of rows of all row groups.
func (f *File) NumRows() int64 { return f.rows }

// Lookup is a value of the file's key-value metadata.
func (f *File) Lookup(key string) (string, bool) {
	v, ok := f.metadata[key]
	return v, ok
}

// Columns are those that hold values, in the file's order.
func (f *File) Columns() []Column {
	out := make([]Column, len(f.leaves))
	for i, l := range f.leaves {
		out[i] = Column{l.path, physicalNames[l.physical], l.rep, l.def}
	}
	return out
}

// Rows hands out the rows in order, counted from 1: a map of the columns' values,
// null as nil, groups as maps, lists as []any, maps as maps with the keys' text. An
// error of each ends it and is returned as it is, one of the file is a *RowError, or
// the context's.
func (f *File) Rows(ctx context.Context, each func(row int64, values map[string]any) error) error {
	row := int64(0)
	for i, g := range f.groups {
		b := &budget{}
		cursors := make([]*cursor, len(f.leaves))
		for k, l := range f.leaves {
			c := g.chunks[k]
			cursors[k] = &cursor{file: f, ctx: ctx, leaf: l, chunk: c, place: l.place(i), budget: b, at: c.start, last: c.start + c.size, wantNulls: -1, wantRows: -1}
		}
		for range g.rows {
			row++
			if err := ctx.Err(); err != nil {
				return err
			}
			b.rowBytes, b.values = 0, 0
			values, err := f.row(cursors)
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return &RowError{row, err}
			}
			if err := each(row, values); err != nil {
				return err
			}
		}
		for _, c := range cursors {
			err := c.peek()
			if err == nil && !c.ended {
				err = fmt.Errorf("%s: it has more than the %d rows of its group", c.place, g.rows)
			}
			if err != nil {
				return &RowError{row, err}
			}
		}
	}
	return nil
}

func (f *File) row(cursors []*cursor) (map[string]any, error) {
	for _, c := range cursors {
		switch err := c.peek(); {
		case err != nil:
			return nil, err
		case c.ended:
			return nil, fmt.Errorf("%s: it ends before its row group does", c.place)
		case c.rep != 0:
			return nil, fmt.Errorf("%s: a row begins within a list", c.place)
		}
	}
	return f.root.object(cursors)
}

func (s *shape) read(cursors []*cursor) (any, error) {
	first := cursors[s.first]
	if err := first.peek(); err != nil {
		return nil, err
	}
	if first.ended {
		return nil, fmt.Errorf("%s: it ends within a row", first.place)
	}
	if s.optional && first.def < s.def {
		return nil, s.drop(cursors, s.def)
	}
	switch s.kind {
	case scalarShape:
		if first.def < s.leaf.def {
			return nil, fmt.Errorf("%s: a null where there cannot be one", first.place)
		}
		return first.take()
	case objectShape:
		return s.object(cursors)
	}
	list, err := s.list(cursors)
	if err != nil || s.kind == listShape {
		return list, err
	}
	return s.asMap(list, first.place)
}

// drop takes the one entry that each column below has for what is not there.
func (s *shape) drop(cursors []*cursor, def int) error {
	for _, c := range cursors[s.first:s.last] {
		if err := c.peek(); err != nil {
			return err
		}
		if c.ended || c.def >= def {
			return fmt.Errorf("%s: a value where the columns beside it have none", c.place)
		}
		if _, err := c.take(); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) object(cursors []*cursor) (map[string]any, error) {
	out := make(map[string]any, len(s.fields))
	for _, field := range s.fields {
		v, err := field.read(cursors)
		if err != nil {
			return nil, err
		}
		out[field.name] = v
	}
	return out, nil
}

func (s *shape) list(cursors []*cursor) ([]any, error) {
	first := cursors[s.first]
	if first.def < s.listDef {
		return []any{}, s.drop(cursors, s.listDef)
	}
	out := []any{}
	for {
		v, err := s.element.read(cursors)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		goesOn := false
		for i, c := range cursors[s.first:s.last] {
			if err := c.peek(); err != nil {
				return nil, err
			}
			on := !c.ended && c.rep == s.rep
			switch {
			case !c.ended && c.rep > s.rep:
				return nil, fmt.Errorf("%s: a list goes on that has ended", c.place)
			case i > 0 && on != goesOn:
				return nil, fmt.Errorf("%s: its list ends elsewhere than that of %s", c.place, first.place)
			}
			goesOn = on
		}
		if !goesOn {
			return out, nil
		}
	}
}

// asMap is a list of keys and values as a map.
func (s *shape) asMap(list any, place string) (any, error) {
	out := map[string]any{}
	key, value := s.element.fields[0].name, s.element.fields[1].name
	for _, e := range list.([]any) {
		pair := e.(map[string]any)
		if pair[key] == nil {
			return nil, errors.New(place + ": a null as the key of a map")
		}
		k := fmt.Sprint(pair[key])
		if _, ok := out[k]; ok {
			return nil, fmt.Errorf("%s: a map with the key %q twice", place, k)
		}
		out[k] = pair[value]
	}
	return out, nil
}
