package html

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/text"
)

// view is what the template shows.
type view struct {
	head
	Library, Charts template.JS
	Link            bool
	Pinned          Asset

	Headline    prose
	Verdicts    []verdictLine
	Lead        []prose
	Warnings    []prose
	Sections    []sectionLink
	Unfinished  *unfinishedView
	Differences *differencesView
	Against     *runsView
	Divergence  *divergenceView
	Scores      *scoresView
	Passkey     *passkeyView
	Positions   *positionsView
	Diagnostics *diagnosticsView
	Answers     *answersView
	Flips       *flipsView
	Settings    *settingsView
	Provenance  []provenance
}

// mostWho bounds the runs that the summary describes: of more the provenance does.
const mostWho = 4

// who says of each run what model it is of, and how that was computed.
func (b *builder) who(v *view) {
	if len(b.runs) > mostWho {
		return
	}
	for i, r := range b.doc.Runs {
		var line prose
		if len(b.runs) > 1 {
			line = say(b.runs[i].Letter + ": ")
		}
		m := r.Manifest
		if r.Foreign {
			v.Who = append(v.Who, append(line, say("results of ", verbatim(r.Format))...))
			continue
		}
		if m.Model.Type == "" { // of a run that was stopped, and says no more
			continue
		}
		v.Who = append(v.Who, append(line, say(verbatim(m.Model.Type), ", ", b.numbers.at(text.Count, of(&m.Model.Parameters)), " parameters, ", verbatim(m.Settings.Attention), " attention, ", verbatim(m.Settings.DType), ", context of ", b.numbers.at(text.Count, of(&m.Settings.MaxLength)), " tokens")...))
	}
}

type sectionLink struct{ ID, Name string }

// section is one that a page may have.
type section struct {
	there    bool
	id, name string
}

// there links the sections that a page has.
func there(sections []section) (links []sectionLink) {
	for _, s := range sections {
		if s.there {
			links = append(links, sectionLink{s.id, s.name})
		}
	}
	return links
}

// prose is text with values in it.
type prose []piece

type piece struct {
	Text     string
	Value    *Value
	Verbatim bool
	Name     bool
}

// verbatim is text as it is in a run, set apart from the page's own.
type verbatim string

// verbatimPlain is such text among the page's own, in its typeface.
type verbatimPlain string

// name is a run's name.
type name string

func say(parts ...any) prose {
	var p prose
	for _, part := range parts {
		switch x := part.(type) {
		case string:
			p = append(p, piece{Text: x})
		case Value:
			p = append(p, piece{Value: &x})
		case name:
			p = append(p, piece{Text: string(x), Name: true})
		case verbatimPlain:
			p = append(p, piece{Text: text.Visible(string(x)), Name: true})
		case verbatim:
			p = append(p, piece{Text: text.Visible(string(x)), Verbatim: true})
		}
	}
	return p
}

type runView struct {
	Letter, Name, Swatch string
}

// draw gives a chart its place: the drawing for the figure of that id, and the
// interactive chart. Figures that stand beside others need the narrow drawing alone.
func (b *builder) draw(id, caption string, c chart.Chart, small bool) chart.Drawing {
	b.charts = append(b.charts, c.Options(id))
	b.figures = append(b.figures, Figure{id, caption, alone(c, caption)})
	if small {
		return chart.Small(c)
	}
	return chart.Draw(c)
}

// figure is a chart: its drawing, and the interactive one's place.
type figure struct {
	ID, Caption, Label, Size string
	Drawing                  chart.Drawing
	// Linear and Log are the drawing with its steps on either axis, the one that Drawing does not have; ""
	// where there is no choice.
	Linear, Log template.HTML
	Legend      []runView // of what is drawn
	Small       bool      // stands beside others
}

// builder makes the view; charts gathers the interactive charts, figures those that leave
// the page.
type builder struct {
	doc     *document
	numbers *numbers
	runs    []runView
	charts  []chart.Interactive
	figures []Figure
}

func newView(p Page, d *document, tree []byte) (*view, *builder, error) {
	n := newNumbers(d)
	var names []string
	for _, r := range d.Runs {
		names = append(names, r.Name)
	}
	v := &view{
		head:    newHead(d.Title, p.Softbench, p.Library, tree, names),
		Library: template.JS(p.Library.Inline), Link: p.Library.Link && p.Library.Inline == "", Pinned: Pinned,
	}
	b := &builder{doc: d, numbers: n, runs: v.Legend}
	b.verdict(v)
	for _, line := range d.LeftOut {
		v.Warnings = append(v.Warnings, say(verbatimPlain(line)))
	}
	b.who(v)
	v.Unfinished = b.unfinished(v)
	v.Differences = b.differences()
	v.Against = b.against()
	v.Divergence = b.divergence()
	v.Scores = b.scores()
	v.Passkey = b.passkey()
	v.Positions = b.positions()
	v.Diagnostics = b.diagnostics()
	v.Answers = b.answers()
	v.Flips = b.flips()
	if len(b.runs) > 1 {
		v.Settings = &settingsView{Rows: visibleSettings(d.Settings)}
	}
	for i := range d.Runs {
		v.Provenance = append(v.Provenance, b.provenance(i))
	}
	v.Sections = there([]section{
		{v.Unfinished != nil, "unfinished", "How far it is"},
		{v.Differences != nil, "differences", "Differences"}, {v.Against != nil, "against", "Every run"}, {v.Divergence != nil, "divergence", "Divergence"}, {v.Scores != nil, "scores", "Scores"},
		{v.Passkey != nil, "passkey", "Passkey"}, {v.Positions != nil, "positions", "Perplexity by position"},
		{v.Diagnostics != nil, "diagnostics", "Diagnostics"}, {v.Answers != nil, "answers", "Generated answers"}, {v.Flips != nil, "flips", "Documents that flipped"},
		{v.Settings != nil, "settings", "Settings that differ"}, {true, "provenance", "Provenance"},
	})
	if n.err != nil {
		return nil, nil, n.err
	}
	charts, err := json.Marshal(b.charts)
	if err != nil {
		return nil, nil, fmt.Errorf("the report's charts as JSON: %w", err)
	}
	v.Charts = template.JS(charts)
	return v, b, nil
}

// Letter names a run in tables: A and B of two, else its number.
func Letter(i, n int) string {
	switch {
	case n == 1:
		return "Value"
	case n <= 26:
		return string(rune('A' + i))
	}
	return fmt.Sprintf("#%d", i+1)
}

// legend is needed where n runs are drawn in one chart.
func (b *builder) legend(n int) []runView {
	if n < 2 {
		return nil
	}
	return b.runs
}

type settingsView struct{ Rows []setting }

func visibleSettings(rows []setting) []setting {
	out := make([]setting, len(rows))
	for i, r := range rows {
		out[i].Name = text.Visible(strings.TrimSuffix(r.Name, "."))
		for _, v := range r.Values {
			v = cmp.Or(v, text.None)
			out[i].Values = append(out[i].Values, text.Visible(v))
		}
	}
	return out
}

type provenance struct {
	Letter, Name string
	Facts        []fact
	Files        []fileView
}

type fact struct {
	Name  string
	Parts prose
}

type fileView struct {
	Task, Path, SHA256 string
	Rows               Value
}

// foreign is what is known of results of another program.
func (b *builder) foreign(i int) provenance {
	p := provenance{Name: b.runs[i].Name}
	if len(b.runs) > 1 {
		p.Letter = b.runs[i].Letter
	}
	r := &b.doc.Runs[i]
	p.Facts = []fact{{"Results of", say(verbatim(r.Format))}, {"File", say(verbatim(r.Path))}}
	return p
}

func (b *builder) provenance(i int) provenance {
	if b.doc.Runs[i].Foreign {
		return b.foreign(i)
	}
	m := b.doc.Runs[i].Manifest
	p := provenance{Name: b.runs[i].Name}
	if len(b.runs) > 1 {
		p.Letter = b.runs[i].Letter
	}
	model := say(verbatim(m.Model.Type), ", ", b.numbers.at(text.Count, of(&m.Model.Parameters)), " parameters, stored as ", verbatim(m.Model.Stored), ", ", verbatim(m.Model.Attention), " attention")
	if m.Settings.Attention != m.Model.Attention {
		model = append(model, say(", run with ", verbatim(m.Settings.Attention))...)
	}
	if m.Model.Format != "" {
		model = append(model, say(", ", verbatim(m.Model.Format))...)
	}
	if m.Model.TextOf != "" {
		model = append(model, say(", the text part of a ", verbatim(m.Model.TextOf), " model")...)
	}
	tokens := say(b.numbers.at(text.Count, of(&m.Process.Computed)), " computed for ", b.numbers.at(text.Count, of(&m.Tokens.Requested)), " requested, ", b.numbers.at(text.Count, of(&m.Tokens.Scored)), " of them scored")
	if m.Model.Type != "" {
		p.Facts = []fact{{"Model", model}, {"Directory", say(verbatim(m.Process.Directory))}, {"Tokenizer", say(verbatim(m.Model.Tokenizer))}}
	}
	p.Facts = append(p.Facts, []fact{
		{"Weights with config, SHA-256", say(verbatim(m.Settings.ModelSHA256))},
		{"Tokenizer, SHA-256", say(verbatim(m.Settings.TokenizerSHA256))},
		{"Computed as", say(verbatim(m.Settings.DType), " on ", verbatim(m.Settings.Device), " (", verbatim(m.Settings.ISA), "), context of ", b.numbers.at(text.Count, of(&m.Settings.MaxLength)), " tokens, engine ", verbatim(m.Settings.Engine))},
	}...)
	if b.doc.Runs[i].Unfinished == nil {
		p.Facts = append(p.Facts, fact{"Tokens", tokens},
			fact{"Softbench", say(verbatim(m.Process.Softbench), ", ", verbatim(m.Process.Go), ", ", verbatim(m.Process.Machine))},
			fact{"Time", say(verbatim(m.Process.Start.UTC().Format(moment)), ", ", b.numbers.at(text.Figures, of(&m.Process.Seconds)), " s")})
	} else {
		p.Facts = append(p.Facts, b.begun(i)...)
	}
	if m.Model.Computed != "" {
		p.Facts = append(p.Facts, fact{"Computed with", say(verbatim(m.Model.Computed))})
	}
	if file := m.Process.Arguments["calibrate"]; file != "" { // what of it, a note says
		p.Facts = append(p.Facts, fact{"Calibrated on", say(verbatim(file))})
	}
	if m.Settings.Passkey != nil {
		p.Facts = append(p.Facts, fact{"Passkey", say(b.numbers.at(text.Count, of(&m.Settings.Passkey.Trials)), " trials a cell, seed ", b.numbers.at(text.Count, of(&m.Settings.Passkey.Seed)))})
	}
	for _, note := range m.Notes {
		p.Facts = append(p.Facts, fact{"Note", say(verbatim(note))})
	}
	for k := range m.Process.Files {
		f := &m.Process.Files[k]
		p.Files = append(p.Files, fileView{text.Visible(f.Task), text.Visible(f.Path), text.Visible(f.SHA256), b.numbers.at(text.Count, of(&f.Rows))})
	}
	return p
}
