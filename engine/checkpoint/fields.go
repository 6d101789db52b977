package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/pythonjson"
)

// fields reads members of a JSON object as wanted types. The first mistake is
// kept in err and later reads return their defaults, so a config is read top to
// bottom and checked once. A null counts as absent unless the caller asks.
type fields struct {
	values map[string]json.RawMessage
	prefix string // of names in errors, "" or "rope_scaling."
	err    error
}

// parseFields reads the text of a JSON file that holds one object.
func parseFields(text []byte) (*fields, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("the file is empty")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8 text")
	}
	text = pythonjson.Plain(text)
	d := json.NewDecoder(bytes.NewReader(text))
	var values map[string]json.RawMessage
	if err := d.Decode(&values); err != nil {
		return nil, jsonError(text, err)
	}
	if values == nil {
		return nil, errors.New("not a JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		line, column := jsonplace.Position(text, d.InputOffset())
		return nil, fmt.Errorf("line %d, column %d: text after the JSON object", line, column)
	}
	return &fields{values: values}, nil
}

// jsonError says where in text decoding failed.
func jsonError(text []byte, err error) error {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return errors.New("not a JSON object")
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		line, column := jsonplace.Position(text, int64(len(text)))
		return fmt.Errorf("line %d, column %d: unexpected end of JSON: the file is cut off", line, column)
	}
	return cmp.Or(jsonplace.Syntax(text, err), err)
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
}

// has reports whether key is present and not null.
func (f *fields) has(key string) bool {
	v, ok := f.values[key]
	return ok && string(v) != "null"
}

func (f *fields) isNull(key string) bool {
	v, ok := f.values[key]
	return ok && string(v) == "null"
}

// read decodes key into v; false where it is absent or broken.
func (f *fields) read(key string, v any, want string) bool {
	if !f.has(key) {
		return false
	}
	if err := json.Unmarshal(f.values[key], v); err != nil {
		f.fail("%s%s is %s: want %s", f.prefix, key, shorten(f.values[key]), want)
		return false
	}
	return true
}

func (f *fields) text(key, absent string) string {
	var v string
	if f.read(key, &v, "a string") {
		return v
	}
	return absent
}

func (f *fields) texts(key string) []string {
	var v []string
	f.read(key, &v, "a list of strings")
	return v
}

// integers reads a list of n whole numbers.
func (f *fields) integers(key string, n int) []int {
	var v []int
	f.read(key, &v, "a list of whole numbers")
	if f.err == nil && len(v) != n {
		f.fail("%s%s has %d entries for %d layers", f.prefix, key, len(v), n)
	}
	return v
}

// numbers reads a list of finite numbers above zero.
func (f *fields) numbers(key string) []float64 {
	var v []float64
	f.read(key, &v, "a list of numbers")
	for _, x := range v {
		if !(x > 0) || x > math.MaxFloat32 {
			f.fail("%s%s holds %v: want numbers above zero", f.prefix, key, x)
		}
	}
	return v
}

func (f *fields) flag(key string, absent bool) bool {
	var v bool
	if f.read(key, &v, "true or false") {
		return v
	}
	return absent
}

// number reads a finite number.
func (f *fields) number(key string, absent float64) float64 {
	var v float64
	if !f.read(key, &v, "a number") {
		return absent
	}
	return v
}

// positive reads a number above zero that float32 holds.
func (f *fields) positive(key string, absent float64) float64 {
	v := f.number(key, absent)
	if f.err == nil && !(float32(v) > 0 && v <= math.MaxFloat32) {
		f.fail("%s%s is %v: want a number above zero", f.prefix, key, v)
	}
	return v
}

// integer reads a whole number in [low, high].
func (f *fields) integer(key string, absent, low, high int64) int64 {
	if !f.has(key) {
		return absent
	}
	text := string(f.values[key])
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil { // 4096.0 is whole too
		x, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			f.fail("%s%s is %s: want a whole number", f.prefix, key, shorten(f.values[key]))
			return absent
		}
		v = int64(x)
	}
	if v < low || v > high {
		f.fail("%s%s is %d: want %d to %d", f.prefix, key, v, low, high)
		return absent
	}
	return v
}

// dimension reads a size of at least one; absent has been checked by the caller.
func (f *fields) dimension(key string, absent int64) int {
	return int(f.integer(key, absent, 1, limit))
}

func (f *fields) count(key string, absent int64) int {
	return int(f.integer(key, absent, 0, limit))
}

// token reads a token id, or the first of a list of them; null means none.
func (f *fields) token(key string, absent int64) int32 {
	if f.isNull(key) {
		return -1
	}
	var list []json.RawMessage
	if f.has(key) && f.values[key][0] == '[' {
		if !f.read(key, &list, "a token id or a list of them") || len(list) == 0 {
			return -1
		}
		first := &fields{values: map[string]json.RawMessage{key: list[0]}, err: f.err}
		id := first.integer(key, -1, 0, math.MaxInt32)
		f.err = first.err
		return int32(id)
	}
	return int32(f.integer(key, absent, -1, math.MaxInt32))
}

// object reads a member that is an object; nil where it is absent.
func (f *fields) object(key string) *fields {
	var v map[string]json.RawMessage
	if !f.read(key, &v, "an object") {
		return nil
	}
	return &fields{values: v, prefix: key + "."}
}

// shorten quotes a value for an error's single line.
func shorten(v json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return "garbled"
	}
	s := b.String()
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}
