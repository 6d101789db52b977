package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxHeader is the longest header accepted, in bytes: the reference's limit.
const MaxHeader = 100_000_000

const metadataKey = "__metadata__"

// info is one header entry; start and end count from the first data byte.
type info struct {
	name       string
	dtype      DType
	shape      []int
	start, end uint64
}

// parse validates the length prefix and the header of a whole file. It returns
// the entries in the order of their data, and where the data starts.
func parse(file []byte) (entries []info, metadata map[string]string, data int, err error) {
	if len(file) < 8 {
		return nil, nil, 0, fmt.Errorf("the file has %d bytes, too few for a header: it is truncated or not safetensors", len(file))
	}
	n := binary.LittleEndian.Uint64(file)
	if n > MaxHeader {
		return nil, nil, 0, fmt.Errorf("the header claims %d bytes, more than the limit of %d: the file is not safetensors or is damaged", n, MaxHeader)
	}
	if n > uint64(len(file)-8) {
		return nil, nil, 0, fmt.Errorf("the header claims %d bytes but only %d follow: the file is truncated", n, len(file)-8)
	}
	data = 8 + int(n)
	entries, metadata, err = parseHeader(file[8:data])
	if err != nil {
		return nil, nil, 0, err
	}
	if err := checkLayout(entries, uint64(len(file)-data)); err != nil {
		return nil, nil, 0, err
	}
	return entries, metadata, data, nil
}

// parseHeader reads the JSON header. Names are exact (encoding/json would fold
// case and let the last of two equal names win), so it walks the tokens.
func parseHeader(header []byte) ([]info, map[string]string, error) {
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, errors.New("the header is not a JSON object")
	}
	if !utf8.Valid(header) {
		return nil, nil, errors.New("the header is not UTF-8")
	}
	d, err := newWalker(header, "header")
	if err != nil {
		return nil, nil, err
	}
	var (
		entries  []info
		metadata map[string]string
	)
	err = d.object("header", maxTensors, func(name string) error {
		if name == metadataKey {
			if d.null() { // as the reference takes it: none
				return nil
			}
			metadata = map[string]string{}
			return d.object(metadataKey, maxMetadata, func(key string) error {
				v, err := d.string(metadataKey + " entry " + strconv.Quote(key))
				metadata[key] = v
				return err
			})
		}
		e := info{name: name}
		err := e.read(d)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return entries, metadata, nil
}

func (e *info) read(d *walker) error {
	what := "tensor " + strconv.Quote(e.name)
	var hasType, hasShape, hasOffsets bool
	err := d.object(what, maxMembers, func(key string) error {
		switch key {
		case "dtype":
			hasType = true
			s, err := d.string(what + ": dtype")
			e.dtype = DType(s)
			if err == nil && !e.dtype.Known() {
				err = fmt.Errorf("%s: unknown dtype %q", what, s)
			}
			return err
		case "shape":
			hasShape = true
			e.shape = []int{}
			return d.numbers(what+": shape", func(n uint64) error {
				if n > min(1<<48, math.MaxInt) {
					return fmt.Errorf("%s: dimension %d is too large", what, n)
				}
				if len(e.shape) == maxDims {
					return fmt.Errorf("%s: shape has more than %d dimensions", what, maxDims)
				}
				e.shape = append(e.shape, int(n))
				return nil
			})
		case "data_offsets":
			hasOffsets = true
			var at [2]uint64
			count := 0
			if err := d.numbers(what+": data_offsets", func(n uint64) error {
				if count < len(at) {
					at[count] = n
				}
				count++
				return nil
			}); err != nil {
				return err
			}
			if count != len(at) {
				return fmt.Errorf("%s: data_offsets has %d numbers, want %d", what, count, len(at))
			}
			e.start, e.end = at[0], at[1]
			return nil
		}
		d.skip() // unknown keys are the future's, as in the reference
		return nil
	})
	switch {
	case err != nil:
		return err
	case !hasType:
		return fmt.Errorf("%s: no dtype", what)
	case !hasShape:
		return fmt.Errorf("%s: no shape", what)
	case !hasOffsets:
		return fmt.Errorf("%s: no data_offsets", what)
	}
	return nil
}

// checkLayout sorts entries by their data and requires what the reference does:
// each tensor starts where the one before it ended, its span is the size that
// its shape and type say, and the last one ends with the file.
func checkLayout(entries []info, data uint64) error {
	slices.SortFunc(entries, func(a, b info) int {
		switch {
		case a.start != b.start:
			return cmp(a.start, b.start)
		case a.end != b.end:
			return cmp(a.end, b.end)
		}
		return bytes.Compare([]byte(a.name), []byte(b.name))
	})
	var at uint64
	for i := range entries {
		e := &entries[i]
		size, ok := byteSize(e.dtype, e.shape)
		switch {
		case !ok:
			return fmt.Errorf("tensor %q: shape %v of %s is not a whole number of bytes that a file can hold", e.name, e.shape, e.dtype)
		case e.end < e.start:
			return fmt.Errorf("tensor %q: data_offsets [%d, %d] run backwards", e.name, e.start, e.end)
		case e.end-e.start != size:
			return fmt.Errorf("tensor %q: shape %v of %s needs %d bytes, data_offsets [%d, %d] span %d", e.name, e.shape, e.dtype, size, e.start, e.end, e.end-e.start)
		case e.end > data:
			return fmt.Errorf("tensor %q: data_offsets [%d, %d] end after the file's %d data bytes: the file is truncated", e.name, e.start, e.end, data)
		case e.start < at:
			return fmt.Errorf("tensor %q: data_offsets [%d, %d] overlap tensor %q, which ends at %d", e.name, e.start, e.end, entries[i-1].name, at)
		case e.start > at:
			return fmt.Errorf("tensor %q: data_offsets [%d, %d] leave a hole after byte %d", e.name, e.start, e.end, at)
		}
		at = e.end
	}
	if at != data {
		return fmt.Errorf("the tensors end at data byte %d of %d: the file holds bytes that belong to none", at, data)
	}
	return nil
}

// byteSize returns the bytes of a tensor; ok is false where the count overflows
// or a packed type does not fill its last byte.
func byteSize(d DType, shape []int) (size uint64, ok bool) {
	n := uint64(1)
	for _, dim := range shape {
		if dim < 0 {
			return 0, false
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 {
			return 0, false
		}
		n = lo
	}
	hi, lo := bits.Mul64(n, uint64(d.Bits()))
	if hi != 0 || lo%8 != 0 || lo/8 > 1<<60 {
		return 0, false
	}
	return lo / 8, true
}

func cmp(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}
