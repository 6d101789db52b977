package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// accuracies are so many tasks of one accuracy each, whose answers change in the documents given.
func accuracies(tasks, n int, lost func(task, document int) bool) (base, run *compare.Side) {
	var made []madeTask
	for i := range tasks {
		made = append(made, madeTask{name: fmt.Sprintf("quiz%02d", i), n: n, metrics: madeTasks[0].metrics[:1]})
	}
	base, run = madeSide(1, 2, made...), madeSide(1, 2, made...) // all right
	run.MayDiffer["model_sha256"] = strings.Repeat("f", 64)
	for i := range run.Tasks {
		for k := range run.Tasks[i].Documents {
			d := &run.Tasks[i].Documents[k]
			if lost(i, k) {
				d.Values[0].Value = 0
				d.Answer = "another"
			}
		}
	}
	return base, run
}

// The documents that got worse are named with their first words, the worst first, in every report.
func TestWorseDocumentsAreNamed(t *testing.T) {
	base, run := accuracies(1, 60, func(_, k int) bool { return k%4 == 1 })
	for k := range 60 {
		asked := fmt.Sprintf("An example\nof before\n\nQuestion: number\n%d is a question that is longer than the sixty characters that are shown", k)
		run.Samples = append(run.Samples, rundir.Sample{Task: "quiz00", DocID: int32(k), Context: &asked}, rundir.Sample{Task: "other", DocID: int32(k)})
	}
	r, err := Check(run, baselineOf(t, base, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	worse := r.Metrics[0].WorseDocuments
	if len(worse) != 10 || worse[0].ID != 1 || worse[9].ID != 37 || worse[0].Hash != "quiz00 document 001" || worse[0].Was != 1 || worse[0].Now != 0 {
		t.Fatalf("%+v", worse)
	}
	const first = "Question: number 1 is a question that is longer than the six…"
	if worse[0].Words != first {
		t.Errorf("%q", worse[0].Words)
	}
	for name, text := range map[string]string{
		"table": render(t, r.WriteTable), "Markdown": render(t, r.WriteMarkdown), "annotations": render(t, r.WriteAnnotations),
	} {
		if !strings.Contains(text, "document 1 ") || !strings.Contains(text, "number 5 is a") || strings.Contains(text, "An example") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	// Of a perplexity the ones whose loglikelihood fell most.
	base, run = madeSide(1, 0.6, madeTasks[1]), madeSide(1, 0.6, madeTasks[1])
	run.MayDiffer["model_sha256"] = ""
	for k, fall := range map[int]float64{3: 0.5, 7: 2, 9: -4} {
		run.Tasks[0].Documents[k].Values[0].Value -= fall
	}
	if r, err = Check(run, baselineOf(t, base, nil), nil); err != nil {
		t.Fatal(err)
	}
	if worse := r.find(t, "last", "perplexity").WorseDocuments; len(worse) != 2 || worse[0].ID != 7 || worse[1].ID != 3 {
		t.Errorf("%+v", worse)
	}
}

// What regresses by itself need not among forty: Holm's procedure, to its definition.
func TestJointDecision(t *testing.T) {
	strong := func(i, k int) bool { return i < 2 && k < 60 }
	weak := func(least int) func(i, k int) bool { return func(i, k int) bool { return i == 0 && k < least } }
	// The fewest lost documents that are a regression by itself.
	least := 0
	for least = 1; least < 60; least++ {
		base, run := accuracies(1, 300, weak(least))
		r, err := Check(run, baselineOf(t, base, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Decision == stats.Regressed {
			break
		}
	}
	for _, c := range []struct {
		name            string
		lost            func(i, k int) bool
		each, all       stats.Decision
		failsEach, fail bool
		jointly         int
	}{
		{"two strong", strong, stats.Regressed, stats.Regressed, true, true, 2},
		{"one weak", weak(least), stats.Regressed, stats.Inconclusive, true, false, 0},
		{"none", func(i, k int) bool { return false }, stats.Pass, stats.Pass, false, false, 0},
	} {
		base, run := accuracies(40, 300, c.lost)
		for policy, want := range map[string]struct {
			decision stats.Decision
			fails    bool
		}{"each": {c.each, c.failsEach}, "all": {c.all, c.fail}} {
			r, err := Check(run, baselineOf(t, base, nil), policyOf(t, "error_rate: "+policy))
			if err != nil {
				t.Fatal(err)
			}
			if r.Decision != want.decision || r.Fails != want.fails || r.Joint.Decision != c.all || len(r.Joint.Regressed) != c.jointly || r.Joint.Metrics != 40 || r.Joint.Decides != (policy == "all") {
				t.Errorf("%s, %s: %s, fails %v, jointly %+v", c.name, policy, r.Decision, r.Fails, r.Joint)
			}
			if text := render(t, r.WriteTable); !strings.Contains(text, "over all 40 required metrics together: ") {
				t.Errorf("%s:\n%s", c.name, text)
			}
		}
	}
	// Holm's steps: a metric that needs half of the chance gets it once the other is out.
	for shared := range least + 20 {
		base, run := accuracies(2, 300, func(i, k int) bool { return i == 0 && k < 100 || i == 1 && k < least+shared })
		b := baselineOf(t, base, nil)
		r, err := Check(run, b, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Joint.Regressed) != 2 {
			t.Errorf("%d and 100 lost documents: jointly %v", least+shared, r.Joint.Regressed)
		}
	}
}

// A gate whose required metrics are all inconclusive says that it has judged nothing, in every report.
func TestNothingJudgedIsLoud(t *testing.T) {
	base, run := accuracies(2, 12, func(_, k int) bool { return k == 3 })
	r, err := Check(run, baselineOf(t, base, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Counts.Inconclusive != 2 || r.Fails {
		t.Fatalf("%+v", r)
	}
	for name, text := range map[string]string{"table": render(t, r.WriteTable), "Markdown": render(t, r.WriteMarkdown), "annotations": render(t, r.WriteAnnotations)} {
		if !strings.Contains(text, "NOTHING WAS JUDGED") || name == "annotations" && !strings.HasPrefix(text, "::warning ") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	if r, err = Check(run, baselineOf(t, base, nil), policyOf(t, "inconclusive: fail")); err != nil || r.Undecided() != "" || !r.Fails {
		t.Errorf("where it fails: %+v, %v", r, err)
	}
	if r, err = Check(base, baselineOf(t, base, nil), nil); err != nil || r.Undecided() != "" {
		t.Errorf("where all pass: %q, %v", r.Undecided(), err)
	}
}

// A job log has ten errors at most and one line for the whole.
func TestAnnotationsAreFew(t *testing.T) {
	for failing, lines := range map[int]int{0: 1, 1: 2, 10: 11, 11: 11, 30: 11} {
		base, run := accuracies(30, 200, func(i, k int) bool { return i < failing && k < 80 })
		r, err := Check(run, baselineOf(t, base, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		text := render(t, r.WriteAnnotations)
		if got := strings.Count(text, "\n"); got != lines || failing > 10 && !strings.Contains(text, fmt.Sprintf("%d more metrics", failing-9)) || failing == 0 && !strings.HasPrefix(text, "::notice") {
			t.Errorf("%d failing: %d lines, want %d\n%s", failing, got, lines, text)
		}
	}
}

// A quarantined document counts in no metric until its day is over.
func TestQuarantine(t *testing.T) {
	base, run := accuracies(2, 1000, func(i, k int) bool { return k < 40 })
	for _, s := range []*compare.Side{base, run} {
		for i := range s.Tasks {
			for k := range s.Tasks[i].Documents {
				s.Tasks[i].Documents[k].Keys[0] = fmt.Sprintf("%016x%048x", k, i)
			}
		}
	}
	b := baselineOf(t, base, nil)
	var lines []string
	for k := range 40 {
		lines = append(lines, fmt.Sprintf("- {document: \"%016x\", reason: the key is wrong, until: 2026-12-31}", k))
	}
	policy := policyOf(t, append([]string{"quarantine:"}, lines...)...)
	at := func(date string) func() time.Time {
		when, err := time.Parse(time.DateTime, date)
		if err != nil {
			t.Fatal(err)
		}
		return func() time.Time { return when }
	}
	policy.Today = at("2026-12-31 23:00:00")
	r, err := Check(run, b, policy)
	if err != nil {
		t.Fatal(err)
	}
	if r.Decision != stats.Pass || r.Metrics[0].N != 960 || len(r.Quarantined) != 80 || len(r.Metrics[0].WorseDocuments) != 0 || !strings.Contains(render(t, r.WriteTable), "document 3 is in quarantine until 2026-12-31 and not judged: the key is wrong") {
		t.Errorf("%s of %d documents, %d left out", r.Decision, r.Metrics[0].N, len(r.Quarantined))
	}
	policy.Today = at("2027-01-01 00:00:01")
	if r, err = Check(run, b, policy); err != nil || r.Decision != stats.Regressed || r.Metrics[0].N != 1000 || len(r.Warnings) != 40 || !strings.Contains(r.Warnings[0], "ended on 2026-12-31") {
		t.Errorf("after it: %+v, %v", r, err)
	}
	policy = policyOf(t, "quarantine:", "- {document: ffffffffffffffff, reason: none, until: 2099-01-01}")
	if _, err := Check(run, b, policy); err == nil || !strings.Contains(err.Error(), "ffffffffffffffff matches none") {
		t.Errorf("a document that is not there: %v", err)
	}
	for line, says := range map[string]string{
		"- {document: abc, reason: x, until: 2026-01-01}":             "first 12 digits",
		"- {document: xyzxyzxyzxyz, reason: x, until: 2026-01-01}":    "hash",
		"- {document: 0123456789abcdef, until: 2026-01-01}":           "no reason",
		"- {document: 0123456789abcdef, reason: x, until: soon}":      "last day",
		"- {document: 0123456789abcdef, reason: x}":                   "last day",
		"- {document: 0123456789abcdef, reason: x, untl: 2026-01-01}": "untl",
	} {
		if _, err := ParsePolicy([]byte("version: 1\nquarantine:\n"+line+"\n"), "p.yaml"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := ParsePolicy([]byte("version: 1\nerror_rate: some\n"), "p.yaml"); err == nil || !strings.Contains(err.Error(), "each") {
		t.Errorf("error_rate: %v", err)
	}
}

// A plan's numbers are those of docs/ci.md's table, and the documents for a drop find it.
func TestPlan(t *testing.T) {
	drop := 0.03
	p, err := MakePlan(nil, nil, 1000, &drop)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2.0", "3.0", "3.8", "5.0"} { // points, the line of 1000 documents
		s := p.Metrics[0].Shares[i]
		if got := fmt.Sprintf("%.1f", 100*float64(s.Finds)); got != want {
			t.Errorf("c = %v: %s points, want %s", s.Changing, got, want)
		}
		if s.Needed == 0 || !(stats.DetectableAccuracyDrop(s.Needed, s.Changing, 0.01, 0.05, stats.BeyondAllowed) <= drop) || s.Needed > 100 && stats.DetectableAccuracyDrop(s.Needed*9/10, s.Changing, 0.01, 0.05, stats.BeyondAllowed) < drop*0.99 {
			t.Errorf("c = %v: %d documents", s.Changing, s.Needed)
		}
	}
	base, _ := accuracies(2, 100, func(int, int) bool { return false })
	base.Tasks = append(base.Tasks, madeSide(1, 0.6, madeTasks[1]).Tasks...)
	if p, err = MakePlan(baselineOf(t, base, nil), policyOf(t, "metrics:", "- {metric: quiz00/acc, required: false}"), 0, nil); err != nil {
		t.Fatal(err)
	}
	if len(p.Metrics) != 2 || p.Metrics[0].Task != "quiz01" || p.Metrics[0].N != 100 || p.Metrics[1].Metric != "acc" || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "last perplexity") {
		t.Errorf("%+v", p)
	}
	if stats.DocumentsForDrop(0.01, 0.05, 0.01, 0.05, stats.BeyondAllowed) != 0 {
		t.Error("an allowed drop is found")
	}
	if text := render(t, p.WriteTable); !strings.Contains(text, "c = 20%") {
		t.Errorf("%s", text)
	}
}
