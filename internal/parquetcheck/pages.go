package parquetcheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// page is what is checked of a page's head.
type page struct {
	kind, unpacked, packed int64
	values                 int64
	levels                 int64 // bytes of levels that are never packed
	bare                   bool  // the rest is not packed either
}

// Kinds of pages.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

// pages walks over the heads of a column's pages and returns how many bytes a
// reader takes for the largest page and the dictionary.
func (c *column) pages(f io.ReaderAt) (most int64, err error) {
	var largest, dictionary int64
	at, end, values := c.start, c.start+c.size, int64(0)
	for i := 0; values < c.values; i++ {
		p, n, err := readHead(f, at, end)
		if err != nil {
			return 0, fmt.Errorf("page %d: %w", i, err)
		}
		body := at + n
		switch {
		case p.packed < 0 || p.unpacked < 0 || p.values < 0 || p.levels < 0:
			return 0, fmt.Errorf("page %d: a size or count is negative", i)
		case p.packed > end-body:
			return 0, fmt.Errorf("page %d would be %d bytes, where %d are left", i, p.packed, end-body)
		case p.levels > p.packed || p.levels > p.unpacked:
			return 0, fmt.Errorf("page %d would have %d bytes of levels in %d", i, p.levels, p.packed)
		case p.kind == dictionaryPage && p.values > 8*p.unpacked: // a value is a bit at least
			return 0, fmt.Errorf("page %d: a dictionary of %d values in %d bytes", i, p.values, p.unpacked)
		case p.kind != dictionaryPage && p.values > c.values-values:
			return 0, fmt.Errorf("page %d would have %d values, where %d are left", i, p.values, c.values-values)
		case p.packed > Most || p.unpacked > Most || p.values > Most/valueBytes:
			return 0, fmt.Errorf("page %d would take more than %d bytes of memory", i, int64(Most))
		}
		if !p.bare {
			if err := checkUnpacked(f, c.codec, body+p.levels, body+p.packed, p.unpacked-p.levels); err != nil {
				return 0, fmt.Errorf("page %d: %w", i, err)
			}
		}
		memory := p.packed + p.unpacked + valueBytes*p.values
		switch p.kind {
		case dictionaryPage:
			dictionary = max(dictionary, memory)
		case dataPage, dataPageV2:
			largest = max(largest, memory)
			values += p.values
		}
		at = body + p.packed
	}
	return largest + dictionary, nil
}

// readHead reads the head of the page at a place before end, and its length. Heads
// are short unless statistics in them hold long values.
func readHead(f io.ReaderAt, at, end int64) (p page, n int64, err error) {
	for window := int64(1 << 9); ; window <<= 6 {
		text := make([]byte, min(window, end-at))
		if k, err := f.ReadAt(text, at); err != nil && !(errors.Is(err, io.EOF) && k == len(text)) {
			return p, 0, err
		}
		if p, rest, ok := head(text); ok {
			return p, int64(len(text) - rest), nil
		}
		if window >= end-at || window > 1<<24 {
			return p, 0, errors.New("its head is damaged or cut off")
		}
	}
}

// head reads a page's head and returns how many bytes are left behind it.
func head(text []byte) (p page, rest int, ok bool) {
	t := &thrift{text}
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch {
		case id == 1:
			return t.number(kind, &p.kind)
		case id == 2:
			return t.number(kind, &p.unpacked)
		case id == 3:
			return t.number(kind, &p.packed)
		case (id == 5 || id == 7 || id == 8) && kind == thriftStruct:
			return true, t.fields(func(field int64, kind byte) (read, ok bool) {
				var levels int64
				switch {
				case field == 1:
					return t.number(kind, &p.values)
				case id == 8 && (field == 5 || field == 6):
					read, ok = t.number(kind, &levels)
					if levels < 0 {
						return read, false
					}
					p.levels += levels
					return read, ok
				case id == 8 && field == 7: // whether the values are packed
					p.bare = kind == thriftFalse
				}
				return false, true
			})
		}
		return false, true
	})
	return p, len(t.rest), ok
}

// Codecs that say at their beginning what they unpack to.
const (
	snappy = 1
	zstd   = 6
)

// checkUnpacked checks that packed data claims to be as long as its page says: the
// library that unpacks it takes what it claims.
func checkUnpacked(f io.ReaderAt, codec, from, to, want int64) error {
	if codec != snappy && codec != zstd || from >= to {
		return nil
	}
	begin := make([]byte, min(18, to-from))
	if _, err := f.ReadAt(begin, from); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	claim, known := snappyLength(begin)
	if codec == zstd {
		claim, known = zstdLength(begin)
	}
	if known && claim != uint64(want) {
		return fmt.Errorf("its data claims to be %d bytes unpacked, its head says %d", claim, want)
	}
	return nil
}

func snappyLength(b []byte) (uint64, bool) {
	v, n := binary.Uvarint(b)
	return v, n > 0
}

// zstdLength is the content size of a frame's head (RFC 8878, 3.1.1.1), where it
// has one.
func zstdLength(b []byte) (uint64, bool) {
	if len(b) < 5 || binary.LittleEndian.Uint32(b) != 0xfd2fb528 {
		return 0, false
	}
	flags := b[4]
	single := flags>>5&1 == 1
	at := 5 + []int{0, 1, 2, 4}[flags&3]
	if !single {
		at++
	}
	size := []int{0, 2, 4, 8}[flags>>6]
	if single && size == 0 {
		size = 1
	}
	if size == 0 || at+size > len(b) {
		return 0, false
	}
	var full [8]byte
	copy(full[:], b[at:at+size])
	n := binary.LittleEndian.Uint64(full[:])
	if size == 2 {
		n += 256
	}
	return n, true
}
