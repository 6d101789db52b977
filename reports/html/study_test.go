package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// madeStudy is a study of n cells, each number unlike every other.
func madeStudy(n int, label string) StudyPage {
	p := StudyPage{
		Name: label, Question: label + ": does it?", Softbench: "test", Settings: map[string]any{"attention": label, "rate": 2e-3},
		Measures: []StudyMeasure{{"sink_rate", "Sink rate", true}, {"kurtosis", "Kurtosis " + label, false}, {"step_of_copying", "First step", false}},
	}
	num := func(x float64) rundir.Number { return rundir.Number(x) }
	none := num(math.NaN())
	for i := range n {
		x := float64(i+1) / float64(n+1)
		c := StudyCell{Name: fmt.Sprintf("%s=%d", label, i), Curves: [][]StudyPoint{{}, {}, {}}}
		c.Finals = []StudyEstimate{{num(0.3 * x), num(0.21 * x), num(0.39 * x), 3}, {num(50 * x), none, none, 1}, {none, none, none, 0}}
		for k := 1; k <= 9; k++ {
			y := float64(k) * x / 10
			c.Curves[0] = append(c.Curves[0], StudyPoint{100 * k, num(y), num(y * 0.9), num(y * 1.2), 3})
			c.Curves[1] = append(c.Curves[1], StudyPoint{100 * k, num(3 + 900*y*y), num(3 + 500*y*y), num(4 + 1900*y*y), 3})
		}
		p.Cells = append(p.Cells, c)
		p.Verdicts = append(p.Verdicts, StudyVerdict{Claim: label + " holds", Condition: "sink_rate at most 0.5", Cell: c.Name, Against: label, Verdict: "holds", Share: true, StudyEstimate: c.Finals[0]})
		p.Trainings = append(p.Trainings, StudyTraining{Name: c.Name, Step: 900, Steps: 900, Done: i > 0, Stopped: map[bool]string{true: label}[i == 1]})
	}
	return p
}

func writeStudy(t testing.TB, p StudyPage) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteStudy(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestStudyPageHasEveryNumberAndNoOther: a number on the page stands in its JSON;
// the finals and the verdicts are all shown; the same study gives the same bytes.
func TestStudyPageHasEveryNumberAndNoOther(t *testing.T) {
	for n := 1; n <= 12; n += 11 {
		p := madeStudy(n, "kind")
		text := writeStudy(t, p)
		if text != writeStudy(t, p) {
			t.Error("the same study gives two pages")
		}
		shown, faults := checkText(text)
		for _, f := range faults {
			t.Error(f)
		}
		if shown < 6*n {
			t.Errorf("%d numbers of %d cells are shown", shown, n)
		}
		for i := range n {
			for _, from := range []string{"cells/%d/finals/0/mean", "cells/%d/finals/0/low", "cells/%d/finals/1/mean", "verdicts/%d/high"} {
				if from = fmt.Sprintf(from, i); !strings.Contains(text, `data-from="/`+from+`"`) {
					t.Errorf("%s is not on the page", from)
				}
			}
		}
		if got := strings.Count(text, "<svg"); got != 2 {
			t.Errorf("%d drawings, want one of each measure with a course", got)
		}
		if !strings.Contains(text, `fill-opacity`) {
			t.Error("no band is drawn")
		}
	}
}

// TestHostileStudiesComeOutAsText: nothing of a name becomes a tag.
func TestHostileStudiesComeOutAsText(t *testing.T) {
	text := writeStudy(t, madeStudy(3, hostile))
	for _, bad := range []string{"<script>alert", "<img src=x", "</title><", "\x00", "\x1b", "<!--"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if got := strings.Count(text, "</script"); got != 3 {
		t.Errorf("%d scripts end in the page, want 3", got)
	}
	var p StudyPage
	if err := json.Unmarshal([]byte(block(text, "report")), &p); err != nil || p.Name != hostile || p.Done != 2 || p.Count != 3 {
		t.Errorf("the JSON has %q, %d of %d (%v)", p.Name, p.Done, p.Count, err)
	}
	if err := WriteStudy(&bytes.Buffer{}, StudyPage{}); err == nil {
		t.Error("a study without cells is written")
	}
}

func TestStudyPageInABrowser(t *testing.T) {
	b := open(t, openBrowser(t), writeStudy(t, madeStudy(3, "kind")), 1280, "light")
	b.inEveryWindow("study", func(b *tab, width int) { checkDrawings(b, width, 2) }) // a study's courses stand in the page's JSON, not in a table
}
