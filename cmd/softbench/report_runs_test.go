package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// severalReport is what a page's JSON says of several runs.
type severalReport struct {
	Runs []struct {
		Name string `json:"name"`
	} `json:"runs"`
	Against   []pairReport `json:"against_baseline"`
	Pairs     []pairReport `json:"pairs"`
	NotPaired []string     `json:"not_paired"`
}

type pairReport struct {
	A, B                int
	Better, Worse, None int
	Noise               int `json:"no_difference_shown"`
	Metrics             []struct {
		Task, Verdict string
		P             float64 `json:"p"`
		Adjusted      float64 `json:"p_adjusted"`
		Low           float64 `json:"low_adjusted"`
		High          float64 `json:"high_adjusted"`
		Tests         int
	}
}

// holm is the adjusted p of each of a family, by its definition.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out, most := make([]float64, len(p)), 0.0
	for k, i := range order {
		most = max(most, min(1, float64(len(p)-k)*p[i]))
		out[i] = most
	}
	return out
}

// TestReportOfSeveralRuns: every run against the baseline that was chosen, Holm over just what that table
// shows, and every pair once; a run that cannot be compared is named on the page.
func TestReportOfSeveralRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	sb := func(args ...string) (string, int) {
		var out, errs bytes.Buffer
		code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
		return errs.String(), code
	}
	made := func(name string, more ...string) {
		t.Helper()
		args := append([]string{"run", "--model", "twin/softmax", "--device", "cpu", "--out", name}, more...)
		if text, code := sb(args...); code != 0 {
			t.Fatal(text)
		}
	}
	made("few-bits", "arc_easy", "lambada_openai", "hellaswag", "--limit", "100", "--quantize", "rtn:2")
	for _, kind := range []string{"softmax", "softpick", "rectified"} {
		made(kind, "arc_easy", "lambada_openai", "hellaswag", "--limit", "100", "--attention", kind)
	}
	report := func(args ...string) (r severalReport, page, said string) {
		t.Helper()
		said, code := sb(append([]string{"report", "-o", "page.html", "--offline"}, args...)...)
		if code != 0 {
			t.Fatal(said)
		}
		text, err := os.ReadFile("page.html")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), `id="report">`)
		numbers, _, _ := strings.Cut(after, "</script>")
		if err := json.Unmarshal([]byte(numbers), &r); err != nil {
			t.Fatal(err)
		}
		return r, string(text), said
	}
	r, page, _ := report("softmax", "softpick", "rectified", "few-bits", "--baseline", "rectified")
	base := r.Against[0].A
	if r.Runs[base].Name != "rectified" || len(r.Against) != 3 || len(r.Pairs) != 6 {
		t.Fatalf("baseline %s, %d against it, %d pairs", r.Runs[base].Name, len(r.Against), len(r.Pairs))
	}
	if !strings.Contains(page, "Every run against "+string(rune('A'+base))) || !strings.Contains(page, "<summary>All pairs</summary>") {
		t.Error("the page does not say against what, or does not fold all pairs")
	}
	var p, adjusted []float64
	shown := 0
	for _, a := range r.Against {
		if a.A != base || len(a.Metrics) != 3 {
			t.Errorf("%+v", a)
		}
		for _, m := range a.Metrics {
			p, adjusted = append(p, m.P), append(adjusted, m.Adjusted)
			if excludes := m.Low > 0 || m.High < 0; excludes != (m.Verdict != "no difference shown") || m.Tests != 9 {
				t.Errorf("%s: [%v, %v] of %d is %s", m.Task, m.Low, m.High, m.Tests, m.Verdict)
			} else if excludes {
				shown++
			}
		}
	}
	for i, want := range holm(p) {
		if math.Abs(adjusted[i]-want) > 1e-12 {
			t.Errorf("p of %v adjusted to %v, by Holm %v", p[i], adjusted[i], want)
		}
	}
	seen := map[[2]int]bool{}
	for _, q := range r.Pairs {
		if q.A == q.B || seen[[2]int{min(q.A, q.B), max(q.A, q.B)}] || q.Better+q.Worse+q.Noise != 3 {
			t.Errorf("%+v", q)
		}
		seen[[2]int{min(q.A, q.B), max(q.A, q.B)}] = true
	}
	if shown == 0 || shown == len(p) {
		t.Errorf("%d of %d differences are shown: these runs do not test the verdicts", shown, len(p))
	}
	// Without a choice the first is the baseline.
	if r, _, _ := report("softpick", "softmax", "rectified"); r.Runs[r.Against[0].A].Name != "softpick" {
		t.Errorf("baseline %s", r.Runs[r.Against[0].A].Name)
	}
	// One of other documents is left out of the table, by name and on the page.
	made("few", "arc_easy", "lambada_openai", "hellaswag", "--limit", "30")
	r, page, said := report("softmax", "softpick", "few", "rectified")
	if len(r.Against) != 2 || len(r.Pairs) != 3 || len(r.NotPaired) != 3 || strings.Count(said, "cannot be compared: left out of the table") != 3 {
		t.Errorf("%d against, %d pairs, %q: %s", len(r.Against), len(r.Pairs), r.NotPaired, said)
	}
	if !strings.Contains(page, "A and C cannot be compared: left out of the table of all runs") {
		t.Error("the page does not say what its table lacks")
	}
	if said, code := sb("report", "softmax", "softpick", "--baseline", "rectified", "-o", "x.html"); code != exitMisuse || !strings.Contains(said, "give it as one of the runs too") {
		t.Error(code, said)
	}
}
