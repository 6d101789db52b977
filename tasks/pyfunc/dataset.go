package pyfunc

import (
	"fmt"
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

// Dataset is a table of documents, as the package datasets has it.
type Dataset struct {
	Rows    []Row
	Columns []string
}

// Row is a document and which of the source's it was made of; -1: of none.
type Row struct {
	Doc  *py.Dict
	From int
}

// NewDataset is a data set of documents, in order.
func NewDataset(docs []*py.Dict) *Dataset {
	d := &Dataset{Rows: make([]Row, len(docs))}
	for i, doc := range docs {
		d.Rows[i] = Row{doc, i}
	}
	d.columns()
	return d
}

func (d *Dataset) columns() {
	if len(d.Rows) == 0 {
		return
	}
	d.Columns = nil
	each(d.Rows[0].Doc, func(k, _ py.Value) { d.Columns = append(d.Columns, k.(string)) })
}

// TypeName of it.
func (*Dataset) TypeName() string { return "Dataset" }

// Attr is a method or a property.
func (d *Dataset) Attr(name string) (py.Value, bool) {
	switch name {
	case "column_names":
		return py.Strings(d.Columns), true
	case "num_rows":
		return int64(len(d.Rows)), true
	case "features":
		out := py.NewDict()
		for _, c := range d.Columns {
			out.Set(c, &external{"a feature of a data set"})
		}
		return out, true
	case "map":
		return native(d.mapped), true
	case "filter":
		return native(d.filtered), true
	case "select":
		return native(d.selected), true
	case "remove_columns":
		return native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("remove_columns like this is not understood")
			}
			return d.without(args[0])
		}), true
	case "rename_column":
		return native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			if len(args) != 2 {
				return nil, fmt.Errorf("rename_column like this is not understood")
			}
			return d.renamed(args[0], args[1])
		}), true
	case "to_list":
		return native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return list(iterate(d)) }), true
	}
	return nil, false
}

func (d *Dataset) index(k py.Value) (py.Value, error) {
	if name, ok := k.(string); ok {
		out := &py.List{}
		for _, r := range d.Rows {
			v, ok := r.Doc.Get(name)
			if !ok {
				return nil, raise("KeyError", "Column %s not in the dataset", name)
			}
			out.Items = append(out.Items, v)
		}
		return out, nil
	}
	i, ok := py.Int(k)
	if i < 0 {
		i += int64(len(d.Rows))
	}
	if !ok || i < 0 || i >= int64(len(d.Rows)) {
		return nil, raise("IndexError", "the dataset has no such row")
	}
	return d.Rows[i].Doc.Copy(), nil
}

// deep is a copy that a function may change.
func deep(v py.Value) py.Value {
	switch x := v.(type) {
	case *py.List:
		out := &py.List{Items: make([]py.Value, len(x.Items))}
		for i, e := range x.Items {
			out.Items[i] = deep(e)
		}
		return out
	case *py.Dict:
		out := py.NewDict()
		each(x, func(k, w py.Value) { out.Set(k, deep(w)) })
		out.Unordered = x.Unordered
		return out
	}
	return v
}

func (d *Dataset) mapped(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	f, indices := py.Value(nil), false
	var remove py.Value
	if len(args) > 0 {
		f = args[0]
	}
	var fixed map[string]py.Value
	for k, v := range named {
		switch k {
		case "function":
			f = v
		case "with_indices":
			indices = truth(v)
		case "remove_columns":
			remove = v
		case "num_proc", "desc", "load_from_cache_file", "keep_in_memory", "writer_batch_size", "cache_file_name", "new_fingerprint":
		case "batched":
			if truth(v) {
				return nil, fmt.Errorf("map by batches is not understood")
			}
		case "fn_kwargs":
			kw, ok := v.(*py.Dict)
			if !ok {
				return nil, fmt.Errorf("fn_kwargs must be a dict")
			}
			fixed = map[string]py.Value{}
			each(kw, func(k, w py.Value) {
				if s, ok := k.(string); ok {
					fixed[s] = w
				}
			})
		default:
			return nil, fmt.Errorf("the argument %s of map is not understood", k)
		}
	}
	if f == nil || len(args) > 1 {
		return nil, fmt.Errorf("map like this is not understood")
	}
	out := &Dataset{}
	for i, r := range d.Rows {
		given := []py.Value{deep(r.Doc)}
		if indices {
			given = append(given, int64(i))
		}
		b.steps = 0 // a budget for each document
		v, err := call(b, f, given, fixed)
		if err != nil {
			return nil, err
		}
		doc := r.Doc.Copy()
		if remove != nil {
			if doc, err = dropped(doc, remove); err != nil {
				return nil, err
			}
		}
		switch x := v.(type) {
		case nil:
		case *py.Dict:
			each(x, func(k, w py.Value) { doc.Set(k, w) })
		default:
			return nil, raise("TypeError", "map's function gives a %s, not a dict", py.TypeName(v))
		}
		out.Rows = append(out.Rows, Row{doc, r.From})
	}
	out.columns()
	return out, nil
}

func dropped(doc *py.Dict, names py.Value) (*py.Dict, error) {
	list := []py.Value{names}
	if _, ok := names.(string); !ok {
		var err error
		if list, err = iterate(names); err != nil {
			return nil, err
		}
	}
	var texts []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, raise("TypeError", "a column's name is a %s", py.TypeName(v))
		}
		texts = append(texts, s)
	}
	return doc.Without(texts...), nil
}

func (d *Dataset) without(names py.Value) (py.Value, error) {
	out := &Dataset{}
	for _, r := range d.Rows {
		doc, err := dropped(r.Doc, names)
		if err != nil {
			return nil, err
		}
		out.Rows = append(out.Rows, Row{doc, r.From})
	}
	out.columns()
	return out, nil
}

func (d *Dataset) renamed(from, to py.Value) (py.Value, error) {
	out := &Dataset{}
	for _, r := range d.Rows {
		doc := py.NewDict()
		each(r.Doc, func(k, v py.Value) {
			if py.Equal(k, from) {
				k = to
			}
			doc.Set(k, v)
		})
		out.Rows = append(out.Rows, Row{doc, r.From})
	}
	out.columns()
	return out, nil
}

func (d *Dataset) filtered(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	f, indices := py.Value(nil), false
	if len(args) > 0 {
		f = args[0]
	}
	for k, v := range named {
		switch k {
		case "function":
			f = v
		case "with_indices":
			indices = truth(v)
		case "num_proc", "desc", "load_from_cache_file", "keep_in_memory":
		default:
			return nil, fmt.Errorf("the argument %s of filter is not understood", k)
		}
	}
	if f == nil || len(args) > 1 {
		return nil, fmt.Errorf("filter like this is not understood")
	}
	out := &Dataset{Columns: d.Columns}
	for i, r := range d.Rows {
		given := []py.Value{deep(r.Doc)}
		if indices {
			given = append(given, int64(i))
		}
		b.steps = 0
		v, err := call(b, f, given, nil)
		if err != nil {
			return nil, err
		}
		if truth(v) {
			out.Rows = append(out.Rows, r)
		}
	}
	return out, nil
}

func (d *Dataset) selected(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if v, ok := named["indices"]; ok {
		args = append(args, v)
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("select like this is not understood")
	}
	places, err := iterate(args[0])
	if err != nil {
		return nil, err
	}
	out := &Dataset{Columns: slices.Clone(d.Columns)}
	for _, p := range places {
		i, ok := py.Int(p)
		if !ok || i < 0 || i >= int64(len(d.Rows)) {
			return nil, raise("IndexError", "the dataset has no such row")
		}
		out.Rows = append(out.Rows, d.Rows[i])
	}
	return out, nil
}

// fromList is Dataset.from_list.
func fromList(v py.Value) (py.Value, error) {
	values, err := iterate(v)
	if err != nil {
		return nil, err
	}
	out := &Dataset{}
	for _, e := range values {
		doc, ok := e.(*py.Dict)
		if !ok {
			return nil, raise("TypeError", "from_list takes dicts")
		}
		out.Rows = append(out.Rows, Row{doc, -1})
	}
	out.columns()
	return out, nil
}
