package harness

import (
	"context"
	"maps"
	"math/big"
	"slices"

	"encoding/json"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// table is the type of a data set's rows, as Hugging Face datasets infers one from JSON: every row has
// every column, null where its line lacks it; numbers of a column are fractions where one is; an object
// has the keys of all objects at its place, in the order in which they come.
type table struct {
	keys  []string          // of objects, in order
	under map[string]*table // their types
	items *table            // of lists
	float bool              // some number here is a fraction
}

// newTable finds the rows' type. The order of keys is looked up in the files only where it can matter, as that costs a
// second reading: where some object lies within a document, or (ordered) Python code may go through a document's columns.
func newTable(ctx context.Context, rows []data.Row, ordered bool) (*table, error) {
	t := &table{}
	nested := ordered
	for _, r := range rows {
		nested = t.see(r.Values, 0) || nested
	}
	if !nested {
		slices.Sort(t.keys)
		return t, nil
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.File] {
			continue
		}
		seen[r.File] = true
		order, err := data.KeyOrder(ctx, r.File)
		if err != nil {
			slices.Sort(t.keys) // a format whose keys have no order has no objects within documents
			continue
		}
		t.arrange("", order)
	}
	return t, nil
}

// see takes a value into the type, and says whether an object of several keys lies within.
func (t *table) see(v any, level int) (nested bool) {
	switch x := v.(type) {
	case float64:
		t.float = true
	case []any:
		if t.items == nil {
			t.items = &table{}
		}
		for _, e := range x {
			nested = t.items.see(e, level+1) || nested
		}
	case map[string]any:
		if t.under == nil {
			t.under = map[string]*table{}
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			u := t.under[k]
			if u == nil {
				u = &table{}
				t.under[k] = u
				t.keys = append(t.keys, k)
			}
			nested = u.see(x[k], level+1) || nested
		}
		return nested || level > 0 && len(x) > 1
	}
	return nested
}

// arrange puts keys in the order of a file.
func (t *table) arrange(parent string, order map[string][]string) {
	if t.items != nil {
		t.items.arrange(parent, order)
	}
	at := map[string]int{}
	for i, k := range order[parent] {
		at[k] = i
	}
	slices.SortStableFunc(t.keys, func(a, b string) int {
		i, ok := at[a]
		j, also := at[b]
		if !ok || !also {
			return 0
		}
		return i - j
	})
	for k, u := range t.under {
		u.arrange(k, order)
	}
}

func (t *table) names() map[string]bool {
	out := make(map[string]bool, len(t.keys))
	for _, k := range t.keys {
		out[k] = true
	}
	return out
}

// row is a document with every column.
func (t *table) row(values map[string]any) *py.Dict {
	d := py.NewDict()
	for _, k := range t.keys {
		d.Set(k, t.under[k].value(values[k]))
	}
	return d
}

func (t *table) value(v any) py.Value {
	switch x := v.(type) {
	case int64:
		if t.float {
			return float64(x)
		}
		return x
	case json.Number:
		if n, ok := new(big.Int).SetString(x.String(), 10); ok {
			return n
		}
		return x.String()
	case []any:
		l := &py.List{Items: make([]py.Value, len(x))}
		for i, e := range x {
			l.Items[i] = t.items.value(e)
		}
		return l
	case map[string]any:
		return t.row(x)
	}
	return v
}
