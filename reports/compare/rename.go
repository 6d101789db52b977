package compare

import (
	"fmt"
	"maps"
	"slices"
)

// rename gives tasks of lm-evaluation-harness the names that the other side has for
// them: those that the user mapped, else a task's alias where the other side lacks its
// name. The sides themselves stay as they are.
func rename(a, b *Side, o Options) (*Side, *Side, []string, error) {
	var notes []string
	used := map[string]bool{}
	named := func(s, other *Side) (*Side, error) {
		if s.Format != Harness {
			return s, nil
		}
		out := *s
		out.Tasks = slices.Clone(s.Tasks)
		for i := range out.Tasks {
			t := &out.Tasks[i]
			name, mapped := o.Map[t.Name]
			used[t.Name] = used[t.Name] || mapped
			if !mapped && t.Alias != "" && other.Task(t.Name) == nil && other.Task(t.Alias) != nil {
				name = t.Alias
			}
			if name == "" || name == t.Name {
				continue
			}
			if slices.ContainsFunc(out.Tasks, func(t Task) bool { return t.Name == name }) {
				return nil, fmt.Errorf("%s: task %s cannot be taken as %s: it has a task of that name", s.Path, t.Name, name)
			}
			notes = append(notes, fmt.Sprintf("task %s of %s is taken as %s", t.Name, s.Name, name))
			if mapped {
				t.MustMatch = maps.Clone(t.MustMatch)
				delete(t.MustMatch, "version")
			}
			t.was, t.Name = t.Name, name
		}
		return &out, nil
	}
	a2, err := named(a, b)
	if err != nil {
		return nil, nil, nil, err
	}
	b2, err := named(b, a)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		if !used[name] {
			return nil, nil, nil, fmt.Errorf("--map %s=%s: neither side has results of lm-evaluation-harness for a task %s", name, o.Map[name], name)
		}
	}
	return a2, b2, notes, nil
}

// mapHint names the flag that takes a task of lm-evaluation-harness as one of ours,
// where either side alone has tasks that may be one; "" where there is nothing to map.
func mapHint(a, b *Side, onlyA, onlyB []string) string {
	harness, theirs, ours := a, onlyA, onlyB
	if a.Format != Harness {
		harness, theirs, ours = b, onlyB, onlyA
	}
	if harness.Format != Harness || len(theirs) == 0 || len(ours) == 0 {
		return ""
	}
	own, as := theirs[0], "NAME"
	if t := harness.Task(own); t.was != "" {
		own = t.was
	}
	if len(theirs) == 1 && len(ours) == 1 {
		as = ours[0]
	}
	return fmt.Sprintf("compare takes a task of lm-evaluation-harness as one of another name by --map %s=%s", own, as)
}

// versionHint is said of a task that its alias alone made the same as another.
func versionHint(a, b *Task) string {
	for _, t := range []*Task{a, b} {
		if t.was != "" {
			return fmt.Sprintf(" (--map %s=%s takes it as a copy, whatever its version)", t.was, t.Name)
		}
	}
	return ""
}
