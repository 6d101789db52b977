package pyfunc

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/softbench/softbench/tasks/py"
)

// What of Python's library, and of packages, functions of tasks use beside re and string.
func init() {
	number := func(name string, f func(float64) (float64, bool)) native {
		return one("math."+name, func(_ *budget, v py.Value) (py.Value, error) {
			x, ok := py.Number(v)
			if !ok {
				return nil, raise("TypeError", "must be real number, not %s", py.TypeName(v))
			}
			y, ok := f(x)
			if !ok {
				return nil, raise("ValueError", "math domain error")
			}
			return y, nil
		})
	}
	for name, v := range map[string]py.Value{
		"collections.Counter":   typeOf{"Counter", newCounter},
		"itertools.zip_longest": native(zipLongest),
		"math.e":                math.E, "math.pi": math.Pi, "math.inf": math.Inf(1), "math.nan": math.NaN(),
		"math.exp":   number("exp", func(x float64) (float64, bool) { y := math.Exp(x); return y, !math.IsInf(y, 0) || math.IsInf(x, 0) }),
		"math.sqrt":  number("sqrt", func(x float64) (float64, bool) { return math.Sqrt(x), !(x < 0) }),
		"math.log":   number("log", func(x float64) (float64, bool) { return math.Log(x), !(x <= 0) }),
		"math.isnan": one("math.isnan", func(_ *budget, v py.Value) (py.Value, error) { x, ok := py.Number(v); return ok && math.IsNaN(x), nil }),
		"os.getenv":  native(getenv),
		"hashlib.sha256": one("sha256", func(_ *budget, v py.Value) (py.Value, error) {
			b, ok := v.(bytesOf)
			if !ok {
				return nil, raise("TypeError", "Strings must be encoded before hashing")
			}
			sum := sha256.Sum256([]byte(b))
			return digest(hex.EncodeToString(sum[:])), nil
		}),
		"unicodedata.normalize": native(normalize),
		"json.loads": one("loads", func(_ *budget, v py.Value) (py.Value, error) {
			s, ok := v.(string)
			if !ok {
				return nil, raise("TypeError", "the JSON object must be str, not %s", py.TypeName(v))
			}
			return parseJSON([]byte(s))
		}),
		"re.UNICODE": reFlag("u"), "re.U": reFlag("u"),
	} {
		known[name] = v
	}
	for _, level := range []string{"debug", "info", "warning", "error"} { // what a function logs changes nothing
		known["logging."+level] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return nil, nil })
	}
	known["logging.getLogger"] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return &external{"logging"}, nil })
	known["numpy.NaN"] = math.NaN()
	builtins["round"] = native(round)
}

// getenv is what the harness has where no one sets the variable; where one does, it would be another task.
func getenv(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, raise("TypeError", "getenv takes a name")
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, raise("TypeError", "str expected, not %s", py.TypeName(args[0]))
	}
	if _, set := os.LookupEnv(name); set {
		return nil, fmt.Errorf("the environment variable %s is set, and the task would be another one by it: unset it", name)
	}
	if len(args) == 2 {
		return args[1], nil
	}
	return nil, nil
}

// round is Python's: to the nearest, of two as near the even one, of the number's exact value.
func round(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) == 0 || len(args) > 2 || len(named) > 0 {
		return nil, fmt.Errorf("round like this is not understood")
	}
	if x, ok := args[0].(numpyFloat); ok && len(args) == 2 {
		if digits, ok := py.Int(args[1]); ok && digits >= 0 && digits < 16 {
			return x.round(digits), nil
		}
	}
	if n, ok := args[0].(int64); ok && (len(args) == 1 || args[1] == nil) {
		return n, nil
	}
	x, ok := args[0].(float64)
	if !ok {
		return nil, fmt.Errorf("round of a %s is not understood", py.TypeName(args[0]))
	}
	if len(args) == 1 || args[1] == nil {
		if y := math.RoundToEven(x); math.Abs(y) < 1<<53 {
			return int64(y), nil
		}
		return nil, fmt.Errorf("round of %v is not understood", x)
	}
	digits, ok := py.Int(args[1])
	if !ok || digits < 0 || digits > 300 || math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, fmt.Errorf("round like this is not understood")
	}
	return strconv.ParseFloat(strconv.FormatFloat(x, 'f', int(digits), 64), 64)
}

func zipLongest(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	var all [][]py.Value
	n := 0
	for _, a := range args {
		v, err := iterate(a)
		if err != nil {
			return nil, err
		}
		all, n = append(all, v), max(n, len(v))
	}
	fill := named["fillvalue"]
	out := &py.List{}
	for i := range n {
		t := make(py.Tuple, len(all))
		for k := range all {
			if t[k] = fill; i < len(all[k]) {
				t[k] = all[k][i]
			}
		}
		out.Items = append(out.Items, t)
	}
	return out, nil
}

func normalize(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
	if len(args) != 2 {
		return nil, raise("TypeError", "normalize takes a form and a text")
	}
	form, _ := args[0].(string)
	s, ok := args[1].(string)
	if !ok {
		return nil, raise("TypeError", "normalize of a %s", py.TypeName(args[1]))
	}
	switch form {
	case "NFC":
		return norm.NFC.String(s), nil
	case "NFD":
		return norm.NFD.String(s), nil
	case "NFKC":
		return norm.NFKC.String(s), nil
	case "NFKD":
		return norm.NFKD.String(s), nil
	}
	return nil, raise("ValueError", "invalid normalization form")
}

// bytesOf is a text's bytes, of which a hash can be made and nothing else.
type bytesOf string

// Attr of bytes is none.
func (bytesOf) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of bytes.
func (bytesOf) TypeName() string { return "bytes" }

// digest is a hash in hexadecimal digits.
type digest string

// Attr of a hash.
func (d digest) Attr(name string) (py.Value, bool) {
	return native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return string(d), nil }), name == "hexdigest"
}

// TypeName of a hash.
func (digest) TypeName() string { return "HASH" }

// encoded is s.encode(): UTF-8's bytes.
func encoded(s string, args []py.Value) (py.Value, error) {
	if len(args) > 0 {
		if name, _ := args[0].(string); !strings.EqualFold(name, "utf-8") && !strings.EqualFold(name, "utf8") || len(args) > 1 {
			return nil, fmt.Errorf("encode like this is not understood")
		}
	}
	return bytesOf(s), nil
}
