package parquetcheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Most is how many bytes a reader may take for one row group: the largest page of
// each column with its dictionary, as stored and unpacked, and valueBytes for each
// of its values.
const Most = 1 << 30

// valueBytes is what a reader takes for a value beside its bytes: levels, offsets.
const valueBytes = 16

// Check checks a file of that size. Its errors do not name the file.
func Check(f io.ReaderAt, size int64) error {
	const start, end = 4, 8 // "PAR1" before all; a length and "PAR1" behind
	var tail [end]byte
	if size < start+end {
		return fmt.Errorf("%d bytes are too few", size)
	}
	if _, err := f.ReadAt(tail[:], size-end); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	switch {
	case string(tail[4:]) != "PAR1":
		return errors.New("it does not end with PAR1")
	case n > size-start-end:
		return fmt.Errorf("its metadata would be %d bytes in a file of %d", n, size)
	}
	text := make([]byte, n)
	if _, err := f.ReadAt(text, size-end-n); err != nil {
		return err
	}
	// First the whole of it without keeping anything, as lists may claim any length.
	if t := (thrift{text}); !t.skip(thriftStruct, 0) {
		return errors.New("its metadata is damaged")
	}
	m, ok := readMetadata(text)
	if !ok {
		return errors.New("its metadata is damaged")
	}
	return m.check(f, size-end-n)
}

// metadata is what is checked of a file's metadata.
type metadata struct {
	rows   int64
	groups []group
}

type group struct {
	rows    int64
	columns []column
}

// column is a column's part of a row group.
type column struct {
	elsewhere               bool // in another file
	codec, values           int64
	size                    int64 // of all pages, with their heads
	data, dictionary, start int64 // offsets
}

// Numbers of the fields are those of parquet.thrift.
func readMetadata(text []byte) (m metadata, ok bool) {
	t := &thrift{text}
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch id {
		case 3:
			return t.number(kind, &m.rows)
		case 4:
			return true, t.list(kind, func() bool {
				g, ok := t.group()
				m.groups = append(m.groups, g)
				return ok
			})
		}
		return false, true
	})
	return m, ok
}

func (t *thrift) group() (g group, ok bool) {
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch id {
		case 1:
			return true, t.list(kind, func() bool {
				c, ok := t.column()
				g.columns = append(g.columns, c)
				return ok
			})
		case 3:
			return t.number(kind, &g.rows)
		}
		return false, true
	})
	return g, ok
}

func (t *thrift) column() (c column, ok bool) {
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch {
		case id == 1:
			c.elsewhere = true
		case id == 3 && kind == thriftStruct:
			return true, t.fields(func(id int64, kind byte) (read, ok bool) {
				switch id {
				case 4:
					return t.number(kind, &c.codec)
				case 5:
					return t.number(kind, &c.values)
				case 7:
					return t.number(kind, &c.size)
				case 9:
					return t.number(kind, &c.data)
				case 11:
					return t.number(kind, &c.dictionary)
				}
				return false, true
			})
		}
		return false, true
	})
	if c.start = c.data; c.dictionary != 0 {
		c.start = c.dictionary
	}
	return c, ok
}

// check checks the counts, and the pages, all of which end before end.
func (m *metadata) check(f io.ReaderAt, end int64) error {
	rows := int64(0)
	for i, g := range m.groups {
		if g.rows < 0 || g.rows > m.rows-rows {
			return fmt.Errorf("row group %d would have %d rows of %d in the file, %d of them before it", i, g.rows, m.rows, rows)
		}
		rows += g.rows
		memory := int64(0)
		for k, c := range g.columns {
			place := fmt.Sprintf("row group %d column %d", i, k)
			switch {
			case c.elsewhere:
				return fmt.Errorf("%s is in another file", place)
			case c.values < 0:
				return fmt.Errorf("%s would have %d values", place, c.values)
			case c.values == 0:
				continue
			case c.start < 4 || c.size < 0 || c.start > end || c.size > end-c.start:
				return fmt.Errorf("%s would be %d bytes from byte %d on, but its pages end before byte %d", place, c.size, c.start, end)
			}
			most, err := c.pages(f)
			if err != nil {
				return fmt.Errorf("%s: %w", place, err)
			}
			if memory += most; memory > Most {
				return fmt.Errorf("%s: it would take more than %d bytes of memory to read one row group", place, int64(Most))
			}
		}
	}
	if rows != m.rows {
		return fmt.Errorf("its row groups have %d rows, its metadata promises %d", rows, m.rows)
	}
	return nil
}
