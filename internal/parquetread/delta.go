package parquetread

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// delta are integers as differences from the one before, in blocks of miniblocks.
type delta struct {
	b        []byte
	mini     int    // values a miniblock has
	minis    int    // miniblocks a block has
	left     uint64 // values that are left
	value    uint64
	first    bool // value was not handed out yet
	least    uint64
	widths   []byte // of the block's miniblocks that are to come
	bits     []byte // of the miniblock
	width    int
	at, have int // bits read of it, values left in it
}

func newDelta(b []byte) (*delta, error) {
	d := &delta{b: b, first: true}
	block, ok1 := d.uvarint()
	minis, ok2 := d.uvarint()
	left, ok3 := d.uvarint()
	first, ok4 := d.uvarint()
	switch {
	case !ok1 || !ok2 || !ok3 || !ok4:
		return nil, errShort
	case block == 0 || block > 1<<20 || minis == 0 || minis > block || block%minis != 0 || block/minis%8 != 0:
		return nil, fmt.Errorf("blocks of %d values in %d parts", block, minis)
	case left > maxPageValues:
		return nil, fmt.Errorf("it would have %d values; at most %d of a page are read", left, int64(maxPageValues))
	}
	d.mini, d.minis, d.left, d.value = int(block/minis), int(minis), left, zigzag(first)
	return d, nil
}

func zigzag(v uint64) uint64 { return v>>1 ^ -(v & 1) }

func (d *delta) uvarint() (uint64, bool) {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		return 0, false
	}
	d.b = d.b[n:]
	return v, true
}

func (d *delta) next() (scalar, error) {
	if d.left == 0 {
		return scalar{}, errShort
	}
	if !d.first {
		if d.have == 0 {
			if err := d.miniblock(); err != nil {
				return scalar{}, err
			}
		}
		d.value += d.least + bitsAt(d.bits, d.at, d.width)
		d.at += d.width
		d.have--
	}
	d.first = false
	d.left--
	return scalar{n: d.value}, nil
}

// miniblock goes to the next one. Those behind the last value are not stored.
func (d *delta) miniblock() error {
	if len(d.widths) == 0 {
		least, ok := d.uvarint()
		if !ok || len(d.b) < d.minis {
			return errShort
		}
		d.least, d.widths, d.b = zigzag(least), d.b[:d.minis], d.b[d.minis:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	size := d.width * d.mini / 8
	if d.width > 64 {
		return fmt.Errorf("differences of %d bits", d.width)
	}
	if size > len(d.b) {
		return errShort
	}
	d.bits, d.b, d.at, d.have = d.b[:size], d.b[size:], 0, d.mini
	return nil
}

func (d *delta) end() error {
	if d.left > 0 || len(d.b) > 0 {
		return errOver
	}
	return nil
}

// lengths reads all of a stream of lengths, and what follows it.
func lengths(b []byte, most int) (out []int32, rest []byte, err error) {
	d, err := newDelta(b)
	if err != nil {
		return nil, nil, err
	}
	if d.left > uint64(most) {
		return nil, nil, fmt.Errorf("it would have %d values of %d", d.left, most)
	}
	for d.left > 0 {
		v, err := d.next()
		if err != nil {
			return nil, nil, err
		}
		n := int32(v.n)
		if n < 0 {
			return nil, nil, fmt.Errorf("a length of %d", n)
		}
		out = append(out, n)
	}
	return out, d.b, nil
}

// deltaLength are byte arrays, the lengths of all first.
type deltaLength struct {
	lengths []int32
	b       []byte
}

func newDeltaLength(b []byte, most int) (*deltaLength, error) {
	l, rest, err := lengths(b, most)
	return &deltaLength{l, rest}, err
}

func (d *deltaLength) next() (scalar, error) {
	if len(d.lengths) == 0 || int(d.lengths[0]) > len(d.b) {
		return scalar{}, errShort
	}
	n := d.lengths[0]
	v := d.b[:n]
	d.lengths, d.b = d.lengths[1:], d.b[n:]
	return scalar{b: v}, nil
}

func (d *deltaLength) end() error {
	if len(d.lengths) > 0 || len(d.b) > 0 {
		return errOver
	}
	return nil
}

// deltaBytes are byte arrays of which each begins as the one before.
type deltaBytes struct {
	prefixes []int32
	suffixes *deltaLength
	last     []byte
	leaf     *leaf
}

func newDeltaBytes(b []byte, most int, l *leaf) (*deltaBytes, error) {
	prefixes, rest, err := lengths(b, most)
	if err != nil {
		return nil, err
	}
	suffixes, err := newDeltaLength(rest, most)
	if err != nil {
		return nil, err
	}
	if len(suffixes.lengths) != len(prefixes) {
		return nil, errors.New("its beginnings and ends are not as many")
	}
	return &deltaBytes{prefixes: prefixes, suffixes: suffixes, leaf: l}, nil
}

func (d *deltaBytes) next() (scalar, error) {
	end, err := d.suffixes.next()
	if err != nil {
		return scalar{}, err
	}
	n := int(d.prefixes[0])
	d.prefixes = d.prefixes[1:]
	switch {
	case n > len(d.last):
		return scalar{}, fmt.Errorf("a beginning of %d bytes of %d", n, len(d.last))
	case n+len(end.b) > MaxRowBytes:
		return scalar{}, tooManyBytes()
	}
	v := make([]byte, 0, n+len(end.b))
	v = append(append(v, d.last[:n]...), end.b...)
	if d.leaf.physical == fixedBytes && len(v) != d.leaf.length {
		return scalar{}, fmt.Errorf("a value of %d bytes, not %d", len(v), d.leaf.length)
	}
	d.last = v
	return scalar{b: v}, nil
}

func (d *deltaBytes) end() error { return d.suffixes.end() }
