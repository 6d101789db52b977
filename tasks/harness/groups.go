package harness

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/py"
)

// groupKeys are those of a group's file; others are settings of its tasks.
var groupKeys = []string{"group", "group_alias", "task", "aggregate_metric_list", "metadata"}

// Selection is what names of a command line stand for.
type Selection struct {
	Tasks  []*Task
	Groups []tasks.Group // each before those in it
}

// Select loads what a name, a pattern or the path of a file stands for.
func (x *Index) Select(name string) (*Selection, error) {
	l := &loader{index: x}
	s := &selection{loader: l}
	if strings.HasSuffix(name, ".yaml") && x.entries[name] == nil && !strings.ContainsAny(name, "*?[") {
		c, err := x.load(name)
		if err != nil {
			return nil, err
		}
		e := &Entry{File: name, Kind: Leaf}
		if _, ok := c.dict["class"]; ok {
			e.Kind = Python
		} else if v := c.dict["group"]; v != nil {
			e.Kind = Group
			e.Name, _ = v.text()
		} else if v := c.dict["task"]; v != nil {
			e.Name, _ = v.text()
		}
		if e.Name == "" {
			return nil, fmt.Errorf("%s: it names neither a task nor a group", name)
		}
		if _, _, err := s.add(e, nil, 0); err != nil {
			return nil, err
		}
		return &s.Selection, nil
	}
	entries, err := x.Match(name)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if _, _, err := s.add(e, nil, 0); err != nil {
			return nil, err
		}
	}
	return &s.Selection, nil
}

// selection gathers tasks and groups.
type selection struct {
	*loader
	Selection
}

const maxNesting = 30 // groups within each other

// add loads an entry, with settings that stand above its own. It returns the names of the tasks and,
// directly, of the members.
func (s *selection) add(e *Entry, over *value, depth int) (leaves, members []string, err error) {
	if depth > maxNesting {
		return nil, nil, fmt.Errorf("the group %s: more than %d groups within each other", e.Name, maxNesting)
	}
	switch e.Kind {
	case Python:
		return nil, nil, fmt.Errorf("task %s: %s: it is a class of Python code, which is not understood", e.Name, e.File)
	case Tag:
		names := slices.Clone(e.Tags)
		sort.Strings(names)
		for _, n := range names {
			child, ok := s.index.Find(n)
			if !ok {
				continue
			}
			own, _, err := s.add(child, over, depth+1)
			if err != nil {
				return nil, nil, err
			}
			leaves = append(leaves, own...)
		}
		return leaves, leaves, nil
	}
	c, err := s.index.load(e.File)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", e.Kind, e.Name, err)
	}
	if e.Kind == Group {
		leaves, err = s.group(c, e.Name, over, depth)
		return leaves, []string{e.Name}, err
	}
	c = merged(c, over)
	name, err := text(c, "task")
	if err != nil || name == "" {
		name = e.Name
	}
	err = s.leaf(c, name)
	return []string{name}, []string{name}, err
}

// leaf makes a task, once.
func (s *selection) leaf(c *value, name string) error {
	t, err := s.task(c, name)
	if err != nil {
		return err
	}
	for _, other := range s.Tasks {
		if other.Name == name {
			if other.Digest != t.Digest {
				return fmt.Errorf("task %s is asked for twice, with different settings", name)
			}
			return nil
		}
	}
	s.Tasks = append(s.Tasks, t)
	return nil
}

// merged is a mapping with the settings above it.
func merged(c, over *value) *value {
	if over == nil || len(over.keys) == 0 {
		return c
	}
	out := &value{dict: map[string]*value{}, file: c.file, line: c.line}
	for _, from := range []*value{c, over} {
		for _, k := range from.keys {
			if out.dict[k] == nil {
				out.keys = append(out.keys, k)
			}
			out.dict[k] = from.dict[k]
		}
	}
	return out
}

// without is a mapping without some keys.
func (v *value) without(keys ...string) *value {
	out := &value{dict: map[string]*value{}, file: v.file, line: v.line}
	for _, k := range v.keys {
		if !slices.Contains(keys, k) {
			out.keys = append(out.keys, k)
			out.dict[k] = v.dict[k]
		}
	}
	return out
}

// group adds a group and what is in it, and returns its tasks.
func (s *selection) group(c *value, name string, over *value, depth int) ([]string, error) {
	g := tasks.Group{Name: name, Alias: name}
	if v := c.get("group_alias"); v != nil {
		g.Alias, _ = v.text()
	}
	var err error
	if g.Aggregates, err = aggregates(c.get("aggregate_metric_list")); err != nil {
		return nil, fmt.Errorf("group %s: %w", name, err)
	}
	place := len(s.Groups)
	s.Groups = append(s.Groups, g)
	settings := merged(c.without(groupKeys...), over)
	list := c.get("task")
	if list == nil || !list.isList() {
		return nil, c.errorf("the group %s has no list of tasks", name)
	}
	for _, item := range list.items {
		leaves, members, err := s.member(item, name, settings, depth)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", name, err)
		}
		for _, l := range leaves {
			if !slices.Contains(g.Tasks, l) {
				g.Tasks = append(g.Tasks, l)
			}
		}
		g.Members = append(g.Members, members...)
	}
	s.Groups[place] = g
	return g.Tasks, nil
}

// member adds one of a group's list.
func (s *selection) member(item *value, group string, settings *value, depth int) (leaves, members []string, err error) {
	over := settings
	name, ok := item.text()
	if !ok {
		if !item.isMapping() {
			return nil, nil, item.errorf("a group's list has names, and mappings with task or group")
		}
		if v := item.get("group"); v != nil {
			inner, ok := v.text()
			if !ok {
				return nil, nil, v.errorf("group must be text")
			}
			if e, ok := s.index.Find(inner); ok {
				return s.add(e, merged(settings, item.without("group")), depth+1)
			}
			inner = group + "::" + inner
			leaves, err = s.group(item, inner, settings, depth+1)
			return leaves, []string{inner}, err
		}
		v := item.get("task")
		if v == nil {
			return nil, nil, item.errorf("a mapping in a group's list needs task or group")
		}
		if name, ok = v.text(); !ok {
			return nil, nil, v.errorf("task must be text")
		}
		over = merged(settings, item)
	}
	e, ok := s.index.Find(name)
	if !ok {
		if len(over.without("tag").keys) == 0 {
			near := s.index.Near(name)
			if len(near) > 0 {
				return nil, nil, item.errorf("there is no task %q; did you mean %s?", name, strings.Join(near, ", "))
			}
			return nil, nil, item.errorf("there is no task %q", name)
		}
		inline := group + "::" + name
		return []string{inline}, []string{inline}, s.leaf(over.without("task"), inline)
	}
	if e.Kind == Leaf {
		over = over.without("task")
	}
	return s.add(e, over, depth+1)
}

// aggregates reads aggregate_metric_list.
func aggregates(v *value) ([]tasks.GroupMetric, error) {
	if v == nil {
		return nil, nil
	}
	items := v.items
	if v.isMapping() {
		items = []*value{v}
	}
	var out []tasks.GroupMetric
	for _, e := range items {
		if !e.isMapping() {
			return nil, e.errorf("an entry of aggregate_metric_list must be a mapping")
		}
		a := tasks.GroupMetric{Weighted: true}
		for _, k := range e.keys {
			w := e.dict[k]
			switch k {
			case "metric":
				a.Metric, _ = w.text()
			case "weight_by_size":
				a.Weighted = py.Truth(w.py)
			case "aggregation":
				if s, ok := w.text(); !ok || s != "mean" {
					return nil, w.errorf("a group's metric aggregated otherwise than by mean is not understood")
				}
			case "filter_list":
				list := []*value{w}
				if w.isList() {
					list = w.items
				}
				for _, f := range list {
					s, ok := f.text()
					if !ok && !f.isNull() {
						return nil, f.errorf("filter_list has names")
					}
					if ok {
						a.Filters = append(a.Filters, s)
					}
				}
			default:
				return nil, w.errorf("the key %s of a group's metric is not understood", k)
			}
		}
		if a.Metric == "" {
			return nil, e.errorf("an entry of aggregate_metric_list needs a metric's name")
		}
		out = append(out, a)
	}
	return out, nil
}
