package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// What a page or table promises must hold for the whole way from two runs to it.

func metricOf(t *testing.T, c *Comparison, task, name string) *Metric {
	t.Helper()
	for i := range c.Metrics {
		if m := &c.Metrics[i]; m.Task == task && m.Metric == name {
			return m
		}
	}
	t.Fatalf("no %s %s", task, name)
	return nil
}

// changed is the side with one of its tasks' documents altered, and other answers.
func changed(s *Side, task string, alter func(k int, d *Document)) *Side {
	out := s.shuffled(1)
	said := make([]string, 0)
	t := out.Task(task)
	for k := range t.Documents {
		alter(k, &t.Documents[k])
		t.Documents[k].Answer += " otherwise"
		said = append(said, fmt.Sprint(t.Documents[k].Values, t.Documents[k].Answer))
	}
	t.finish(said)
	return out
}

// The same right and wrong answers of outputs that differ are not certainty, and are
// told from answers that are equal to the bit.
func TestSameOutcomesAreNotIdentity(t *testing.T) {
	a := madeSide("a", 3, 0.6)
	b := changed(a, "quiz", func(int, *Document) {})
	c := compared(t, a, b, Options{})
	m := metricOf(t, c, "quiz", "acc")
	if m.Identical || !m.SameOutcomes || m.Difference != 0 || !(m.Low < -0.03 && m.High > 0.03) || m.P != 1 {
		t.Errorf("%+v", m)
	}
	text := tableText(c, 0)
	if !strings.Contains(text, "the same right and wrong answers") || strings.Contains(text, "identical") {
		t.Errorf("%s", text)
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "quiz") && !strings.Contains(line, " ~") || strings.HasPrefix(line, "last") && !strings.Contains(line, " same") {
			t.Errorf("%q", line)
		}
	}
}

// Rounding alone is "same", of either metric that is made of loglikelihoods, and the
// floor follows the number format and what computed it.
func TestRoundingIsSame(t *testing.T) {
	a := madeSide("a", 3, 0.6)
	shifted := func(by float64) *Side {
		b := changed(a, "last", func(k int, d *Document) { d.Values[0].Value += by * (1 + float64(k%3)/4) })
		return b
	}
	b := shifted(1e-5)
	c := compared(t, a, b, Options{})
	m := metricOf(t, c, "last", "perplexity")
	if m.Verdict != Noise || !m.WithinArithmetic || !(m.Adjusted < 0.01) || m.word() != "same" {
		t.Errorf("%+v", m)
	}
	if text := tableText(c, 0); !strings.Contains(text, "the same within arithmetic") || strings.Contains(text, "better\n") {
		t.Errorf("%s", text)
	}
	if m := metricOf(t, compared(t, a, shifted(1e-3), Options{}), "last", "perplexity"); m.Verdict != Better || m.WithinArithmetic {
		t.Errorf("a thousandth in every document: %+v", m)
	}
	b = shifted(1e-3)
	b.MayDiffer = map[string]string{"dtype": "bfloat16"}
	if m := metricOf(t, compared(t, a, b, Options{}), "last", "perplexity"); m.Verdict != Noise || !m.WithinArithmetic {
		t.Errorf("a thousandth in bfloat16: %+v", m)
	}
	// A long text's tokens may all err to one side; the harness's results have none.
	long := func(by float64) *Side {
		b := changed(a, "pages", func(k int, d *Document) {
			d.Tokens = 1000
			for i := range d.Values {
				d.Values[i].Value += by * (1 + float64(k%3)/4)
			}
		})
		return b
	}
	for _, c := range []struct {
		by   float64
		want Verdict
	}{{5e-3, Noise}, {-5e-3, Noise}, {0.05, Better}} {
		if m := metricOf(t, compared(t, a, long(c.by), Options{}), "pages", "word_perplexity"); m.Verdict != c.want || m.WithinArithmetic != (c.want == Noise) {
			t.Errorf("%v in texts of 1000 tokens: %+v", c.by, m)
		}
	}
	for _, c := range []struct {
		f     Format
		dtype string
		want  Arithmetic
	}{{Softbench, "float32", inFloat32}, {Harness, "", ofHarness}, {Harness, "bfloat16", inBFloat16}, {Softbench, "bfloat16", inBFloat16}, {Softbench, "", inFloat32}} {
		if got := ArithmeticOf(c.f, c.dtype); got != c.want {
			t.Errorf("%s %s: %v", c.f, c.dtype, got)
		}
	}
	values := []Value{{1, 1, true}, {1, 300, true}, {1, 900, false}, {1, 300, true}}
	if got, want := inFloat32.Of(values, []int{2, 0, 5000, 100}), (1e-4+3e-3+1e-3)/3; math.Abs(got-want) > 1e-15 {
		t.Errorf("%v in the mean, want %v", got, want)
	}
}

// One metric that overflows leaves the others as they are.
func TestOverflowIsOneMetrics(t *testing.T) {
	a := madeSide("a", 3, 0.6)
	b := changed(a, "last", func(_ int, d *Document) { d.Values[0].Value -= 1e5 })
	c := compared(t, a, b, Options{})
	m := metricOf(t, c, "last", "perplexity")
	if m.Verdict != Worse || !strings.Contains(strings.Join(m.Warnings, " "), "more than a float64 holds") {
		t.Errorf("%+v", m)
	}
	if len(c.Metrics) != 7 || !metricOf(t, c, "quiz", "acc").Identical {
		t.Errorf("%+v", c.Metrics)
	}
	if text := tableText(c, 0); strings.Contains(text, "Inf") || strings.Contains(text, "NaN") {
		t.Errorf("%s", text)
	}
}

// A perplexity that is beyond all measure, and not beyond a float64, is worse too.
func TestHugePerplexityIsWorse(t *testing.T) {
	a := madeSide("a", 3, 0.6)
	for _, by := range []float64{10, 2000} {
		m := metricOf(t, compared(t, a, changed(a, "last", func(_ int, d *Document) { d.Values[0].Value -= by }), Options{}), "last", "perplexity")
		if m.Verdict != Worse || !(m.LowAdjusted > 0) {
			t.Errorf("%v less likely: %+v", by, m)
		}
	}
}

// By document each counts the same: one long page does not decide, and the value is
// the geometric mean of the documents' perplexities.
func TestByDocument(t *testing.T) {
	a := madeSide("a", 3, 0.6)
	long := changed(a, "pages", func(k int, d *Document) { // worse everywhere, better on the one long page
		d.Cluster = ""
		for i := range d.Values {
			if k == 0 {
				d.Values[i].Weight *= 1e5
				d.Values[i].Value = math.Log(0.6) * d.Values[i].Weight
			}
		}
	})
	b := changed(long, "pages", func(k int, d *Document) {
		for i := range d.Values {
			if k == 0 {
				d.Values[i].Value *= 0.5
			} else {
				d.Values[i].Value *= 1.2
			}
		}
	})
	sum, each := metricOf(t, compared(t, long, b, Options{}), "pages", "word_perplexity"), metricOf(t, compared(t, long, b, Options{ByDocument: true}), "pages", "word_perplexity")
	if sum.Verdict != Noise || sum.Difference > 0 || each.Verdict != Worse {
		t.Errorf("over the sum %+v\nby document %+v", sum, each)
	}
	mean := 0.0
	for _, d := range b.Task("pages").Documents {
		mean += d.Values[0].Value / d.Values[0].Weight / 30
	}
	if math.Abs(float64(each.B)-math.Exp(-mean)) > 1e-12 {
		t.Errorf("%v by document, want %v", each.B, math.Exp(-mean))
	}
	if text := tableText(compared(t, long, b, Options{ByDocument: true}), 0); !strings.Contains(text, "each counting the same") {
		t.Errorf("%s", text)
	}
}
