package html

import (
	_ "embed"
	"strings"
	"time"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

//go:embed assets/unfinished.html
var unfinishedTemplate string

// moment is how the page writes a time.
const moment = "2006-01-02 15:04:05 UTC"

// unfinishedDocument is how far a run is that is not finished.
type unfinishedDocument struct {
	State    string       `json:"state"`
	Part     string       `json:"part,omitempty"` // of a run that is shared by several processes
	Requests int          `json:"requests"`       // 0: not known
	Done     int          `json:"done"`
	Parts    []rundir.Far `json:"parts"`
	Resume   string       `json:"resume"` // what to do
	Last     time.Time    `json:"last"`   // when the last result came
	title    string
}

func newUnfinished(u *rundir.Unfinished) *unfinishedDocument {
	if u == nil {
		return nil
	}
	d := &unfinishedDocument{State: u.State.String(), Part: u.Part, Parts: u.Parts, Resume: u.GoOn(), Last: u.Last, title: u.Title()}
	d.Done, d.Requests = u.Counts()
	return d
}

type unfinishedView struct {
	Text prose
	Rows []unfinishedRow
}

type unfinishedRow struct {
	Name, Is                         string
	Missing                          bool
	Done, Requests, Begun, Documents Value
}

// unfinished says how far a page's only run is, first in a warning; nil where it is finished.
func (b *builder) unfinished(v *view) *unfinishedView {
	u := b.doc.Runs[0].Unfinished
	if u == nil || len(b.doc.Runs) > 1 {
		return nil
	}
	v.Warnings = append(v.Warnings, say(verbatimPlain(u.title)))
	out := &unfinishedView{Text: say("What is there of the run, which got its last result at ", verbatim(u.Last.UTC().Format(moment)), ". The scores on this page are of the tasks that are whole: ", rundir.PartlyDone, ".")}
	if u.State == rundir.Interrupted.String() {
		how, command, _ := strings.Cut(u.Resume, ": ")
		line := say("To " + how)
		if command != "" {
			line = say("To "+how+": ", verbatim(command))
		}
		v.Warnings = append(v.Warnings, line)
	}
	for i := range u.Parts {
		p := &u.Parts[i]
		row := unfinishedRow{Name: text.Visible(p.Name), Is: p.Is(), Missing: !p.Whole}
		row.Done, row.Begun, row.Documents = b.numbers.at(text.Count, of(&p.Done)), b.numbers.at(text.Count, of(&p.Begun)), b.numbers.at(text.Count, of(&p.Documents))
		row.Requests.Text = text.None
		if p.Requests > 0 {
			row.Requests = b.numbers.at(text.Count, of(&p.Requests))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// begun are the facts of a run that is not finished, of which no more is known.
func (b *builder) begun(i int) []fact {
	m := b.doc.Runs[i].Manifest
	if m.Process.Softbench == "" {
		return nil
	}
	return []fact{{"Softbench", say(verbatim(m.Process.Softbench))}, {"Begun", say(verbatim(m.Process.Start.UTC().Format(moment)))}}
}
