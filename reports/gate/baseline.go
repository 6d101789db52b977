package gate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

// Baseline is a run to hold later ones against.
type Baseline struct {
	// Settings must be a new run's too; Model is what the baseline was made of and
	// on, and may differ.
	Settings map[string]string
	Model    map[string]string
	Tasks    []BaselineTask
	Groups   []BaselineGroup
}

// BaselineTask is one task of a Baseline.
type BaselineTask struct {
	Name     string
	Settings map[string]string
	// N is the number of documents; the hashes cover them and what was asked of
	// them, in the order of the results: that of the documents' hashes.
	N                  int
	Documents, Prompts string
	// Answers covers what the model answered, to the bit; "" where that is not known.
	Answers string
	Metrics []BaselineMetric
}

// BaselineMetric is one metric with its results by document.
type BaselineMetric struct {
	Name           string
	HigherIsBetter bool
	Formula        compare.Formula
	Value          float64
	AllowedDrop    float64 // how much worse a new run may be, in the metric's unit
	// Values are the documents' parts in the metric.
	Values []compare.Value
}

// Make is the baseline of a run. Allowed drops come from the policy (nil: none),
// else from the baseline it replaces (nil: none), else are the default: 0.01 of an
// accuracy, 10% of a divergence, 1% of anything else. A metric that is not finite is an error.
func Make(s *compare.Side, p *Policy, old *Baseline) (*Baseline, error) {
	b := &Baseline{Settings: runSettings(s), Model: map[string]string{}}
	for k, v := range s.MayDiffer {
		if _, ok := b.Settings[k]; !ok {
			b.Model[k] = v
		}
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		bt := BaselineTask{Name: t.Name, Settings: taskSettings(s, t), N: len(t.Documents), Answers: t.AnswersHash()}
		bt.Documents, bt.Prompts = hashDocuments(t)
		if len(t.Metrics) == 0 {
			return nil, fmt.Errorf("task %s has no metric, as no document of it has a score: a baseline of it could never fail", t.Name)
		}
		for k, m := range t.Metrics {
			bm := BaselineMetric{Name: m.Name, HigherIsBetter: m.HigherIsBetter, Formula: m.Formula, Value: t.Aggregate(k)}
			if !finite(bm.Value) {
				return nil, fmt.Errorf("task %s: metric %s is %v: a baseline needs a finite value", t.Name, m.Name, bm.Value)
			}
			bm.AllowedDrop = p.allowed(t.Name, m.Name, bm.Value, old.allowed(t.Name, m.Name, defaultDrop(m.Name, m.Formula, bm.Value)))
			for _, d := range t.Documents {
				v := d.Values[k]
				switch {
				case !v.Scored:
					v = compare.Value{}
				case !finite(v.Value) || !finite(v.Weight):
					return nil, fmt.Errorf("task %s: metric %s: document %d has %v, over a weight of %v: a baseline needs finite numbers", t.Name, m.Name, d.ID, v.Value, v.Weight)
				}
				bm.Values = append(bm.Values, v)
			}
			bt.Metrics = append(bt.Metrics, bm)
		}
		b.Tasks = append(b.Tasks, bt)
	}
	if len(b.Tasks) == 0 {
		return nil, errors.New("the run has no tasks to hold a later one against")
	}
	b.addGroups(s, p, old)
	if unused := p.unused(b); len(unused) > 0 {
		return nil, errors.New(strings.Join(unused, "; "))
	}
	return b, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func defaultDrop(metric string, f compare.Formula, value float64) float64 {
	switch {
	case metric == compare.KL:
		return round(0.1 * value)
	case f == compare.Mean:
		return 0.01
	}
	return round(0.01 * math.Abs(value))
}

// round keeps three significant digits: an allowance is not a measurement.
func round(x float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return v
}

// metric is a task's, or a group's; nil where the baseline, which may be nil, has none of that name.
func (b *Baseline) metric(task, metric string) *BaselineMetric {
	if b == nil {
		return nil
	}
	for i := range b.Tasks {
		for k := range b.Tasks[i].Metrics {
			if m := &b.Tasks[i].Metrics[k]; b.Tasks[i].Name == task && m.Name == metric {
				return m
			}
		}
	}
	if g := b.group(task); g != nil {
		for k := range g.Metrics {
			if g.Metrics[k].Name == metric {
				return &g.Metrics[k]
			}
		}
	}
	return nil
}

func (b *Baseline) allowed(task, metric string, otherwise float64) float64 {
	if m := b.metric(task, metric); m != nil {
		return m.AllowedDrop
	}
	return otherwise
}

// WriteSummary says what the baseline at path holds, and what of it is not as in
// old, which may be nil.
func (b *Baseline) WriteSummary(w io.Writer, path string, old *Baseline) error {
	metrics := 0
	for _, t := range b.Tasks {
		metrics += len(t.Metrics)
	}
	line := fmt.Sprintf("%s: %s of %s", path, text.Plural(metrics, "metric", "metrics"), text.Plural(len(b.Tasks), "task", "tasks"))
	if len(b.Groups) > 0 {
		line += ", and of " + text.Plural(len(b.Groups), "group", "groups")
	}
	lines := []string{line}
	if old != nil {
		lines = append(lines, b.changes(old)...)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, text.Printable(l)); err != nil {
			return err
		}
	}
	return nil
}

func (b *Baseline) changes(old *Baseline) (lines []string) {
	each(b, func(task string, m *BaselineMetric) {
		switch was := old.metric(task, m.Name); {
		case was == nil:
			lines = append(lines, fmt.Sprintf("%s %s: new, %v", task, m.Name, m.Value))
		case was.Value != m.Value:
			lines = append(lines, fmt.Sprintf("%s %s: %v, was %v", task, m.Name, m.Value, was.Value))
		}
	})
	each(old, func(task string, m *BaselineMetric) {
		if b.metric(task, m.Name) == nil {
			lines = append(lines, fmt.Sprintf("%s %s: no longer there", task, m.Name))
		}
	})
	return lines
}

func each(b *Baseline, do func(task string, m *BaselineMetric)) {
	for i := range b.Tasks {
		for k := range b.Tasks[i].Metrics {
			do(b.Tasks[i].Name, &b.Tasks[i].Metrics[k])
		}
	}
	for i := range b.Groups {
		for k := range b.Groups[i].Metrics {
			do(b.Groups[i].Name, &b.Groups[i].Metrics[k])
		}
	}
}
