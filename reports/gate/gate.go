package gate

import (
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// Schema is the version of a Result's JSON.
const Schema = 2

// Result is a gate's decision and what it rests on. Its JSON has every number
// that a report of it shows; one that cannot be given is null.
type Result struct {
	Schema   int            `json:"schema"`
	Run      string         `json:"run"`
	Baseline string         `json:"baseline"`
	Decision stats.Decision `json:"decision"` // the worst on a required metric
	// Fails says that the job is to fail: a required metric regressed, or is
	// inconclusive where the policy says that this fails.
	Fails  bool    `json:"fails"`
	Power  float64 `json:"power"` // of the detectable drops, in percent
	Counts Counts  `json:"counts"`
	// Joint is the decision with one chance of a false alarm over all required metrics.
	Joint   *Joint   `json:"joint,omitempty"`
	Metrics []Metric `json:"metrics"`
	// Quarantined are documents that the policy leaves out.
	Quarantined []Quarantined `json:"quarantined,omitempty"`
	Warnings    []string      `json:"warnings,omitempty"`
	Notes       []string      `json:"notes,omitempty"`
}

// Counts are the decisions on required metrics.
type Counts struct {
	Pass         int `json:"pass"`
	Regressed    int `json:"regressed"`
	Inconclusive int `json:"inconclusive"`
}

// Metric is one metric's decision, of a task or of a group. Drops are positive where the run is worse,
// whatever the metric's direction.
type Metric struct {
	Task     string         `json:"task"`
	Metric   string         `json:"metric"`
	Decision stats.Decision `json:"decision"`
	Required bool           `json:"required"`
	// Fails says that this metric makes the job fail.
	Fails          bool          `json:"fails"`
	HigherIsBetter bool          `json:"higher_is_better"`
	N              int           `json:"n"`
	Baseline       rundir.Number `json:"baseline"`
	Run            rundir.Number `json:"run"`
	Difference     rundir.Number `json:"difference"` // run - baseline
	Low            rundir.Number `json:"low"`
	High           rundir.Number `json:"high"`
	Confidence     float64       `json:"confidence"` // of the interval, in percent
	Test           string        `json:"test"`
	Drop           rundir.Number `json:"drop"`
	AllowedDrop    rundir.Number `json:"allowed_drop"`
	// Rule is what a regression has to show.
	Rule stats.Rule `json:"regressed_when"`
	// Detectable is the smallest true drop that is called a regression in Power
	// percent of cases.
	Detectable rundir.Number `json:"detectable_drop"`
	// Needed is, of an inconclusive metric, how many documents let a run that is as
	// good as the baseline pass in Power percent of cases, NeededClusters in how many
	// clusters; 0 where no number does.
	Needed         int `json:"needed_to_pass"`
	NeededClusters int `json:"needed_clusters_to_pass,omitempty"`
	Clusters       int `json:"clusters,omitempty"`
	// Tasks is, of a group's metric, over how many it is.
	Tasks int `json:"tasks,omitempty"`
	// Unchanged: the answers are equal to the bit, or those of the same checkpoint.
	Unchanged  bool `json:"unchanged,omitempty"`
	ByDocument bool `json:"by_document,omitempty"`
	// Worse and Better count documents that changed, nil for metrics that are not shares.
	Worse  *int `json:"worse,omitempty"`
	Better *int `json:"better,omitempty"`
	// WorseDocuments are those that got worse, the most so first, at most mostDocuments.
	WorseDocuments []DocumentDrop `json:"worse_documents,omitempty"`
	// RegressedJointly: it regressed with the chance of a false alarm shared by all required metrics.
	RegressedJointly bool     `json:"regressed_jointly,omitempty"`
	Warnings         []string `json:"warnings,omitempty"`

	// skewed is the one of Warnings that makes a pass less sure too; "": none.
	skewed string
}

// Check holds a run against a baseline. A run that did not do the same is refused
// with an *Unfit that lists what differs; so is one of which no metric is required.
func Check(run *compare.Side, b *Baseline, p *Policy) (*Result, error) {
	r := &Result{Schema: Schema, Run: run.Name, Power: percent(stats.Power), Metrics: []Metric{}}
	reasons := append(p.unused(b), b.unlike(run, p)...)
	out, why := p.quarantine(run)
	reasons = append(reasons, why...)
	r.Quarantined = out.list
	r.Notes = append(r.Notes, out.notes()...)
	r.Warnings = append(r.Warnings, out.ended...)
	same := b.sameCheckpoint(run)
	for i := range b.Tasks {
		why, err := r.checkTask(run, &b.Tasks[i], p, same, out)
		if err != nil {
			return nil, err
		}
		reasons = append(reasons, why...)
	}
	for i := range b.Groups {
		why, err := r.checkGroup(run, b, &b.Groups[i], p, same, out)
		if err != nil {
			return nil, err
		}
		reasons = append(reasons, why...)
	}
	if len(reasons) > 0 {
		return nil, &Unfit{reasons}
	}
	if !slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Required }) {
		return nil, &Unfit{[]string{"no metric of it is required, so that the gate could not fail"}}
	}
	for _, t := range run.Tasks {
		for _, m := range t.Metrics {
			if b.metric(t.Name, m.Name) == nil {
				r.Notes = append(r.Notes, fmt.Sprintf("task %s: metric %s is not in the baseline; --update adds it", t.Name, m.Name))
			}
		}
	}
	for i := range r.Metrics {
		if why := r.Metrics[i].cannotRegress(); why != "" {
			r.Notes = append(r.Notes, why)
		}
	}
	changed := slices.ContainsFunc(r.Metrics, func(m Metric) bool { return m.Difference != 0 })
	warnings, notes := b.remarks(run, changed)
	r.Warnings, r.Notes = append(r.Warnings, warnings...), append(r.Notes, notes...)
	if n := compare.ClusterNote(run); n != "" {
		r.Notes = append(r.Notes, n)
	}
	if err := r.joint(run, b, p, same, out); err != nil {
		return nil, err
	}
	r.decide(p)
	return r, nil
}

// checkTask judges a task's metrics. reasons are why the run is unfit; where the
// policy requires none of the metrics concerned, they are notes instead. same says
// that the run is of the baseline's checkpoint.
func (r *Result) checkTask(run *compare.Side, bt *BaselineTask, p *Policy, same bool, out quarantined) (reasons []string, err error) {
	refuse := func(optional bool, why ...string) {
		if optional {
			for _, w := range why {
				r.Notes = append(r.Notes, w+"; not judged, and the policy does not require it")
			}
			return
		}
		reasons = append(reasons, why...)
	}
	allOptional := !slices.ContainsFunc(bt.Metrics, func(m BaselineMetric) bool { return p.required(bt.Name, m.Name) })
	t := run.Task(bt.Name)
	if t == nil {
		refuse(allOptional, fmt.Sprintf("task %s is missing in the run", bt.Name))
		return reasons, nil
	}
	if why := bt.unlike(run, t); len(why) > 0 {
		refuse(allOptional, why...)
		return reasons, nil
	}
	unchanged := bt.unchanged(t, same)
	arithmetic := compare.ArithmeticOf(run.Format, run.MayDiffer["dtype"])
	for k := range bt.Metrics {
		bm := &bt.Metrics[k]
		m, why, err := bt.judge(bm, t, p, judging{unchanged: unchanged, arithmetic: arithmetic, out: out, shared: 1})
		switch {
		case err != nil:
			return nil, fmt.Errorf("task %s: metric %s: %w", bt.Name, bm.Name, err)
		case why != "":
			refuse(!p.required(bt.Name, bm.Name), fmt.Sprintf("task %s: metric %s %s", bt.Name, bm.Name, why))
		default:
			m.WorseDocuments = bt.worse(bm, t, run, m.HigherIsBetter, out)
			r.Metrics = append(r.Metrics, *m)
		}
	}
	return reasons, nil
}

// unchanged says that a task's answers are the baseline's, or of its checkpoint.
func (bt *BaselineTask) unchanged(t *compare.Task, same bool) bool {
	return same || bt.Answers != "" && bt.Answers == t.AnswersHash()
}

// judging is what a metric's decision rests on beside its numbers.
type judging struct {
	unchanged  bool // the same right and wrong answers are not chance
	arithmetic compare.Arithmetic
	out        quarantined
	shared     int // among how many metrics the chance of a false alarm is shared
}

// judge decides on one metric; why, not empty, says what makes the run unfit for it.
func (bt *BaselineTask) judge(bm *BaselineMetric, t *compare.Task, p *Policy, j judging) (m *Metric, why string, err error) {
	i := slices.IndexFunc(t.Metrics, func(x compare.MetricInfo) bool { return x.Name == bm.Name })
	if i < 0 {
		return nil, "is missing in the run", nil
	}
	rule := p.rule(bt.Name, bm.Name)
	info := compare.MetricInfo{Name: bm.Name, Formula: bm.Formula, HigherIsBetter: bm.HigherIsBetter}
	switch {
	case t.Metrics[i].Formula != bm.Formula:
		return nil, fmt.Sprintf("is a %s in the baseline and a %s in the run", bm.Formula, t.Metrics[i].Formula), nil
	case rule.HigherIsBetter != nil:
		info.HigherIsBetter = *rule.HigherIsBetter
	case t.Metrics[i].HigherIsBetter != bm.HigherIsBetter:
		return nil, "has another direction in the run", nil
	}
	documents, values := j.out.keep(t.Documents, bm.Values)
	if len(documents) == 0 {
		return nil, "has no document that is not quarantined", nil
	}
	now := make([]compare.Value, len(documents))
	lost, found, weights := 0, 0, 0
	for k, d := range documents {
		now[k] = d.Values[i]
		switch was := values[k]; {
		case was.Scored && !now[k].Scored:
			lost++
		case !was.Scored && now[k].Scored:
			found++
		case was.Scored && was.Weight != now[k].Weight:
			weights++
		}
	}
	switch {
	case lost > 0 || found > 0: // leaving out what a model fails at would hide a regression
		return nil, fmt.Sprintf("has no result in the run for %d documents that have one in the baseline, and %d the other way round", lost, found), nil
	case weights > 0:
		return nil, fmt.Sprintf("counts another number of words or bytes in %d documents", weights), nil
	}
	level := 0.05
	if rule.Confidence != 0 {
		level = math.Round(1e10*(1-rule.Confidence)) / 1e10
	}
	level /= float64(j.shared)
	tokens := make([]int, len(documents))
	for k, d := range documents {
		tokens[k] = d.Tokens
	}
	rounding := j.arithmetic.Of(values, tokens)
	byDocument := rule.ByDocument != nil && *rule.ByDocument && bm.Formula != compare.Mean
	if byDocument {
		var share float64
		values, share = compare.ByDocument(values)
		now, _ = compare.ByDocument(now)
		rounding *= share
	}
	clusters := compare.Clusters(documents)
	c, err := compare.Difference(info, values, now, clusters, j.unchanged, stats.Options{Level: level, Seed: stats.DefaultSeed, Rounding: rounding, Names: sides})
	if err == nil && bm.Name == compare.KL {
		err = divergenceInterval(c, values, now, clusters, level)
	}
	if err != nil {
		return nil, "", err
	}
	allowed := p.allowed(bt.Name, bm.Name, bm.Value, bm.AllowedDrop)
	g, err := stats.Gate(&c.Comparison, allowed, p.regressed(rule))
	if err != nil {
		return nil, "", err
	}
	m = &Metric{
		Task: bt.Name, Metric: bm.Name, Decision: g.Decision, Required: p.required(bt.Name, bm.Name), HigherIsBetter: info.HigherIsBetter, N: c.N,
		Baseline: rundir.Number(c.A), Run: rundir.Number(c.B), Difference: rundir.Number(c.Diff), Low: rundir.Number(c.Low), High: rundir.Number(c.High),
		Confidence: percent(1 - level), Test: string(c.Test), Drop: rundir.Number(g.Drop), AllowedDrop: rundir.Number(allowed),
		Rule: p.regressed(rule), Detectable: rundir.Number(g.Detectable), Needed: g.NeededN, NeededClusters: g.NeededClusters, Clusters: c.Clusters,
		Unchanged: j.unchanged && c.AHigher+c.BHigher == 0, ByDocument: byDocument, Warnings: c.Texts(),
	}
	if bm.Name == compare.KL && c.A == 0 { // as good as the baseline would be the same model
		m.Needed, m.NeededClusters = 0, 0
	}
	m.Fails = m.Required && (g.Decision == stats.Regressed || g.Decision == stats.Inconclusive && p.failsInconclusive(rule))
	for _, w := range c.Comparison.Warnings {
		if w.Code == stats.Skewed && !m.Unchanged {
			m.skewed = w.Text
		}
	}
	if c.Binary {
		m.Worse, m.Better = &c.AHigher, &c.BHigher
		if !info.HigherIsBetter {
			m.Worse, m.Better = m.Better, m.Worse
		}
	}
	return m, "", nil
}

// sides are what warnings call the two runs here.
var sides = [2]string{"the baseline", "the run"}

// cannotRegress says why a share can hardly fail the gate, "" where it can: it has less
// room to drop than the smallest drop that would be found.
func (m *Metric) cannotRegress() string {
	room := float64(m.Baseline)
	if !m.HigherIsBetter {
		room = 1 - room
	}
	name := fmt.Sprintf("%s %s", m.Task, m.Metric)
	switch {
	case !m.Required || m.Worse == nil:
		return ""
	case room == 0:
		return name + " cannot regress: the baseline is as low as can be"
	case float64(m.Detectable) > room || m.Test == string(stats.ExactMcNemar) && math.IsNaN(float64(m.Detectable)):
		return fmt.Sprintf("%s can hardly regress: from a baseline of %s, %d documents do not show a drop in %s%% of cases", name, text.Decimal(m.Baseline), m.N, text.Compact(percent(stats.Power)))
	}
	return ""
}

// percent is a share in percent, without the last bits of a subtraction.
func percent(share float64) float64 { return math.Round(1e10*share) / 1e8 }

// decide sums up: one regressed required metric is a regression, else one
// inconclusive makes the whole so.
func (r *Result) decide(p *Policy) {
	for _, m := range r.Metrics {
		if !m.Required {
			continue
		}
		r.Fails = r.Fails || m.Fails
		switch m.Decision {
		case stats.Regressed:
			if p.jointly() && !m.RegressedJointly { // by itself, and not beside so many others
				r.Counts.Inconclusive++
				continue
			}
			r.Counts.Regressed++
		case stats.Inconclusive:
			r.Counts.Inconclusive++
		default:
			r.Counts.Pass++
		}
	}
	switch {
	case r.Counts.Regressed > 0:
		r.Decision = stats.Regressed
	case r.Counts.Inconclusive > 0:
		r.Decision = stats.Inconclusive
	default:
		r.Decision = stats.Pass
	}
}
