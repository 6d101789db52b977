package golden

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// Float32s are little-endian float32 numbers, in JSON as base64.
type Float32s []float32

// Float64s are little-endian float64 numbers, in JSON as base64.
type Float64s []float64

// Int32s are little-endian int32 numbers, in JSON as base64.
type Int32s []int32

// UnmarshalJSON reads the base64 form.
func (f *Float32s) UnmarshalJSON(data []byte) error {
	words, err := decode(data, 4)
	*f = make(Float32s, len(words)/4)
	for i := range *f {
		(*f)[i] = math.Float32frombits(binary.LittleEndian.Uint32(words[4*i:]))
	}
	return err
}

// UnmarshalJSON reads the base64 form.
func (f *Float64s) UnmarshalJSON(data []byte) error {
	words, err := decode(data, 8)
	*f = make(Float64s, len(words)/8)
	for i := range *f {
		(*f)[i] = math.Float64frombits(binary.LittleEndian.Uint64(words[8*i:]))
	}
	return err
}

// UnmarshalJSON reads the base64 form.
func (n *Int32s) UnmarshalJSON(data []byte) error {
	words, err := decode(data, 4)
	*n = make(Int32s, len(words)/4)
	for i := range *n {
		(*n)[i] = int32(binary.LittleEndian.Uint32(words[4*i:]))
	}
	return err
}

// decode returns the bytes of a base64 JSON string, a whole number of words of
// size bytes.
func decode(data []byte, size int) ([]byte, error) {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(raw)%size != 0 {
		return nil, fmt.Errorf("%d bytes are not a whole number of %d-byte words", len(raw), size)
	}
	return raw, nil
}
