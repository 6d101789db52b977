package html

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/reports/rundir"
)

// stoppedRun is a run of which arc_easy is whole, and hellaswag and the grid are not.
func stoppedRun() *rundir.Unfinished {
	m := madeRun("softpick", 3, 40, 0).Manifest
	return &rundir.Unfinished{
		State: rundir.Interrupted, Settings: m.Settings, Last: time.Unix(1.7e9, 0),
		Plan: &rundir.Plan{Model: m.Model, Directory: "m", Softbench: "v1", Start: time.Unix(1.7e9, 0), Command: []string{"run", "<all>", "--resume"}},
		Parts: []rundir.Far{
			{Name: "arc_easy", Kind: "multiple_choice", Documents: 40, Begun: 40, Done: 160, Requests: 160},
			{Name: "hellaswag", Kind: "multiple_choice", Documents: 40, Begun: 7, Done: 25, Requests: 160},
			{Name: "passkey", Kind: "passkey", Documents: 400, Requests: 400},
		},
	}
}

// TestUnfinishedPage: the page of a run that was stopped says so first, how far each task is and how
// to go on, and has no number of its results but those of tasks that are whole.
func TestUnfinishedPage(t *testing.T) {
	u := stoppedRun()
	whole := u.Run()
	whole.Tasks = madeRun("softpick", 3, 40, 0).Manifest.Tasks[:1]
	for name, u := range map[string]*rundir.Unfinished{"with a plan": u, "of an earlier version": {State: rundir.Running, Settings: u.Settings, Last: u.Last, Parts: u.Parts}} {
		manifest := whole
		if u.Plan == nil {
			manifest = u.Run()
		}
		page := write(t, Page{Runs: []Run{{Name: "softpick", Manifest: manifest, Unfinished: u}}, Softbench: "test"})
		shown := visible(page)
		for _, want := range []string{"Not finished: softpick", "NOT FINISHED", "185 of 720 requests are done", "How far it is", "not begun", "no fair sample of the rest"} {
			if !strings.Contains(shown, want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
		if command := "softbench run '<all>' --resume"; strings.Contains(shown, command) != (u.Plan != nil) {
			t.Errorf("%s: the command to go on: %v", name, u.Plan != nil)
		}
		for _, not := range []string{"Scores of", "1970", "0001-01-01", " 0 computed", ", 0 parameters"} {
			if strings.Contains(shown, not) {
				t.Errorf("%s: the page says %q", name, not)
			}
		}
		if has := strings.Contains(page, `id="scores"`); has != (u.Plan != nil) {
			t.Errorf("%s: a table of scores: %v", name, has)
		}
		if strings.Contains(page, `id="passkey"`) || strings.Contains(page, `id="diagnostics"`) {
			t.Errorf("%s: results of a part that is not whole", name)
		}
	}
}

// TestLeftOut: a run that is named and not on the page is not passed over.
func TestLeftOut(t *testing.T) {
	p := twoRuns(t)
	p.LeftOut = []string{"left out: runs/<c>: the run is not finished"}
	if shown := visible(write(t, p)); !strings.Contains(shown, p.LeftOut[0]) {
		t.Error("the page does not say which run it left out")
	}
}

var markup = regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>|<[^>]*>`)

// visible is a page's text without its markup.
func visible(page string) string { return html.UnescapeString(markup.ReplaceAllString(page, "")) }
