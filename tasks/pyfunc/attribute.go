package pyfunc

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks/py"
)

// attribute is v.name.
func attribute(f *frame, v py.Value, name string) (py.Value, error) {
	switch x := v.(type) {
	case *external:
		return x.get(name), nil
	case *moduleValue:
		return x.get(name, f.budget)
	case py.Object:
		if w, ok := x.Attr(name); ok {
			return w, nil
		}
	case string:
		if m, ok := textMethods[name]; ok {
			return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
				return m(x, args, named)
			}), nil
		}
	case *py.List:
		if m, ok := listMethods[name]; ok {
			return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
				return m(b, x, args, named)
			}), nil
		}
	case *py.Dict:
		if m, ok := dictMethods[name]; ok {
			return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
				return m(x, args)
			}), nil
		}
	case py.Tuple:
		if name == "index" || name == "count" {
			v = &py.List{Items: x}
		}
	}
	if x, ok := v.(float64); ok && name == "is_integer" {
		return native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) {
			return x == math.Trunc(x) && !math.IsInf(x, 0), nil
		}), nil
	}
	if m, ok := py.Method(v, name); ok {
		of := v
		return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			if err := f.charge(append([]py.Value{of}, args...)...); err != nil {
				return nil, err
			}
			for i, a := range args {
				if s, ok := a.(*set); ok && name == "join" {
					args[i] = &py.List{Items: s.seen()}
				}
			}
			w, err := m(args, named)
			if err != nil && (name == "index" || name == "rindex") {
				err = raise("ValueError", "%v", err)
			}
			return w, err
		}), nil
	}
	return nil, fmt.Errorf("the attribute %q of a %s is not understood", name, py.TypeName(v))
}

// formats formats values of this package too.
var formats = py.Formatter{Str: str, Item: index}

var textMethods = map[string]func(s string, args []py.Value, named map[string]py.Value) (py.Value, error){
	"format": func(s string, args []py.Value, named map[string]py.Value) (py.Value, error) {
		out, err := formats.Format(s, args, named)
		return out, err
	},
	"isupper": func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		return s == py.Upper(s) && s != py.Lower(s), nil
	},
	"islower": func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		return s == py.Lower(s) && s != py.Upper(s), nil
	},
	"isalnum": func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		for _, r := range s {
			if !unicode.IsLetter(r) && !py.IsDigits(string(r)) && !unicode.IsNumber(r) {
				return false, nil
			}
		}
		return s != "", nil
	},
	"isnumeric": func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		for _, r := range s {
			if r >= 0x3400 && unicode.Is(unicode.Han, r) {
				return nil, fmt.Errorf("isnumeric of Han characters is not understood")
			}
			if !unicode.IsNumber(r) {
				return false, nil
			}
		}
		return s != "", nil
	},
	"zfill": func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		n, ok := width(args)
		if !ok || len(args) != 1 || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
			return nil, fmt.Errorf("zfill like this is not understood")
		}
		return strings.Repeat("0", max(0, n-utf8.RuneCountInString(s))) + s, nil
	},
	"ljust": justified(func(s, pad string) string { return s + pad }),
	"rjust": justified(func(s, pad string) string { return pad + s }),
	"encode": func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		return encoded(s, args)
	},
}

func width(args []py.Value) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	n, ok := py.Int(args[0])
	return int(min(max(n, 0), 1<<20)), ok && n <= 1<<20
}

func justified(join func(s, pad string) string) func(s string, args []py.Value, named map[string]py.Value) (py.Value, error) {
	return func(s string, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		n, ok := width(args)
		fill := " "
		if len(args) == 2 {
			fill, _ = args[1].(string)
		}
		if !ok || utf8.RuneCountInString(fill) != 1 {
			return nil, raise("TypeError", "justifying like this")
		}
		return join(s, strings.Repeat(fill, max(0, n-utf8.RuneCountInString(s)))), nil
	}
}

var listMethods = map[string]func(b *budget, l *py.List, args []py.Value, named map[string]py.Value) (py.Value, error){
	"extend": func(_ *budget, l *py.List, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		if len(args) != 1 {
			return nil, raise("TypeError", "extend takes one list")
		}
		more, err := iterate(args[0])
		if len(l.Items)+len(more) > maxList {
			return nil, fmt.Errorf("a list grows past %d values", maxList)
		}
		l.Items = append(l.Items, more...)
		return nil, err
	},
	"insert": func(_ *budget, l *py.List, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		if len(args) != 2 {
			return nil, raise("TypeError", "insert takes a place and a value")
		}
		i, ok := py.Int(args[0])
		if !ok {
			return nil, raise("TypeError", "insert takes a whole number")
		}
		if i < 0 {
			i = max(0, i+int64(len(l.Items)))
		}
		l.Items = slices.Insert(slices.Clone(l.Items), int(min(i, int64(len(l.Items)))), args[1])
		return nil, nil
	},
	"remove": func(_ *budget, l *py.List, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		if len(args) != 1 {
			return nil, raise("TypeError", "remove takes one value")
		}
		i := slices.IndexFunc(l.Items, func(v py.Value) bool { return py.Equal(v, args[0]) })
		if i < 0 {
			return nil, raise("ValueError", "list.remove(x): x not in list")
		}
		l.Items = slices.Delete(slices.Clone(l.Items), i, i+1)
		return nil, nil
	},
	"reverse": func(_ *budget, l *py.List, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		slices.Reverse(l.Items)
		return nil, nil
	},
	"clear": func(_ *budget, l *py.List, args []py.Value, _ map[string]py.Value) (py.Value, error) {
		l.Items = nil
		return nil, nil
	},
	"sort": func(b *budget, l *py.List, args []py.Value, named map[string]py.Value) (py.Value, error) {
		out, err := order(b, l.Items, named)
		l.Items = out
		return nil, err
	},
}

var dictMethods = map[string]func(d *py.Dict, args []py.Value) (py.Value, error){
	"pop": func(d *py.Dict, args []py.Value) (py.Value, error) {
		if len(args) == 0 || len(args) > 2 {
			return nil, raise("TypeError", "pop takes a key")
		}
		v, ok := d.Get(args[0])
		if !ok && len(args) == 2 {
			return args[1], nil
		}
		if !ok {
			text, _ := py.Repr(args[0])
			return nil, raise("KeyError", "%s", text)
		}
		left := d.Copy()
		*d = *py.NewDict()
		d.Unordered = left.Unordered
		each(left, func(k, w py.Value) {
			if !py.Equal(k, args[0]) {
				d.Set(k, w)
			}
		})
		return v, nil
	},
	"setdefault": func(d *py.Dict, args []py.Value) (py.Value, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("setdefault like this is not understood")
		}
		if v, ok := d.Get(args[0]); ok {
			return v, nil
		}
		d.Set(args[0], args[1])
		return args[1], hashable(args[0])
	},
}
