package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/text"
)

// setting is a value that is not the same in all runs; one a run has none of is "".
type setting struct {
	Name   string   `json:"name"`
	Values []string `json:"values"` // by run
}

// settingsThatDiffer compares the manifests' settings, and what else a reader
// may take for the cause of a difference, leaf by leaf.
func settingsThatDiffer(runs []runDocument) ([]setting, error) {
	all := make([]map[string]string, len(runs))
	var names []string
	for i, r := range runs {
		if r.Foreign {
			return nil, nil // unknown: the comparison notes what it could not check
		}
		m := map[string]string{}
		tasks := map[string]any{}
		for _, t := range r.Manifest.Settings.Tasks {
			tasks[t.Name] = t // by name: the order of tasks changes nothing
		}
		s := r.Manifest.Settings
		s.Tasks = nil
		err := flatten(map[string]any{
			"": s, "task ": tasks, "model.": r.Manifest.Model, "softbench": r.Manifest.Process.Softbench,
		}, m, &names)
		if err != nil {
			return nil, fmt.Errorf("settings of run %s: %w", text.Visible(r.Name), err)
		}
		all[i] = m
	}
	slices.Sort(names)
	var out []setting
	for _, name := range slices.Compact(names) {
		s := setting{Name: name}
		for _, m := range all {
			s.Values = append(s.Values, m[name])
		}
		if len(slices.Compact(slices.Clone(s.Values))) > 1 {
			out = append(out, s)
		}
	}
	return out, nil
}

// flatten turns each part into leaves named by path: "task piqa.limit".
func flatten(parts map[string]any, into map[string]string, names *[]string) error {
	for prefix, part := range parts {
		raw, err := json.Marshal(part)
		if err != nil {
			return err
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var tree any
		if err := d.Decode(&tree); err != nil {
			return err
		}
		leaves(strings.TrimSuffix(prefix, "."), prefix, tree, func(name, value string) {
			into[name] = value
			*names = append(*names, name)
		})
	}
	return nil
}

func leaves(name, prefix string, tree any, put func(name, value string)) {
	switch t := tree.(type) {
	case map[string]any:
		for k, v := range t {
			leaves(prefix+k, prefix+k+".", v, put)
		}
	case nil: // an empty list of tasks, put away above
	case []any:
		text := make([]string, len(t))
		for i, v := range t {
			text[i] = fmt.Sprint(v)
		}
		put(name, strings.Join(text, ", "))
	default:
		put(name, fmt.Sprint(t))
	}
}
