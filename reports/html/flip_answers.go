package html

import (
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/metric"
)

// Taken is what a filter took of a generated answer.
type Taken struct {
	Filter string `json:"filter"`
	Text   string `json:"text"`
}

// answerChanges lists in which metrics a generated answer flipped: those that are right or wrong, by the names that they have
// with their filters. both says that there is one.
func answerChanges(a, b *rundir.Sample) (changes map[string]string, both bool) {
	changes = map[string]string{}
	for i, name := range a.Metrics {
		base, _, _ := strings.Cut(name, ",")
		k := slices.Index(b.Metrics, name)
		m, known := metric.Find(base)
		if k < 0 || i >= len(a.Scores) || k >= len(b.Scores) || !known || m.Unit != metric.Share || !m.HigherIsBetter {
			continue
		}
		x, y := a.Scores[i], b.Scores[k]
		if x != 0 && x != 1 || y != 0 && y != 1 {
			continue // words in common, say
		}
		both = true
		switch {
		case x < y:
			changes[name] = "better"
		case x > y:
			changes[name] = "worse"
		}
	}
	return changes, both
}

// takenOf is what the filters took.
func takenOf(s *rundir.Sample) (out []Taken) {
	for i, f := range s.Filters {
		if i < len(s.Filtered) && (f != "none" || s.Filtered[i] != value(s.Generated)) {
			text, _ := cutText(s.Filtered[i])
			out = append(out, Taken{f, text})
		}
	}
	return out
}

// named adds the metrics that documents flipped in to those of the table.
func (f *Flips) named() {
	for i := range f.Shown {
		var names []string
		for name := range f.Shown[i].Changes {
			if !slices.Contains(f.Metrics, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		f.Metrics = append(f.Metrics, names...)
	}
}
