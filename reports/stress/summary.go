package stress

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/metric"
)

// Runs are one model's runs: first that of its stored weights.
type Runs struct {
	Name     string
	Settings []Run
}

// Run is a run at one setting, with how far it is from the first; of the first itself nothing.
type Run struct {
	Setting     string // as the quantiser is named, or Stored
	Side        *compare.Side
	Divergences []rundir.DivergenceRecord
}

// Options of a summary; the zero value is the default.
type Options struct {
	Level float64 // 0: 0.05
	Draws int     // 0: stats.DefaultDraws
	Seed  uint64  // 0: stats.DefaultSeed
	Notes []string
}

// Summarise measures what every setting costs every model, and judges the claims about the first
// model and each other one.
func Summarise(models []Runs, o Options) (*Result, error) {
	if len(models) == 0 {
		return nil, errors.New("a stress test needs at least one model")
	}
	if o.Level == 0 {
		o.Level = 0.05
	}
	if o.Draws == 0 {
		o.Draws = stats.DefaultDraws
	}
	if o.Seed == 0 {
		o.Seed = stats.DefaultSeed
	}
	first := models[0].Settings[0].Side
	r := &Result{
		Schema: Schema, Suites: first.Manifest.Suites, Level: o.Level, Confidence: math.Round(1e10*(1-o.Level)) / 1e8,
		Tasks: []Task{}, Claims: []Claim{}, Files: []File{}, Notes: o.Notes,
	}
	for _, f := range first.Manifest.Process.Files {
		r.Files = append(r.Files, File{f.Task, f.Path, f.SHA256, f.Rows})
	}
	for i := range first.Tasks {
		if t := newTask(&first.Tasks[i], chances(first)); t != nil {
			r.Tasks = append(r.Tasks, *t)
		}
	}
	for _, m := range models {
		for _, run := range m.Settings {
			if err := sameDocuments(first, run.Side); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", m.Name, run.Setting, err)
			}
		}
		one, err := r.model(m, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		r.Models = append(r.Models, *one)
	}
	for i := 1; i < len(models); i++ {
		if err := r.claims(models[0], models[i], o); err != nil {
			return nil, err
		}
	}
	r.Headline = r.headline()
	return r, nil
}

// sameDocuments refuses runs over other documents: of tests that were begun before they changed.
func sameDocuments(a, b *compare.Side) error {
	x, y := a.Manifest.Settings, b.Manifest.Settings
	if diff := rundir.Differences(rundir.Settings{Tasks: x.Tasks}, rundir.Settings{Tasks: y.Tasks}); len(diff) > 0 {
		return fmt.Errorf("its run is over other documents than %s's (%s): begin anew in another --out", a.Path, strings.Join(diff, "; "))
	}
	return nil
}

// chances are, of each document, how often guessing gets it right: one in as many as it has choices.
func chances(s *compare.Side) map[string]map[int]float64 {
	choices := map[string]map[int]int{}
	for i := range s.Samples {
		x := &s.Samples[i]
		if choices[x.Task] == nil {
			choices[x.Task] = map[int]int{}
		}
		choices[x.Task][int(x.DocID)]++
	}
	out := map[string]map[int]float64{}
	for task, docs := range choices {
		out[task] = map[int]float64{}
		for id, n := range docs {
			out[task][id] = 1 / float64(n)
		}
	}
	return out
}

// accuracy is the place of acc among a task's metrics, of the kinds of which the score is made.
func accuracy(t *compare.Task) (int, bool) {
	if k := metric.Kind(t.Kind); k != metric.MultipleChoice && k != metric.LastWord {
		return 0, false
	}
	i := slices.IndexFunc(t.Metrics, func(m compare.MetricInfo) bool { return m.Name == "acc" })
	return i, i >= 0
}

// newTask describes a task; nil for passkey retrieval.
func newTask(t *compare.Task, chance map[string]map[int]float64) *Task {
	if metric.Kind(t.Kind) == metric.Passkey {
		return nil
	}
	out := &Task{Name: t.Name, Documents: len(t.Documents), Chance: rundir.Number(math.NaN())}
	if k, ok := accuracy(t); ok {
		out.Scored = true
		sum, n := 0.0, 0
		for _, d := range t.Documents {
			if d.Values[k].Scored {
				sum += guess(t, chance, d.ID)
				n++
			}
		}
		out.Chance = rundir.Number(sum / float64(n))
	}
	return out
}

// guess is how often guessing gets a document right; a last word is never guessed.
func guess(t *compare.Task, chance map[string]map[int]float64, id int) float64 {
	if metric.Kind(t.Kind) == metric.LastWord {
		return 0
	}
	return chance[t.Name][id]
}

// changes pair the documents of two runs of one model, task by task.
func changes(before, after *compare.Side) (out []stats.Change) {
	chance := chances(before)
	for i := range before.Tasks {
		a := &before.Tasks[i]
		b := after.Task(a.Name)
		k, ok := accuracy(a)
		if !ok || b == nil {
			continue
		}
		var c stats.Change
		labels := compare.Clusters(a.Documents, b.Documents)
		for d := range a.Documents {
			x, y := a.Documents[d].Values[k], b.Documents[d].Values[k]
			if x.Scored && y.Scored {
				c.Before, c.After = append(c.Before, x.Value), append(c.After, y.Value)
				c.Chance, c.Clusters = append(c.Chance, guess(a, chance, a.Documents[d].ID)), append(c.Clusters, labels[d])
			}
		}
		if len(c.Before) > 0 {
			out = append(out, c)
		}
	}
	return out
}

var none = compare.Average{Value: rundir.Number(math.NaN()), Low: rundir.Number(math.NaN()), High: rundir.Number(math.NaN())}

func averageOf(e stats.Estimate) compare.Average {
	return compare.Average{Value: rundir.Number(e.Value), Low: rundir.Number(e.Low), High: rundir.Number(e.High)}
}

// model measures one at all its settings.
func (r *Result) model(m Runs, o Options) (*Model, error) {
	stored := m.Settings[0].Side
	about := stored.Manifest
	out := &Model{
		Name: m.Name, Type: about.Model.Type, Attention: about.Settings.Attention, Stored: about.Model.Stored, DType: about.Settings.DType,
		SHA256: about.Settings.ModelSHA256, Parameters: about.Model.Parameters,
	}
	for _, run := range m.Settings {
		c, err := newCell(stored, run, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", run.Setting, err)
		}
		out.Cells = append(out.Cells, *c)
	}
	first := &out.Cells[0]
	first.Bits = 32
	if about.Model.Stored == "BF16" || about.Model.Stored == "F16" {
		first.Bits = 16
	}
	for _, run := range m.Settings[1:] { // the same weights at any setting
		if q := run.Side.Manifest.Model.Quantised; q != nil {
			first.Bytes = q.Parameters * int64(first.Bits) / 8
		}
	}
	return out, nil
}

func newCell(stored *compare.Side, run Run, o Options) (*Cell, error) {
	about := run.Side.Manifest
	c := &Cell{Setting: run.Setting, Score: none, Kept: none, KL: none, SameTop: none, Median: none.Value, P99: none.Value, Kurtosis: none.Value, Largest: none.Value, Tasks: []Score{}}
	if q := about.Model.Quantised; q != nil {
		c.Method, c.Bits, c.Bytes = q.Method, q.Bits, q.Bytes
	}
	if d := about.Diagnostics; d != nil {
		c.Kurtosis, c.Largest = d.Kurtosis, max(d.Max, -d.Min)
	}
	for i := range run.Side.Tasks {
		t := &run.Side.Tasks[i]
		name := "bits_per_byte"
		if _, ok := accuracy(t); ok {
			name = "acc"
		}
		for _, m := range t.Metrics {
			if m.Name == name {
				c.Tasks = append(c.Tasks, Score{t.Name, name, rundir.Number(m.Value), rundir.Number(m.Low), rundir.Number(m.High)})
			}
		}
	}
	options := stats.Options{Level: o.Level, Draws: o.Draws, Seed: o.Seed}
	if pairs := changes(stored, run.Side); len(pairs) > 0 {
		// The score is what a score of 1 of each task would keep.
		scores := slices.Clone(pairs)
		for i := range scores {
			n := len(scores[i].Before)
			scores[i].Before, scores[i].Chance = slices.Repeat([]float64{1}, n), make([]float64, n)
		}
		score, err := stats.Kept(scores, options)
		if err != nil {
			return nil, err
		}
		kept, err := stats.Kept(pairs, options)
		if err != nil {
			return nil, err
		}
		c.Score, c.Kept, c.Warnings = averageOf(score), averageOf(kept), stats.Texts(kept.Warnings)
	}
	if run.Divergences == nil {
		return c, nil
	}
	d, err := compare.Diverge(run.Side, run.Divergences, o.Level)
	if err != nil {
		return nil, err
	}
	c.KL, c.Median, c.P99, c.SameTop, c.Tokens = d.Mean, d.Median, d.P99, d.SameTop, d.Tokens
	return c, nil
}
