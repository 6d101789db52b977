package compare

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/metric"
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
		found := 0
		for _, weighted := range []bool{true, false} {
			gm := GroupMetric{Name: m.Key(), HigherIsBetter: m.HigherIsBetter, Weighted: weighted, Value: m.Value, Stderr: m.Stderr}
			pooled, used := gm.Pool(r.Name, tasks)
			if used == 0 {
				break
			}
			if value := pooled.Aggregate(0); math.Abs(value-m.Value) <= 1e-9*max(math.Abs(value), math.Abs(m.Value)) {
				if found++; found == 1 {
					g.Metrics = append(g.Metrics, gm)
				} else {
					g.Metrics[len(g.Metrics)-1].Either = true
				}
			}
		}
		if found == 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("group %s: metric %s is left out: its %v is not the mean of its tasks' documents, nor of its tasks", r.Name, m.Key(), m.Value))
		}
	}
	if len(g.Metrics) > 0 {
		s.Groups = append(s.Groups, g)
	}
}

// GroupResults are the groups of results of lm-evaluation-harness, with the numbers that these state and their 95% intervals,
// made as those of a run's groups are; nil for a run, whose manifest has them.
func (s *Side) GroupResults() (out []rundir.GroupResult) {
	if s.Manifest != nil {
		return nil
	}
	for _, g := range s.Groups {
		r := rundir.GroupResult{Name: g.Name, Members: g.Tasks, Tasks: g.Tasks}
		for _, m := range g.Metrics {
			r.Metrics = append(r.Metrics, s.groupResult(&g, &m))
		}
		out = append(out, r)
	}
	return out
}

func (s *Side) groupResult(g *Group, m *GroupMetric) rundir.GroupMetric {
	out := rundir.GroupMetric{Weighted: m.Weighted}
	for _, name := range g.Tasks {
		t := s.Task(name)
		k := -1
		if t != nil {
			k = t.metric(m.Name)
		}
		if k < 0 {
			out.Without++
			continue
		}
		out.Tasks, out.N = out.Tasks+1, out.N+t.Scored(k)
	}
	low, high := m.Value-stats.Normal95*m.Stderr, m.Value+stats.Normal95*m.Stderr
	if metric.ByName(m.Name).Unit == metric.Share {
		low, high = max(low, 0), min(high, 1)
	}
	out.Name, out.HigherIsBetter = m.Name, m.HigherIsBetter
	out.Value, out.Stderr = rundir.Number(m.Value), rundir.Number(m.Stderr)
	out.Low, out.High = rundir.Number(low), rundir.Number(high)
	return out
}

// along is the metric as both sides have it, or nil: that of tasks with as many documents each may be called weighted or
// not, and one whose stated number is of both, as 0 is where all tasks have 0, is what the other side's is.
func (m *GroupMetric) along(others []GroupMetric, members []*taskPair) *GroupMetric {
	for _, o := range others {
		if o.Name != m.Name || o.HigherIsBetter != m.HigherIsBetter {
			continue
		}
		if o.Weighted == m.Weighted || o.Either || evenly(members, m.Name) {
			return m
		}
		if m.Either {
			both := *m
			both.Weighted = o.Weighted
			return &both
		}
		return nil
	}
	return nil
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
