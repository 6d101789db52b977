package html

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// madeTraining is a training of n lines, diagnostics at every fourth and at the last,
// each number unlike every other.
func madeTraining(name string, n int, softpick bool) Training {
	t := Training{
		Name: name, Steps: 25 * n,
		Settings: map[string]any{"attention": name, "hidden": 128, "rate": 2e-3, "tie": true, "files": []string{"train.txt"}},
	}
	for k := range n {
		x := float64(k+1) / float64(n)
		wave := math.Sin(float64(k) * 1.7)
		l := TrainingLine{
			Step: 25 * (k + 1), Tokens: int64(51200 * (k + 1)), Loss: rundir.Number(1.37 + 5.2*math.Exp(-6*x) + 0.02*wave),
			Norm: rundir.Number(0.9 + 0.1*wave), Rate: rundir.Number(3e-3 * (0.1 + 0.9*(1-x))), Seconds: rundir.Number(10.123*float64(k+1) + 0.5*wave),
		}
		if (k+1)%4 == 0 || k == n-1 {
			l.Measure = &TrainingMeasure{
				HeldOut: true, Loss: l.Loss + 0.031, SinkRate: rundir.Number(0.4 * x * x), Sparsity: 0, Dead: 0,
				Mass: 1, Kurtosis: rundir.Number(3 + 300*x*x*x), Largest: rundir.Number(1.27 + 40*x), Massive: int64(3 * k),
			}
			if softpick {
				m := l.Measure
				m.SinkRate, m.Sparsity, m.Mass, m.Kurtosis, m.Massive = 0, rundir.Number(0.7-0.1*x), rundir.Number(0.9-0.4*x), rundir.Number(3.4+0.2*wave), 0
				m.Dead = rundir.Number(max(0, 0.125*math.Sin(3*x)))
			}
		}
		t.Lines = append(t.Lines, l)
	}
	return t
}

func writeTraining(t testing.TB, p TrainingPage) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteTraining(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func twoTrainings() TrainingPage {
	return TrainingPage{Trainings: []Training{madeTraining("softmax", 60, false), madeTraining("softpick", 60, true)}, Softbench: "test"}
}

// trainingPages are those that the tests look at.
func trainingPages() map[string]TrainingPage {
	stopped := madeTraining("stopped", 9, true)
	stopped.Steps, stopped.Stopped = 500, "step 226: the loss is not a number"
	noHeldOut := madeTraining("training text", 12, false)
	for _, l := range noHeldOut.Lines {
		if l.Measure != nil {
			l.Measure.HeldOut = false
		}
	}
	three := twoTrainings()
	three.Trainings = append(three.Trainings, stopped)
	return map[string]TrainingPage{
		"one": {Trainings: twoTrainings().Trainings[1:], Softbench: "test"}, "two": twoTrainings(), "three": three,
		"stopped": {Trainings: []Training{stopped}}, "training text": {Trainings: []Training{noHeldOut}},
		"one line": {Trainings: []Training{madeTraining("short", 1, true)}},
	}
}

// A number on the page stands in its JSON, and is that number rounded; and every
// number of the history is shown.
func TestTrainingPageHasEveryNumberAndNoOther(t *testing.T) {
	for name, p := range trainingPages() {
		t.Run(name, func(t *testing.T) {
			page := writeTraining(t, p)
			shown, faults := checkText(page)
			for _, f := range faults {
				t.Error(f)
			}
			t.Logf("%d numbers shown", shown)
			for i, tr := range p.Trainings {
				for k, l := range tr.Lines {
					text, err := json.Marshal(l)
					if err != nil {
						t.Fatal(err)
					}
					var fields map[string]any
					if err := decode(string(text), &fields); err != nil {
						t.Fatal(err)
					}
					at := fmt.Sprintf("/trainings/%d/lines/%d/", i, k)
					want := map[string]any{}
					for f, v := range fields {
						if inner, ok := v.(map[string]any); ok {
							for g, w := range inner {
								want[at+f+"/"+g] = w
							}
							continue
						}
						want[at+f] = v
					}
					for from, v := range want {
						n, ok := v.(json.Number)
						if ok && !strings.Contains(page, fmt.Sprintf(`<data value="%s" data-from="%s">`, n, from)) {
							t.Fatalf("%s = %s is not on the page", from, n)
						}
					}
				}
			}
		})
	}
}

// The check must see a changed number, and a number in prose.
func TestTrainingPageForgeriesAreSeen(t *testing.T) {
	page := writeTraining(t, twoTrainings())
	for name, forged := range map[string]string{
		"changed": strings.Replace(page, `data-from="/trainings/0/lines/0/step">25<`, `data-from="/trainings/0/lines/0/step">26<`, 1),
		"prose":   strings.Replace(page, "One training of each", "1 training of each", 1),
	} {
		if forged == page {
			t.Fatalf("%s: nothing was forged", name)
		}
		if _, faults := checkText(forged); len(faults) == 0 {
			t.Errorf("%s: a forged number went unseen", name)
		}
	}
}

// Speed is of the tokens and seconds between two lines.
func TestTrainingSpeed(t *testing.T) {
	lines := []TrainingLine{{Step: 1, Tokens: 100, Seconds: 2}, {Step: 2, Tokens: 400, Seconds: 3}, {Step: 3, Tokens: 500, Seconds: 3}}
	for i, want := range []float64{50, 300, nan} {
		if got := speed(lines, i); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("line %d: %v tokens/s, want %v", i, got, want)
		}
	}
}

// The verdict says what the numbers do: where dead heads were most and what
// became of them, that there never were any, and what stopped it.
func TestTrainingVerdict(t *testing.T) {
	one := madeTraining("m", 12, true)
	for _, l := range one.Lines {
		if l.Measure != nil {
			l.Measure.Dead, l.Measure.SinkRate = 0, 0
		}
	}
	never := header(writeTraining(t, TrainingPage{Trainings: []Training{one}}))
	one.Lines[7].Measure.Dead = 0.25
	once := header(writeTraining(t, TrainingPage{Trainings: []Training{one}}))
	one.Lines = one.Lines[:8]
	one.Stopped = "step 201: the loss is not a number"
	stopped := header(writeTraining(t, TrainingPage{Trainings: []Training{one}}))
	empty := header(writeTraining(t, TrainingPage{Trainings: []Training{{Name: "m"}}}))
	two := twoTrainings()
	two.Trainings[1].Lines = two.Trainings[1].Lines[:56]
	uneven := header(writeTraining(t, two))
	two.Trainings = append(two.Trainings, Training{Name: "new"})
	unbegun := header(writeTraining(t, two))
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"never":   {never, []string{"m: loss 1.4", "on held\u2011out text after 614\u202f400 tokens", "Finished after 300 steps in ", "No head was dead at any of 3 diagnosed steps.", "No head was a sink at any of 3 diagnosed steps."}},
		"once":    {once, []string{"Dead heads were most at step 200: 25.0%; now 0.0%."}},
		"stopped": {stopped, []string{"Step 200 of 300", "stopped: step 201: the loss is not a number"}},
		"empty":   {empty, []string{"m has no line of history yet"}},
		"unbegun": {unbegun, []string{"new: no line of history yet."}},
		"uneven":  {uneven, []string{"Loss in the last diagnostics: softpick 1.4", ", softmax 1.4", "not after the same number of tokens", "softpick: step 1\u202f400 of 1\u202f500", "softmax: finished after 1\u202f500 steps in "}},
	} {
		for _, w := range c.want {
			if !strings.Contains(c.text, w) {
				t.Errorf("%s: the head does not say %q:\n%s", name, w, c.text)
			}
		}
	}
}

// Learning rates on an axis are written alike, above and below a thousandth.
func TestRateTick(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 5e-4: "0.0005", 3 * 5e-4: "0.0015", 0.002: "0.002", 2e-5: "2e-05", 10: "10"} {
		if got := rateTick(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}

// header is the text of the page's header.
func header(page string) string {
	_, rest, _ := strings.Cut(page, "<header>")
	text, _, _ := strings.Cut(rest, "</header>")
	var out strings.Builder
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.Token()
		if err != nil {
			return out.String()
		}
		if text, ok := token.(xml.CharData); ok {
			out.Write(text)
		}
	}
}

// Names and settings must not become markup, script, or the end of a script.
func TestHostileTrainingsComeOutAsText(t *testing.T) {
	a, b := madeTraining(hostile, 8, false), madeTraining(hostile, 8, true)
	for _, x := range []*Training{&a, &b} {
		x.Stopped = hostile
		x.Settings = map[string]any{hostile: hostile, "files": []string{hostile}}
	}
	b.Settings = map[string]any{hostile: hostile + "2"}
	for name, p := range map[string]TrainingPage{
		"one": {Trainings: []Training{a}, Softbench: hostile}, "two": {Title: hostile, Trainings: []Training{a, b}, Softbench: hostile},
		"empty": {Trainings: []Training{{Name: hostile}}},
	} {
		page := writeTraining(t, p)
		for _, bad := range []string{"<script>alert", "<img src=x", "</title><", "\x00", "\x1b", "<!--"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page holds %q", name, bad)
			}
		}
		if strings.Contains(scripts.ReplaceAllString(page, ""), "\u202e") {
			t.Errorf("%s: the page's text turns direction", name)
		}
		if got := strings.Count(page, "</script"); got != 3 {
			t.Errorf("%s: %d scripts end in the page, want 3", name, got)
		}
		var d trainingDocument
		if err := json.Unmarshal([]byte(block(page, "report")), &d); err != nil || d.Trainings[0].Name != hostile {
			t.Errorf("%s: the JSON has %q (%v), want the name as it was", name, d.Trainings[0].Name, err)
		}
	}
}

// Numbers that are none, all or some, and histories that lack parts, must not
// stop a page; it shows a dash.
func TestTrainingsWithoutNumbers(t *testing.T) {
	n := rundir.Number(nan)
	some, all := madeTraining("some", 12, false), madeTraining("all", 12, true)
	some.Lines[3].Measure.Loss, some.Lines[3].Measure.Kurtosis, some.Lines[5].Norm = n, rundir.Number(math.Inf(1)), n
	for k := range all.Lines {
		l := &all.Lines[k]
		l.Loss, l.Norm, l.Rate, l.Seconds = n, n, n, n
		if m := l.Measure; m != nil {
			*m = TrainingMeasure{Loss: n, SinkRate: n, Sparsity: n, Dead: n, Mass: n, Kurtosis: n, Largest: n}
		}
	}
	for name, p := range map[string]TrainingPage{
		"some": {Trainings: []Training{some}}, "all": {Trainings: []Training{all}}, "both": {Trainings: []Training{some, all}},
		"empty": {Trainings: []Training{{Name: "x"}}}, "empty and some": {Trainings: []Training{{Name: "x"}, some}}, "all empty": {Trainings: []Training{{}, {}}},
		"one line without diagnostics": {Trainings: []Training{{Name: "x", Lines: []TrainingLine{{Step: 1, Tokens: 5, Loss: 2}}}}},
		"zeros":                        {Trainings: []Training{{Name: "x", Lines: []TrainingLine{{Step: 1, Measure: &TrainingMeasure{}}, {Step: 2, Measure: &TrainingMeasure{}}}}}},
	} {
		page := writeTraining(t, p)
		if _, faults := checkText(page); len(faults) > 0 {
			t.Errorf("%s: %s", name, faults[0])
		}
		if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("%s: the page shows a NaN or an infinity", name)
		}
	}
	if text := header(writeTraining(t, TrainingPage{Trainings: []Training{some}})); !strings.Contains(text, "at step 100 the loss was not a number in the diagnostics") {
		t.Errorf("the head does not say where a loss was not a number:\n%s", text)
	}
}

// A page has a bound, whatever the history has; the first line, the last, and
// the extremes are kept.
func TestLongTrainingStaysSmall(t *testing.T) {
	tr := madeTraining("long", 40_000, true)
	most := 23 // a line with diagnostics
	tr.Lines[most].Measure.Dead = 0.9
	page := writeTraining(t, TrainingPage{Trainings: []Training{tr}})
	if len(page) > 4<<20 {
		t.Errorf("%d bytes", len(page))
	}
	var d trainingDocument
	if err := json.Unmarshal([]byte(block(page, "report")), &d); err != nil {
		t.Fatal(err)
	}
	r := d.Trainings[0]
	if n := len(r.Lines); n > 2*mostRows+5 || n < mostRows || r.Count != 40_000 || r.Diagnosed != 10_000 {
		t.Errorf("%d lines of %d, %d diagnosed", n, r.Count, r.Diagnosed)
	}
	steps := map[int]bool{}
	for _, l := range r.Lines {
		steps[l.Step] = true
	}
	for _, k := range []int{0, most, len(tr.Lines) - 1} {
		if !steps[tr.Lines[k].Step] {
			t.Errorf("line %d was left out", k)
		}
	}
	if _, faults := checkText(page); len(faults) > 0 {
		t.Error(faults[0])
	}
	if !strings.Contains(page, "the page carries every so many of them") || !strings.Contains(header(page), "Dead heads were most at step 600: 90.0%") {
		t.Errorf("the page does not say what it left out, or forgot an extreme: %s", header(page))
	}
}

func TestBadTrainingPagesAreRefused(t *testing.T) {
	back := madeTraining("back", 3, false)
	back.Lines[2].Step = 25
	for name, c := range map[string]struct {
		page TrainingPage
		want string
	}{
		"none":     {TrainingPage{}, "at least one"},
		"steps":    {TrainingPage{Trainings: []Training{back}}, "line 3 is of step 25"},
		"settings": {TrainingPage{Trainings: []Training{{Name: "x", Settings: func() {}}}}, "JSON"},
	} {
		var b bytes.Buffer
		err := WriteTraining(&b, c.page)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || b.Len() > 0 {
			t.Errorf("%s: error %v and %d bytes, want one line with %q", name, err, b.Len(), c.want)
		}
	}
	if err := WriteTraining(failing{}, twoTrainings()); err == nil {
		t.Error("a writer's error is lost")
	}
	if first, second := writeTraining(t, twoTrainings()), writeTraining(t, twoTrainings()); first != second {
		t.Error("two pages of the same trainings differ")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// In a browser: no request, no complaint, nothing wider than the window or over another, and
// every figure has a drawing with marks in the theme's ink and type that can be read.
func TestTrainingPageInABrowser(t *testing.T) {
	chromium := openBrowser(t)
	for name, p := range trainingPages() {
		t.Run(name, func(t *testing.T) {
			open(t, chromium, writeTraining(t, p), 1280, "light").inEveryWindow("training-"+strings.ReplaceAll(name, " ", "-"), func(b *tab, width int) { checkFigures(b, width, 10) })
		})
	}
}
