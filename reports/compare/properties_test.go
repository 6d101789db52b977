package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// mirrored fails where ba is not ab seen from the other side. Ends of intervals
// and p may differ in their last bits: a difference of sums is rounded the other way.
func mirrored(t *testing.T, ab, ba *Comparison) {
	t.Helper()
	type key struct{ task, metric string }
	back := map[key]*Metric{}
	for i := range ba.Metrics {
		back[key{ba.Metrics[i].Task, ba.Metrics[i].Metric}] = &ba.Metrics[i]
	}
	if len(back) != len(ab.Metrics) || len(ba.Metrics) != len(ab.Metrics) || len(ab.Metrics) == 0 {
		t.Fatalf("%d metrics one way, %d the other", len(ab.Metrics), len(ba.Metrics))
	}
	turned := map[Verdict]Verdict{Better: Worse, Worse: Better, Noise: Noise}
	for i := range ab.Metrics {
		x := &ab.Metrics[i]
		y := back[key{x.Task, x.Metric}]
		if y == nil {
			t.Errorf("%s %s: only one way", x.Task, x.Metric)
			continue
		}
		same := func(what string, got, want rundir.Number) {
			t.Helper()
			g, w := float64(got), float64(want)
			if math.IsNaN(g) && math.IsNaN(w) {
				return
			}
			if !(math.Abs(g-w) <= 1e-9*max(1, math.Abs(w))) {
				t.Errorf("%s %s: %s is %v one way and %v the other", x.Task, x.Metric, what, g, w)
			}
		}
		same("A", x.A, y.B)
		same("B", x.B, y.A)
		same("difference", x.Difference, -y.Difference)
		same("low", x.Low, -y.High)
		same("high", x.High, -y.Low)
		same("p", x.P, y.P)
		same("adjusted p", x.Adjusted, y.Adjusted)
		same("detectable", x.Detectable, y.Detectable)
		if x.N != y.N || x.Clusters != y.Clusters || x.Needed != y.Needed || x.Primary != y.Primary || x.Test != y.Test || turned[x.Verdict] != y.Verdict {
			t.Errorf("%s %s: %+v\n%+v", x.Task, x.Metric, x, y)
		}
		if (x.OnlyA == nil) != (y.OnlyB == nil) || x.OnlyA != nil && (*x.OnlyA != *y.OnlyB || *x.OnlyB != *y.OnlyA) {
			t.Errorf("%s %s: the documents right on one side alone are not those of the other", x.Task, x.Metric)
		}
	}
	if s, r := ab.Summary, ba.Summary; s.Tasks != r.Tasks || s.Better != r.Worse || s.Worse != r.Better || s.Noise != r.Noise {
		t.Errorf("summaries %+v and %+v", s, r)
	}
}

func TestMirror(t *testing.T) {
	for seed := range uint64(4) {
		a, b := madeSide("a", 2*seed+1, 0.5), madeSide("b", 2*seed+2, 0.5+0.06*float64(seed))
		mirrored(t, compared(t, a, b, Options{}), compared(t, b, a, Options{}))
	}
}

// Documents that are paired by their requests stand in another order on a side
// that names its documents otherwise, and one that knows no clusters has to be
// compared with those that the other knows.
func TestMirrorOfOtherNames(t *testing.T) {
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.55)
	for i := range b.Tasks {
		task := &b.Tasks[i]
		said := make([]string, len(task.Documents))
		for k := range task.Documents {
			d := &task.Documents[k]
			d.Keys[bySource], d.Cluster = "", ""
		}
		task.finish(said)
	}
	ab, ba := compared(t, a, b, Options{}), compared(t, b, a, Options{})
	mirrored(t, ab, ba)
	clustered := 0
	for _, m := range ab.Metrics {
		if m.PairedBy != keyNames[byPrompt] {
			t.Errorf("%s is paired by %s", m.Task, m.PairedBy)
		}
		if m.Clusters > 0 {
			clustered++
		}
	}
	if clustered != 3 { // of pages and passkey
		t.Errorf("%d metrics have clusters", clustered)
	}
}

func TestItself(t *testing.T) {
	a := madeSide("a", 3, 0.6)
	c := compared(t, a, a, Options{})
	for _, m := range c.Metrics {
		if m.Verdict != Noise || m.P != 1 || m.Adjusted != 1 || m.Difference != 0 || m.Low != 0 || m.High != 0 || !m.Identical {
			t.Errorf("%+v", m)
		}
	}
	if c.Summary.Noise != 4 || c.Summary.Tasks != 4 || len(c.Warnings) != 1 || len(c.Settings) != 0 {
		t.Errorf("%+v, warnings %q", c.Summary, c.Warnings)
	}
	// One answer changed: no longer identical.
	b := a.shuffled(1)
	b.Tasks[0].Documents[0].Values[0].Value = 1 - b.Tasks[0].Documents[0].Values[0].Value
	b.Tasks[0].Fingerprint = "another"
	c = compared(t, a, b, Options{})
	if c.Metrics[0].Identical || len(c.Warnings) != 0 {
		t.Errorf("%+v, warnings %q", c.Metrics[0], c.Warnings)
	}
}

// Nothing at all depends on the order in which documents are read.
func TestOrder(t *testing.T) {
	a, b := madeSide("a", 4, 0.5), madeSide("b", 5, 0.6)
	want, err := json.Marshal(compared(t, a, b, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) {
		got, err := json.Marshal(compared(t, a.shuffled(seed), b.shuffled(seed+9), Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("in another order\n%s\nwant\n%s", got, want)
		}
	}
}

// A real difference is found and has the right sign in either direction.
func TestDifferenceIsSeen(t *testing.T) {
	c := compared(t, madeSide("a", 6, 0.35), madeSide("b", 7, 0.75), Options{})
	if c.Summary.Better != 4 {
		t.Errorf("%+v", c.Summary)
	}
	for _, m := range c.Metrics {
		if (m.Difference > 0) != m.HigherIsBetter || m.Verdict != Better || m.Adjusted < m.P {
			t.Errorf("%+v", m)
		}
	}
}
