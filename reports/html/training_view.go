package html

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/text"
)

// trainingView is what the training's template shows.
type trainingView struct {
	head
	Headline    prose
	Lead        []prose
	Warnings    []prose
	Sections    []sectionLink
	Stand       []wholeRow
	Columns     []string
	Loss        []figure
	Diagnostics []figure
	Course      []figure
	Lines       []historyTable // below the losses
	Diagnosed   []historyTable // below the diagnostics
	Differ      []setting      // nil with one training
	Settings    []setting
}

type historyTable struct {
	Letter, Name string
	Text         prose
	Columns      []string
	Rows         [][]Value
}

// trainingBuilder makes the view.
type trainingBuilder struct {
	builder // its numbers and runs; its document stays nil
	doc     *trainingDocument
}

func newTrainingView(p TrainingPage, d *trainingDocument, tree []byte) (*trainingView, error) {
	n := newNumbers(d)
	var names []string
	for _, r := range d.Trainings {
		names = append(names, r.Name)
	}
	v := &trainingView{head: newHead(d.Title, p.Softbench, Library{}, tree, names)}
	b := &trainingBuilder{builder{numbers: n, runs: v.Legend}, d}
	b.verdict(v)
	b.stand(v)
	b.lossFigure(v)
	v.Diagnostics = b.figures("diagnostics", diagnosticsQuantities)
	v.Course = append(v.Course, b.figures("course", courseQuantities)...)
	for i := range d.Trainings {
		b.tables(v, i)
	}
	var err error
	if v.Settings, v.Differ, err = trainingSettings(d); err != nil {
		return nil, err
	}
	v.Sections = there([]section{
		{v.Stand != nil, "stand", "Where it stands"}, {v.Loss != nil, "loss", "Loss"}, {v.Diagnostics != nil, "diagnostics", "Diagnostics"},
		{v.Settings != nil, "settings", "Settings"},
	})
	return v, n.err
}

// count is a count of a training.
func count[T number](b *trainingBuilder, n *T) Value { return b.numbers.at(text.Count, of(n)) }

// cell is a quantity of a training's line; a dash where the line has none.
func (b *trainingBuilder) cell(i, line int, q quantity) Value {
	l := &b.doc.Trainings[i].Lines[line]
	if q.ofDiagnostics && l.Measure == nil {
		return Value{Text: text.None}
	}
	return b.numbers.at(q.format, q.field(l))
}

// diagnosed are the indices of a training's lines with a measure.
func (b *trainingBuilder) diagnosed(i int) []int {
	var out []int
	for k, l := range b.doc.Trainings[i].Lines {
		if l.Measure != nil {
			out = append(out, k)
		}
	}
	return out
}

// stand is the table of the last line and of the last diagnostics; of one training the
// first diagnostics too.
func (b *trainingBuilder) stand(v *trainingView) {
	one := len(b.runs) == 1
	type place struct{ run, line, diagnosed int }
	var places []place
	for i, r := range b.doc.Trainings {
		diagnosed := b.diagnosed(i)
		p := place{i, len(r.Lines) - 1, -1}
		if one && len(diagnosed) > 1 {
			places = append(places, place{i, diagnosed[0], diagnosed[0]})
			v.Columns = append(v.Columns, "First diagnostics")
		}
		if len(diagnosed) > 0 {
			p.diagnosed = diagnosed[len(diagnosed)-1]
		}
		places = append(places, p)
		if one {
			v.Columns = append(v.Columns, "Last")
		} else {
			v.Columns = append(v.Columns, b.runs[i].Letter)
		}
	}
	row := func(q quantity, ofDiagnostics bool) {
		w, known := wholeRow{Name: q.short}, false
		for _, p := range places {
			line, value := p.line, Value{Text: text.None}
			if ofDiagnostics {
				line = p.diagnosed
			}
			if line >= 0 {
				value, known = b.cell(p.run, line, q), true
			}
			w.Values = append(w.Values, value)
		}
		if known {
			v.Stand = append(v.Stand, w)
		}
	}
	for _, q := range placeQuantities {
		row(q, false)
	}
	row(trainingLoss, false)
	row(heldOutLoss, true)
	for _, q := range had(diagnosticsQuantities, b.doc.Trainings...) {
		row(q, true)
	}
}

// curveOf is a quantity of training i against its steps.
func (b *trainingBuilder) curveOf(i int, q quantity) chart.Series {
	c := chart.Series{Name: b.runs[i].Name, Ink: chart.RunInk(i)}
	points := 0
	for k := range b.doc.Trainings[i].Lines {
		l := &b.doc.Trainings[i].Lines[k]
		if q.ofDiagnostics && l.Measure == nil {
			continue // no diagnostics at this step: no gap either
		}
		y := q.of(l)
		if q.log && y <= 0 {
			y = nan
		}
		c.X, c.Y = append(c.X, float64(l.Step)), append(c.Y, y)
		points++
	}
	c.Plain = points > 40
	return c
}

func (b *trainingBuilder) lastStep() float64 {
	last := 1.0
	for _, r := range b.doc.Trainings {
		if n := len(r.Lines); n > 0 {
			last = max(last, float64(r.Lines[n-1].Step))
		}
	}
	return last
}

// stepTicks are round steps from a step on, about so many.
func (b *trainingBuilder) stepTicks(from, pieces float64) []chart.Tick {
	last := b.lastStep()
	var out []chart.Tick
	step := max(1, chart.RoundStep((last-from)/pieces))
	for x := math.Ceil(from/step) * step; x <= last; x += step {
		out = append(out, chart.Tick{Value: x, Label: text.Count(x)})
	}
	return out
}

// overSteps are series against the steps of training.
func (b *trainingBuilder) overSteps(series []chart.Series, ticks []chart.Tick, values chart.Axis) chart.Lines {
	return chart.Lines{Series: series, X: chart.Axis{Name: "step", Ticks: ticks}, Y: values}
}

// lossFigure draws the losses of the text it learns from as lines, and those of
// diagnostics with marks.
func (b *trainingBuilder) lossFigure(v *trainingView) {
	var curves []chart.Series
	f := figure{ID: "loss-0", Caption: "Loss in nats a token against steps", Label: "Loss against steps; the table below has the same numbers"}
	for i := range b.runs {
		learned, heldOut := b.curveOf(i, trainingLoss), b.curveOf(i, heldOutLoss)
		learned.Plain = true
		if len(b.runs) == 1 {
			heldOut.Ink = chart.RunInk(1)
			f.Legend = []runView{{Name: "on the text it learns from", Swatch: "fill-bg-" + chart.RunInk(0)}, {Name: b.diagnosedText(i), Swatch: "fill-bg-" + chart.RunInk(1)}}
		}
		for _, c := range []chart.Series{learned, heldOut} {
			if slices.ContainsFunc(c.Y, text.Finite) {
				curves = append(curves, c)
			}
		}
	}
	if curves == nil {
		return
	}
	if len(b.runs) > 1 {
		f.Legend = b.runs
		f.Caption += ": with marks those of diagnostics, on held-out text, without on the text it learns from"
	}
	f.Drawing = chart.Draw(b.overSteps(curves, b.stepTicks(0, 6), chart.Axis{Format: text.Tick, Floor: nan}))
	v.Loss = []figure{f}
	b.lateLoss(v, curves)
}

// lateLoss draws the losses of the last half anew: at the beginning they fall
// so far that the differences after it are lost.
func (b *trainingBuilder) lateLoss(v *trainingView, curves []chart.Series) {
	from := b.lastStep() / 2
	points := 0
	for i := range curves {
		c := &curves[i]
		first := slices.IndexFunc(c.X, func(x float64) bool { return x >= from })
		if first < 0 {
			first = len(c.X)
		}
		c.X, c.Y = c.X[first:], c.Y[first:]
		points += len(slices.DeleteFunc(slices.Clone(c.Y), func(y float64) bool { return !text.Finite(y) }))
	}
	if points < 4 {
		return
	}
	late := b.overSteps(curves, b.stepTicks(from, 4), chart.Axis{Format: text.Tick, Floor: nan})
	v.Course = append(v.Course, figure{ID: "loss-1", Caption: "Loss over the last half", Drawing: chart.Small(late), Small: true, Label: "Loss over the last half of the steps; the table below has the same numbers"})
}

// diagnosedText says what text the diagnostics of training i are of.
func (b *trainingBuilder) diagnosedText(i int) string {
	for _, l := range b.doc.Trainings[i].Lines {
		if l.Measure != nil && !l.Measure.HeldOut {
			return "on the beginning of that text, in diagnostics"
		}
	}
	return "on held-out text"
}

// rateTick labels an axis of learning rates, which are small and round.
func rateTick(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }

// figures draws each quantity that has a number, small, all trainings together.
func (b *trainingBuilder) figures(id string, quantities []quantity) []figure {
	var out []figure
	for k, q := range quantities {
		var curves []chart.Series
		for i := range b.runs {
			if c := b.curveOf(i, q); slices.ContainsFunc(c.Y, text.Finite) {
				curves = append(curves, c)
			}
		}
		if curves == nil {
			continue
		}
		floor := 0.0
		if q.log {
			floor = nan
		}
		l := b.overSteps(curves, b.stepTicks(0, 4), chart.Axis{Format: q.tick, Log: q.log, Floor: floor})
		out = append(out, figure{ID: id + "-" + itoa(k), Caption: q.name, Drawing: chart.Small(l), Small: true, Label: q.short + " against steps; the table below has the same numbers"})
	}
	return out
}

// tables adds the history of training i: every line, and every diagnosed step.
func (b *trainingBuilder) tables(v *trainingView, i int) {
	r := &b.doc.Trainings[i]
	if len(r.Lines) == 0 {
		return
	}
	table := func(words prose, quantities []quantity, lines []int) historyTable {
		t := historyTable{Name: b.runs[i].Name, Text: words}
		if len(b.runs) > 1 {
			t.Letter = b.runs[i].Letter
		}
		for _, q := range quantities {
			t.Columns = append(t.Columns, q.short)
		}
		for _, k := range lines {
			var row []Value
			for _, q := range quantities {
				row = append(row, b.cell(i, k, q))
			}
			t.Rows = append(t.Rows, row)
		}
		return t
	}
	all := make([]int, len(r.Lines))
	for k := range all {
		all[k] = k
	}
	words := say("Every line of the history: ", count(b, &r.Count))
	if len(r.Lines) < r.Count {
		words = say("The history has ", count(b, &r.Count), " lines; the page carries every so many of them")
	}
	v.Lines = append(v.Lines, table(words, append(append(slices.Clone(placeQuantities), trainingLoss), courseQuantities...), all))
	if diagnosed := b.diagnosed(i); diagnosed != nil {
		words := say("Every diagnosed step: ", count(b, &r.Diagnosed))
		if len(diagnosed) < r.Diagnosed {
			words = say("The history has ", count(b, &r.Diagnosed), " diagnosed steps; the page carries every so many of them")
		}
		v.Diagnosed = append(v.Diagnosed, table(words, append([]quantity{placeQuantities[0], heldOutLoss}, had(diagnosticsQuantities, *r)...), diagnosed))
	}
}

// trainingSettings are all settings of the trainings, and those that are not the
// same in all of several.
func trainingSettings(d *trainingDocument) (all, differ []setting, err error) {
	flat := make([]map[string]string, len(d.Trainings))
	var names []string
	for i, r := range d.Trainings {
		flat[i] = map[string]string{}
		if r.Settings == nil {
			continue
		}
		tree, err := json.Marshal(r.Settings)
		if err != nil {
			return nil, nil, fmt.Errorf("settings of training %s: %w", text.Visible(r.Name), err)
		}
		if err := flatten(map[string]any{"": json.RawMessage(tree)}, flat[i], &names); err != nil {
			return nil, nil, fmt.Errorf("settings of training %s: %w", text.Visible(r.Name), err)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		s := setting{Name: n}
		for _, m := range flat {
			s.Values = append(s.Values, m[n])
		}
		all = append(all, s)
		if len(slices.Compact(slices.Clone(s.Values))) > 1 {
			differ = append(differ, s)
		}
	}
	return visibleSettings(all), visibleSettings(differ), nil
}

type settingsTable struct {
	Caption string
	Legend  []runView
	Rows    []setting
}

// SettingsTable is all settings, for the template.
func (v *trainingView) SettingsTable() settingsTable {
	return settingsTable{"Settings", v.Legend, v.Settings}
}

// DifferTable is those that differ, for the template.
func (v *trainingView) DifferTable() settingsTable {
	return settingsTable{"Settings that differ", v.Legend, v.Differ}
}
