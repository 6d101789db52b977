package parquetread

import "encoding/binary"

// thrift walks over Thrift's compact protocol without keeping anything.
type thrift struct{ rest []byte }

// Types of the compact protocol.
const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftInt16
	thriftInt32
	thriftInt64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

// skip walks over a value; false: it is not whole.
func (t *thrift) skip(kind byte, depth int) bool {
	if depth > 64 {
		return false
	}
	switch kind {
	case thriftTrue, thriftFalse: // the value is in the type
		return true
	case thriftByte:
		return t.bytes(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, ok := t.varint()
		return ok
	case thriftDouble:
		return t.bytes(8)
	case thriftBinary:
		n, ok := t.varint()
		return ok && t.bytes(n)
	case thriftList, thriftSet:
		head, ok := t.byte()
		n := uint64(head >> 4)
		if n == 15 && ok {
			n, ok = t.varint()
		}
		return ok && t.elements(n, depth, head&15)
	case thriftMap:
		n, ok := t.varint()
		if n == 0 || !ok {
			return ok
		}
		kinds, ok := t.byte()
		return ok && t.elements(n, depth, kinds>>4, kinds&15)
	case thriftStruct:
		for {
			head, ok := t.byte()
			if head == 0 || !ok {
				return ok
			}
			if head>>4 == 0 { // the field's number follows
				if _, ok := t.varint(); !ok {
					return false
				}
			}
			if !t.skip(head&15, depth+1) {
				return false
			}
		}
	}
	return false
}

// fields walks over a struct. each is given a field's number and type, and says
// whether it read the value itself; ok false: it is not whole.
func (t *thrift) fields(each func(id int64, kind byte) (read, ok bool)) bool {
	id := int64(0)
	for {
		head, ok := t.byte()
		if head == 0 || !ok {
			return ok
		}
		if delta := int64(head >> 4); delta != 0 {
			id += delta
		} else if id, ok = t.int(); !ok {
			return false
		}
		read, ok := each(id, head&15)
		if !ok || !read && !t.skip(head&15, 1) {
			return false
		}
	}
}

// list walks over a list of structs.
func (t *thrift) list(kind byte, each func() bool) bool {
	head, ok := t.byte()
	n := uint64(head >> 4)
	if n == 15 && ok {
		n, ok = t.varint()
	}
	if !ok || kind != thriftList || n > 0 && head&15 != thriftStruct {
		return false
	}
	for range n {
		if len(t.rest) == 0 || !each() {
			return false
		}
	}
	return true
}

// number reads an integer of that type into to.
func (t *thrift) number(kind byte, to *int64) (read, ok bool) {
	switch kind {
	case thriftByte:
		b, ok := t.byte()
		*to = int64(int8(b))
		return true, ok
	case thriftInt16, thriftInt32, thriftInt64:
		*to, ok = t.int()
		return true, ok
	}
	return false, false
}

// text reads a string into to.
func (t *thrift) text(kind byte, to *string) (read, ok bool) {
	n, ok := t.varint()
	if kind != thriftBinary || !ok || n > uint64(len(t.rest)) {
		return true, false
	}
	*to = string(t.rest[:n])
	return true, t.bytes(n)
}

// flag takes a boolean field, whose value is in its type.
func flag(kind byte, to *bool) (read, ok bool) {
	*to = kind == thriftTrue
	return false, kind == thriftTrue || kind == thriftFalse
}

// int is a number of any length.
func (t *thrift) int() (int64, bool) {
	v, ok := t.varint()
	return int64(v>>1) ^ -int64(v&1), ok
}

// elements walks over n times values of kinds. Each takes a byte at least, so
// that no count goes on past the end.
func (t *thrift) elements(n uint64, depth int, kinds ...byte) bool {
	for range n {
		for _, kind := range kinds {
			if kind <= thriftFalse {
				kind = thriftByte
			}
			if !t.skip(kind, depth+1) {
				return false
			}
		}
	}
	return true
}

func (t *thrift) byte() (byte, bool) {
	if len(t.rest) == 0 {
		return 0, false
	}
	b := t.rest[0]
	t.rest = t.rest[1:]
	return b, true
}

func (t *thrift) bytes(n uint64) bool {
	if n > uint64(len(t.rest)) {
		return false
	}
	t.rest = t.rest[n:]
	return true
}

func (t *thrift) varint() (uint64, bool) {
	v, n := binary.Uvarint(t.rest)
	if n <= 0 {
		return 0, false
	}
	t.rest = t.rest[n:]
	return v, true
}
