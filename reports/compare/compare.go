package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// Schema is the version of a Comparison's JSON.
const Schema = 2

// Options of a comparison. The zero value is the default.
type Options struct {
	// Map names tasks of lm-evaluation-harness as the other side calls them: whose
	// settings are its own then, as its version, need not be the same.
	Map       map[string]string
	Intersect bool    // compare what both sides have, and leave out the rest with a note
	Level     float64 // of the tests, 0: 0.05; intervals have confidence 1 - Level
	Draws     int     // of bootstrap and sign flips, 0: stats.DefaultDraws
	Seed      uint64  // 0: stats.DefaultSeed
	// Effect is a difference named beforehand, for Metric.Needed: of a share as it is
	// (0.01: one point), of anything else as a part of its value. 0: none.
	Effect float64
	// ByDocument compares perplexities and bits per byte by their mean log ratio over
	// documents, each counting the same, and not over the sum of all documents.
	ByDocument bool
	// Names are what notes, warnings and refusals call the runs; empty: A and B.
	Names [2]string
}

// Comparison is what two runs say about each other. Its JSON has every number
// that a table or a page shows of it; a number that cannot be given is null.
type Comparison struct {
	Schema      int       `json:"schema"`
	A           SideInfo  `json:"a"`
	B           SideInfo  `json:"b"`
	Level       float64   `json:"level"`      // of the tests
	Confidence  float64   `json:"confidence"` // of the intervals, in percent
	Power       float64   `json:"power"`      // of the detectable differences, in percent
	Draws       int       `json:"draws"`
	Seed        uint64    `json:"seed"`
	Intersected bool      `json:"intersected,omitempty"`
	Effect      float64   `json:"effect,omitempty"`      // the difference that Needed is about
	ByDocument  bool      `json:"by_document,omitempty"` // perplexities are means over documents
	Summary     Summary   `json:"summary"`
	Metrics     []Metric  `json:"metrics"`
	Diagnostics []Change  `json:"diagnostics,omitempty"`
	Settings    []Setting `json:"settings_that_differ,omitempty"`
	Notes       []string  `json:"notes,omitempty"`
	Warnings    []string  `json:"warnings,omitempty"`
}

// SideInfo says which run a side is.
type SideInfo struct {
	Name      string `json:"name"`
	Path      string `json:"path,omitempty"`
	Format    Format `json:"format"`
	ModelType string `json:"model_type,omitempty"`
	Attention string `json:"attention,omitempty"`
	DType     string `json:"dtype,omitempty"`
	Model     string `json:"model_sha256,omitempty"`
}

// Summary counts the verdicts on the tasks' primary metrics.
type Summary struct {
	Tasks  int `json:"tasks"`
	Better int `json:"better"`
	Worse  int `json:"worse"`
	Noise  int `json:"noise"`
}

// Metric is one metric of one task on both sides. Differences are B - A in the
// metric's own unit.
type Metric struct {
	Task   string `json:"task"`
	Metric string `json:"metric"`
	// Primary says that it is the task's first metric. The primary metrics of all
	// tasks are one family for Holm's correction; all others are another.
	Primary        bool          `json:"primary"`
	HigherIsBetter bool          `json:"higher_is_better"`
	N              int           `json:"n"`
	Clusters       int           `json:"clusters,omitempty"`     // groups of documents that are not independent
	ClusteredBy    string        `json:"clustered_by,omitempty"` // what they share
	A              rundir.Number `json:"a"`
	B              rundir.Number `json:"b"`
	Difference     rundir.Number `json:"difference"`
	Low            rundir.Number `json:"low"` // of the difference's interval, uncorrected
	High           rundir.Number `json:"high"`
	P              rundir.Number `json:"p"`
	// By Holm's correction: the verdict rests on these. The interval is at the level
	// that Holm's step gives this metric, and leaves out 0 only where p is below Level.
	Adjusted     rundir.Number `json:"p_adjusted"`
	LowAdjusted  rundir.Number `json:"low_adjusted"`
	HighAdjusted rundir.Number `json:"high_adjusted"`
	Test         string        `json:"test"`
	// OnlyA and OnlyB count the documents that are right on one side alone, nil
	// for metrics that are no share.
	OnlyA *int `json:"only_a,omitempty"`
	OnlyB *int `json:"only_b,omitempty"`
	// Detectable is the smallest difference that so many documents would show in
	// Power percent of cases.
	Detectable rundir.Number `json:"detectable"`
	// Needed is how many documents show a difference of Effect in Power percent of
	// cases, NeededClusters in how many clusters; 0 where none was named or that
	// cannot be told.
	Needed         int `json:"needed_for_effect"`
	NeededClusters int `json:"needed_clusters_for_effect"`
	// Floor is what rounding alone may make of the difference; 0: not known.
	Floor     rundir.Number `json:"arithmetic_floor"`
	Verdict   Verdict       `json:"verdict"`
	Identical bool          `json:"identical,omitempty"` // answers equal to the bit on every document
	// SameOutcomes: the same right and wrong answers, of outputs that differ.
	SameOutcomes bool `json:"same_outcomes,omitempty"`
	// WithinArithmetic: the difference is not above Floor.
	WithinArithmetic bool     `json:"within_arithmetic,omitempty"`
	PairedBy         string   `json:"paired_by"`
	Warnings         []string `json:"warnings,omitempty"`
}

// Verdict is what the adjusted p and the direction of the difference say of B.
type Verdict string

const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Noise  Verdict = "no difference shown"
)

// Compare compares B with A. Runs that did not do the same are refused with an
// *Incomparable that lists what differs.
func Compare(a, b *Side, o Options) (*Comparison, error) {
	o.Names = [2]string{cmp.Or(o.Names[0], "A"), cmp.Or(o.Names[1], "B")}
	a, b, renamed, err := rename(a, b, o)
	if err != nil {
		return nil, err
	}
	pairs, notes, err := pair(a, b, o)
	if err != nil {
		return nil, err
	}
	if o.Level == 0 {
		o.Level = 0.05
	}
	if o.Draws == 0 {
		o.Draws = stats.DefaultDraws
	}
	if o.Seed == 0 {
		o.Seed = stats.DefaultSeed
	}
	c := &Comparison{
		Schema: Schema, A: a.info(), B: b.info(), Level: o.Level, Confidence: percentOf(1 - o.Level), Power: percentOf(stats.Power),
		Draws: o.Draws, Seed: o.Seed, Intersected: o.Intersect, Effect: o.Effect, ByDocument: o.ByDocument, Metrics: []Metric{}, Notes: append(renamed, notes...),
	}
	c.Settings = differing("", a.May, b.May)
	for _, side := range []*Side{a, b} {
		c.Notes = append(c.Notes, side.Notes...)
	}
	if a.Format == Harness || b.Format == Harness {
		c.Notes = append(c.Notes, "lm-evaluation-harness records no hash of the tokenizer: that both sides have the same one could not be checked in full")
	}
	for _, n := range []string{ClusterNote(a, b), tokenizerNote(a, b)} {
		if n != "" {
			c.Notes = append(c.Notes, n)
		}
	}
	if err := c.measure(pairs, a.rounding().or(b.rounding()), o); err != nil {
		return nil, err
	}
	if err := c.compareDiagnostics(a, b, o); err != nil {
		return nil, err
	}
	c.remark(pairs, o.Names)
	return c, nil
}

// percentOf is a share in percent, without the last bits of the subtraction.
func percentOf(share float64) float64 { return math.Round(1e10*share) / 1e8 }

func (s *Side) info() SideInfo {
	i := SideInfo{Name: s.Name, Path: s.Path, Format: s.Format}
	if s.Manifest != nil {
		set := s.Manifest.Settings
		i.ModelType, i.Attention, i.DType, i.Model = s.Manifest.Model.Type, set.Attention, set.DType, set.ModelSHA256
	}
	return i
}

// measure compares all metrics that both sides have.
func (c *Comparison) measure(pairs []taskPair, rounding Arithmetic, o Options) error {
	type place struct {
		pair *taskPair
		i, j int // the metric's place on either side
	}
	var todo []place
	families := map[bool]int{} // by whether the metric is primary
	for k := range pairs {
		p := &pairs[k]
		first := true
		for i, m := range p.a.Metrics {
			j := p.b.metric(m.Name)
			if j < 0 {
				c.Notes = append(c.Notes, fmt.Sprintf("task %s: only %s has %s", p.a.Name, o.Names[0], m.Name))
				continue
			}
			todo = append(todo, place{p, i, j})
			families[first]++
			first = false
		}
		for _, m := range p.b.Metrics {
			if p.a.metric(m.Name) < 0 {
				c.Notes = append(c.Notes, fmt.Sprintf("task %s: only %s has %s", p.b.Name, o.Names[1], m.Name))
			}
		}
		if first {
			return &Incomparable{[]string{fmt.Sprintf("task %s: no metric is in both", p.a.Name)}}
		}
	}
	results := make([]*Result, len(todo))
	family := map[bool][]*stats.Comparison{}
	for k, t := range todo {
		primary := k == 0 || todo[k-1].pair != t.pair
		r, err := t.pair.difference(t.i, t.j, stats.Options{Level: o.Level, Draws: o.Draws, Seed: o.Seed, Family: families[primary],
			Effect: o.Effect, Names: o.Names}, rounding, o.ByDocument)
		if err != nil {
			return fmt.Errorf("task %s: metric %s: %w", t.pair.a.Name, t.pair.a.Metrics[t.i].Name, err)
		}
		results[k] = r
		family[primary] = append(family[primary], &r.Comparison)
	}
	for _, f := range family {
		if err := stats.Adjust(f); err != nil {
			return err
		}
	}
	first := 0 // the task's first metric
	for k, r := range results {
		t := todo[k]
		primary := k == 0 || todo[k-1].pair != t.pair
		if primary {
			first = k
		}
		// The same evidence has the same verdict, in whichever family it stands.
		if x := results[first]; r.P == x.P && r.Diff == x.Diff {
			r.PAdjusted, r.LowAdjusted, r.HighAdjusted = x.PAdjusted, x.LowAdjusted, x.HighAdjusted
		}
		m := newMetric(t.pair, t.i, primary, r)
		if m.Primary {
			c.Summary.count(m.Verdict)
		}
		c.Metrics = append(c.Metrics, m)
	}
	switch texts := slices.ContainsFunc(todo, func(t place) bool { return t.pair.a.Metrics[t.i].Formula != Mean }); {
	case c.ByDocument && !texts:
		c.Notes = append(c.Notes, "--by-document is about perplexities and bits per byte, and there are none")
	case c.ByDocument:
		c.Notes = append(c.Notes, "perplexities and bits per byte are means over documents, each counting the same (of the logarithm)")
	}
	return nil
}

// difference compares metric i of A with metric j of B over the documents that
// both scored.
func (p *taskPair) difference(i, j int, o stats.Options, rounding Arithmetic, byDocument bool) (*Result, error) {
	m := p.a.Metrics[i]
	if m.HigherIsBetter != p.b.Metrics[j].HigherIsBetter {
		return nil, fmt.Errorf("higher is better for one side and worse for the other")
	}
	va, vb := make([]Value, len(p.pairs)), make([]Value, len(p.pairs))
	tokens := make([]int, len(p.pairs))
	unchanged := true
	for k, ij := range p.pairs {
		tokens[k] = max(p.a.Documents[ij[0]].Tokens, p.b.Documents[ij[1]].Tokens)
		x, y := p.a.Documents[ij[0]].Answer, p.b.Documents[ij[1]].Answer
		unchanged = unchanged && x != "" && x == y
		va[k], vb[k] = p.a.Documents[ij[0]].Values[i], p.b.Documents[ij[1]].Values[j]
	}
	o.Rounding = rounding.Of(va, tokens)
	if byDocument && m.Formula != Mean {
		var share float64
		va, share = ByDocument(va)
		vb, _ = ByDocument(vb)
		o.Rounding *= share
	}
	return Difference(m, va, vb, p.clusters, unchanged, o)
}

// ByDocument are the values with each document counting the same: of a perplexity
// they give the geometric mean of the documents'. One without weight has no part.
// share is, in the mean, what a value has of what a document's had.
func ByDocument(values []Value) (out []Value, share float64) {
	out = make([]Value, len(values))
	n := 0
	for i, v := range values {
		if v.Scored && v.Weight > 0 {
			out[i] = Value{v.Value / v.Weight, 1, true}
			share += 1 / v.Weight
			n++
		}
	}
	return out, share / float64(max(1, n))
}

// Result is what statistics say of one metric.
type Result struct {
	stats.Comparison
	Binary   bool     // all values are 0 or 1
	Warnings []string // of the documents; see Texts
}

// Difference compares a metric over paired documents. Documents without a part
// in it on either side are left out, with a warning where the sides differ. A
// document without a cluster stands alone. unchanged says that the model's answers
// are equal to the bit.
func Difference(m MetricInfo, a, b []Value, clusters []string, unchanged bool, o stats.Options) (*Result, error) {
	p := stats.Pairs{Unchanged: unchanged}
	r := Result{Binary: m.Formula == Mean}
	unscored, weighted := 0, false
	for k := range a {
		if a[k].Scored != b[k].Scored {
			unscored++
		}
		if !a[k].Scored || !b[k].Scored {
			continue
		}
		p.A, p.B = append(p.A, a[k].Value), append(p.B, b[k].Value)
		p.Weights = append(p.Weights, a[k].Weight)
		weighted = weighted || a[k].Weight != 1
		for _, v := range []float64{a[k].Value, b[k].Value} {
			r.Binary = r.Binary && (v == 0 || v == 1)
		}
		p.Clusters = append(p.Clusters, clusters[k])
	}
	if len(p.A) == 0 {
		return nil, fmt.Errorf("no document has a score on both sides")
	}
	if !weighted {
		p.Weights = nil
	}
	p.Clusters = stats.Shared(p.Clusters)
	if unscored > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d documents have a score on one side only: left out", unscored))
	}
	o.LowerIsBetter = !m.HigherIsBetter
	if o.Transform = m.Formula.Transform(); o.Transform == stats.Share {
		o.Rounding = 0 // of loglikelihoods; a document is right or wrong
	}
	var err error
	if r.Comparison, err = stats.Compare(p, o); err != nil {
		return nil, err
	}
	return &r, nil
}

// Texts are the result's warnings, those of its statistics after its own.
func (r *Result) Texts() []string {
	return append(slices.Clone(r.Warnings), stats.Texts(r.Comparison.Warnings)...)
}

func newMetric(p *taskPair, i int, primary bool, r *Result) Metric {
	info := p.a.Metrics[i]
	has := func(code stats.Code) bool { return stats.Has(r.Comparison.Warnings, code) }
	m := Metric{
		Task: p.a.Name, Metric: info.Name, Primary: primary, HigherIsBetter: info.HigherIsBetter, N: r.N, Clusters: r.Clusters, ClusteredBy: p.clusteredBy(r.Clusters),
		A: rundir.Number(r.A), B: rundir.Number(r.B), Difference: rundir.Number(r.Diff), Low: rundir.Number(r.Low), High: rundir.Number(r.High),
		P: rundir.Number(r.P), Adjusted: rundir.Number(r.PAdjusted), LowAdjusted: rundir.Number(r.LowAdjusted), HighAdjusted: rundir.Number(r.HighAdjusted),
		Test: string(r.Test), Detectable: rundir.Number(r.MDE), Needed: r.NeededN, NeededClusters: r.NeededClusters, Floor: rundir.Number(r.Floor),
		Verdict: verdictOf(&r.Comparison), Identical: has(stats.Identical), SameOutcomes: has(stats.SameOutcomes), WithinArithmetic: has(stats.Arithmetic),
		PairedBy: keyNames[p.by], Warnings: r.Texts(),
	}
	if r.Binary {
		m.OnlyA, m.OnlyB = &r.AHigher, &r.BHigher
	}
	return m
}

func verdictOf(r *stats.Comparison) Verdict {
	switch r.Verdict() {
	case stats.Better:
		return Better
	case stats.Worse:
		return Worse
	}
	return Noise
}

func (s *Summary) count(v Verdict) {
	s.Tasks++
	switch v {
	case Better:
		s.Better++
	case Worse:
		s.Worse++
	default:
		s.Noise++
	}
}

// remark says what holds for the comparison as a whole.
func (c *Comparison) remark(pairs []taskPair, names [2]string) {
	same := true
	for _, p := range pairs {
		same = same && p.a.Fingerprint == p.b.Fingerprint && len(p.pairs) == len(p.a.Documents)
		for _, n := range p.notes {
			c.Notes = append(c.Notes, "task "+p.a.Name+": "+n)
		}
		if p.a.Truncated >= 0 && p.b.Truncated >= 0 && p.a.Truncated != p.b.Truncated {
			c.Warnings = append(c.Warnings, fmt.Sprintf("task %s: %d requests lost their beginning in %s and %d in %s", p.a.Name, p.a.Truncated, names[0], p.b.Truncated, names[1]))
		}
	}
	if same {
		c.Warnings = append(c.Warnings, "the runs are identical: every answer is the same to the last bit")
	}
}
