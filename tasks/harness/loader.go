package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// promptVersion counts changes of the Go code behind prompts, so that a task's Digest changes with them.
const promptVersion = 1

// loader makes tasks of files.
type loader struct {
	index *Index
	calls bool // the task that is loaded has functions of Python code
}

// keys are what a task's file may say. What says nothing about requests or metrics is read and left.
var keys = []string{
	"task", "task_alias", "tag", "group", "task_list", "custom_dataset", "dataset_path", "dataset_name", "dataset_kwargs",
	"training_split", "validation_split", "test_split", "fewshot_split", "process_docs", "doc_to_text", "doc_to_target",
	"doc_to_image", "doc_to_audio", "unsafe_code", "doc_to_choice", "process_results", "use_prompt", "description",
	"target_delimiter", "fewshot_delimiter", "fewshot_config", "num_fewshot", "metric_list", "output_type",
	"generation_kwargs", "repeats", "filter_list", "should_decontaminate", "doc_to_decontamination_query", "gen_prefix", "metadata",
}

// refused are keys that ask for what is not done here.
var refused = map[string]string{
	"custom_dataset": "documents made by Python code",
	"doc_to_image":   "images",
	"doc_to_audio":   "sound",
	"use_prompt":     "prompts of promptsource",
}

// Task is a task that a file defines, with what a suite says of it.
type Task struct {
	*tasks.Task
	Alias   string // how tables show it
	FewShot *int   // num_fewshot; nil: not said
	File    string
}

// task makes a task of a file's keys.
func (l *loader) task(c *value, name string) (*Task, error) {
	t, err := l.build(c, name)
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", name, err)
	}
	return t, nil
}

func (l *loader) build(c *value, name string) (*Task, error) {
	for _, k := range c.keys {
		if !slices.Contains(keys, k) {
			return nil, c.dict[k].errorf("the key %q is not understood", k)
		}
		if why := refused[k]; why != "" && !c.dict[k].isNull() {
			return nil, c.dict[k].errorf("%s: %s are not understood", k, why)
		}
	}
	if v := c.get("unsafe_code"); v != nil && py.Truth(v.py) {
		return nil, v.errorf("unsafe_code: tasks that run what the model writes are not understood")
	}
	if v := c.get("repeats"); v != nil && !py.Equal(v.py, int64(1)) {
		return nil, v.errorf("repeats: more than one answer to a question is not understood")
	}
	m := &maker{}
	l.calls = false
	if err := l.prompt(c, m); err != nil {
		return nil, err
	}
	if err := l.documents(c, m, name); err != nil {
		return nil, err
	}
	if err := l.examples(c, m); err != nil {
		return nil, err
	}
	t := tasks.Task{Name: name, Dataset: m.data.places[0], Splits: []string{m.tested}, Train: m.pool}
	out := &Task{File: c.file, Alias: name}
	if v := c.get("task_alias"); v != nil {
		out.Alias, _ = v.text()
	}
	if v := c.get("num_fewshot"); v != nil {
		n, ok := v.py.(int64)
		if !ok || n < 0 || n > 1<<20 {
			return nil, v.errorf("num_fewshot must be a whole number from 0")
		}
		k := int(n)
		out.FewShot = &k
	}
	if v := c.get("metadata"); v != nil {
		if w := v.get("version"); w != nil {
			t.Version, _ = py.Str(w.py)
		}
	}
	if err := l.asks(c, m, &t); err != nil {
		return nil, err
	}
	var err error
	if t.Digest, err = l.digest(c, nil); err != nil {
		return nil, err
	}
	if t.Content, err = l.digest(c, whereDocumentsAre); err != nil {
		return nil, err
	}
	t.Draws = t.Kind != tasks.RollingPerplexity && !m.first
	m.data.ordered = l.calls
	out.Task = tasks.Own(t, m)
	return out, nil
}

// prompt reads what documents become.
func (l *loader) prompt(c *value, m *maker) error {
	var err error
	fields := []struct {
		key string
		to  **field
	}{{"doc_to_text", &m.asked.text}, {"doc_to_target", &m.asked.target}, {"doc_to_choice", &m.asked.choices}, {"gen_prefix", &m.asked.prefix}, {"description", &m.description}}
	for _, f := range fields {
		if *f.to, err = l.newField(c.get(f.key)); err != nil {
			return err
		}
	}
	for _, f := range fields[:2] {
		if *f.to == nil {
			return c.errorf("the task has no %s", f.key)
		}
	}
	for _, f := range fields[3:] {
		if g := *f.to; g != nil && !g.isText {
			return g.at.errorf("%s must be text", f.key)
		}
	}
	if m.asked.targetDelimiter, err = delimiter(c, "target_delimiter", " "); err != nil {
		return err
	}
	m.asked.exampleDelimiter, err = delimiter(c, "fewshot_delimiter", "\n\n")
	return err
}

func delimiter(c *value, key, missing string) (string, error) {
	v := c.dict[key]
	if v == nil {
		return missing, nil
	}
	s, ok := v.text()
	if !ok {
		return "", v.errorf("%s must be text", key)
	}
	return s, nil
}

// name reads a text; "" where there is none.
func text(c *value, key string) (string, error) {
	v := c.get(key)
	if v == nil {
		return "", nil
	}
	s, ok := v.text()
	if !ok {
		return "", v.errorf("%s must be text", key)
	}
	return s, nil
}

// documents reads where documents come from.
func (l *loader) documents(c *value, m *maker, name string) error {
	var texts [5]string
	for i, key := range []string{"dataset_path", "dataset_name", "test_split", "validation_split", "training_split"} {
		var err error
		if v := c.get(key); v != nil && key == "dataset_name" { // a name such as 2024 is a number in YAML
			texts[i], err = py.Str(v.py)
		} else {
			texts[i], err = text(c, key)
		}
		if err != nil {
			return err
		}
		if i > 1 && strings.ContainsAny(texts[i], "[+") {
			return c.get(key).errorf("%s: a part of a split, or several, is not understood", key)
		}
	}
	m.tested = texts[2]
	if m.tested == "" {
		m.tested = texts[3]
	}
	if m.tested == "" {
		return c.errorf("the task has neither test_split nor validation_split")
	}
	if texts[0] == "" {
		return c.errorf("the task has no dataset_path")
	}
	var err error
	if m.data, err = places(c, name, texts[0], texts[1]); err != nil {
		return err
	}
	if v := c.get("process_docs"); v != nil {
		if v.call == "" {
			return v.errorf("process_docs must be a !function")
		}
		if m.process, err = l.function(v); err != nil {
			return err
		}
	}
	m.pooled = m.process
	for _, s := range []string{texts[4], texts[3], texts[2]} { // where the task names no split for examples
		if s != "" {
			m.pool = s
			break
		}
	}
	m.same = texts[2] == ""
	return nil
}

// builders are the names that load files given as data_files.
var builders = []string{"json", "csv", "parquet", "text"}

// places are where a data set is looked for.
func places(c *value, name, path, config string) (dataset, error) {
	ds := data.Dataset{Path: path, Config: config, Named: config != "" && config != "default" && config != "main"}
	if i := strings.LastIndex(path, "/"); i >= 0 && strings.Contains(path[:i], "/") { // a path of this machine
		ds.Path = filepath.ToSlash(path)
	}
	kwargs := c.get("dataset_kwargs")
	var files map[string][]string
	headless := false
	if kwargs != nil {
		if !kwargs.isMapping() {
			return dataset{}, kwargs.errorf("dataset_kwargs must be a mapping")
		}
		for _, k := range kwargs.keys {
			v := kwargs.dict[k]
			switch {
			case v.isNull(), k == "trust_remote_code", k == "streaming", k == "verification_mode":
			case k == "data_files":
				var err error
				if files, err = dataFiles(v); err != nil {
					return dataset{}, err
				}
			case k == "data_dir":
				dir, ok := v.text()
				if !ok {
					return dataset{}, v.errorf("data_dir must be text")
				}
				ds.Config = strings.Trim(dir, "/")
			case k == "column_names":
				headless = true // of files that name their columns it changes nothing
			case k == "header" && v.isNull():
			default:
				return dataset{}, v.errorf("dataset_kwargs.%s is not understood", k)
			}
		}
	}
	if headless { // such a table cannot be read, but one of its rows with their names can, in its place
		for _, patterns := range files {
			for i, p := range patterns {
				if ext := filepath.Ext(p); strings.EqualFold(ext, ".csv") || strings.EqualFold(ext, ".tsv") {
					patterns[i] = strings.TrimSuffix(p, ext) + ".*"
				}
			}
		}
	}
	if files == nil {
		return dataset{places: []data.Dataset{ds}, headless: headless}, nil
	}
	if slices.Contains(builders, path) {
		own := data.Dataset{Files: files}
		ds.Aliases, ds.Named = []string{name}, false
		return dataset{places: []data.Dataset{ds, own}, headless: headless}, nil
	}
	listed := ds
	listed.Files = files
	if ds.Config == "" { // the files are this task's, of a data set that others have in common: a split's name alone would not say whose it is
		ds = data.Dataset{Path: name}
	}
	return dataset{places: []data.Dataset{listed, ds}, headless: headless}, nil
}

// dataFiles reads data_files: one or more files, of a split each or of train.
func dataFiles(v *value) (map[string][]string, error) {
	list := func(v *value) ([]string, error) {
		items := []*value{v}
		if v.isList() {
			items = v.items
		}
		var out []string
		for _, i := range items {
			s, ok := i.text()
			if !ok {
				return nil, i.errorf("data_files takes names of files")
			}
			out = append(out, s)
		}
		return out, nil
	}
	files := map[string][]string{}
	if !v.isMapping() {
		all, err := list(v)
		files["train"] = all
		return files, err
	}
	for _, k := range v.keys {
		all, err := list(v.dict[k])
		if err != nil {
			return nil, err
		}
		files[k] = all
	}
	return files, nil
}

// whereDocumentsAre are the keys that say where documents and worked examples are read from.
var whereDocumentsAre = []string{"dataset_path", "dataset_name", "dataset_kwargs", "test_split", "validation_split", "training_split", "fewshot_split"}

// digest changes with all that a prompt or a metric depends on, less these keys.
func (l *loader) digest(c *value, less []string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "lm-evaluation-harness %d\n", promptVersion)
	ks := slices.Clone(c.keys)
	slices.Sort(ks)
	for _, k := range ks {
		switch k {
		case "tag", "group", "task_list", "metadata", "task_alias", "should_decontaminate", "doc_to_decontamination_query":
			continue
		}
		if slices.Contains(less, k) {
			continue
		}
		fmt.Fprintf(h, "%s: ", k)
		if err := l.write(h.Write, c.dict[k]); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (l *loader) write(to func([]byte) (int, error), v *value) error {
	s := ""
	switch {
	case v.call != "":
		code, err := l.code(v)
		if err != nil {
			return err
		}
		s = "function " + code
	case v.isMapping():
		for _, k := range v.keys {
			_, _ = to([]byte(k + ": "))
			if err := l.write(to, v.dict[k]); err != nil {
				return err
			}
		}
	case v.isList():
		for _, i := range v.items {
			if err := l.write(to, i); err != nil {
				return err
			}
		}
	default:
		var err error
		if s, err = py.Repr(v.py); err != nil {
			return v.errorf("%v", err)
		}
	}
	_, _ = to([]byte(s + "\n"))
	return nil
}
