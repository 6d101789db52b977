package parquetread

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Kinds of pages.
const (
	dataPage       = 0
	indexPage      = 1
	dictionaryPage = 2
	dataPageV2     = 3
)

// page is a page's head.
type page struct {
	kind, unpacked, packed   int64
	crc                      int64
	checked                  bool // crc is there
	values, nulls, rows      int64
	encoding                 int64
	defEncoding, repEncoding int64 // of version 1
	defLength, repLength     int64 // of version 2: bytes of levels, which are never packed
	bare                     bool  // of version 2: the values are not packed either
	heads                    int64 // which of the heads for data, dictionary, version 2 are there, as bits
	levelsLength             int64
}

const (
	maxHead       = 16 << 20 // of a page's head, whose statistics may hold long values
	maxPageValues = 1 << 24
)

// readHead reads the head of the page at a place before end, and its length.
func readHead(f io.ReaderAt, at, end int64) (p page, n int64, err error) {
	for window := int64(1 << 9); ; window <<= 6 {
		text := make([]byte, min(window, end-at))
		if k, err := f.ReadAt(text, at); err != nil && !(errors.Is(err, io.EOF) && k == len(text)) {
			return p, 0, err
		}
		if p, rest, ok := head(text); ok {
			return p, int64(len(text) - rest), p.check(end - at - int64(len(text)-rest))
		}
		if window >= end-at || window > maxHead {
			return p, 0, errors.New("its head is damaged or cut off")
		}
	}
}

// head reads a page's head and returns how many bytes are left behind it.
func head(text []byte) (p page, rest int, ok bool) {
	p.kind, p.unpacked, p.packed, p.values, p.encoding = -1, -1, -1, -1, -1
	t := &thrift{text}
	ok = t.fields(func(id int64, kind byte) (read, ok bool) {
		switch {
		case id == 1:
			return t.number(kind, &p.kind)
		case id == 2:
			return t.number(kind, &p.unpacked)
		case id == 3:
			return t.number(kind, &p.packed)
		case id == 4:
			p.checked = true
			return t.number(kind, &p.crc)
		case (id == 5 || id == 7 || id == 8) && kind == thriftStruct:
			p.heads |= 1 << id
			return true, t.pageOf(id, &p)
		}
		return false, true
	})
	p.levelsLength = p.defLength + p.repLength
	return p, len(t.rest), ok
}

// pageOf reads the head that a kind of page has: 5 is version 1's, 7 the
// dictionary's, 8 version 2's.
func (t *thrift) pageOf(of int64, p *page) bool {
	return t.fields(func(id int64, kind byte) (read, ok bool) {
		numbers := map[int64][]*int64{
			5: {&p.values, &p.encoding, &p.defEncoding, &p.repEncoding},
			7: {&p.values, &p.encoding},
			8: {&p.values, &p.nulls, &p.rows, &p.encoding, &p.defLength, &p.repLength},
		}[of]
		switch {
		case id >= 1 && id <= int64(len(numbers)):
			return t.number(kind, numbers[id-1])
		case of == 8 && id == 7:
			compressed := false
			read, ok = flag(kind, &compressed)
			p.bare = !compressed
			return read, ok
		}
		return false, true
	})
}

// check checks what a head claims, where so many bytes are left behind it.
func (p *page) check(left int64) error {
	heads := map[int64]int64{dataPage: 5, dictionaryPage: 7, dataPageV2: 8}
	of, known := heads[p.kind]
	switch {
	case p.packed < 0 || p.unpacked < 0:
		return errors.New("a size is negative or missing")
	case p.packed > left:
		return fmt.Errorf("it would be %d bytes, where %d are left", p.packed, left)
	case p.kind == indexPage:
		return nil
	case !known:
		return fmt.Errorf("pages of the kind %d are not known here", p.kind)
	case p.heads>>of&1 == 0 || p.values < 0 || p.encoding < 0 || p.nulls < 0 || p.rows < 0:
		return errors.New("a count is negative or missing")
	case p.values > maxPageValues:
		return fmt.Errorf("it would have %d values; at most %d of a page are read", p.values, int64(maxPageValues))
	case p.defLength < 0 || p.repLength < 0 || p.defLength > p.packed || p.repLength > p.packed-p.defLength || p.levelsLength > p.unpacked:
		return fmt.Errorf("it would have %d and %d bytes of levels in %d", p.repLength, p.defLength, p.packed)
	case p.kind == dictionaryPage && p.values > 8*p.unpacked: // a value is a bit at least
		return fmt.Errorf("a dictionary of %d values in %d bytes", p.values, p.unpacked)
	case p.packed+p.unpacked > MaxPages:
		return fmt.Errorf("it would take %d bytes of memory; at most %d are taken", p.packed+p.unpacked, int64(MaxPages))
	}
	return nil
}

// body reads and unpacks a page, its levels in front.
func (p *page) body(f io.ReaderAt, at, codec int64) (levels, values []byte, err error) {
	stored := make([]byte, p.packed)
	if n, err := f.ReadAt(stored, at); n < len(stored) {
		return nil, nil, err
	}
	if p.checked && crc32.ChecksumIEEE(stored) != uint32(p.crc) {
		return nil, nil, errors.New("its checksum does not hold: the page is damaged")
	}
	levels, values = stored[:p.levelsLength], stored[p.levelsLength:]
	size := int(p.unpacked - p.levelsLength)
	switch {
	case p.bare:
		codec = codecNone
	case len(values) == 0 && size == 0: // nothing, whatever packed
		return levels, values, nil
	}
	values, err = unpack(codec, values, size)
	return levels, values, err
}
