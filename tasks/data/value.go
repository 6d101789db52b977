package data

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// normalise turns what a reader produced into the few types a Row holds: nil, bool, int64, float64,
// string, []any, map[string]any, and json.Number for an integer beyond int64. A byte string that is
// not UTF-8 becomes "base64:" and its base64.
func normalise(v any) any {
	switch x := v.(type) {
	case nil, bool, int64, float64:
		return x
	case string:
		return normaliseString(x)
	case []byte:
		return normaliseString(string(x))
	case json.Number:
		return normaliseNumber(x)
	case int32:
		return int64(x)
	case int:
		return int64(x)
	case float32:
		return float64(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = normalise(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = normalise(e)
		}
		return out
	}
	return normaliseReflect(reflect.ValueOf(v))
}

// normaliseReflect covers the typed slices, maps and narrow integers a Parquet reader may return.
func normaliseReflect(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := v.Uint(); u > math.MaxInt64 {
			return json.Number(strconv.FormatUint(u, 10))
		}
		return int64(v.Uint())
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.String:
		return normaliseString(v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return normalise(v.Elem().Interface())
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return normaliseString(string(v.Bytes()))
		}
		fallthrough
	case reflect.Array:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = normalise(v.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			out[fmt.Sprint(it.Key().Interface())] = normalise(it.Value().Interface())
		}
		return out
	}
	return fmt.Sprint(v.Interface())
}

func normaliseString(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return "base64:" + base64.StdEncoding.EncodeToString([]byte(s))
}

func normaliseNumber(n json.Number) any {
	s := n.String()
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil { // out of range: ±Inf, as Python's json gives
			return f
		}
		return f
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	if b, ok := new(big.Int).SetString(s, 10); ok {
		return json.Number(b.String())
	}
	return s
}

// Canonical is the one JSON text of a document, whatever file it came from: keys sorted by code
// point, no spaces, text as UTF-8 with only the escapes JSON demands, integers and floats as Python
// prints them, and keys whose value is null left out at every level (Parquet has a null where JSON
// lines may lack the key). For a document without nulls it equals Python's
//
//	json.dumps(doc, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
func Canonical(doc map[string]any) []byte { return appendCanonical(nil, doc) }

// Hash is the lower-case hexadecimal SHA-256 of Canonical(doc): the name of a document in runs,
// baselines and goldens.
func Hash(doc map[string]any) string {
	sum := sha256.Sum256(Canonical(doc))
	return hex.EncodeToString(sum[:])
}

func appendCanonical(b []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, x)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case float64:
		return appendFloat(b, x)
	case json.Number:
		return append(b, x...)
	case string:
		return appendString(b, x)
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCanonical(b, e)
		}
		return append(b, ']')
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k, e := range x {
			if e != nil {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, k)
			b = append(b, ':')
			b = appendCanonical(b, x[k])
		}
		return append(b, '}')
	}
	return appendCanonical(b, normalise(v))
}

// appendFloat prints a float as Python's repr does: the shortest digits that read back equal, an
// exponent below 1e-4 and from 1e16 on, ".0" where nothing else marks a float.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if !strings.Contains(string(b[start:]), ".") {
		b = append(b, ".0"...)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
