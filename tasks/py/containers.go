package py

import (
	"fmt"
)

var listMethods = map[string]func(l *List, a arguments) (Value, error){
	"index": func(l *List, a arguments) (Value, error) {
		if err := a.count(1, 1); err != nil {
			return nil, err
		}
		for i, e := range l.Items {
			if Equal(e, a.args[0]) {
				return int64(i), nil
			}
		}
		return nil, fmt.Errorf("index: the value is not in the list")
	},
	"count": func(l *List, a arguments) (Value, error) {
		if err := a.count(1, 1); err != nil {
			return nil, err
		}
		n := int64(0)
		for _, e := range l.Items {
			if Equal(e, a.args[0]) {
				n++
			}
		}
		return n, nil
	},
	"append": func(l *List, a arguments) (Value, error) {
		if err := a.count(1, 1); err != nil {
			return nil, err
		}
		if len(l.Items) >= maxRange {
			return nil, fmt.Errorf("a list grows past %d values", maxRange)
		}
		l.Items = append(l.Items, a.args[0])
		return nil, nil
	},
	"pop": func(l *List, a arguments) (Value, error) {
		if err := a.count(0, 1); err != nil {
			return nil, err
		}
		var at Value = int64(-1)
		if len(a.args) == 1 {
			at = a.args[0]
		}
		v, ok := Index(l, at)
		if !ok {
			return nil, fmt.Errorf("pop: the list has no such place")
		}
		i, _ := Int(at)
		if i < 0 {
			i += int64(len(l.Items))
		}
		l.Items = append(append([]Value{}, l.Items[:i]...), l.Items[i+1:]...)
		return v, nil
	},
	"copy": func(l *List, a arguments) (Value, error) {
		return &List{append([]Value{}, l.Items...)}, a.count(0, 0)
	},
}

var dictMethods = map[string]func(d *Dict, a arguments) (Value, error){
	"keys": func(d *Dict, a arguments) (Value, error) {
		keys, err := d.Keys()
		if err != nil {
			return nil, err
		}
		return &List{append([]Value{}, keys...)}, a.count(0, 0)
	},
	"values": func(d *Dict, a arguments) (Value, error) {
		if _, err := d.Keys(); err != nil {
			return nil, err
		}
		return &List{append([]Value{}, d.values...)}, a.count(0, 0)
	},
	"items": func(d *Dict, a arguments) (Value, error) {
		items, err := d.Items()
		if err != nil {
			return nil, err
		}
		return &List{items}, a.count(0, 0)
	},
	"get": func(d *Dict, a arguments) (Value, error) {
		if err := a.count(1, 2); err != nil {
			return nil, err
		}
		if v, ok := d.Get(a.args[0]); ok {
			return v, nil
		}
		if len(a.args) == 2 {
			return a.args[1], nil
		}
		return nil, nil
	},
	"copy": func(d *Dict, a arguments) (Value, error) { return d.Copy(), a.count(0, 0) },
	"update": func(d *Dict, a arguments) (Value, error) {
		if err := a.count(1, 1); err != nil {
			return nil, err
		}
		other, ok := a.args[0].(*Dict)
		if !ok {
			return nil, fmt.Errorf("update takes a dict, not %s", TypeName(a.args[0]))
		}
		keys, err := other.Keys()
		if err != nil {
			return nil, err
		}
		for i, k := range keys {
			d.Set(k, other.values[i])
		}
		return nil, nil
	},
}

// Items are the dict's (key, value) pairs.
func (d *Dict) Items() ([]Value, error) {
	keys, err := d.Keys()
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(keys))
	for i, k := range keys {
		out[i] = Tuple{k, d.values[i]}
	}
	return out, nil
}
