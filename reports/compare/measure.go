package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

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
	family, logs := map[bool][]*stats.Comparison{}, map[bool][]*stats.Comparison{}
	for k, t := range todo {
		primary := k == 0 || todo[k-1].pair != t.pair
		r, err := t.pair.difference(t.i, t.j, stats.Options{Level: o.Level, Draws: o.Draws, Seed: o.Seed, Family: families[primary],
			Effect: o.Effect, Names: o.Names}, rounding, o.ByDocument)
		if err != nil {
			return fmt.Errorf("task %s: metric %s: %w", t.pair.a.Name, t.pair.a.Metrics[t.i].Name, err)
		}
		results[k] = r
		family[primary] = append(family[primary], &r.Comparison)
		logs[primary] = append(logs[primary], cmp.Or(r.log, &r.Comparison)) // by the same test
	}
	for primary := range family {
		if err := cmp.Or(stats.Adjust(logs[primary]), stats.Adjust(family[primary])); err != nil {
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
		m.Tests = families[primary]
		if m.Primary {
			c.Summary.count(&m)
		}
		c.Metrics, c.results = append(c.Metrics, m), append(c.results, r)
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
	// log is the same comparison of a perplexity's logarithm to the base 2, nil for others.
	log *stats.Comparison
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
	switch m.Formula {
	case Bits:
		r.log = &r.Comparison
	case Perplexity:
		o.Transform = stats.Bits
		o.Effect, o.Rounding = 0, 0
		log, err := stats.Compare(p, o)
		if err != nil {
			return nil, err
		}
		r.log = &log
	}
	return &r, nil
}

// ratio is how many times better B's perplexity is, with the interval that decides; NaN
// where there is none to give.
func (r *Result) ratio() (value, low, high rundir.Number) {
	nan := rundir.Number(math.NaN())
	if r.log == nil || r.log.Significant() != r.Significant() && !stats.Has(r.Comparison.Warnings, stats.Arithmetic) {
		return nan, nan, nan
	}
	of := func(bits float64) rundir.Number { return rundir.Number(math.Exp2(-bits)) }
	return of(r.log.Diff), of(r.log.HighAdjusted), of(r.log.LowAdjusted)
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
	m.Ratio, m.RatioLow, m.RatioHigh = r.ratio()
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
