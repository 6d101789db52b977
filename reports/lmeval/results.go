package lmeval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/pythonjson"
	"github.com/softbench/softbench/tasks/metric"
)

// Results are one evaluation: the aggregated numbers and every sample.
type Results struct {
	File      string // of the aggregated results
	Date      string // as in the files' names
	Version   string // of lm_eval; "" where it is not recorded
	Model     string
	MaxLength int // tokens of context; 0 where it is not recorded
	// Tokens names the tokenizer's pad, end and beginning token with their ids, as
	// far as recorded: the harness keeps no hash of the tokenizer.
	Tokens string
	Chat   string // hash of the chat template and the system instruction; "": neither
	Tasks  []Task // in the order of the results
	Groups []Group
}

// Task is one task of Results.
type Task struct {
	Name    string
	Alias   string // what the harness's tables call it, where that is another name
	Version string
	FewShot int
	Metrics []Metric
	Samples []Sample // one for each document and filter
}

// Group is tasks with metrics over all of them.
type Group struct {
	Name    string
	Tasks   []string // all tasks in it, those of groups in it too
	Metrics []Metric
}

// Metric is an aggregated number. Stderr is NaN where there is none.
type Metric struct {
	Name, Filter   string
	Value, Stderr  float64
	HigherIsBetter bool
}

// Key is what the metric is called where filters matter: its name, with the
// filter's behind it where that is not the usual "none".
func (m Metric) Key() string { return keyOf(m.Name, m.Filter) }

func keyOf(metric, filter string) string {
	if filter == "none" || filter == "" {
		return metric
	}
	return metric + "," + filter
}

// resultsFile are the fields of a results file that are read.
type resultsFile struct {
	Results        map[string]json.RawMessage  `json:"results"`
	Versions       map[string]json.RawMessage  `json:"versions"`
	FewShot        map[string]any              `json:"n-shot"`
	HigherIsBetter map[string]map[string]*bool `json:"higher_is_better"`
	GroupSubtasks  map[string][]string         `json:"group_subtasks"`
	Configs        map[string]map[string]any   `json:"configs"`
	Config         map[string]any              `json:"config"`
	ModelName      string                      `json:"model_name"`
	LMEval         string                      `json:"lm_eval_version"`
	Pad            any                         `json:"tokenizer_pad_token"`
	EOS            any                         `json:"tokenizer_eos_token"`
	BOS            any                         `json:"tokenizer_bos_token"`
	MaxLength      any                         `json:"max_length"`
	TaskHashes     map[string]string           `json:"task_hashes"`
	ChatSHA        string                      `json:"chat_template_sha"`
	SystemSHA      string                      `json:"system_instruction_sha"`
}

// parseResults reads a results file, and the hashes over the samples it names. NaN
// and Infinity are read as Python does, which writes them: an error that is not a
// number is none, a metric that is not is left out by who compares.
func parseResults(text []byte) (*Results, map[string]string, error) {
	if !utf8.Valid(text) {
		return nil, nil, errors.New("not UTF-8: not a results file of lm-evaluation-harness")
	}
	if values, objects := pythonjson.Count(text); values > maxResultValues || objects > maxResultObjects {
		return nil, nil, fmt.Errorf("%d values in %d objects, more than %d or %d: not a results file of lm-evaluation-harness", values, objects, maxResultValues, maxResultObjects)
	}
	text = pythonjson.Plain(text)
	var f resultsFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, nil, fmt.Errorf("not a results file of lm-evaluation-harness: %w", jsonplace.Locate(text, err))
	}
	if len(f.Results) == 0 {
		return nil, nil, errors.New("not a results file of lm-evaluation-harness: it has no results")
	}
	r := &Results{Version: f.LMEval, Model: f.ModelName, Tokens: tokens(f), Chat: f.ChatSHA + f.SystemSHA}
	if r.Model == "" {
		r.Model, _ = f.Config["model"].(string)
	}
	if n, ok := f.MaxLength.(float64); ok && n > 0 && n < math.MaxInt32 {
		r.MaxLength = int(n)
	}
	order, err := keys(text, "results")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range order {
		if len(f.GroupSubtasks[name]) > 0 || len(f.Configs) > 0 && f.Configs[name] == nil {
			g := Group{Name: name, Tasks: leaves(f.GroupSubtasks, name, nil)}
			if g.Metrics, err = metrics(f.Results[name], f.HigherIsBetter[name]); err != nil {
				return nil, nil, fmt.Errorf("group %s: %w", name, err)
			}
			if len(g.Metrics) > 0 && len(g.Tasks) > 0 {
				r.Groups = append(r.Groups, g)
			}
			continue
		}
		if name == "" || name != filepath.Base(name) || strings.ContainsAny(name, `/\`) {
			return nil, nil, fmt.Errorf("%q is not the name of a task", name)
		}
		t := Task{Name: name, Alias: alias(name, f.Results[name], f.Configs[name])}
		if v := strings.Trim(string(f.Versions[name]), `"`); v != "null" && v != "N/A" {
			t.Version = v
		}
		switch n := f.FewShot[name].(type) {
		case nil:
		case float64:
			t.FewShot = int(n)
		default:
			return nil, nil, fmt.Errorf("task %s: n-shot is %v, want a number", name, n)
		}
		if t.Metrics, err = metrics(f.Results[name], f.HigherIsBetter[name]); err != nil {
			return nil, nil, fmt.Errorf("task %s: %w", name, err)
		}
		if len(t.Metrics) > 0 {
			r.Tasks = append(r.Tasks, t)
		}
	}
	if len(r.Tasks) == 0 {
		return nil, nil, errors.New("no task has a metric")
	}
	return r, f.TaskHashes, nil
}

// leaves are the tasks in a group, each once, in their order; those of groups that hold each other end somewhere.
func leaves(subtasks map[string][]string, group string, within []string) (out []string) {
	for _, name := range subtasks[group] {
		inner := []string{name}
		if len(subtasks[name]) > 0 {
			if name == group || slices.Contains(within, name) {
				continue
			}
			inner = leaves(subtasks, name, append(within, group))
		}
		for _, n := range inner {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// alias is the task's other name: its configuration's task_alias, else the alias of
// its results, which stands indented below a group's.
func alias(name string, results json.RawMessage, config map[string]any) string {
	var row struct {
		Alias any `json:"alias"`
	}
	text, _ := config["task_alias"].(string)
	if text == "" && json.Unmarshal(results, &row) == nil {
		text, _ = row.Alias.(string)
	}
	if text = strings.TrimLeft(text, " -"); text == name {
		return ""
	}
	return text
}

func tokens(f resultsFile) string {
	if f.Pad == nil && f.EOS == nil && f.BOS == nil {
		return ""
	}
	return fmt.Sprintf("pad %v, eos %v, bos %v", f.Pad, f.EOS, f.BOS)
}

// metrics reads "acc,none": 0.5, "acc_stderr,none": 0.1 and their like.
func metrics(text json.RawMessage, higher map[string]*bool) ([]Metric, error) {
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("its results are not an object: %w", err)
	}
	order, err := keys([]byte(`{"results":`+string(text)+`}`), "results")
	if err != nil {
		return nil, err
	}
	var out []Metric
	for _, key := range order {
		name, filter, ok := strings.Cut(key, ",")
		value, isNumber := number(fields[key])
		if !ok || !isNumber || strings.HasSuffix(name, "_stderr") {
			continue
		}
		m := Metric{Name: name, Filter: filter, Value: value, Stderr: math.NaN(), HigherIsBetter: metric.ByName(name).HigherIsBetter}
		if se, ok := number(fields[name+"_stderr,"+filter]); ok && !math.IsInf(se, 0) {
			m.Stderr = se // "N/A" where the harness has none
		}
		if h := higher[name]; h != nil {
			m.HigherIsBetter = *h
		}
		out = append(out, m)
	}
	return out, nil
}

// number is a value that is one, NaN and Infinity among them.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case string:
		switch x { // as pythonjson leaves them
		case "NaN":
			return math.NaN(), true
		case "Infinity":
			return math.Inf(1), true
		case "-Infinity":
			return math.Inf(-1), true
		}
	}
	return 0, false
}

// keys are the keys of the object at the top-level key name, in their order.
func keys(text []byte, name string) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		if key != name {
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return nil, err
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			return nil, fmt.Errorf("%s is not an object", name)
		}
		var out []string
		seen := map[string]bool{}
		for d.More() {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			k, _ := t.(string)
			if seen[k] {
				return nil, fmt.Errorf("%s has %q twice", name, k)
			}
			seen[k] = true
			out = append(out, k)
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, nil
}
