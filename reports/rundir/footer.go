package rundir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// checkFooter checks the metadata at the end of a Parquet file: that it has room
// in the file, and that no list in it claims more elements than it has bytes.
// The reader takes the memory for what is claimed first, and a process that runs
// out of memory cannot say what was wrong.
func checkFooter(f io.ReaderAt, size int64) error {
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
	metadata := make([]byte, n)
	if _, err := f.ReadAt(metadata, size-end-n); err != nil {
		return err
	}
	t := thrift{metadata}
	if !t.skip(thriftStruct, 0) {
		return errors.New("its metadata is damaged")
	}
	return nil
}

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
