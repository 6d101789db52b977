package html

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// Place is where a run stands in a course: which training it is of, and at which step.
type Place struct {
	Series string  `json:"series"`
	Step   float64 `json:"step"`
	From   string  `json:"from"` // what says so: one of the names of the sources
}

// sources say at which step a run is: its own path, or what its manifest says of its model. Of
// the models' a name has to say that its number is a step.
var sources = []struct {
	name  string
	words string // as the page says it
	model bool
	of    func(path string, m *rundir.Run) string
}{
	{"path", "the last number in its name", false, func(path string, _ *rundir.Run) string { return path }},
	{"revision", "the last number in its model's revision", true, func(_ string, m *rundir.Run) string {
		model, revision, _ := strings.Cut(m.Process.Arguments["model"], "@")
		if revision = cmp.Or(revision, m.Process.Arguments["revision"]); revision == "" {
			return ""
		}
		return model + "@" + revision
	}},
	{"model_directory", "the last number in its model's directory", true, func(_ string, m *rundir.Run) string { return m.Process.Directory }},
}

var (
	lastNumber = regexp.MustCompile(`^(.*?)(\d{1,15})(\D*)$`)
	stepWord   = regexp.MustCompile(`(?i)(step|iter|iteration|checkpoint|ckpt|global|update|batch)[a-z]*[-_.]?\*`)
)

// Course says which runs are the checkpoints of one training or of several: the last number in
// the last element of a run's path is the step, and paths that are the same but for that are of
// one series. Where the paths are not a course, the models' revisions may be, or their
// directories; manifests are the runs', nil for results of another program. It is a course where
// every run has a step, a series has no step twice, and at least one has three.
func Course(paths []string, manifests []*rundir.Run) (places []Place, ok bool) {
	for _, source := range sources {
		var names []string
		for i, path := range paths {
			if manifests[i] != nil || !source.model {
				names = append(names, source.of(path, manifests[i]))
			}
		}
		if len(names) < len(paths) {
			continue
		}
		places, ok = courseOf(names)
		if ok = ok && (!source.model || !slices.ContainsFunc(places, func(p Place) bool { return !stepWord.MatchString(p.Series) })); ok {
			for i := range places {
				places[i].From = source.name
			}
			return places, true
		}
	}
	return nil, false
}

// courseOf is Course of names that look like paths.
func courseOf(names []string) (places []Place, ok bool) {
	steps := map[string]map[float64]bool{}
	for _, name := range names {
		p, found := placeOf(name)
		if !found {
			return nil, false
		}
		if steps[p.Series][p.Step] {
			return nil, false
		}
		if steps[p.Series] == nil {
			steps[p.Series] = map[float64]bool{}
		}
		steps[p.Series][p.Step] = true
		places = append(places, p)
		ok = ok || len(steps[p.Series]) >= 3
	}
	return places, ok
}

// stepIs says what tells the step of a course's runs.
func (b *builder) stepIs() string {
	for _, source := range sources {
		if source.name == b.doc.Runs[0].Place.From {
			return source.words
		}
	}
	return sources[0].words
}

// PlaceOf is a run's place by its own path, where a word before its last number says that this is a
// step: step-200, checkpoint-1000.
func PlaceOf(path string) (Place, bool) {
	p, ok := placeOf(path)
	return p, ok && stepWord.MatchString(filepath.Base(p.Series))
}

func placeOf(path string) (p Place, ok bool) {
	dir, base := filepath.Split(filepath.Clean(path))
	m := lastNumber.FindStringSubmatch(base)
	if m == nil {
		return p, false
	}
	p.Series = dir + m[1] + "*" + m[3]
	for _, digit := range m[2] {
		p.Step = 10*p.Step + float64(digit-'0')
	}
	return p, true
}

// trainings are the series of the page's runs, in their order: the runs of each by step;
// none where the runs are not a course.
func (b *builder) trainings() (names []string, runs [][]int) {
	for i, r := range b.doc.Runs {
		if r.Place == nil {
			return nil, nil
		}
		k := slices.Index(names, r.Place.Series)
		if k < 0 {
			k = len(names)
			names, runs = append(names, r.Place.Series), append(runs, nil)
		}
		runs[k] = append(runs[k], i)
	}
	for _, of := range runs {
		slices.SortFunc(of, func(x, y int) int {
			if b.doc.Runs[x].Place.Step < b.doc.Runs[y].Place.Step {
				return -1
			}
			return 1
		})
	}
	return short(names), runs
}

// short is names without the directories that all of them share.
func short(names []string) []string {
	out := slices.Clone(names)
	for {
		first, _, found := strings.Cut(out[0], "/")
		if !found || slices.ContainsFunc(out, func(s string) bool { return !strings.HasPrefix(s, first+"/") }) {
			return out
		}
		for i := range out {
			out[i] = strings.TrimPrefix(out[i], first+"/")
		}
	}
}

// stepAxis is the axis of a course: the steps there are, logarithmic where they reach far apart; and
// the other axis of the two, where both have place for two steps and more. Step 0 has none on a logarithmic one.
func (b *builder) stepAxis(names []string) (axis, other chart.Axis, choice bool) {
	axis = chart.Axis{Name: "step"}
	if !slices.ContainsFunc(names, stepWord.MatchString) {
		axis.Name = "number in the name"
	}
	var steps []float64
	for _, r := range b.doc.Runs {
		steps = append(steps, r.Place.Step)
	}
	slices.Sort(steps)
	steps = slices.Compact(steps)
	linear, log := axis, axis
	log.Log, log.Name = true, axis.Name+", log axis"
	for _, s := range steps {
		linear.Ticks = append(linear.Ticks, chart.Tick{Value: s, Label: text.Count(s)})
		if s > 0 {
			log.Ticks = append(log.Ticks, chart.Tick{Value: s, Label: text.Count(s)})
		}
	}
	if len(log.Ticks) < len(linear.Ticks) {
		log.Name += " without step 0"
	}
	if choice = len(log.Ticks) > 1; chart.Wide(chart.Series{Y: steps}) {
		return log, linear, choice
	}
	return linear, log, choice
}

// overSteps is a chart of one number of all runs: a line for each training, with its
// intervals as a band. cell is the number of run i with its interval and words.
func (b *builder) overSteps(id, caption string, y chart.Axis, cell func(i int) (scoreCell, bool)) (figure, bool) {
	names, runs := b.trainings()
	var series []chart.Series
	f := figure{ID: id, Size: "short", Small: true, Label: caption + " over the steps; the table has the same numbers"}
	for k, of := range runs {
		s := chart.Series{Name: text.Visible(names[k]), Ink: chart.RunInk(k), Band: true}
		for _, i := range of {
			c, ok := cell(i)
			if !ok {
				continue
			}
			s.X = append(s.X, b.doc.Runs[i].Place.Step)
			s.Y, s.Low, s.High = append(s.Y, c.v), append(s.Low, c.lo), append(s.High, c.hi)
			s.Detail = append(s.Detail, b.runs[i].Letter+" "+b.runs[i].Name+": "+c.Value.Text)
		}
		if slices.ContainsFunc(s.Y, text.Finite) {
			series = append(series, s)
			f.Legend = append(f.Legend, runView{Name: text.Visible(names[k]), Swatch: "fill-bg-" + chart.RunInk(k)})
		}
	}
	if series == nil {
		return figure{}, false
	}
	if len(runs) == 1 {
		f.Legend = nil
	}
	if y.Log = y.Log && chart.Wide(series...); y.Log {
		caption += ", log axis"
	}
	f.Caption = caption
	axis, other, choice := b.stepAxis(names)
	f.Drawing = b.draw(id, caption, chart.Lines{Series: series, X: axis, Y: y}, true)
	if choice {
		drawing := chart.Small(chart.Lines{Series: series, X: other, Y: y}).Narrow
		if f.Log = drawing; axis.Log {
			f.Log, f.Linear = "", drawing
		}
		b.charts[len(b.charts)-1].OtherX = other.Name
	}
	return f, true
}

// diagnosticsOverSteps draws the measures of the model as a whole.
func (b *builder) diagnosticsOverSteps(v *diagnosticsView) {
	if names, _ := b.trainings(); names == nil {
		return
	}
	for k, m := range wholeMeasures {
		y := chart.Axis{Format: text.Tick, Floor: nan, Log: m.key == "kurtosis"}
		if y.Unit = m.unit; m.unit == chart.Percent {
			y.Format = text.PercentTick
		}
		f, ok := b.overSteps("steps-"+itoa(k), m.name, y, func(i int) (scoreCell, bool) {
			d := b.doc.Runs[i].Manifest.Diagnostics
			if d == nil {
				return scoreCell{}, false
			}
			field := m.number(d)
			value := b.numbers.at(m.format, field)
			c := scoreCell{Value: value, v: field.float(), lo: nan, hi: nan}
			return c, value.Raw != ""
		})
		if ok {
			v.Figures = append(v.Figures, f)
		}
	}
}
