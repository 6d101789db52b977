package html

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/stress"
	"github.com/softbench/softbench/reports/text"
)

// stressView is what a stress test's template shows.
type stressView struct {
	Title, Softbench string
	Policy           string
	Style            template.CSS
	Script           template.JS
	Data             template.JS

	Headline   prose
	Lead       []prose
	Warnings   []prose
	Legend     []runView
	Confidence prose
	Claims     []stressClaim
	Models     []stressModel
	Figures    []figure
	Tasks      []stressTask
	Files      []fileView
	Notes      []prose
}

type stressClaim struct {
	Setting, Pair         string
	First, Second         divergenceRow // the share that each keeps
	FirstHalf, SecondHalf string
	Difference, Low, High Value
	Verdict, Class        string
}

type stressModel struct {
	Letter, Name string
	About        prose
	Columns      []string // tasks
	Rows         []stressRow
}

type stressRow struct {
	Setting                  string
	Bytes, Kurtosis, Largest Value
	Score, Kept, KL, Same    divergenceRow
	Median, P99              Value
	Tasks                    []Value
}

type stressTask struct {
	Name              string
	Documents, Chance Value
	Scored            bool
}

// WriteStress writes a stress test's page as one HTML file in UTF-8 that needs no other and no
// network. The same result gives the same bytes.
func WriteStress(w io.Writer, r *stress.Result, softbench string) error {
	if len(r.Models) == 0 {
		return errors.New("a page about a stress test needs at least one model")
	}
	tree, err := json.Marshal(r) // escapes <, > and &, so no tag can begin in it
	if err != nil {
		return fmt.Errorf("the test's numbers as JSON: %w", err)
	}
	n := newNumbers(r)
	v := &stressView{
		Title: "stress", Softbench: text.Visible(softbench), Policy: policy(Library{}), Style: template.CSS(style), Script: template.JS(pageScript), Data: template.JS(tree),
		Confidence: say(n.at(func(x float64) string { return text.Tick(x) + "%" }, of(&r.Confidence)), " interval"),
	}
	for i := range r.Models {
		v.Legend = append(v.Legend, runView{Letter(i, max(2, len(r.Models))), text.Visible(r.Models[i].Name), "fill-bg-" + chart.RunInk(i)})
	}
	v.answer(r, n)
	for i := range r.Claims {
		v.Claims = append(v.Claims, newStressClaim(&r.Claims[i], n, len(r.Models) > 2))
	}
	for i := range r.Models {
		v.Models = append(v.Models, v.model(r, i, n))
	}
	v.figures(r)
	for i := range r.Tasks {
		t := &r.Tasks[i]
		v.Tasks = append(v.Tasks, stressTask{text.Visible(t.Name), n.at(text.Count, of(&t.Documents)), n.at(text.Percent, of(&t.Chance)), t.Scored})
	}
	for i := range r.Files {
		f := &r.Files[i]
		v.Files = append(v.Files, fileView{text.Visible(f.Task), text.Visible(f.Path), text.Visible(f.SHA256), n.at(text.Count, of(&f.Rows))})
	}
	for _, note := range r.Notes {
		v.Notes = append(v.Notes, say(verbatimPlain(note)))
	}
	if n.err != nil {
		return n.err
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "stress", v); err != nil {
		return fmt.Errorf("the test's page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// answer writes the page's first lines: the sentence at the fewest bits.
func (v *stressView) answer(r *stress.Result, n *numbers) {
	switch {
	case len(r.Models) < 2:
		v.Headline = say("What few bits cost ", name(v.Legend[0].Name))
		return
	case len(r.Claims) == 0:
		v.Headline = say("No task of the suite has a score: divergences alone are measured")
		return
	}
	words, claims := r.Answer()
	first, second := r.Pair()
	v.Headline = say(words, " that at ", n.at(text.Count, of(&r.Claims[claims[0]].Bits)), " bits ", name(text.Visible(second)),
		" keeps more than half of its score above chance where ", name(text.Visible(first)), " does not")
	for _, i := range claims {
		c := &r.Claims[i]
		line := say(name(text.Visible(c.Setting)), ": ")
		line = append(line, keeps(n, c.First, c.FirstHalf, &c.FirstKept)...)
		line = append(line, say(", ")...)
		line = append(line, keeps(n, c.Second, c.SecondHalf, &c.SecondKept)...)
		switch {
		case !text.Finite(float64(c.Difference.Low)):
			line = append(line, say("; whether they differ cannot be told.")...)
		case c.Real:
			line = append(line, say("; the difference is real.")...)
		default:
			line = append(line, say("; the difference may be chance.")...)
		}
		v.Lead = append(v.Lead, line)
	}
}

func keeps(n *numbers, model string, half stress.Half, a *compare.Average) prose {
	value := say(" (", n.at(text.Percent, of(&a.Value)), ")")
	if half == stress.CannotSay {
		return append(append(say("whether ", name(text.Visible(model)), " keeps half"), value...), say(" cannot be told")...)
	}
	return append(say(name(text.Visible(model)), " keeps "+string(half)), value...)
}

func averageRow(n *numbers, format func(float64) string, a *compare.Average) divergenceRow {
	return divergenceRow{Value: n.at(format, of(&a.Value)), Low: n.at(format, of(&a.Low)), High: n.at(format, of(&a.High))}
}

func newStressClaim(c *stress.Claim, n *numbers, many bool) stressClaim {
	d := averageRow(n, text.Points, &c.Difference)
	out := stressClaim{
		Setting: text.Visible(c.Setting), First: averageRow(n, text.Percent, &c.FirstKept), Second: averageRow(n, text.Percent, &c.SecondKept),
		FirstHalf: string(c.FirstHalf), SecondHalf: string(c.SecondHalf), Difference: d.Value, Low: d.Low, High: d.High, Verdict: string(c.Verdict),
		Class: map[stress.Verdict]string{stress.Holds: "better", stress.DoesNot: "worse", stress.CannotTell: "noise"}[c.Verdict],
	}
	if many {
		out.Pair = text.Visible(c.First) + ", " + text.Visible(c.Second)
	}
	return out
}

func (v *stressView) model(r *stress.Result, i int, n *numbers) stressModel {
	m := &r.Models[i]
	out := stressModel{
		Letter: v.Legend[i].Letter, Name: v.Legend[i].Name,
		About: say(verbatim(m.Type), ", ", n.at(text.Count, of(&m.Parameters)), " parameters, ", verbatim(m.Attention), " attention, stored as ", verbatim(m.Stored), ", computed as ", verbatim(m.DType), ", weights ", verbatim(m.SHA256)),
	}
	for _, t := range m.Cells[0].Tasks {
		out.Columns = append(out.Columns, text.Visible(t.Task))
	}
	for k := range m.Cells {
		c := &m.Cells[k]
		row := stressRow{
			Setting: text.Visible(c.Setting), Bytes: Value{Text: text.None}, Kurtosis: n.at(text.Figures, of(&c.Kurtosis)), Largest: n.at(text.Figures, of(&c.Largest)),
			Score: averageRow(n, text.Percent, &c.Score), Kept: averageRow(n, text.Percent, &c.Kept), KL: averageRow(n, text.Figures, &c.KL),
			Same: averageRow(n, text.Percent, &c.SameTop), Median: n.at(text.Figures, of(&c.Median)), P99: n.at(text.Figures, of(&c.P99)),
		}
		if c.Bytes > 0 {
			row.Bytes = n.at(text.Count, of(&c.Bytes))
		}
		for t := range c.Tasks {
			format := text.Percent
			if c.Tasks[t].Metric != "acc" {
				format = text.Figures
			}
			row.Tasks = append(row.Tasks, n.at(format, of(&c.Tasks[t].Value)))
		}
		out.Rows = append(out.Rows, row)
		for _, w := range c.Warnings {
			v.Warnings = append(v.Warnings, say(name(out.Name), ", ", name(row.Setting), ": ", verbatimPlain(w)))
		}
	}
	return out
}

// figures draws, of every method at several bits, the score and the divergence of each model.
func (v *stressView) figures(r *stress.Result) {
	var methods []string
	for _, c := range r.Models[0].Cells[1:] {
		if !slices.Contains(methods, c.Method) {
			methods = append(methods, c.Method)
		}
	}
	for _, method := range methods {
		score := func(c *stress.Cell) compare.Average { return c.Score }
		kl := func(c *stress.Cell) compare.Average { return c.KL }
		v.figure(r, method, "score", "mean accuracy", score, text.PercentTick, true)
		v.figure(r, method, "kl", "divergence from the stored weights, nats a token", kl, text.Tick, false)
	}
}

// figure draws one measure of a method, the most bits first; with stored, the stored weights before.
func (v *stressView) figure(r *stress.Result, method, id, what string, of func(*stress.Cell) compare.Average, format func(float64) string, stored bool) {
	var all []chart.Series
	var categories []string
	for i := range r.Models {
		s := chart.Series{Name: v.Legend[i].Name, Ink: chart.RunInk(i)}
		var names []string
		for k := range r.Models[i].Cells {
			c := &r.Models[i].Cells[k]
			if c.Method != method && !(stored && k == 0) {
				continue
			}
			label := stress.Stored
			if k > 0 {
				label = itoa(c.Bits)
			}
			a := of(c)
			names = append(names, label)
			s.X, s.Y = append(s.X, float64(len(s.X))), append(s.Y, float64(a.Value))
			s.Low, s.High, s.Detail = append(s.Low, float64(a.Low)), append(s.High, float64(a.High)), append(s.Detail, label)
		}
		if len(names) > len(categories) {
			categories = names
		}
		if slices.ContainsFunc(s.Y, text.Finite) {
			all = append(all, s)
		}
	}
	least := 2
	if stored {
		least = 3
	}
	if len(all) == 0 || len(categories) < least {
		return
	}
	log, floor := !stored && chart.Wide(all...), nan
	if !stored && !log {
		floor = 0
	}
	l := chart.Lines{Series: all, Categories: categories, X: chart.Axis{Name: "bits"}, Y: chart.Axis{Format: format, Log: log, Floor: floor}}
	v.Figures = append(v.Figures, figure{
		ID: id + "-" + text.Visible(method), Caption: text.Visible(method) + ": " + what + " by bits", Drawing: chart.Small(l), Small: true,
		Label: text.Visible(method) + ", " + what + " by bits; the tables have the same numbers",
	})
}
