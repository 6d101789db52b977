package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// Bounds far above any real file: they keep a hostile one from asking for memory
// that its size does not justify.
const (
	maxKeys    = 1 << 16
	maxTensors = 1 << 20
	maxName    = 1 << 10
	maxNames   = 64 << 20 // bytes of all names
	maxText    = 64 << 20 // of a string, or of all strings of an array
	maxDims    = 4
)

// Kinds of values, by the format's numbers.
const (
	kindUint8, kindInt8, kindUint16, kindInt16, kindUint32, kindInt32 = 0, 1, 2, 3, 4, 5
	kindFloat32, kindBool, kindString, kindArray                      = 6, 7, 8, 9
	kindUint64, kindInt64, kindFloat64                                = 10, 11, 12
)

// widths of values of fixed size, in bytes.
var widths = map[uint32]int{
	kindUint8: 1, kindInt8: 1, kindBool: 1, kindUint16: 2, kindInt16: 2, kindUint32: 4, kindInt32: 4, kindFloat32: 4,
	kindUint64: 8, kindInt64: 8, kindFloat64: 8,
}

// value is one of the metadata: a scalar or string in full, an array as it lies in
// the file.
type value struct {
	kind    uint32 // of a scalar, or of an array's elements
	isArray bool
	count   int
	data    []byte
}

// info is a tensor's entry.
type info struct {
	name   string
	shape  []int // first the one that varies slowest
	kind   blockType
	offset uint64
	bytes  uint64
}

type header struct {
	values  map[string]value
	keys    []string // in the file's order
	tensors []info
	data    int // where the tensors' data begins
}

var errShort = errors.New("the file is cut off")

// cursor reads a header front to back.
type cursor struct {
	data  []byte
	at    int
	names uint64 // bytes of the names so far
	err   error
}

func (c *cursor) take(n uint64) []byte {
	if c.err != nil || n > uint64(len(c.data)-c.at) {
		if c.err == nil {
			c.err = fmt.Errorf("byte %d: %w", c.at, errShort)
		}
		return nil
	}
	b := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return b
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// name reads a short string.
func (c *cursor) name(what string) string {
	at := c.at
	n := c.u64()
	if c.err == nil && n > maxName {
		c.err = fmt.Errorf("byte %d: %s of %d bytes, more than %d", at, what, n, maxName)
	}
	if c.names += n; c.err == nil && c.names > maxNames {
		c.err = fmt.Errorf("byte %d: its names have more than %d bytes", at, maxNames)
	}
	b := c.take(n)
	if c.err == nil && !utf8.Valid(b) {
		c.err = fmt.Errorf("byte %d: %s %q is not UTF-8", at, what, b)
	}
	return string(b)
}

func parse(data []byte) (*header, error) {
	c := &cursor{data: data}
	if magic := c.take(4); string(magic) != "GGUF" {
		return nil, errors.New("it does not begin with GGUF: not a GGUF file")
	}
	switch version := c.u32(); {
	case c.err != nil:
	case version == 2 || version == 3:
	case version == 2<<24 || version == 3<<24:
		return nil, errors.New("it is big-endian: convert it on the machine it is for")
	default:
		return nil, fmt.Errorf("GGUF version %d is not read: want 2 or 3; convert the model anew", version)
	}
	tensors, keys := c.u64(), c.u64()
	switch {
	case c.err != nil:
		return nil, c.err
	case keys > maxKeys:
		return nil, fmt.Errorf("it claims %d keys, more than %d", keys, maxKeys)
	case tensors > maxTensors:
		return nil, fmt.Errorf("it claims %d tensors, more than %d", tensors, maxTensors)
	}
	h := &header{values: map[string]value{}}
	for range keys {
		key := c.name("key")
		v := c.value(key)
		if c.err != nil {
			return nil, c.err
		}
		if _, twice := h.values[key]; twice {
			return nil, fmt.Errorf("key %q appears twice", key)
		}
		h.values[key] = v
		h.keys = append(h.keys, key)
	}
	for range tensors {
		if err := h.tensor(c); err != nil {
			return nil, err
		}
	}
	return h, h.place(c)
}

// value reads or skips a value.
func (c *cursor) value(key string) value {
	v := value{kind: c.u32(), count: 1}
	if v.kind == kindArray {
		v.isArray = true
		v.kind = c.u32()
		n := c.u64()
		if c.err == nil && n > uint64(len(c.data)) {
			c.err = fmt.Errorf("key %q: an array of %d entries: %w", key, n, errShort)
		}
		v.count = int(n)
	}
	start := c.at
	switch width, fixed := widths[v.kind]; {
	case c.err != nil:
	case fixed:
		c.take(uint64(width) * uint64(v.count))
	case v.kind == kindString:
		for range v.count {
			if c.take(c.u64()); c.err != nil || c.at-start > maxText {
				break
			}
		}
		if c.err == nil && c.at-start > maxText {
			c.err = fmt.Errorf("key %q: more than %d bytes of text", key, maxText)
		}
	case v.kind == kindArray:
		c.err = fmt.Errorf("key %q: an array of arrays is not read", key)
	default:
		c.err = fmt.Errorf("key %q: value type %d is not known", key, v.kind)
	}
	if c.err != nil {
		return value{}
	}
	v.data = c.data[start:c.at]
	return v
}

func (h *header) tensor(c *cursor) error {
	t := info{name: c.name("tensor name")}
	dims := c.u32()
	if c.err == nil && (dims == 0 || dims > maxDims) {
		return fmt.Errorf("tensor %q has %d dimensions: want 1 to %d", t.name, dims, maxDims)
	}
	elements := uint64(1)
	for range dims {
		d := c.u64()
		if c.err == nil && (d == 0 || d > math.MaxInt32 || elements > math.MaxInt64/8/d) {
			return fmt.Errorf("tensor %q: a dimension of %d", t.name, d)
		}
		elements *= d
		t.shape = append([]int{int(d)}, t.shape...)
	}
	kind := c.u32()
	t.offset = c.u64()
	if c.err != nil {
		return c.err
	}
	var err error
	if t.kind, err = typeOf(kind); err != nil {
		return fmt.Errorf("tensor %q: %w", t.name, err)
	}
	if last := t.shape[len(t.shape)-1]; last%t.kind.elements != 0 {
		return fmt.Errorf("tensor %q: rows of %d numbers are not whole blocks of %d (%s)", t.name, last, t.kind.elements, t.kind.name)
	}
	t.bytes = elements / uint64(t.kind.elements) * uint64(t.kind.bytes)
	h.tensors = append(h.tensors, t)
	return nil
}

// place checks that every tensor's data lies in the file.
func (h *header) place(c *cursor) error {
	align := uint64(32)
	if v, ok := h.values["general.alignment"]; ok {
		a, ok := v.integer()
		if !ok || a < 1 || a > 1<<16 || a&(a-1) != 0 {
			return errors.New("general.alignment is not a power of two of at most 65536")
		}
		align = uint64(a)
	}
	start := (uint64(c.at) + align - 1) / align * align
	h.data = int(start)
	for _, t := range h.tensors {
		if t.offset%align != 0 {
			return fmt.Errorf("tensor %q begins at %d, not at a multiple of %d", t.name, t.offset, align)
		}
		if end := start + t.offset + t.bytes; t.offset > uint64(len(c.data)) || end > uint64(len(c.data)) {
			return fmt.Errorf("tensor %q ends at byte %d of a file of %d: the file is cut off; download it again", t.name, end, len(c.data))
		}
	}
	return nil
}

// integer is a whole number; ok is false for other kinds, and beyond int64.
func (v value) integer() (n int64, ok bool) {
	if v.isArray {
		return 0, false
	}
	return v.integerAt(0)
}

func (v value) integerAt(i int) (n int64, ok bool) {
	b := v.data[i*widths[v.kind]:]
	switch v.kind {
	case kindUint8, kindBool:
		return int64(b[0]), true
	case kindInt8:
		return int64(int8(b[0])), true
	case kindUint16:
		return int64(binary.LittleEndian.Uint16(b)), true
	case kindInt16:
		return int64(int16(binary.LittleEndian.Uint16(b))), true
	case kindUint32:
		return int64(binary.LittleEndian.Uint32(b)), true
	case kindInt32:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case kindUint64:
		n = int64(binary.LittleEndian.Uint64(b))
		return n, n >= 0
	case kindInt64:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

func (v value) floatAt(i int) (x float64, ok bool) {
	b := v.data[i*widths[v.kind]:]
	switch v.kind {
	case kindFloat32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case kindFloat64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	}
	n, ok := v.integerAt(i)
	return float64(n), ok
}
