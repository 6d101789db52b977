package pyfunc

import (
	"fmt"
	"path"
	"strings"
	"sync"
	"unicode"

	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/textmetric"
)

// What functions of tasks use of packages beside numpy and scikit-learn.
func init() {
	known["transformers.data.metrics.squad_metrics"] = &external{"transformers.data.metrics.squad_metrics"}
	for name, of := range map[string]func(gold, taken string) py.Value{
		"compute_exact": func(gold, taken string) py.Value { return whole(textmetric.SquadExact(taken, gold)) },
		"compute_f1":    func(gold, taken string) py.Value { return textmetric.SquadF1(taken, gold) },
	} {
		known["transformers.data.metrics.squad_metrics."+name] = native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			if len(args) != 2 || len(named) > 0 {
				return nil, fmt.Errorf("%s like this is not understood", name)
			}
			gold, ok := args[0].(string)
			taken, also := args[1].(string)
			if !ok || !also {
				return nil, raise("TypeError", "%s of a %s and a %s", name, py.TypeName(args[0]), py.TypeName(args[1]))
			}
			return of(gold, taken), nil
		})
	}
	known["lm_eval.api.metrics.metric_max_over_ground_truths"] = native(mostOver)
	known["os.path"] = &external{"os.path"}
	known["os.path.join"] = native(pathJoin)
	known["sys.maxunicode"] = int64(unicode.MaxRune)
	known["unicodedata.category"] = one("category", func(_ *budget, v py.Value) (py.Value, error) {
		if _, ok := v.(surrogate); ok {
			return "Cs", nil
		}
		s, _ := v.(string)
		r := []rune(s)
		if len(r) != 1 {
			return nil, raise("TypeError", "category() argument must be a unicode character")
		}
		return category(r[0]), nil
	})
}

func whole(v bool) py.Value {
	if v {
		return int64(1)
	}
	return int64(0)
}

// mostOver is lm_eval.api.metrics.metric_max_over_ground_truths.
func mostOver(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 3 || len(named) > 0 {
		return nil, fmt.Errorf("metric_max_over_ground_truths like this is not understood")
	}
	golds, err := iterate(args[2])
	if err != nil {
		return nil, err
	}
	scores := &py.List{}
	for _, g := range golds {
		v, err := call(b, args[0], []py.Value{args[1], g}, nil)
		if err != nil {
			return nil, err
		}
		scores.Items = append(scores.Items, v)
	}
	return least(1)(b, []py.Value{scores}, nil)
}

// pathJoin is os.path.join of paths with slashes.
func pathJoin(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	out := ""
	for _, a := range args {
		s, ok := a.(string)
		if !ok {
			return nil, raise("TypeError", "join of a %s", py.TypeName(a))
		}
		switch {
		case path.IsAbs(s) || out == "":
			out = s
		case strings.HasSuffix(out, "/"):
			out += s
		default:
			out += "/" + s
		}
	}
	if len(args) == 0 || len(named) > 0 {
		return nil, raise("TypeError", "join takes paths")
	}
	return out, nil
}

// surrogate is half of a pair, which is no text here: its category is known and nothing else.
type surrogate struct{}

// Attr of it is none.
func (surrogate) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of it.
func (surrogate) TypeName() string { return "surrogate" }

// categories are Unicode's general ones of all code points, by their place in names.
var categories = sync.OnceValues(func() (names []string, of []uint8) {
	names, of = []string{"Cn", "Cs"}, make([]uint8, unicode.MaxRune+1)
	for r := 0xd800; r < 0xe000; r++ {
		of[r] = 1
	}
	for name, table := range unicode.Categories {
		if len(name) != 2 || name == "LC" || name == "Cn" || name == "Cs" {
			continue
		}
		k := uint8(len(names))
		names = append(names, name)
		for _, t := range table.R16 {
			for r := int(t.Lo); r <= int(t.Hi); r += int(t.Stride) {
				of[r] = k
			}
		}
		for _, t := range table.R32 {
			for r := int(t.Lo); r <= int(t.Hi); r += int(t.Stride) {
				of[r] = k
			}
		}
	}
	return names, of
})

func category(r rune) string {
	names, of := categories()
	return names[of[r]]
}
