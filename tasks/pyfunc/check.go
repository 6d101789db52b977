package pyfunc

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

// uses are what a statement at the left edge refers to, by which it is checked before it is run.
type uses struct {
	names  map[string]int // names and where they stand
	attrs  map[string]int
	pairs  map[[2]string]int // a name and an attribute of it
	given  map[string]bool   // names that get a value in it
	silent int               // within types and raised errors, which are not run
}

func newUses() *uses {
	return &uses{names: map[string]int{}, attrs: map[string]int{}, pairs: map[[2]string]int{}, given: map[string]bool{}}
}

// pairsOf are a name's pairs in the order of their lines, so that what is refused first is always the same.
func (u *uses) pairsOf(name string) (out [][2]string) {
	for pair := range u.pairs {
		if pair[0] == name {
			out = append(out, pair)
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(u.pairs[a], u.pairs[b]), cmp.Compare(a[1], b[1]))
	})
	return out
}

// attributes are all that something here has.
var attributes = func() map[string]bool {
	out := map[string]bool{}
	for _, name := range []string{
		"strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "split", "rsplit", "splitlines", "join", "replace", "index", "find", "rindex", "rfind", "count",
		"startswith", "endswith", "removeprefix", "removesuffix", "isdigit", "isdecimal", "isspace", "isalpha", "partition", "rpartition",
		"append", "pop", "copy", "keys", "values", "items", "get", "update", "add", "intersection", "union", "difference", "issubset", "issuperset",
		"column_names", "num_rows", "features", "map", "filter", "select", "remove_columns", "rename_column", "to_list", "group", "groups", "start", "end", "__name__",
		"resolve", "absolute", "parent", "stem", "open",
		"sub", "search", "match", "fullmatch", "findall", "compile",
		"is_integer", "isdisjoint", "most_common", "hexdigest", "sum", "mean", "max", "min", "argmax", "argmin", "tolist", "size",
		"debug", "info", "warning", "error",
	} {
		out[name] = true
	}
	return out
}()

// check says what of a name's statement, and of those it refers to, is not understood.
func (m *Module) check(name string, seen map[string]bool) error {
	if seen[m.file+"\x00"+name] {
		return nil
	}
	seen[m.file+"\x00"+name] = true
	for _, p := range m.parts {
		if !slices.Contains(p.names, name) || at0(p) == "import" || at0(p) == "from" {
			continue
		}
		ps := &parser{m: m, tokens: append(slices.Clone(p.tokens), token{kind: tokEOF, line: p.tokens[0].line}), uses: newUses()}
		if _, err := ps.statements(tokEOF); err != nil {
			return err
		}
		u := ps.uses
		for _, n := range slices.Sorted(maps.Keys(u.names)) {
			if u.given[n] || builtins[n] != nil {
				continue
			}
			v, ok, err := m.global(n, &budget{loader: m.loader})
			if err != nil {
				return err
			}
			if !ok {
				return m.place(u.names[n], fmt.Errorf("the name %q is not understood", n))
			}
			if err := m.checkValue(n, v, u, seen); err != nil {
				return err
			}
		}
		own := m.ownAttributes()
		for _, a := range slices.Sorted(maps.Keys(u.attrs)) {
			if !attributes[a] && !own[a] && textMethods[a] == nil && listMethods[a] == nil && dictMethods[a] == nil {
				return m.place(u.attrs[a], fmt.Errorf("the attribute %q is not understood", a))
			}
		}
	}
	return nil
}

// ownAttributes are what the module's classes and their bases have: methods, values, and what is given to self.
func (m *Module) ownAttributes() map[string]bool {
	out := map[string]bool{}
	found := false
	for _, p := range m.parts {
		if at0(p) != "class" {
			continue
		}
		found = true
		for i := 1; i+1 < len(p.tokens); i++ {
			t, before, after := p.tokens[i], p.tokens[i-1].text, p.tokens[i+1].text
			if t.kind == tokName && (before == "def" || after == "=" && (before == "." || p.tokens[i-1].kind == tokNewline || p.tokens[i-1].kind == tokIndent)) {
				out[t.text] = true
			}
		}
	}
	if found {
		for _, name := range []string{"__init__", "apply", "regex", "regex_pattern", "group_select", "fallback"} {
			out[name] = true
		}
	}
	return out
}

// checkValue checks what a name stands for.
func (m *Module) checkValue(n string, v py.Value, u *uses, seen map[string]bool) error {
	switch x := v.(type) {
	case *external:
		used := false
		for _, pair := range u.pairsOf(n) {
			line := u.pairs[pair]
			used = true
			if w, isExternal := x.get(pair[1]).(*external); isExternal && known[w.name] == nil {
				return m.place(line, fmt.Errorf("%s is not understood", w.name))
			}
		}
		if !used && known[x.name] == nil {
			return m.place(u.names[n], fmt.Errorf("%s is not understood", x.name))
		}
	case *class:
		for _, b := range x.bases {
			for _, v := range b.names {
				if f, ok := v.(*Func); ok {
					if err := f.module.check(b.name, seen); err != nil {
						return err
					}
				}
			}
		}
	case *moduleValue:
		for _, pair := range u.pairsOf(n) {
			line := u.pairs[pair]
			w, err := x.get(pair[1], &budget{loader: m.loader})
			if err == nil {
				err = x.m.checkValue(pair[1], w, newUses(), seen)
			}
			if err != nil {
				return m.place(line, err)
			}
		}
		return nil
	case *Func:
		return x.module.check(x.name, seen)
	case *partial:
		return m.checkValue(n, x.of, u, seen)
	}
	return m.check(n, seen)
}
