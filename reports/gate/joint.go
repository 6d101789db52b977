package gate

import (
	"fmt"
	"slices"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/stats"
)

// Joint is the decision over all required metrics together. Each metric's own decision is wrong
// with a chance of its own, and among many one is wrong soon. Here the chance that any of them is
// called regressed which did not drop by more than is allowed is that of one.
type Joint struct {
	Decision stats.Decision `json:"decision"` // pass where every metric passes, regressed where one is so jointly
	// Regressed are those that regressed jointly, as task and metric.
	Regressed []string `json:"regressed,omitempty"`
	Metrics   int      `json:"metrics"` // required ones, which share the chance
	// Decides: the policy lets the job fail by this decision and not by each metric's.
	Decides bool `json:"decides,omitempty"`
}

// jointly says whether the joint decision is the job's.
func (p *Policy) jointly() bool { return p != nil && p.ErrorRate == overAll }

// joint finds what regressed with the chance of a false alarm shared by all required metrics, by
// Holm's procedure: a metric that regresses with an m-th of the chance is out, and the others
// share the whole chance among m-1. A metric that does not regress by itself does not jointly.
func (r *Result) joint(run *compare.Side, b *Baseline, p *Policy, same bool, out quarantined) error {
	required, open := 0, []*Metric(nil)
	all := true // pass
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if !m.Required {
			continue
		}
		required++
		all = all && m.Decision == stats.Pass
		if m.Decision == stats.Regressed {
			open = append(open, m)
		}
	}
	j := &Joint{Decision: stats.Inconclusive, Metrics: required, Decides: p.jointly()}
	for found := true; found && len(open) > 0; {
		found = false
		share := required - len(j.Regressed)
		var left []*Metric
		for _, m := range open {
			decision, err := r.decideShared(run, b, p, same, out, m, share)
			if err != nil {
				return err
			}
			if decision != stats.Regressed {
				left = append(left, m)
				continue
			}
			found, m.RegressedJointly = true, true
			j.Regressed = append(j.Regressed, m.Task+" "+m.Metric)
		}
		open = left
	}
	slices.Sort(j.Regressed)
	switch {
	case len(j.Regressed) > 0:
		j.Decision = stats.Regressed
	case all:
		j.Decision = stats.Pass
	}
	if j.Decides {
		for i := range r.Metrics {
			if m := &r.Metrics[i]; m.Required && m.Decision == stats.Regressed && !m.RegressedJointly {
				m.Fails = p.failsInconclusive(p.rule(m.Task, m.Metric))
			}
		}
	}
	r.Joint = j
	return nil
}

// decideShared is a metric's decision where so many share the chance of a false alarm.
func (r *Result) decideShared(run *compare.Side, b *Baseline, p *Policy, same bool, out quarantined, m *Metric, share int) (stats.Decision, error) {
	if share == 1 {
		return m.Decision, nil
	}
	if g := b.group(m.Task); g != nil {
		k := slices.IndexFunc(g.Metrics, func(x BaselineMetric) bool { return x.Name == m.Metric })
		again, _, err := b.judgeGroup(run, g, k, p, same, out, share)
		if err != nil {
			return "", fmt.Errorf("group %s: metric %s: %w", m.Task, m.Metric, err)
		}
		if again != nil {
			return again.Decision, nil
		}
		return m.Decision, nil
	}
	for i := range b.Tasks {
		bt := &b.Tasks[i]
		if bt.Name != m.Task {
			continue
		}
		t := run.Task(bt.Name)
		again, _, err := bt.judge(b.metric(m.Task, m.Metric), t, p, judging{
			unchanged: bt.unchanged(t, same), arithmetic: compare.ArithmeticOf(run.Format, run.MayDiffer["dtype"]), out: out, shared: share,
		})
		if err != nil {
			return "", fmt.Errorf("task %s: metric %s: %w", m.Task, m.Metric, err)
		}
		if again != nil {
			return again.Decision, nil
		}
	}
	return m.Decision, nil
}

// JointLine says in a line what the joint decision is; "" where it adds nothing to the metrics' own.
func (r *Result) JointLine() string {
	j := r.Joint
	if j == nil || j.Metrics < 2 {
		return ""
	}
	alone := 0
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Required && m.Decision == stats.Regressed && !m.RegressedJointly {
			alone++
		}
	}
	decides := ""
	if j.Decides {
		decides = "; this decides (error_rate: all)"
	}
	switch {
	case len(j.Regressed) > 0 && alone == 0:
		return fmt.Sprintf("over all %d required metrics together: regressed, each of them also with the chance of a false alarm shared by all%s", j.Metrics, decides)
	case len(j.Regressed) > 0:
		return fmt.Sprintf("over all %d required metrics together: %d regressed, %d only by %s: among so many, chance finds such a drop too%s", j.Metrics, len(j.Regressed), alone, itself(alone), decides)
	case alone > 0:
		return fmt.Sprintf("over all %d required metrics together: inconclusive: %d regressed only by %s, which chance does among so many%s", j.Metrics, alone, itself(alone), decides)
	}
	return fmt.Sprintf("over all %d required metrics together: %s%s", j.Metrics, j.Decision, decides)
}

func itself(n int) string {
	if n == 1 {
		return "itself"
	}
	return "themselves"
}
