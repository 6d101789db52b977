package html

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// TrainingPage is a page about one training or several.
type TrainingPage struct {
	Title     string // empty: from the trainings' names
	Trainings []Training
	Softbench string // version of the program, for the footer
}

// Training is what one training wrote down.
type Training struct {
	Name     string // shown; need not be unique
	Settings any    // marshalled to JSON, and shown leaf by leaf
	Steps    int    // of the whole training; 0: unknown
	Stopped  string // why it ended before its last step, where that is known
	Lines    []TrainingLine
}

// TrainingLine is a row of a training's history. A number that is none is NaN.
type TrainingLine struct {
	Step    int              `json:"step"`
	Tokens  int64            `json:"tokens"`  // trained on so far
	Loss    rundir.Number    `json:"loss"`    // nats a token, on the text it learns from
	Norm    rundir.Number    `json:"norm"`    // of the gradient, before clipping
	Rate    rundir.Number    `json:"rate"`    // learning rate
	Seconds rundir.Number    `json:"seconds"` // of training so far
	Measure *TrainingMeasure `json:"measure,omitempty"`
}

// TrainingMeasure is the diagnostics of a step; package probe defines
// the measures.
type TrainingMeasure struct {
	HeldOut  bool          `json:"held_out"` // of text the training does not read
	Loss     rundir.Number `json:"loss"`     // nats a token
	SinkRate rundir.Number `json:"sink_rate"`
	Sparsity rundir.Number `json:"sparsity"`
	Dead     rundir.Number `json:"dead_heads"`
	Mass     rundir.Number `json:"mass"`
	Kurtosis rundir.Number `json:"kurtosis"`
	Largest  rundir.Number `json:"largest"`
	Massive  int64         `json:"massive"`
	// NaN where a training has none.
	Copying       rundir.Number `json:"copying"` // share of a mix's tokens that can be copied and are the first choice
	InnerKurtosis rundir.Number `json:"inner_kurtosis"`
	FirstNorm     rundir.Number `json:"first_norm"`
}

// trainingDocument is the JSON that a training's page carries.
type trainingDocument struct {
	Title     string        `json:"title"`
	Trainings []trainingRun `json:"trainings"`
}

type trainingRun struct {
	Name      string        `json:"name"`
	Settings  any           `json:"settings,omitempty"`
	Steps     int           `json:"steps,omitempty"`
	Stopped   string        `json:"stopped,omitempty"`
	Count     int           `json:"lines_of_history"` // of which Lines are all, or every so many
	Diagnosed int           `json:"diagnosed"`        // lines with a measure, in the whole history
	Lines     []trainingRow `json:"lines"`
	// Extremes in the whole history, as indices into Lines; -1: none.
	BestLoss, MostDead, MostSinks int `json:"-"`
}

type trainingRow struct {
	TrainingLine
	Speed rundir.Number `json:"speed"` // tokens/s since the line before, diagnostics and saves included
}

// mostRows is the number of lines with, and without, a measure that a page
// carries of one training.
const mostRows = 500

// WriteTraining writes the page as one HTML file in UTF-8 that needs no other
// and no network. Whatever a name or a setting holds comes out as text. A
// history without lines gives a page that says so; steps that do not go up are
// an error.
func WriteTraining(w io.Writer, p TrainingPage) error {
	d, err := newTrainingDocument(p)
	if err != nil {
		return err
	}
	return writePage(w, "training", "training", d, func(tree []byte) (*trainingView, error) { return newTrainingView(p, d, tree) })
}

func newTrainingDocument(p TrainingPage) (*trainingDocument, error) {
	d := &trainingDocument{Title: p.Title}
	if len(p.Trainings) == 0 {
		return nil, errors.New("a page about trainings needs at least one")
	}
	for _, t := range p.Trainings {
		for i, l := range t.Lines {
			if l.Step < 1 || i > 0 && l.Step <= t.Lines[i-1].Step {
				return nil, fmt.Errorf("training %s: line %d is of step %d, which does not follow the one before", text.Visible(t.Name), i+1, l.Step)
			}
		}
		d.Trainings = append(d.Trainings, newTrainingRun(t))
	}
	if d.Title == "" {
		d.Title = "Training of " + p.Trainings[0].Name
		if n := len(p.Trainings); n > 1 {
			d.Title = "Trainings of " + p.Trainings[0].Name + " to " + p.Trainings[n-1].Name
		}
	}
	return d, nil
}

func newTrainingRun(t Training) trainingRun {
	r := trainingRun{
		Name: t.Name, Settings: t.Settings, Steps: t.Steps, Stopped: t.Stopped, Count: len(t.Lines),
		Lines: []trainingRow{}, BestLoss: -1, MostDead: -1, MostSinks: -1,
	}
	rows := make([]trainingRow, len(t.Lines))
	best, dead, sinks := -1, -1, -1
	better := func(at, i int, of func(*TrainingMeasure) float64) int {
		if x := of(t.Lines[i].Measure); text.Finite(x) && (at < 0 || x > of(t.Lines[at].Measure)) {
			return i
		}
		return at
	}
	for i, l := range t.Lines {
		rows[i] = trainingRow{l, rundir.Number(speed(t.Lines, i))}
		if l.Measure == nil {
			continue
		}
		r.Diagnosed++
		best = better(best, i, func(m *TrainingMeasure) float64 { return -float64(m.Loss) })
		dead = better(dead, i, func(m *TrainingMeasure) float64 { return float64(m.Dead) })
		sinks = better(sinks, i, func(m *TrainingMeasure) float64 { return float64(m.SinkRate) })
	}
	for _, i := range thin(t.Lines, best, dead, sinks) {
		for _, x := range []struct{ from, to *int }{{&best, &r.BestLoss}, {&dead, &r.MostDead}, {&sinks, &r.MostSinks}} {
			if i == *x.from {
				*x.to = len(r.Lines)
			}
		}
		r.Lines = append(r.Lines, rows[i])
	}
	return r
}

// speed is the tokens/s of line i since the one before.
func speed(lines []TrainingLine, i int) float64 {
	tokens, seconds := float64(lines[i].Tokens), float64(lines[i].Seconds)
	if i > 0 {
		tokens, seconds = tokens-float64(lines[i-1].Tokens), seconds-float64(lines[i-1].Seconds)
	}
	if !(seconds > 0) || tokens < 0 {
		return math.NaN()
	}
	return tokens / seconds
}

// thin chooses the lines that a page carries: of those with a measure and of
// those without every so many, and always the first, the last and the given.
func thin(lines []TrainingLine, always ...int) []int {
	if len(lines) <= mostRows {
		always = nil
		for i := range lines {
			always = append(always, i)
		}
		return always
	}
	var with, without []int
	for i, l := range lines {
		if l.Measure != nil {
			with = append(with, i)
		} else {
			without = append(without, i)
		}
	}
	out := []int{0, len(lines) - 1}
	for _, i := range always {
		if i >= 0 {
			out = append(out, i)
		}
	}
	for _, kind := range [][]int{with, without} {
		every := (len(kind) + mostRows - 1) / mostRows
		for k := len(kind) - 1; k >= 0; k -= max(every, 1) {
			out = append(out, kind[k])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
