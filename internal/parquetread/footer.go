package parquetread

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	maxFooter  = 64 << 20 // bytes of metadata
	maxSchema  = 1 << 16  // columns and groups of the schema
	maxNesting = 64       // of groups
)

// readFooter returns the metadata's bytes, and where the pages end.
func readFooter(r io.ReaderAt, size int64) (text []byte, end int64, err error) {
	const head, tail = 4, 8 // "PAR1" before all; a length and "PAR1" behind
	if size < head+tail {
		return nil, 0, fmt.Errorf("%d bytes are too few", size)
	}
	var begin [head]byte
	var last [tail]byte
	if _, err := r.ReadAt(begin[:], 0); err != nil {
		return nil, 0, err
	}
	if _, err := r.ReadAt(last[:], size-tail); err != nil {
		return nil, 0, err
	}
	n := int64(binary.LittleEndian.Uint32(last[:]))
	switch {
	case string(begin[:]) == "PARE" || string(last[4:]) == "PARE":
		return nil, 0, errors.New("the file is encrypted")
	case string(begin[:]) != "PAR1":
		return nil, 0, errors.New("it does not start with PAR1")
	case string(last[4:]) != "PAR1":
		return nil, 0, errors.New("it does not end with PAR1")
	case n > size-head-tail:
		return nil, 0, fmt.Errorf("its metadata would be %d bytes in a file of %d", n, size)
	case n > maxFooter:
		return nil, 0, fmt.Errorf("its metadata is %d bytes; at most %d are read", n, maxFooter)
	}
	text = make([]byte, n)
	if _, err := r.ReadAt(text, size-tail-n); err != nil {
		return nil, 0, err
	}
	// First the whole of it without keeping anything, as lists may claim any length.
	if t := (thrift{text}); !t.skip(thriftStruct, 0) {
		return nil, 0, errDamaged
	}
	return text, size - tail - n, nil
}

var errDamaged = errors.New("its metadata is damaged")

// group is a row group.
type group struct {
	rows   int64
	chunks []chunk // one a leaf
}

// chunk is a column's part of a row group.
type chunk struct {
	codec, values int64
	start, size   int64 // of all pages, with their heads
}

// element is one entry of the schema as it is stored: a tree in depth-first order.
// Numbers that are absent are -1.
type element struct {
	name                              string
	physical, length, repetition      int64
	children, converted, scale, digit int64
	logical                           logicalType
}

// logicalType is the union of that name.
type logicalType struct {
	id     int64 // 0: none
	scale  int64
	unit   int64
	width  int64
	signed bool
	utc    bool
}

// Numbers of the fields are those of parquet.thrift. The schema is read before the
// row groups, wherever it stands, as a group must have a chunk for each column.
func (f *File) readMetadata(text []byte, end int64) error {
	var elements []element
	var err error
	fail := func(e error) bool { err = e; return false }
	t := &thrift{text}
	ok := t.fields(func(id int64, kind byte) (read, ok bool) {
		switch id {
		case 2:
			return true, t.list(kind, func() bool {
				if len(elements) == maxSchema {
					return fail(fmt.Errorf("it has more than %d columns and groups", maxSchema))
				}
				e, ok := t.element()
				elements = append(elements, e)
				return ok
			})
		case 3:
			return t.number(kind, &f.rows)
		case 5:
			return true, t.list(kind, func() bool { return t.keyValue(f.metadata) })
		case 8:
			return true, fail(errors.New("its columns are encrypted"))
		}
		return false, true
	})
	if err != nil {
		return err
	}
	if !ok {
		return errDamaged
	}
	if err := f.buildSchema(elements); err != nil {
		return err
	}
	t = &thrift{text}
	rows := int64(0)
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		if id != 4 {
			return false, true
		}
		return true, t.list(kind, func() bool {
			g, ok := t.group(f, len(f.groups), end, &err)
			switch {
			case err != nil || !ok:
				return false
			case len(g.chunks) != len(f.leaves):
				return fail(fmt.Errorf("row group %d has %d columns of %d", len(f.groups), len(g.chunks), len(f.leaves)))
			case g.rows < 0 || g.rows > f.rows-rows:
				return fail(fmt.Errorf("row group %d would have %d rows of %d in the file, %d of them before it", len(f.groups), g.rows, f.rows, rows))
			}
			rows += g.rows
			f.groups = append(f.groups, g)
			return true
		})
	})
	switch {
	case err != nil:
		return err
	case !ok:
		return errDamaged
	case rows != f.rows:
		return fmt.Errorf("its row groups have %d rows, its metadata promises %d", rows, f.rows)
	}
	return nil
}

func (t *thrift) keyValue(into map[string]string) bool {
	var key, value string
	ok := t.fields(func(id int64, kind byte) (read, ok bool) {
		switch id {
		case 1:
			return t.text(kind, &key)
		case 2:
			return t.text(kind, &value)
		}
		return false, true
	})
	into[key] = value
	return ok
}

func (t *thrift) element() (e element, ok bool) {
	e = element{physical: -1, repetition: -1, children: -1, converted: -1}
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch id {
		case 1:
			return t.number(kind, &e.physical)
		case 2:
			return t.number(kind, &e.length)
		case 3:
			return t.number(kind, &e.repetition)
		case 4:
			return t.text(kind, &e.name)
		case 5:
			return t.number(kind, &e.children)
		case 6:
			return t.number(kind, &e.converted)
		case 7:
			return t.number(kind, &e.scale)
		case 8:
			return t.number(kind, &e.digit)
		case 10:
			return true, kind == thriftStruct && t.logical(&e.logical)
		}
		return false, true
	})
	return e, ok
}

func (t *thrift) logical(l *logicalType) bool {
	return t.fields(func(of int64, kind byte) (read, ok bool) {
		l.id = of
		if kind != thriftStruct {
			return false, false
		}
		return true, t.fields(func(id int64, kind byte) (read, ok bool) {
			switch {
			case of == logicalDecimal && id == 1:
				return t.number(kind, &l.scale)
			case (of == logicalTime || of == logicalTimestamp) && id == 1:
				return flag(kind, &l.utc)
			case (of == logicalTime || of == logicalTimestamp) && id == 2 && kind == thriftStruct:
				return true, t.fields(func(id int64, _ byte) (read, ok bool) { l.unit = id; return false, true })
			case of == logicalInteger && id == 1:
				return t.number(kind, &l.width)
			case of == logicalInteger && id == 2:
				return flag(kind, &l.signed)
			}
			return false, true
		})
	})
}

func (t *thrift) group(f *File, index int, end int64, err *error) (g group, ok bool) {
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch id {
		case 1:
			return true, t.list(kind, func() bool {
				if len(g.chunks) == len(f.leaves) {
					*err = fmt.Errorf("row group %d has more than %d columns", index, len(f.leaves))
					return false
				}
				place := f.leaves[len(g.chunks)].place(index)
				c, ok := t.chunk(place, end, err)
				g.chunks = append(g.chunks, c)
				return ok && *err == nil
			})
		case 3:
			return t.number(kind, &g.rows)
		}
		return false, true
	})
	return g, ok
}

func (t *thrift) chunk(place string, end int64, err *error) (c chunk, ok bool) {
	var data, dictionary int64
	elsewhere, encrypted := false, false
	c.codec, c.values = -1, -1
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch {
		case id == 1:
			elsewhere = true
		case id == 8 || id == 9:
			encrypted = true
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
					return t.number(kind, &data)
				case 11:
					return t.number(kind, &dictionary)
				}
				return false, true
			})
		}
		return false, true
	})
	if c.start = data; dictionary != 0 {
		c.start = dictionary
	}
	switch {
	case !ok:
	case elsewhere:
		*err = fmt.Errorf("%s is in another file", place)
	case encrypted:
		*err = fmt.Errorf("%s is encrypted", place)
	case c.values < 0:
		*err = fmt.Errorf("%s would have %d values", place, c.values)
	case c.values > 0 && (c.start < 4 || c.size < 0 || c.start > end || c.size > end-c.start):
		*err = fmt.Errorf("%s would be %d bytes from byte %d on, but its pages end before byte %d", place, c.size, c.start, end)
	}
	return c, ok
}
