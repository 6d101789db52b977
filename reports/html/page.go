package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// Page is what a report is about.
type Page struct {
	Title string // empty: from the runs' names
	// Runs in the order of the report: the baseline first.
	Runs []Run
	// Comparison is of the first and the last run; nil with one run, or where
	// they cannot be compared: NotCompared then says why.
	Comparison  *compare.Comparison
	NotCompared string
	// Against are comparisons of every other run with the baseline, corrected together, and
	// Pairs those of all pairs, corrected together likewise; none of fewer than three runs.
	Against, Pairs []Pair
	NotPaired      []string // which pairs those lack, and why
	Library        Library  // ECharts; the zero value leaves it out
	LeftOut        []string // runs that were named and are not on the page, and why
	Softbench      string   // version of the program, for the footer
}

// Run is one run of a report.
type Run struct {
	Name  string // shown; need not be unique
	Place *Place // in a course that all runs of the page are of, or nil
	// Unfinished is what there is of a run that is not finished, nil of others: the manifest then
	// has its tasks that are whole.
	Unfinished *rundir.Unfinished
	// Manifest is nil for results of another program: Stated is what they say.
	Manifest *rundir.Run
	Stated   *Stated
	Samples  []rundir.Sample
	Maps     []AttentionMap // none: not recorded
}

// Stated are the results of another program, as it states them.
type Stated struct {
	Format compare.Format
	Path   string
	Tasks  []rundir.TaskResult
	Groups []rundir.GroupResult
}

var (
	//go:embed assets/page.html
	pageTemplate string
	//go:embed assets/training.html
	trainingTemplate string
	//go:embed assets/study.html
	studyTemplate string
	//go:embed assets/stress.html
	stressTemplate string
	//go:embed assets/gate.html
	gateTemplate string
	//go:embed assets/page.css
	pageStyle string
	//go:embed assets/shared.js
	sharedScript string
	//go:embed assets/figures.js
	figuresScript string
	//go:embed assets/page.js
	ownScript string
)

// pageScript is every page's: its numbers, what its drawings do, and the rest.
var pageScript = sharedScript + figuresScript + ownScript

var page = template.Must(template.New("page").Funcs(template.FuncMap{"printed": printed}).Parse(pageTemplate + trainingTemplate + studyTemplate + stressTemplate + gateTemplate + groupsTemplate + unfinishedTemplate + answersTemplate))

// Write writes the report as one HTML file in UTF-8. Whatever a document or a
// name holds comes out as text.
func Write(w io.Writer, p Page) error {
	if len(p.Runs) == 0 {
		return errors.New("a report needs at least one run")
	}
	for _, r := range p.Runs {
		if r.Manifest == nil && r.Stated == nil {
			return fmt.Errorf("run %s has no manifest, nor results of another program", text.Visible(r.Name))
		}
	}
	d, err := newDocument(p)
	if err != nil {
		return err
	}
	return writePage(w, "page", "report", d, func(tree []byte) (*view, error) {
		v, _, err := newView(p, d, tree)
		return v, err
	})
}

// writePage makes a page about what: of a document, whose JSON it carries, and of what a template shows.
func writePage[View any](w io.Writer, name, what string, document any, view func(tree []byte) (View, error)) error {
	tree, err := json.Marshal(document) // escapes <, > and &, so no tag can begin in it
	if err != nil {
		return fmt.Errorf("the %s's numbers as JSON: %w", what, err)
	}
	v, err := view(tree)
	if err != nil {
		return err
	}
	// Executed into memory: a template's error must not leave half a page.
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("the %s's page: %w", what, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// head is what every page's template shows.
type head struct {
	Title, Softbench, Policy string
	Style                    template.CSS
	Script, Data             template.JS
	Legend                   []runView
	Who                      []prose // what was run, for the summary
}

// newHead is the head of a page about what has the given names.
func newHead(title, softbench string, lib Library, tree []byte, names []string) head {
	h := head{
		Title: text.Visible(title), Softbench: text.Visible(softbench), Policy: policy(lib),
		Style: template.CSS(style), Script: template.JS(pageScript), Data: template.JS(tree),
	}
	for i, n := range names {
		h.Legend = append(h.Legend, runView{Letter(i, len(names)), text.Visible(n), "fill-bg-" + chart.RunInk(i)})
	}
	return h
}

// policy is the page's Content-Security-Policy: its own script and style by
// their hashes, ECharts by its hash or its address, nothing else.
func policy(lib Library) string {
	scripts := []string{hashSource(pageScript)}
	switch {
	case lib.Inline != "":
		scripts = append(scripts, hashSource(lib.Inline))
	case lib.Link:
		scripts = append(scripts, Pinned.URL)
	}
	return "default-src 'none'; script-src " + strings.Join(scripts, " ") +
		"; style-src " + hashSource(style) + "; img-src data:; base-uri 'none'; form-action 'none'"
}

func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
