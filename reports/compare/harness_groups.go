package compare

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/reports/lmeval"
)

// harnessGroup takes in a group of lm-evaluation-harness' results. The harness does not say whether it weighted tasks by
// their documents: the stated number does, which is one mean or the other. A metric that is neither is left out with a note.
func (s *Side) harnessGroup(r *lmeval.Group) {
	g := Group{Name: r.Name, Tasks: r.Tasks}
	var tasks []*Task
	for _, name := range r.Tasks {
		if t := s.Task(name); t != nil {
			tasks = append(tasks, t)
		}
	}
	for _, m := range r.Metrics {
		found := false
		for _, weighted := range []bool{true, false} {
			gm := GroupMetric{Name: m.Key(), HigherIsBetter: m.HigherIsBetter, Weighted: weighted}
			pooled, used := gm.Pool(r.Name, tasks)
			if used == 0 {
				break
			}
			if value := pooled.Aggregate(0); math.Abs(value-m.Value) <= 1e-9*max(math.Abs(value), math.Abs(m.Value)) {
				g.Metrics = append(g.Metrics, gm)
				found = true
				break
			}
		}
		if !found {
			s.Notes = append(s.Notes, fmt.Sprintf("group %s: metric %s is left out: its %v is not the mean of its tasks' documents, nor of its tasks", r.Name, m.Key(), m.Value))
		}
	}
	if len(g.Metrics) > 0 {
		s.Groups = append(s.Groups, g)
	}
}

// sameAs says that a metric is the other side's: that of tasks with as many documents each may be called weighted or not.
func (m *GroupMetric) sameAs(others []GroupMetric, members []*taskPair) bool {
	for _, o := range others {
		if o.Name != m.Name || o.HigherIsBetter != m.HigherIsBetter {
			continue
		}
		return o.Weighted == m.Weighted || evenly(members, m.Name)
	}
	return false
}

// evenly says that all tasks that have a metric on both sides have it of equally many documents.
func evenly(members []*taskPair, metric string) bool {
	first := -1
	for _, p := range members {
		for _, t := range []*Task{p.a, p.b} {
			i := t.metric(metric)
			if i < 0 {
				continue
			}
			n := scored(t, i)
			if first < 0 {
				first = n
			}
			if n != first {
				return false
			}
		}
	}
	return true
}
