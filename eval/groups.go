package eval

import (
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
)

// aggregated are the groups with their metrics over the tasks' results.
func aggregated(groups []tasks.Group, results []rundir.TaskResult) []rundir.GroupResult {
	var out []rundir.GroupResult
	for _, g := range groups {
		r := rundir.GroupResult{Name: g.Name, Members: g.Members, Tasks: g.Tasks}
		if g.Alias != g.Name {
			r.Alias = g.Alias
		}
		for _, a := range g.Aggregates {
			for _, name := range metricsOf(a, g.Tasks, results) {
				if m, ok := aggregate(a, name, g.Tasks, results); ok {
					r.Metrics = append(r.Metrics, m)
				}
			}
		}
		out = append(out, r)
	}
	return out
}

// metricsOf are the names that a group's metric has in the tasks: one, or one of each filter.
func metricsOf(a tasks.GroupMetric, names []string, results []rundir.TaskResult) []string {
	var out []string
	for i := range results {
		if !slices.Contains(names, results[i].Name) {
			continue
		}
		for _, m := range results[i].Metrics {
			base, filter, filtered := strings.Cut(m.Name, ",")
			if base != a.Metric || filtered && len(a.Filters) > 0 && !slices.Contains(a.Filters, filter) {
				continue
			}
			if !slices.Contains(out, m.Name) {
				out = append(out, m.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// aggregate is one metric over the tasks that have it; ok is false where none has.
func aggregate(a tasks.GroupMetric, name string, names []string, results []rundir.TaskResult) (rundir.GroupMetric, bool) {
	out := rundir.GroupMetric{Weighted: a.Weighted}
	var parts []tasks.Part
	for _, n := range names {
		i := slices.IndexFunc(results, func(r rundir.TaskResult) bool { return r.Name == n })
		k := -1
		if i >= 0 {
			k = slices.IndexFunc(results[i].Metrics, func(m rundir.Metric) bool { return m.Name == name })
		}
		if k < 0 {
			out.Without++
			continue
		}
		m := results[i].Metrics[k]
		parts = append(parts, partOf(&m))
		out.N += m.N
		out.Tasks++
	}
	if len(parts) == 0 {
		return out, false
	}
	value, stderr := tasks.Mean(parts, a.Weighted)
	low, high := tasks.Interval(parts, a.Weighted)
	m := metric.ByName(name)
	if m.Unit == metric.Share {
		low, high = max(low, 0), min(high, 1)
	}
	out.Metric = rundir.Metric{
		Name: name, Value: rundir.Number(value), Stderr: rundir.Number(stderr), Low: rundir.Number(low), High: rundir.Number(high), N: out.N, HigherIsBetter: m.HigherIsBetter,
	}
	return out, true
}

// partOf is a task's metric as a part of a group's; one without an interval has the normal one of
// its standard error.
func partOf(m *rundir.Metric) tasks.Part {
	p := tasks.Part{Value: float64(m.Value), Stderr: float64(m.Stderr), Low: float64(m.Low), High: float64(m.High), N: m.N}
	if math.IsNaN(p.Low) || math.IsNaN(p.High) {
		p.Low, p.High = p.Value-stats.Normal95*p.Stderr, p.Value+stats.Normal95*p.Stderr
	}
	return p
}
