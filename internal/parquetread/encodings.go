package parquetread

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Encodings.
const (
	encPlain                = 0
	encPlainDictionary      = 2
	encRLE                  = 3
	encBitPacked            = 4
	encDeltaBinaryPacked    = 5
	encDeltaLengthByteArray = 6
	encDeltaByteArray       = 7
	encRLEDictionary        = 8
	encByteStreamSplit      = 9
)

var encodingNames = map[int64]string{encPlain: "PLAIN", encPlainDictionary: "PLAIN_DICTIONARY", encRLE: "RLE", encBitPacked: "BIT_PACKED",
	encDeltaBinaryPacked: "DELTA_BINARY_PACKED", encDeltaLengthByteArray: "DELTA_LENGTH_BYTE_ARRAY", encDeltaByteArray: "DELTA_BYTE_ARRAY",
	encRLEDictionary: "RLE_DICTIONARY", encByteStreamSplit: "BYTE_STREAM_SPLIT"}

// decoder hands out a page's values one by one. end is called behind the last: what
// is left over then was not understood.
type decoder interface {
	next() (scalar, error)
	end() error
}

var (
	errShort = errors.New("its values are cut off")
	errOver  = errors.New("it has more bytes than its values")
)

// values is the decoder of an encoding. most is how many values there may be.
func (l *leaf) values(encoding int64, b []byte, most int) (decoder, error) {
	isBytes := l.physical == byteArray || l.physical == fixedBytes
	switch {
	case encoding == encPlain && l.physical == boolean:
		return &packedBits{b: b}, nil
	case encoding == encPlain && l.physical == byteArray:
		return &prefixed{b}, nil
	case encoding == encPlain:
		return &fixed{b, l.width(), isBytes || l.physical == int96}, nil
	case encoding == encRLE && l.physical == boolean:
		h, rest, err := lengthPrefixed(b, 1)
		if err != nil {
			return nil, err
		}
		return &booleans{h, rest}, nil
	case encoding == encDeltaBinaryPacked && (l.physical == int32Type || l.physical == int64Type):
		d, err := newDelta(b)
		return d, err
	case encoding == encDeltaLengthByteArray && l.physical == byteArray:
		return newDeltaLength(b, most)
	case encoding == encDeltaByteArray && isBytes:
		return newDeltaBytes(b, most, l)
	case encoding == encByteStreamSplit && l.physical != boolean && l.physical != byteArray && l.physical != int96:
		return newSplit(b, l.width(), isBytes)
	}
	name := encodingNames[encoding]
	if name == "" {
		name = fmt.Sprint("with the number ", encoding)
	}
	return nil, fmt.Errorf("values of the type %s in the encoding %s are not read", physicalNames[l.physical], name)
}

// width is how many bytes a value has.
func (l *leaf) width() int {
	switch l.physical {
	case int32Type, float:
		return 4
	case int64Type, double:
		return 8
	}
	return l.length
}

// packedBits are booleans, eight a byte, the lowest bit first.
type packedBits struct {
	b    []byte
	used int // bits of b[0]
}

func (d *packedBits) next() (scalar, error) {
	if len(d.b) == 0 {
		return scalar{}, errShort
	}
	v := uint64(d.b[0]>>d.used) & 1
	if d.used++; d.used == 8 {
		d.b, d.used = d.b[1:], 0
	}
	return scalar{n: v}, nil
}

func (d *packedBits) end() error {
	if len(d.b) > 1 || len(d.b) == 1 && d.used == 0 {
		return errOver
	}
	return nil
}

// fixed are values of one width, numbers with the lowest byte first.
type fixed struct {
	b     []byte
	width int
	bytes bool
}

func (d *fixed) next() (scalar, error) {
	if len(d.b) < d.width {
		return scalar{}, errShort
	}
	v := d.b[:d.width]
	d.b = d.b[d.width:]
	if d.bytes {
		return scalar{b: v}, nil
	}
	return littleEndian(v), nil
}

func (d *fixed) end() error {
	if len(d.b) > 0 {
		return errOver
	}
	return nil
}

func littleEndian(b []byte) scalar {
	if len(b) == 4 {
		return scalar{n: uint64(binary.LittleEndian.Uint32(b))}
	}
	return scalar{n: binary.LittleEndian.Uint64(b)}
}

// prefixed are byte arrays, each behind its length.
type prefixed struct{ b []byte }

func (d *prefixed) next() (scalar, error) {
	if len(d.b) < 4 {
		return scalar{}, errShort
	}
	n := uint64(binary.LittleEndian.Uint32(d.b))
	if n > uint64(len(d.b)-4) {
		return scalar{}, errShort
	}
	v := d.b[4 : 4+n]
	d.b = d.b[4+n:]
	return scalar{b: v}, nil
}

func (d *prefixed) end() error {
	if len(d.b) > 0 {
		return errOver
	}
	return nil
}

// booleans are levels of one bit.
type booleans struct {
	h    *hybrid
	rest []byte
}

func (d *booleans) next() (scalar, error) {
	v, err := d.h.next()
	return scalar{n: uint64(v)}, err
}

func (d *booleans) end() error {
	if len(d.rest) > 0 {
		return errOver
	}
	return d.h.end()
}

// split are numbers whose first bytes come first, then all second ones, and so on.
type split struct {
	b               []byte
	at, count, size int
	bytes           bool
}

func newSplit(b []byte, width int, bytes bool) (*split, error) {
	if len(b)%width != 0 {
		return nil, fmt.Errorf("%d bytes are not values of %d", len(b), width)
	}
	return &split{b: b, count: len(b) / width, size: width, bytes: bytes}, nil
}

func (d *split) next() (scalar, error) {
	if d.at == d.count {
		return scalar{}, errShort
	}
	v := make([]byte, d.size)
	for i := range v {
		v[i] = d.b[i*d.count+d.at]
	}
	d.at++
	if d.bytes {
		return scalar{b: v}, nil
	}
	return littleEndian(v), nil
}

func (d *split) end() error {
	if d.at < d.count {
		return errOver
	}
	return nil
}

// hybrid are small numbers of one width, in runs of one value or packed in groups of
// eight: the levels, dictionary indices and booleans.
type hybrid struct {
	b      []byte
	width  int
	repeat int    // values of value that are left
	value  uint32 // of the run
	packed int    // values of a packed run that are left
	bits   []byte // theirs
	at     int    // bits of them that are read
}

// lengthPrefixed takes a hybrid behind its length.
func lengthPrefixed(b []byte, width int) (h *hybrid, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil, errShort
	}
	return &hybrid{b: b[4 : 4+n], width: width}, b[4+n:], nil
}

func (h *hybrid) next() (uint32, error) {
	for h.repeat == 0 && h.packed == 0 {
		if err := h.run(); err != nil {
			return 0, err
		}
	}
	if h.repeat > 0 {
		h.repeat--
		return h.value, nil
	}
	if h.at+h.width > 8*len(h.bits) {
		return 0, errShort
	}
	v := bitsAt(h.bits, h.at, h.width)
	h.at += h.width
	h.packed--
	return uint32(v), nil
}

// run reads the head of the next run. The last group of a packed one may be cut off
// behind the last value.
func (h *hybrid) run() error {
	head, n := binary.Uvarint(h.b)
	if n <= 0 {
		return errShort
	}
	h.b = h.b[n:]
	count := head >> 1
	if head&1 == 1 {
		if count > maxPageValues {
			return errors.New("a run is too long")
		}
		h.packed, h.at = int(count)*8, 0
		size := min(int(count)*h.width, len(h.b))
		h.bits, h.b = h.b[:size], h.b[size:]
		return nil
	}
	size := (h.width + 7) / 8
	if len(h.b) < size {
		return errShort
	}
	h.value = 0
	for i := range size {
		h.value |= uint32(h.b[i]) << (8 * i)
	}
	h.b = h.b[size:]
	if h.width < 32 && h.value>>h.width != 0 {
		return fmt.Errorf("a run of %d in %d bits", h.value, h.width)
	}
	h.repeat = int(min(count, 1<<31-1))
	return nil
}

// end says whether all of it was read, what fills the last packed run (DuckDB fills it
// to many groups) and empty runs (parquet-go writes such where all values are null)
// apart.
func (h *hybrid) end() error {
	if h.packed > 0 && len(h.b) > 0 {
		return errOver
	}
	for h.packed = 0; ; {
		if h.repeat > 0 || h.packed > 0 {
			return errOver
		}
		if len(h.b) == 0 {
			return nil
		}
		if h.run() != nil {
			return errOver
		}
	}
}

// bitsAt is the number of width bits at a bit of b, the lowest first. They must be
// there.
func bitsAt(b []byte, at, width int) uint64 {
	v := uint64(0)
	for got := 0; got < width; {
		in := (at + got) & 7
		take := min(8-in, width-got)
		v |= uint64(b[(at+got)>>3]>>in) & (1<<take - 1) << got
		got += take
	}
	return v
}
