package gate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/stats"
)

// hostile is a name that would be markup, a command, a new line or a new cell
// anywhere where it were not text.
const hostile = "::error::x\n::error::y|<script>alert(\"1\")</script>\x00\x1b[31m]]>&amp;'`@me` https://x.y %0A ##[error]z\u202e\uFFFE"

// hostileResult is a decision of every kind on tasks and metrics of that name.
func hostileResult(t *testing.T) *Result {
	t.Helper()
	kinds := []madeTask{
		{name: hostile, n: 80, metrics: []compare.MetricInfo{{Name: hostile, Formula: compare.Mean, HigherIsBetter: true}, {Name: "a,b:c%d", Formula: compare.Mean, HigherIsBetter: true}}},
		{name: "same", n: 8, metrics: []compare.MetricInfo{{Name: "acc", Formula: compare.Mean, HigherIsBetter: true}}},
	}
	base := madeSide(1, 0.9, kinds...)
	base.MayDiffer["isa"] = hostile
	run := madeSide(2, 0.3, kinds...)
	run.Tasks[1] = base.Tasks[1]
	run.Name = hostile
	r, err := Check(run, baselineOf(t, base, nil), policyOf(t, `metrics: [{metric: "*/a,b:c%d", allowed_drop: 0.65}, {metric: "same/*", required: false}]`))
	if err != nil {
		t.Fatal(err)
	}
	r.Baseline = hostile
	for i, want := range []stats.Decision{stats.Regressed, stats.Inconclusive, stats.Pass} {
		if r.Metrics[i].Decision != want {
			t.Fatalf("metric %d is %s, want %s: %+v", i, r.Metrics[i].Decision, want, r.Metrics[i])
		}
	}
	return r
}

func render(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The XML is well-formed whatever a name holds, says what failed, and its counts
// are those of its cases.
func TestJUnit(t *testing.T) {
	text := render(t, hostileResult(t).WriteJUnit)
	if strings.Contains(text, "<script") || strings.ContainsAny(text, "\x00\x1b\uFFFE") {
		t.Errorf("a name came through as it is:\n%s", text)
	}
	d := xml.NewDecoder(strings.NewReader(text)) // strict
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, text)
		}
	}
	var got junitSuites
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Suite
	if s.Tests != 3 || s.Failures != 1 || s.Skipped != 1 || s.Errors != 0 || len(s.Cases) != 3 {
		t.Errorf("%+v", s)
	}
	if c := s.Cases[0]; c.Failure == nil || c.Skipped != nil || c.Failure.Type != "regressed" || !strings.Contains(c.Failure.Message, "got worse") || !strings.Contains(c.Class, "<script>alert(\"1\")</script>") {
		t.Errorf("regressed: %+v", c)
	}
	if c := s.Cases[1]; c.Failure != nil || c.Skipped == nil || !strings.HasPrefix(c.Skipped.Message, "inconclusive: ") {
		t.Errorf("inconclusive: %+v", c)
	}
	if c := s.Cases[2]; c.Failure != nil || c.Skipped != nil || c.Class != "softbench.same" || c.Name != "acc" {
		t.Errorf("passed: %+v", c)
	}

	text = render(t, func(w io.Writer) error { return WriteJUnitError(w, errors.New(hostile)) })
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("not XML: %v\n%s", err, text)
	}
	if got.Suite.Errors != 1 || got.Suite.Tests != 1 || got.Suite.Cases[len(got.Suite.Cases)-1].Error == nil {
		t.Errorf("%+v", got.Suite)
	}
}

// An inconclusive metric is a failure where the policy says so.
func TestJUnitInconclusiveFails(t *testing.T) {
	one := madeTask{name: "quiz", n: 60, metrics: madeTasks[0].metrics[:1]}
	r, err := Check(madeSide(3, 0.9, one), baselineOf(t, madeSide(1, 0.9, one), nil), policyOf(t, "inconclusive: fail"))
	if err != nil {
		t.Fatal(err)
	}
	if text := render(t, r.WriteJUnit); !strings.Contains(text, `failures="1"`) || !strings.Contains(text, `type="inconclusive"`) {
		t.Errorf("%s", text)
	}
	if text := render(t, r.WriteAnnotations); !strings.HasPrefix(text, "::error title=") {
		t.Errorf("%s", text)
	}
}

// Annotations are one line each, with nothing in them that would end a property or
// begin another command.
func TestAnnotations(t *testing.T) {
	text := render(t, hostileResult(t).WriteAnnotations)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	form := regexp.MustCompile(`^::(error|warning|notice) title=[^:,]*::[^\x00-\x1f]*$`)
	var kinds []string
	for _, l := range lines {
		m := form.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("no annotation: %q", l)
		}
		kinds = append(kinds, m[1])
	}
	if fmt.Sprint(kinds) != "[error warning]" { // regressed; the whole, with what is inconclusive and the other instruction set
		t.Errorf("%v:\n%s", kinds, text)
	}
	if !strings.Contains(lines[1], " a,b:c%25d inconclusive%0A") || !strings.Contains(lines[0], "95%25") {
		t.Errorf("not escaped:\n%s", text)
	}
	if l := ErrorAnnotation(errors.New(hostile)); !form.MatchString(strings.TrimSuffix(l, "\n")) {
		t.Errorf("%q", l)
	}
}

// The table's lines are not workflow commands and do not move the cursor, and each decision
// other than pass is explained.
func TestTable(t *testing.T) {
	text := render(t, hostileResult(t).WriteTable)
	for i, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.Contains(l, "##[") || strings.ContainsAny(l, "\x00\x1b\u202e") {
			t.Errorf("line %d: %q", i+1, l)
		}
	}
	for _, s := range []string{"regressed\n", "inconclusive\n", "pass (not required)\n", "documents got worse", "a run that is as good as the baseline passes in 80% of cases", "regressed: 0 passed, 1 regressed, 1 inconclusive\n", "warning: isa was"} {
		if !strings.Contains(text, s) {
			t.Errorf("the table does not say %q:\n%s", s, text)
		}
	}
}

// Markdown has no HTML, link or mention that a name brought along, and rows of one
// number of cells.
func TestMarkdown(t *testing.T) {
	text := render(t, hostileResult(t).WriteMarkdown)
	for _, s := range []string{"<", "@", "://", "\x00", "\x1b", "\u202e"} {
		if strings.Contains(text, s) {
			t.Errorf("holds %q:\n%s", s, text)
		}
	}
	rows := 0
	for _, l := range strings.Split(text, "\n") {
		if !strings.HasPrefix(l, "|") {
			continue
		}
		rows++
		if n := strings.Count(l, "|") - strings.Count(l, `\|`); n != 11 {
			t.Errorf("%d cell borders: %s", n, l)
		}
	}
	if rows != 5 || !strings.Contains(text, "**regressed**") || !strings.HasPrefix(text, "### softbench gate: regressed") {
		t.Errorf("%d rows:\n%s", rows, text)
	}
	if text := render(t, func(w io.Writer) error { return WriteMarkdownError(w, errors.New(hostile)) }); strings.ContainsAny(text, "<@") || strings.Count(text, "\n") != 3 {
		t.Errorf("%q", text)
	}
}

// No report shows a number that the JSON does not have, rounded.
func TestReportsShowWhatTheJSONHas(t *testing.T) {
	run := madeSide(2, 0.5)
	r, err := Check(run, baselineOf(t, madeSide(1, 0.7), nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var known any
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case string: // warnings and notes
			for _, n := range regexp.MustCompile(`\d+(\.\d+)?`).FindAllString(v, -1) {
				shown[n] = true
			}
		case float64:
			for _, n := range []string{fmt.Sprint(v), fmt.Sprintf("%.4f", max(v, -v)), fmt.Sprintf("%.*f", max(0, 6-len(fmt.Sprint(int(max(v, -v))))), max(v, -v)), fmt.Sprint(int(v))} {
				shown[n] = true
			}
		}
	}
	walk(known)
	for name, write := range map[string]func(io.Writer) error{"table": r.WriteTable, "Markdown": r.WriteMarkdown, "annotations": r.WriteAnnotations, "JUnit": r.WriteJUnit} {
		out := render(t, write)
		out = regexp.MustCompile(`<\?xml.*\?>|(tests|skipped|failures|errors)="\d+"|%25|&#\d+;|#{3}`).ReplaceAllString(out, "")
		found := regexp.MustCompile(`\d+(\.\d+)?`).FindAllString(out, -1)
		if len(found) < 10 {
			t.Errorf("%s: only %d numbers", name, len(found))
		}
		for _, n := range found {
			if !shown[n] {
				t.Errorf("%s: %s is not in the JSON:\n%s\n%s", name, n, out, text)
			}
		}
	}
}

// A pass on strongly skewed differences is less sure than it looks, and says so; other
// warnings of what passed are not shown.
func TestSkewedPassIsWarnedOf(t *testing.T) {
	one := madeTask{name: "pages", n: 60, metrics: []compare.MetricInfo{{Name: "perplexity", Formula: compare.Perplexity}}}
	base, run := madeSide(1, 0.6, one), madeSide(1, 0.6, one)
	run.MayDiffer["model_sha256"] = strings.Repeat("cd", 32)
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range run.Tasks[0].Documents {
		d := &run.Tasks[0].Documents[i]
		d.Values[0].Value -= 0.001 * (math.Exp(rng.NormFloat64()) - 1.6)
		d.Answer += " otherwise"
	}
	r, err := Check(run, baselineOf(t, base, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := render(t, r.WriteTable); r.Decision != stats.Pass || !strings.Contains(text, "strongly skewed") || strings.Count(text, "warning:") != 1 {
		t.Errorf("%s", text)
	}
}
