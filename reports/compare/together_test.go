package compare

import "testing"

// Several comparisons corrected together: the first metrics are one family of them all, by
// Holm's steps, and a verdict that stood by itself may not stand among them; others stay.
func TestTogether(t *testing.T) {
	a := madeSide("a", 1, 0.5)
	var all []*Comparison
	var before [][]Metric
	for seed := range uint64(6) {
		c := compared(t, a, madeSide("b", 2+seed, 0.5+0.03*float64(seed)), Options{})
		all = append(all, c)
		before = append(before, append([]Metric(nil), c.Metrics...))
	}
	if err := Together(all); err != nil {
		t.Fatal(err)
	}
	tests, lost := 0, 0
	for _, c := range all {
		tests += c.Summary.Tasks
	}
	if tests != 24 {
		t.Fatalf("%d first metrics", tests)
	}
	for i, c := range all {
		if s := c.Summary; s.Better+s.Worse+s.Noise != s.Tasks {
			t.Errorf("%+v", s)
		}
		for k, m := range c.Metrics {
			was := before[i][k]
			if !m.Primary {
				if m.Adjusted != was.Adjusted || m.Tests != was.Tests || m.Verdict != was.Verdict {
					t.Errorf("%s %s is no first metric, and was %+v, is %+v", m.Task, m.Metric, was, m)
				}
				continue
			}
			if m.Tests != tests || m.Adjusted < was.Adjusted || m.P != was.P || m.LowAdjusted > was.LowAdjusted || m.HighAdjusted < was.HighAdjusted {
				t.Errorf("%s %s was %+v, is %+v", m.Task, m.Metric, was, m)
			}
			if decided := m.LowAdjusted > 0 || m.HighAdjusted < 0; decided != (m.Verdict != Noise) {
				t.Errorf("%s %s: [%v, %v] is %s", m.Task, m.Metric, m.LowAdjusted, m.HighAdjusted, m.Verdict)
			}
			if m.Verdict != was.Verdict {
				lost++
			}
		}
	}
	if lost == 0 {
		t.Error("no verdict falls among 24 comparisons: the test looks at the wrong sides")
	}
}
