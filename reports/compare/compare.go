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
	// Divergences are how far B's distributions of the next token are from A's, for
	// Comparison.KL; nil: not measured.
	Divergences []rundir.DivergenceRecord
	// Names are what notes, warnings and refusals call the runs; empty: A and B.
	Names [2]string
}

// Comparison is what two runs say about each other. Its JSON has every number
// that a table or a page shows of it; a number that cannot be given is null.
type Comparison struct {
	Schema      int      `json:"schema"`
	A           SideInfo `json:"a"`
	B           SideInfo `json:"b"`
	Level       float64  `json:"level"`      // of the tests
	Confidence  float64  `json:"confidence"` // of the intervals, in percent
	Power       float64  `json:"power"`      // of the detectable differences, in percent
	Draws       int      `json:"draws"`
	Seed        uint64   `json:"seed"`
	Intersected bool     `json:"intersected,omitempty"`
	Effect      float64  `json:"effect,omitempty"`      // the difference that Needed is about
	ByDocument  bool     `json:"by_document,omitempty"` // perplexities are means over documents
	Summary     Summary  `json:"summary"`
	Metrics     []Metric `json:"metrics"`
	// Groups are of tasks together; the summary does not count them.
	Groups      []GroupDifference `json:"groups,omitempty"`
	Diagnostics []Change          `json:"diagnostics,omitempty"`
	// KL is how far B's distributions of the next token are from A's; nil where that was not asked for.
	KL       *Divergence `json:"kl,omitempty"`
	Settings []Setting   `json:"settings_that_differ,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`

	results []*Result // of Metrics
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
	Same   int `json:"same"` // of those of Noise: equal answers, or equal but for rounding
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
	// By Holm's correction over Tests comparisons: the verdict rests on these. The interval
	// is at the level that Holm's step gives this metric, and leaves out 0 only where p is
	// below Level. Of a single comparison they are the uncorrected ones.
	Tests        int           `json:"tests"`
	Adjusted     rundir.Number `json:"p_adjusted"`
	LowAdjusted  rundir.Number `json:"low_adjusted"`
	HighAdjusted rundir.Number `json:"high_adjusted"`
	Test         string        `json:"test"`
	// Ratio says of perplexities and bits how many times better B is: A's perplexity over
	// B's, above 1 where B is better, with the interval that decides, which is of the
	// logarithm. Null of other metrics, and where test and interval of the logarithm
	// disagree, a close call that the verdict takes for no difference.
	Ratio     rundir.Number `json:"ratio"`
	RatioLow  rundir.Number `json:"ratio_low_adjusted"`
	RatioHigh rundir.Number `json:"ratio_high_adjusted"`
	// OnlyA and OnlyB count the documents that are right on one side alone, nil
	// for metrics that are not shares.
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

// Same says that the answers are equal, or differ by rounding alone.
func (m *Metric) Same() bool { return m.Identical || m.WithinArithmetic }

// Alone says that the uncorrected interval shows a difference which the corrected one does
// not: one of several comparisons shows that much by chance too often.
func (m *Metric) Alone() bool {
	return m.Verdict == Noise && !m.Same() && (m.Low > 0 || m.High < 0)
}

// Corrected says whether any of the metrics is one of several comparisons.
func (c *Comparison) Corrected() bool {
	return slices.ContainsFunc(c.Metrics, func(m Metric) bool { return m.Tests > 1 })
}

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
	o.Level = cmp.Or(o.Level, 0.05)
	o.Draws = cmp.Or(o.Draws, stats.DefaultDraws)
	o.Seed = cmp.Or(o.Seed, stats.DefaultSeed)
	c := &Comparison{
		Schema: Schema, A: a.info(), B: b.info(), Level: o.Level, Confidence: percentOf(1 - o.Level), Power: percentOf(stats.Power),
		Draws: o.Draws, Seed: o.Seed, Intersected: o.Intersect, Effect: o.Effect, ByDocument: o.ByDocument, Metrics: []Metric{}, Notes: append(renamed, notes...),
	}
	c.Settings = differing("", a.MayDiffer, b.MayDiffer)
	for _, side := range []*Side{a, b} {
		for _, n := range side.Notes {
			if !slices.Contains(c.Notes, n) {
				c.Notes = append(c.Notes, n)
			}
		}
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
	if err := c.compareGroups(a, b, pairs, a.rounding().or(b.rounding()), o); err != nil {
		return nil, err
	}
	if err := c.compareDiagnostics(a, b, o); err != nil {
		return nil, err
	}
	c.remark(pairs, o.Names)
	if o.Divergences != nil {
		c.KL, err = Diverge(b, o.Divergences, o.Level)
	}
	return c, err
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

func (s *Summary) count(m *Metric) {
	s.Tasks++
	if m.Same() {
		s.Same++
	}
	switch m.Verdict {
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
	same := len(pairs) > 0
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
