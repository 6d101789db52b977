package html

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// StudyPage is a page about a grid of trainings that ask one question.
type StudyPage struct {
	Name      string          `json:"name"`
	Question  string          `json:"question"`
	Measures  []StudyMeasure  `json:"measures"`
	Cells     []StudyCell     `json:"cells"`
	Verdicts  []StudyVerdict  `json:"verdicts"`
	Trainings []StudyTraining `json:"trainings"`
	Done      int             `json:"done"`               // trainings; WriteStudy counts them
	Count     int             `json:"count"`              // of all trainings
	Recorded  int             `json:"recorded,omitempty"` // of them from a record
	Settings  any             `json:"settings"`           // of the first cell
	Softbench string          `json:"-"`                  // version of the program, for the footer
}

// StudyMeasure is a number that the page shows.
type StudyMeasure struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Share bool   `json:"share"`
}

// StudyCell is one combination of the grid's values over its seeds.
type StudyCell struct {
	Name   string          `json:"name"`
	Finals []StudyEstimate `json:"finals"` // by measure
	Curves [][]StudyPoint  `json:"curves"` // by measure
}

// StudyEstimate is a mean over seeds with its interval; NaN where there is none.
type StudyEstimate struct {
	Mean  rundir.Number `json:"mean"`
	Low   rundir.Number `json:"low"`
	High  rundir.Number `json:"high"`
	Seeds int           `json:"seeds"`
}

// StudyPoint is the mean, least and largest over the seeds at a step.
type StudyPoint struct {
	Step  int           `json:"step"`
	Mean  rundir.Number `json:"mean"`
	Min   rundir.Number `json:"min"`
	Max   rundir.Number `json:"max"`
	Seeds int           `json:"seeds"`
}

// StudyVerdict is whether the numbers bear a claim out.
type StudyVerdict struct {
	Claim     string `json:"claim"`
	Condition string `json:"condition"`
	Cell      string `json:"cell"`
	Against   string `json:"against,omitempty"`
	Verdict   string `json:"verdict"`
	Share     bool   `json:"share"` // the numbers are shares
	StudyEstimate
}

// StudyTraining is how far one training is.
type StudyTraining struct {
	Name    string `json:"name"`
	Step    int    `json:"step"`
	Steps   int    `json:"steps"`
	Done    bool   `json:"done"`
	Stopped string `json:"stopped,omitempty"`
	Kernels string `json:"kernels,omitempty"` // of a training from a record
}

// studyView is what the study's template shows.
type studyView struct {
	head
	Question prose
	Progress prose
	Warnings []prose
	Verdicts []studyVerdictRow
	Columns  []string // measures
	Finals   []studyFinalRow
	Figures  []figure
	Left     []studyTrainingRow
	Settings []setting
}

type studyVerdictRow struct {
	Claim, Verdict         string
	Condition, Where       prose
	Mean, Low, High, Seeds Value
}

type studyFinalRow struct {
	Letter, Name string
	Values       []studyFinal
}

type studyFinal struct{ Mean, Low, High Value }

type studyTrainingRow struct {
	Name        string
	Step, Steps Value
}

// WriteStudy writes the page as one HTML file in UTF-8 that needs no other and no
// network. The same study gives the same bytes.
func WriteStudy(w io.Writer, p StudyPage) error {
	if len(p.Cells) == 0 {
		return errors.New("a page about a study needs at least one cell")
	}
	p.Done, p.Count = 0, len(p.Trainings)
	for _, t := range p.Trainings {
		if t.Done {
			p.Done++
		}
	}
	return writePage(w, "study", "study", p, func(tree []byte) (*studyView, error) { return newStudyView(&p, tree) })
}

func newStudyView(p *StudyPage, tree []byte) (*studyView, error) {
	n := newNumbers(p)
	var names []string
	for _, c := range p.Cells {
		names = append(names, c.Name)
	}
	v := &studyView{head: newHead(p.Name, p.Softbench, Library{}, tree, names), Question: say(text.Visible(p.Question))}
	v.progress(p, n)
	for i := range p.Verdicts {
		v.Verdicts = append(v.Verdicts, newStudyVerdictRow(p, n, i))
	}
	for _, m := range p.Measures {
		v.Columns = append(v.Columns, text.Visible(m.Title))
	}
	for i := range p.Cells {
		row := studyFinalRow{Letter: v.Legend[i].Letter, Name: v.Legend[i].Name}
		for k, m := range p.Measures {
			e, format := &p.Cells[i].Finals[k], formatOf(m.Share)
			row.Values = append(row.Values, studyFinal{n.at(format, of(&e.Mean)), n.at(format, of(&e.Low)), n.at(format, of(&e.High))})
		}
		v.Finals = append(v.Finals, row)
	}
	for k := range p.Measures {
		v.figure(p, k)
	}
	var err error
	if v.Settings, err = studySettings(p); err != nil {
		return nil, err
	}
	return v, n.err
}

func formatOf(share bool) func(float64) string {
	if share {
		return text.Percent
	}
	return text.Figures
}

func newStudyVerdictRow(p *StudyPage, n *numbers, i int) studyVerdictRow {
	x := &p.Verdicts[i]
	row := studyVerdictRow{Claim: text.Visible(x.Claim), Condition: say(name(text.Visible(x.Condition))), Where: say(name(text.Visible(x.Cell))), Verdict: x.Verdict}
	if x.Against != "" {
		row.Where = append(row.Where, say(" against ", name(text.Visible(x.Against)))...)
	}
	format := formatOf(x.Share)
	row.Mean, row.Low, row.High, row.Seeds = n.at(format, of(&x.Mean)), n.at(format, of(&x.Low)), n.at(format, of(&x.High)), n.at(text.Count, of(&x.Seeds))
	return row
}

// progress says how many trainings are done, and lists those that are not and
// those that stopped.
func (v *studyView) progress(p *StudyPage, n *numbers) {
	for i := range p.Trainings {
		t := &p.Trainings[i]
		if t.Stopped != "" {
			v.Warnings = append(v.Warnings, say(name(text.Visible(t.Name)), ": stopped: ", verbatimPlain(t.Stopped)))
		}
		if !t.Done {
			v.Left = append(v.Left, studyTrainingRow{text.Visible(t.Name), n.at(text.Count, of(&t.Step)), n.at(text.Count, of(&t.Steps))})
		}
	}
	v.Progress = say(n.at(text.Count, of(&p.Done)), " of ", n.at(text.Count, of(&p.Count)), " trainings are done.")
	for i := range p.Trainings {
		if p.Trainings[i].Kernels != "" {
			p.Recorded++
		}
	}
	if p.Recorded > 0 {
		v.Progress = append(v.Progress, say(" ", n.at(text.Count, of(&p.Recorded)), " of them are from a record, and were not trained for this page.")...)
	}
	if p.Done < p.Count {
		v.Progress = append(v.Progress, say(" The others count in the curves only, as far as they are.")...)
	}
}

// figure draws measure k of all cells against steps, each with a band from the
// least to the largest seed.
func (v *studyView) figure(p *StudyPage, k int) {
	var curves []chart.Series
	last := 1.0
	for i, c := range p.Cells {
		one := chart.Series{Name: v.Legend[i].Name, Ink: chart.RunInk(i), Band: true}
		for _, point := range c.Curves[k] {
			if !text.Finite(float64(point.Min)) || !text.Finite(float64(point.Max)) {
				continue
			}
			one.X, one.Y = append(one.X, float64(point.Step)), append(one.Y, float64(point.Mean))
			one.Low, one.High = append(one.Low, float64(point.Min)), append(one.High, float64(point.Max))
			last = max(last, float64(point.Step))
		}
		if one.Plain = len(one.X) > 40; len(one.X) > 0 {
			curves = append(curves, one)
		}
	}
	if curves == nil {
		return
	}
	m, format := p.Measures[k], text.Tick
	if m.Share {
		format = text.PercentTick
	}
	var ticks []chart.Tick
	step := max(1, chart.RoundStep(last/4))
	for x := 0.0; x <= last; x += step {
		ticks = append(ticks, chart.Tick{Value: x, Label: text.Count(x)})
	}
	floor, log := 0.0, !m.Share && chart.Wide(curves...)
	if log {
		floor = nan
	}
	l := chart.Lines{Series: curves, X: chart.Axis{Name: "step", Ticks: ticks}, Y: chart.Axis{Format: format, Log: log, Floor: floor}}
	v.Figures = append(v.Figures, figure{
		ID: "measure-" + itoa(k), Caption: text.Visible(m.Title), Drawing: chart.Small(l), Small: true,
		Label: text.Visible(m.Title) + " against steps; the page's JSON has the numbers",
	})
}

func studySettings(p *StudyPage) ([]setting, error) {
	tree, err := json.Marshal(p.Settings)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	flat, names := map[string]string{}, []string(nil)
	if err := flatten(map[string]any{"": json.RawMessage(tree)}, flat, &names); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	var all []setting
	slices.Sort(names)
	for _, n := range names {
		all = append(all, setting{Name: n, Values: []string{flat[n]}})
	}
	return visibleSettings(all), nil
}

// SettingsTable is the first cell's settings, for the template.
func (v *studyView) SettingsTable() settingsTable {
	return settingsTable{"Settings of the first cell", v.Legend[:1], v.Settings}
}
