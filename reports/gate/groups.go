package gate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/compare"
)

// BaselineGroup is a group of a Baseline's tasks, whose metrics follow from theirs: its results by document
// are its tasks'.
type BaselineGroup struct {
	Name    string
	Tasks   []string
	Metrics []BaselineMetric // without Values
	// Weighted says of each metric whether tasks count by their documents; else all the same.
	Weighted []bool
}

// group is nil where the baseline has none of that name.
func (b *Baseline) group(name string) *BaselineGroup {
	if i := slices.IndexFunc(b.Groups, func(g BaselineGroup) bool { return g.Name == name }); i >= 0 {
		return &b.Groups[i]
	}
	return nil
}

// task is nil where the baseline has none of that name.
func (b *Baseline) task(name string) *BaselineTask {
	if i := slices.IndexFunc(b.Tasks, func(t BaselineTask) bool { return t.Name == name }); i >= 0 {
		return &b.Tasks[i]
	}
	return nil
}

// addGroups takes in a run's groups: their metrics that are means over documents.
func (b *Baseline) addGroups(s *compare.Side, p *Policy, old *Baseline) {
	for _, g := range s.Groups {
		if b.task(g.Name) != nil {
			continue // a task and a group of one name: rules could not tell them apart
		}
		bg := BaselineGroup{Name: g.Name, Tasks: g.Tasks}
		for _, m := range g.Metrics {
			bm := BaselineMetric{Name: m.Name, HigherIsBetter: m.HigherIsBetter, Formula: compare.Mean}
			value, ok := b.groupValue(&bg, &bm, m.Weighted)
			if !ok {
				continue
			}
			bm.Value = value
			bm.AllowedDrop = p.allowed(g.Name, m.Name, value, old.allowed(g.Name, m.Name, defaultDrop(m.Name, compare.Mean, value)))
			bg.Metrics, bg.Weighted = append(bg.Metrics, bm), append(bg.Weighted, m.Weighted)
		}
		if len(bg.Metrics) > 0 {
			b.Groups = append(b.Groups, bg)
		}
	}
}

// groupValue is a group's metric over the baseline's own results; ok is false where its tasks have none.
func (b *Baseline) groupValue(g *BaselineGroup, m *BaselineMetric, weighted bool) (value float64, ok bool) {
	values := b.groupValues(g, m, weighted)
	value, n := compare.AggregateValues(compare.Mean, values)
	return value, n > 0 && finite(value)
}

// groupValues are the documents' parts in a group's metric.
func (b *Baseline) groupValues(g *BaselineGroup, m *BaselineMetric, weighted bool) (values []compare.Value) {
	pool := compare.GroupMetric{Name: m.Name, HigherIsBetter: m.HigherIsBetter, Weighted: weighted}
	var parts []*compare.Task
	for _, name := range g.Tasks {
		if bm := b.metric(name, m.Name); bm != nil {
			t := &compare.Task{Name: name, Metrics: []compare.MetricInfo{{Name: m.Name, Formula: bm.Formula}}}
			for _, v := range bm.Values {
				t.Documents = append(t.Documents, compare.Document{Values: []compare.Value{v}})
			}
			parts = append(parts, t)
		}
	}
	pooled, used := pool.Pool(g.Name, parts)
	if used == 0 {
		return nil
	}
	for _, d := range pooled.Documents {
		values = append(values, d.Values[0])
	}
	return values
}

// checkGroup judges a group's metrics over the documents of its tasks. reasons are why the run is unfit; where the
// policy does not require a metric concerned, they are notes instead.
func (r *Result) checkGroup(run *compare.Side, b *Baseline, g *BaselineGroup, p *Policy, same bool, out quarantined) (reasons []string, err error) {
	for k := range g.Metrics {
		bm := &g.Metrics[k]
		m, why, err := b.judgeGroup(run, g, k, p, same, out, 1)
		if err != nil {
			return nil, fmt.Errorf("group %s: metric %s: %w", g.Name, bm.Name, err)
		}
		if why == "" {
			r.Metrics = append(r.Metrics, *m)
			continue
		}
		why = fmt.Sprintf("group %s: metric %s: %s", g.Name, bm.Name, why)
		if p.required(g.Name, bm.Name) {
			reasons = append(reasons, why)
		} else {
			r.Notes = append(r.Notes, why+"; not judged, and the policy does not require it")
		}
	}
	return reasons, nil
}

// judgeGroup decides on metric k of a group; why, not empty, says what makes the run unfit for it. shared is among how many
// metrics the chance of a false alarm is shared.
func (b *Baseline) judgeGroup(run *compare.Side, g *BaselineGroup, k int, p *Policy, same bool, out quarantined, shared int) (m *Metric, why string, err error) {
	bm := g.Metrics[k]
	pool := compare.GroupMetric{Name: bm.Name, HigherIsBetter: bm.HigherIsBetter, Weighted: g.Weighted[k]}
	unchanged := true
	var was, now []*compare.Task
	for _, name := range g.Tasks {
		bt, t := b.task(name), run.Task(name)
		base := b.metric(name, bm.Name)
		if base == nil {
			continue // the group's metric is over the other tasks
		}
		if t == nil {
			return nil, fmt.Sprintf("task %s is missing in the run", name), nil
		}
		if len(bt.unlike(run, t)) > 0 {
			return nil, fmt.Sprintf("task %s is not the baseline's", name), nil
		}
		i := slices.IndexFunc(t.Metrics, func(x compare.MetricInfo) bool { return x.Name == bm.Name })
		if i < 0 || t.Metrics[i].Formula != base.Formula {
			return nil, fmt.Sprintf("task %s has it not in the run", name), nil
		}
		documents, values := out.keep(t.Documents, base.Values)
		if len(documents) == 0 {
			continue // all in quarantine
		}
		info := []compare.MetricInfo{{Name: bm.Name, Formula: base.Formula, HigherIsBetter: bm.HigherIsBetter}}
		x, y := &compare.Task{Name: name, Metrics: info}, &compare.Task{Name: name, Metrics: info}
		for d, doc := range documents {
			before, after := doc, doc
			before.Values, after.Values = []compare.Value{values[d]}, []compare.Value{doc.Values[i]}
			if values[d].Scored != doc.Values[i].Scored {
				return nil, fmt.Sprintf("task %s has no result for some documents on one side", name), nil
			}
			x.Documents, y.Documents = append(x.Documents, before), append(y.Documents, after)
		}
		was, now = append(was, x), append(now, y)
		unchanged = unchanged && bt.unchanged(t, same)
	}
	before, used := pool.Pool(g.Name, was)
	after, other := pool.Pool(g.Name, now)
	if used == 0 || used != other {
		return nil, "no task of it has results that are not quarantined", nil
	}
	bm.Values = nil
	for _, d := range before.Documents {
		bm.Values = append(bm.Values, d.Values[0])
	}
	m, why, err = (&BaselineTask{Name: g.Name}).judge(&bm, after, p, judging{
		unchanged: unchanged, arithmetic: compare.ArithmeticOf(run.Format, run.MayDiffer["dtype"]), shared: shared,
	})
	if m != nil {
		m.Tasks = used
	}
	return m, why, err
}

// groupFile is a group as a baseline's JSON has it.
type groupFile struct {
	Name    string            `json:"name"`
	Tasks   []string          `json:"tasks"`
	Metrics []groupMetricFile `json:"metrics"`
}

type groupMetricFile struct {
	Name           string   `json:"name"`
	Value          *float64 `json:"value"`
	HigherIsBetter bool     `json:"higher_is_better"`
	Weighted       bool     `json:"weighted"`
	AllowedDrop    *float64 `json:"allowed_drop"`
}

func (g *BaselineGroup) file() groupFile {
	f := groupFile{Name: g.Name, Tasks: g.Tasks}
	for k, m := range g.Metrics {
		f.Metrics = append(f.Metrics, groupMetricFile{m.Name, &m.Value, m.HigherIsBetter, g.Weighted[k], &m.AllowedDrop})
	}
	return f
}

// parseGroup takes a group in, whose tasks are read.
func (b *Baseline) parseGroup(f *groupFile) error {
	if f.Name == "" || b.task(f.Name) != nil || b.group(f.Name) != nil {
		return fmt.Errorf("group %q is there twice, or has no name", f.Name)
	}
	g := BaselineGroup{Name: f.Name, Tasks: f.Tasks}
	for i, name := range f.Tasks {
		if slices.Contains(f.Tasks[:i], name) {
			return fmt.Errorf("group %s: task %q is there twice", f.Name, name)
		}
	}
	for _, m := range f.Metrics {
		if m.Name == "" || slices.ContainsFunc(g.Metrics, func(x BaselineMetric) bool { return x.Name == m.Name }) {
			return fmt.Errorf("group %s: metric %q is there twice, or has no name", f.Name, m.Name)
		}
		bm := BaselineMetric{Name: m.Name, HigherIsBetter: m.HigherIsBetter, Formula: compare.Mean}
		err := func() error {
			switch {
			case m.Value == nil || m.AllowedDrop == nil:
				return errors.New("it has no value or no allowed_drop")
			case *m.AllowedDrop < 0:
				return fmt.Errorf("allowed_drop %v: want 0 or more, in the metric's own unit", *m.AllowedDrop)
			}
			value, ok := b.groupValue(&g, &bm, m.Weighted)
			if !ok || math.Abs(value-*m.Value) > 1e-9*max(math.Abs(value), math.Abs(*m.Value)) {
				return fmt.Errorf("its value is %v, but its tasks' results give %v: one of them was edited; make the baseline again with --update", *m.Value, value)
			}
			return nil
		}()
		if err != nil {
			return fmt.Errorf("group %s: metric %s: %w", f.Name, m.Name, err)
		}
		bm.Value, bm.AllowedDrop = *m.Value, *m.AllowedDrop
		g.Metrics, g.Weighted = append(g.Metrics, bm), append(g.Weighted, m.Weighted)
	}
	b.Groups = append(b.Groups, g)
	return nil
}
