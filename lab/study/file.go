package study

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/world"
	"github.com/softbench/softbench/tasks/strictyaml"
)

// Study is a grid of trainings: every cell is trained once a seed.
type Study struct {
	Name        string
	Question    string
	World       session.WorldOptions // made where no directory is given
	Seeds       []uint64
	Diagnostics Diagnostics
	Exam        *Exam    // of every finished model; nil: none
	Shown       []string // measures of the page, in this order
	Claims      []Claim
	Cells       []Cell
}

// Diagnostics says how the trainings are measured.
type Diagnostics struct {
	Every   int `json:"every"` // steps
	Samples int `json:"samples"`
	Length  int `json:"length"` // tokens; 0: the context
}

// Cell is one combination of the grid's values.
type Cell struct {
	Name     string // such as "attention=softmax rate=0.003"
	Values   []Value
	Settings session.Settings // with the first seed
}

// Value is a setting that the grid varies, as text.
type Value struct{ Setting, Text string }

// Claim is a sentence that the numbers bear out or do not. It is about every cell
// that has the values of Where. With Against it is about the difference from, or
// the ratio to, the cell that has those values and else the same.
type Claim struct {
	Text    string
	Measure string
	Where   []Value
	Against []Value // nil: about the measure itself
	Ratio   bool    // with Against: the ratio, not the difference
	AtLeast bool    // else at most
	Limit   float64
}

// Presets are the settings and worlds that a study may begin from.
type Presets struct {
	Settings map[string]session.Settings
	Worlds   map[string]session.WorldOptions
}

// studyFile is a study as its YAML declares it.
type studyFile struct {
	Name        string              `yaml:"name"`
	Question    string              `yaml:"question"`
	Preset      string              `yaml:"preset"`
	World       *worldFile          `yaml:"world"`
	Settings    map[string]any      `yaml:"settings"`
	Grid        yaml.MapSlice       `yaml:"grid"`
	Seeds       []strictyaml.Uint64 `yaml:"seeds"`
	Diagnostics *diagnosticsFile    `yaml:"diagnostics"`
	Probe       *diagnosticsFile    `yaml:"probe"` // what diagnostics were called
	Exam        *Exam               `yaml:"exam"`
	Show        []string            `yaml:"show"`
	Claims      []claimFile         `yaml:"claims"`
}

type worldFile struct {
	Preset    string             `yaml:"preset"`
	Seed      *strictyaml.Uint64 `yaml:"seed"`
	Words     *strictyaml.Int    `yaml:"words"`
	Questions *strictyaml.Int    `yaml:"questions"`
	Vocab     *strictyaml.Int    `yaml:"vocab"`
	OwnWords  *strictyaml.Int    `yaml:"own_words"`
	Text      *string            `yaml:"text"`
}

type diagnosticsFile struct {
	Every   strictyaml.Int `yaml:"every"`
	Samples strictyaml.Int `yaml:"samples"`
	Length  strictyaml.Int `yaml:"length"` // 0: the context
}

type claimFile struct {
	Claim             string         `yaml:"claim"`
	Measure           string         `yaml:"measure"`
	Where             map[string]any `yaml:"where"`
	Against           map[string]any `yaml:"against"`
	AtLeast           *float64       `yaml:"at_least"`
	AtMost            *float64       `yaml:"at_most"`
	DifferenceAtLeast *float64       `yaml:"difference_at_least"`
	DifferenceAtMost  *float64       `yaml:"difference_at_most"`
	RatioAtLeast      *float64       `yaml:"ratio_at_least"`
	RatioAtMost       *float64       `yaml:"ratio_at_most"`
}

// mostCells bounds a grid: more is a mistake of the file.
const mostCells = 1000

// Read reads a study's YAML file.
func Read(path string, p Presets) (*Study, error) {
	text, err := regularfile.ReadAll(context.Background(), path, strictyaml.MaxBytes)
	if err != nil {
		return nil, err
	}
	return Parse(text, path, p)
}

// Parse reads a study, called file in errors.
func Parse(text []byte, file string, p Presets) (*Study, error) {
	var f studyFile
	if err := strictyaml.Decode(text, file, &f); err != nil {
		return nil, err
	}
	s, err := f.resolve(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func (f *studyFile) resolve(p Presets) (*Study, error) {
	d := cmp.Or(f.Diagnostics, f.Probe, &diagnosticsFile{})
	s := &Study{Name: f.Name, Question: f.Question, Shown: f.Show, Exam: f.Exam, Diagnostics: Diagnostics{int(d.Every), int(d.Samples), int(d.Length)}}
	switch {
	case f.Diagnostics != nil && f.Probe != nil:
		return nil, errors.New("probe is an older word for diagnostics, which is there too: leave probe out")
	case f.Name == "" || f.Question == "":
		return nil, errors.New("a study needs a name and a question")
	case len(f.Seeds) == 0:
		return nil, errors.New("no seeds: give seeds: [1, 2, 3]; intervals are over them")
	case s.Diagnostics.Every < 1 || s.Diagnostics.Samples < 1 || s.Diagnostics.Length < 0:
		return nil, errors.New("diagnostics: every (steps) and samples must be at least 1, and length not negative")
	}
	if s.Exam != nil {
		if err := s.Exam.check(); err != nil {
			return nil, err
		}
	}
	for _, seed := range f.Seeds {
		if slices.Contains(s.Seeds, uint64(seed)) {
			return nil, fmt.Errorf("seed %d comes twice", seed)
		}
		s.Seeds = append(s.Seeds, uint64(seed))
	}
	if err := f.world(s, p); err != nil {
		return nil, err
	}
	base, ok := p.Settings[f.Preset]
	if f.Preset == "" {
		base = session.Default()
	} else if !ok {
		return nil, fmt.Errorf("preset %q: not known", f.Preset)
	}
	if err := f.cells(s, base); err != nil {
		return nil, err
	}
	if len(s.Shown) == 0 {
		s.Shown = []string{"loss", "copying", "sink_rate", "sparsity", "inner_kurtosis", "first_norm"}
	}
	for _, m := range s.Shown {
		if _, err := s.findMeasure(m); err != nil {
			return nil, fmt.Errorf("show: %w", err)
		}
	}
	for i := range f.Claims {
		c, err := f.Claims[i].resolve(s)
		if err != nil {
			return nil, fmt.Errorf("claim %d: %w", i+1, err)
		}
		s.Claims = append(s.Claims, c)
	}
	return s, nil
}

func (f *studyFile) world(s *Study, p Presets) error {
	s.World = session.WorldOptions{Seed: 1, OwnWords: 122}
	if f.World == nil {
		return nil
	}
	if f.World.Preset != "" {
		w, ok := p.Worlds[f.World.Preset]
		if !ok {
			return fmt.Errorf("world: preset %q: not known", f.World.Preset)
		}
		s.World = w
	}
	if f.World.Seed != nil {
		s.World.Seed = uint64(*f.World.Seed)
	}
	if f.World.Text != nil {
		s.World.Text = world.Kind(*f.World.Text)
	}
	if err := s.World.Text.Check(); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	for _, x := range []struct {
		from *strictyaml.Int
		to   *int
	}{{f.World.Words, &s.World.Words}, {f.World.Questions, &s.World.Questions}, {f.World.Vocab, &s.World.Vocab}, {f.World.OwnWords, &s.World.OwnWords}} {
		if x.from != nil {
			*x.to = int(*x.from)
		}
	}
	return nil
}

// cells multiplies the grid's values out, the last setting fastest.
func (f *studyFile) cells(s *Study, base session.Settings) error {
	combos := []map[string]any{{}}
	var names []string
	for _, item := range f.Grid {
		name, _ := item.Key.(string)
		values, ok := item.Value.([]any)
		if !ok || len(values) == 0 {
			return fmt.Errorf("grid: %s: want a list of values", name)
		}
		names = append(names, name)
		var next []map[string]any
		for _, c := range combos {
			for _, v := range values {
				with := map[string]any{name: v}
				maps.Copy(with, c)
				next = append(next, with)
			}
		}
		if combos = next; len(combos) > mostCells {
			return fmt.Errorf("grid: more than %d cells", mostCells)
		}
	}
	for _, over := range []map[string]any{f.Settings, combos[0]} {
		if _, ok := over["seed"]; ok {
			return errors.New("the seed is not a setting of a study: give seeds: [1, 2, 3]")
		}
	}
	for _, combo := range combos {
		settings, err := with(base, f.Settings, combo)
		if err != nil {
			return err
		}
		settings.Seed = s.Seeds[0]
		cell := Cell{Settings: settings}
		var parts []string
		for _, n := range names {
			v := Value{n, text(combo[n])}
			cell.Values = append(cell.Values, v)
			parts = append(parts, v.Setting+"="+v.Text)
		}
		if cell.Name = strings.Join(parts, " "); cell.Name == "" {
			cell.Name = "all"
		}
		if slices.ContainsFunc(s.Cells, func(c Cell) bool { return c.Name == cell.Name }) {
			return fmt.Errorf("grid: %s comes twice", cell.Name)
		}
		s.Cells = append(s.Cells, cell)
	}
	return nil
}

// with is settings with some of them, by the names of settings.json, replaced.
func with(s session.Settings, overs ...map[string]any) (session.Settings, error) {
	for _, over := range overs {
		clean := map[string]any{}
		for name, v := range over {
			clean[name] = number(v)
		}
		data, err := json.Marshal(clean)
		if err != nil {
			return s, fmt.Errorf("settings: %w", err)
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			return s, fmt.Errorf("settings: %s (names are those of a training's settings.json)", strings.TrimPrefix(jsonplace.Plain(err).Error(), "json: "))
		}
	}
	return s, nil
}

// number reads 1e-3, which YAML takes for text as it has no point, as a number.
func number(v any) any {
	if s, ok := v.(string); ok && strings.ContainsAny(s, "eE") {
		if x, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(x, 0) {
			return x
		}
	}
	return v
}

// text is a value of the grid as a directory's name and a claim have it.
func text(v any) string {
	switch x := number(v).(type) {
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case string:
		return x
	}
	return fmt.Sprint(v)
}
