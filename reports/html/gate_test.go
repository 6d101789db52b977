package html

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// madeGate is a decision of every kind on metrics of every kind, with a name of one's own everywhere.
func madeGate(names string) *gate.Result {
	worse, better := 9, 2
	r := &gate.Result{
		Schema: gate.Schema, Run: names, Baseline: names + ".json", Decision: stats.Regressed, Fails: true, Power: 80, Counts: gate.Counts{Pass: 1, Regressed: 1, Inconclusive: 1},
		Joint: &gate.Joint{Decision: stats.Regressed, Regressed: []string{names + " acc"}, Metrics: 3}, Notes: []string{names}, Warnings: []string{names},
		Quarantined: []gate.Quarantined{{Hash: "0123456789ab", Task: names, ID: 7, Reason: names, Until: "2031-12-31"}},
	}
	add := func(metric string, d stats.Decision, drop, allowed float64, higher bool) {
		way := -1.0
		if !higher {
			way = 1
		}
		diff := way * drop
		r.Metrics = append(r.Metrics, gate.Metric{
			Task: names, Metric: metric, Decision: d, Required: true, Fails: d == stats.Regressed, HigherIsBetter: higher, N: 640, Baseline: 0.625, Run: rundir.Number(0.625 + diff),
			Difference: rundir.Number(diff), Low: rundir.Number(diff - 0.0078125), High: rundir.Number(diff + 0.0078125), Confidence: 95, Test: "exact", Drop: rundir.Number(drop),
			AllowedDrop: rundir.Number(allowed), Detectable: 0.03125, Worse: &worse, Better: &better, RegressedJointly: d == stats.Regressed,
		})
	}
	add("acc", stats.Regressed, 0.0625, 0.015625, true)
	add("perplexity", stats.Pass, -0.125, 0.25, false)
	add("acc_norm", stats.Inconclusive, 0.0078125, 0, true)
	r.Metrics[0].WorseDocuments = []gate.DocumentDrop{{ID: 41, Hash: strings.Repeat("ef", 32), Words: names + " asked", Was: 1, Now: 0}}
	return r
}

func writeGate(t testing.TB, r *gate.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteGate(&b, r, "test"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGatePage: every number is the JSON's, drops stand where they belong whatever the metric's
// direction, documents and quarantine are named, and the same decision gives the same bytes.
func TestGatePage(t *testing.T) {
	r := madeGate("kind")
	page := writeGate(t, r)
	if page != writeGate(t, madeGate("kind")) {
		t.Error("the same decision gives two pages")
	}
	shown, faults := checkText(page)
	for _, f := range faults {
		t.Error(f)
	}
	if least := 4 + 10*len(r.Metrics); shown < least {
		t.Errorf("%d numbers are shown, want %d at least", shown, least)
	}
	for _, want := range []string{
		`class="l worse">regressed<`, `class="l better">pass<`, `class="l noise">inconclusive<`, "The job fails.", "kind asked", "2031-12-31", "over all 3 required metrics together",
		`data-from="/metrics/0/worse_documents/0/doc_id">41<`, strings.Repeat("ef", 32),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	// In allowed drops: 4 with its interval of half of one, and of the metric whose lower is better -0.5.
	rows := strings.Count(page, "<svg")
	f := gateFigure(r)
	if f == nil || rows == 0 {
		t.Fatal("no drops are drawn")
	}
	drawn := gateForest(r).Rows
	if len(drawn) != 2 || drawn[0].Value != 4 || drawn[0].Low != 3.5 || drawn[0].High != 4.5 || drawn[1].Value != -0.5 || drawn[1].Low != -0.53125 || drawn[1].High != -0.46875 {
		t.Errorf("drawn: %+v", drawn)
	}
	if r.Quarantined[0].Task != "kind" {
		t.Error("the page changed the decision")
	}
}

// TestHostileGatesComeOutAsText: nothing of a name becomes a tag, in a decision and in its absence.
func TestHostileGatesComeOutAsText(t *testing.T) {
	var failed bytes.Buffer
	if err := WriteGateError(&failed, errors.New(hostile), "test"); err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string]string{"decision": writeGate(t, madeGate(hostile)), "error": failed.String()} {
		for _, bad := range []string{"<script>alert", "<img src=x", "</title><", "\x00", "\x1b", "<!--"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page holds %q", name, bad)
			}
		}
		if got := strings.Count(page, "</script"); got != 3 {
			t.Errorf("%s: %d scripts end in the page, want 3", name, got)
		}
		if _, faults := checkText(page); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		if !json.Valid([]byte(block(page, "report"))) {
			t.Errorf("%s: the page's JSON is none", name)
		}
	}
	if !strings.Contains(failed.String(), "Nothing was judged") {
		t.Error("the page of a gate that judged nothing does not say so")
	}
	if err := WriteGate(&bytes.Buffer{}, &gate.Result{}, ""); err == nil {
		t.Error("a gate without metrics is written")
	}
}

func TestGatePageInABrowser(t *testing.T) {
	chromium := openBrowser(t)
	for _, width := range []int{380, 1400} {
		b := open(t, chromium, writeGate(t, madeGate("kind")), width, "light")
		checkDrawings(b, width, 1)
		b.quiet()
		b.screenshot(fmt.Sprintf("gate-%d", width))
	}
}
