package gate

import (
	"maps"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// AtMostKL is the baseline that holds a run's divergences (compare.DivergenceSide) from the run
// first under most nats a token, of each task's mean: first is 0 nats from itself.
func AtMostKL(run, first *compare.Side, most float64) *Baseline {
	b := &Baseline{Settings: runSettings(run), Model: maps.Clone(first.MayDiffer)}
	for k := range b.Settings { // of the run itself: both were computed under these
		delete(b.Model, k)
	}
	for i := range run.Tasks {
		t := &run.Tasks[i]
		bt := BaselineTask{Name: t.Name, Settings: taskSettings(run, t), N: len(t.Documents)}
		bt.Documents, bt.Prompts = hashDocuments(t)
		m := BaselineMetric{Name: compare.KL, Formula: compare.Mean, AllowedDrop: most}
		for _, d := range t.Documents {
			v := d.Values[0]
			v.Value = 0
			m.Values = append(m.Values, v)
		}
		bt.Metrics = []BaselineMetric{m}
		b.Tasks = append(b.Tasks, bt)
	}
	return b
}

// From is the model that a baseline's divergences are measured from; "" of a baseline of scores, and of nil.
func (b *Baseline) From() string {
	if b == nil {
		return ""
	}
	return b.Settings[compare.KLFrom]
}

// ForKL is the policy for divergences, of which what is not shown to be within its bound is a failure
// unless the policy says otherwise. p may be nil.
func (p *Policy) ForKL() *Policy {
	out, fail := Policy{}, true
	if p != nil {
		out = *p
	}
	if out.FailInconclusive == nil {
		out.FailInconclusive = &fail
	}
	return &out
}

// divergenceInterval puts the interval of 'compare --kl' in the place of a comparison's: the jackknife's,
// over documents or clusters, of Σ difference / Σ tokens. No divergence is below 0.
func divergenceInterval(c *compare.Result, was, now []compare.Value, clusters []string, level float64) error {
	var l stats.List
	for k := range now {
		if was[k].Scored && now[k].Scored {
			l.Values, l.Weights, l.Clusters = append(l.Values, now[k].Value-was[k].Value), append(l.Weights, now[k].Weight), append(l.Clusters, clusters[k])
		}
	}
	e, err := stats.Ratio(l, level)
	if err != nil {
		return err
	}
	c.SE, c.Low, c.High = e.SE, max(e.Low, -c.A), e.High
	for _, w := range c.Comparison.Warnings {
		if w.Code == stats.Skewed || w.Code == stats.Dominated {
			e.Warnings = append(e.Warnings, w)
		}
	}
	c.Comparison.Warnings = e.Warnings
	return nil
}

// shown is a value of the metric, and signed a difference, as reports write them: a
// divergence that is small is not 0.0000.
func (m *Metric) shown(n rundir.Number) string {
	if m.Metric == compare.KL {
		return text.Nats(n)
	}
	return text.Decimal(n)
}

func (m *Metric) signed(n rundir.Number) string {
	switch {
	case m.Metric != compare.KL:
		return text.Signed(n)
	case n > 0:
		return "+" + text.Nats(n)
	}
	return text.Nats(n)
}
