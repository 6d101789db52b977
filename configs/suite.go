package configs

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/softbench/softbench/passkey"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/strictyaml"
)

// Suite is what one run scores: tasks, a passkey grid, diagnostics, or several of these.
type Suite struct {
	Name        string
	Description string
	Tasks       []Entry
	Groups      []tasks.Group // of the tasks; each before those in it
	Passkey     *passkey.Grid // nil: none
	Diagnostics *Diagnostics  // nil: none
	File        string        // where it was read from; "" for a built-in one or a lone task
}

// Entry is a task of a suite with the suite's settings for it.
type Entry struct {
	Task    *tasks.Task
	Alias   string  // how a table shows the task; "": by its name
	Limit   int     // documents; 0 = all
	Share   float64 // of the documents, in place of Limit; 0: none
	FewShot int     // worked examples; 0 = none
	Fixed   bool    // the task itself says 0, which nothing overrides
}

// Diagnostics is what diagnostics measure: samples of text of one length.
type Diagnostics struct {
	Task      *tasks.Task // whose documents' text is measured
	Samples   int
	Length    int     // tokens of a sample
	Threshold float64 // mean weight on the first key above which a head counts as a sink
	Maps      Maps
}

// Maps says which whole attention maps are kept, over one short text.
type Maps struct {
	Text   string
	Layers []int // nil: the first, the middle one and the last
	Heads  []int // nil: the first two
	Tokens int   // of the text, at most; 0: no maps
}

// DefaultMaps is what a suite that says nothing about maps gets.
var DefaultMaps = Maps{
	Text: "The lighthouse keeper gave a brass key to the girl, and the girl hid the key under a stone. " +
		"When the keeper came back he asked for the brass key, and the girl looked under the stone.",
	Tokens: 40,
}

// MaxMapTokens bounds an attention map, whose size grows with the square.
const MaxMapTokens = 512

// Info is a name and what it stands for.
type Info = tasks.Info

// suiteFile is a suite as its YAML declares it.
type suiteFile struct {
	Name        string           `yaml:"name"`
	Description string           `yaml:"description"`
	Tasks       []taskEntry      `yaml:"tasks"`
	Passkey     *gridFile        `yaml:"passkey"`
	Diagnostics *diagnosticsFile `yaml:"diagnostics"`
}

// diagnosticsFile is a suite's diagnostics as its YAML declares them.
type diagnosticsFile struct {
	Task      string          `yaml:"task"`
	Samples   strictyaml.Int  `yaml:"samples"`
	Length    *strictyaml.Int `yaml:"length"`    // absent: 512 tokens
	Threshold *float64        `yaml:"threshold"` // absent: 0.3
	Maps      *mapsFile       `yaml:"maps"`
}

// mapsFile is which attention maps are kept, as YAML declares it.
type mapsFile struct {
	Text   string           `yaml:"text"`
	Layers []strictyaml.Int `yaml:"layers"`
	Heads  []strictyaml.Int `yaml:"heads"`
	Tokens *strictyaml.Int  `yaml:"tokens"`
}

// resolve fills in what the file leaves out.
func (f *mapsFile) resolve() (Maps, error) {
	m := DefaultMaps
	if f == nil {
		return m, nil
	}
	if f.Text != "" {
		m.Text = f.Text
	}
	if f.Tokens != nil {
		m.Tokens = int(*f.Tokens)
	}
	if m.Tokens < 0 || m.Tokens > MaxMapTokens {
		return Maps{}, fmt.Errorf("maps of %d tokens; it must be 0 (none) to %d", m.Tokens, MaxMapTokens)
	}
	for _, part := range []struct {
		name string
		from []strictyaml.Int
		to   *[]int
	}{{"layers", f.Layers, &m.Layers}, {"heads", f.Heads, &m.Heads}} {
		for _, v := range part.from {
			if v < 0 {
				return Maps{}, fmt.Errorf("maps of %s %d; they count from 0", part.name, v)
			}
			*part.to = append(*part.to, int(v))
		}
	}
	return m, nil
}

type gridFile struct {
	Lengths []strictyaml.Int  `yaml:"lengths"`
	Depths  []float64         `yaml:"depths"`
	Trials  strictyaml.Int    `yaml:"trials"`
	Seed    strictyaml.Uint64 `yaml:"seed"`
}

func (f *gridFile) grid() *passkey.Grid {
	g := &passkey.Grid{Depths: f.Depths, Trials: int(f.Trials), Seed: uint64(f.Seed)}
	for _, l := range f.Lengths {
		g.Lengths = append(g.Lengths, int(l))
	}
	return g
}

// taskEntry is a task's name or path, alone or with settings.
type taskEntry struct {
	Task    string         `yaml:"task"`
	Limit   strictyaml.Int `yaml:"limit"`
	FewShot strictyaml.Int `yaml:"fewshot"`
}

func (e *taskEntry) UnmarshalYAML(unmarshal func(any) error) error {
	var name string
	if unmarshal(&name) == nil {
		e.Task = name
		return nil
	}
	type plain taskEntry
	return unmarshal((*plain)(e))
}

// ParseSuite reads a suite's YAML. file is its path, for errors and for the task files it names,
// which are relative to it.
func ParseSuite(yaml []byte, file string) (*Suite, error) {
	var f suiteFile
	if err := strictyaml.Decode(yaml, file, &f); err != nil {
		return nil, err
	}
	s := &Suite{Name: f.Name, Description: f.Description, File: file}
	if s.Name == "" {
		return nil, fmt.Errorf("%s: the suite has no name", file)
	}
	if len(f.Tasks) == 0 && f.Passkey == nil && f.Diagnostics == nil {
		return nil, fmt.Errorf("%s: the suite has neither tasks nor passkey nor diagnostics", file)
	}
	var seen []string
	for i, e := range f.Tasks {
		if e.Task == "" {
			return nil, fmt.Errorf("%s: entry %d of tasks names no task", file, i+1)
		}
		if e.Limit < 0 || e.FewShot < 0 {
			return nil, fmt.Errorf("%s: task %s: limit and fewshot must not be negative", file, e.Task)
		}
		t, err := task(e.Task, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if slices.Contains(seen, t.Name) {
			return nil, fmt.Errorf("%s: the task %s is there twice; a run has each task once", file, t.Name)
		}
		seen = append(seen, t.Name)
		if !t.TakesExamples() && e.FewShot > 0 {
			return nil, fmt.Errorf("%s: task %s: a perplexity task takes no few-shot examples", file, t.Name)
		}
		s.Tasks = append(s.Tasks, Entry{Task: t, Limit: int(e.Limit), FewShot: int(e.FewShot)})
	}
	if f.Passkey != nil {
		s.Passkey = f.Passkey.grid()
		if err := s.Passkey.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if f.Diagnostics != nil {
		d, err := f.Diagnostics.resolve(file)
		if err != nil {
			return nil, fmt.Errorf("%s: diagnostics: %w", file, err)
		}
		s.Diagnostics = d
	}
	return s, nil
}

func (p *diagnosticsFile) resolve(file string) (*Diagnostics, error) {
	maps, err := p.Maps.resolve()
	d := &Diagnostics{Samples: int(p.Samples), Length: 512, Threshold: 0.3, Maps: maps}
	if p.Length != nil {
		d.Length = int(*p.Length)
	}
	if p.Threshold != nil {
		d.Threshold = *p.Threshold
	}
	switch {
	case err != nil:
		return nil, err
	case p.Task == "":
		return nil, fmt.Errorf("no task is named whose text to measure")
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	t, err := task(p.Task, file)
	if err != nil {
		return nil, err
	}
	if !t.HasTexts() {
		return nil, fmt.Errorf("task %s is no %s task: only those have whole texts", t.Name, tasks.RollingPerplexity)
	}
	d.Task = t
	return d, nil
}

// Check refuses numbers that cannot be measured.
func (d *Diagnostics) Check() error {
	switch {
	case d.Samples < 1 || d.Samples > 1<<16:
		return fmt.Errorf("samples is %d; it must be 1 to %d", d.Samples, 1<<16)
	case d.Length < 2 || d.Length > passkey.MaxLength:
		return fmt.Errorf("length is %d tokens; it must be 2 to %d", d.Length, passkey.MaxLength)
	case !(d.Threshold > 0 && d.Threshold < 1):
		return fmt.Errorf("threshold is %v; it must lie between 0 and 1", d.Threshold)
	}
	return nil
}

// fileNamed reports whether a name is meant as a path: it has a directory or a YAML extension.
func fileNamed(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml" || name != "" && filepath.Base(name) != name
}
