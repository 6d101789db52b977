package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// Change is a number of the diagnostics of both models.
type Change struct {
	Name       string        `json:"name"`
	A          rundir.Number `json:"a"`
	B          rundir.Number `json:"b"`
	Difference rundir.Number `json:"difference"`
	// Of measures taken sample by sample: N samples of Clusters documents, the
	// interval, and the sign-flip test's p over the documents. All such measures are
	// one family for Holm's correction. Null and 0 where the measure is of the whole
	// model alone, and where the runs do not say which samples share a document.
	N        int           `json:"n,omitempty"`
	Clusters int           `json:"clusters,omitempty"`
	Low      rundir.Number `json:"low"`
	High     rundir.Number `json:"high"`
	P        rundir.Number `json:"p"`
	Adjusted rundir.Number `json:"p_adjusted"`
	// LowAdjusted and HighAdjusted are the interval that decides, as of a Metric.
	LowAdjusted  rundir.Number `json:"low_adjusted"`
	HighAdjusted rundir.Number `json:"high_adjusted"`
	Verdict      string        `json:"verdict,omitempty"` // higher, lower or no difference shown
	Warnings     []string      `json:"warnings,omitempty"`
}

// unknownDocuments is what is said of runs that cannot be tested.
const unknownDocuments = "diagnostics: neither run says which samples are of one document, as those of earlier versions do not: their differences have no interval and no test; run one of them again"

// compareDiagnostics sets the measures of diagnostics side by side:
// those of the whole model, and sample by sample where both runs kept them. Samples
// of one document are one unit, and the measures one family of tests.
func (c *Comparison) compareDiagnostics(sideA, sideB *Side, o Options) error {
	a, b := sideA.Manifest, sideB.Manifest
	for i, alone := range [2]bool{hasDiagnostics(a) && !hasDiagnostics(b), hasDiagnostics(b) && !hasDiagnostics(a)} {
		if alone {
			c.Notes = append(c.Notes, "only "+o.Names[i]+" has diagnostics: not compared")
		}
	}
	if !hasDiagnostics(a) || !hasDiagnostics(b) {
		return nil
	}
	x, y := sideA.diagnostics(), sideB.diagnostics()
	if x == nil || y == nil {
		c.Notes = append(c.Notes, "the diagnostics are of other samples: not compared")
		return nil
	}
	if what := otherSamples(x, y, o.Names); what != "" {
		c.Notes = append(c.Notes, "the diagnostics are of other samples: not compared ("+what+")")
		return nil
	}
	clusters := sampleClusters(sideA.DiagnosticsSamples, sideB.DiagnosticsSamples)
	if clusters == nil && len(sideA.DiagnosticsSamples) > 1 && len(sideA.DiagnosticsSamples) == len(sideB.DiagnosticsSamples) {
		c.Notes = append(c.Notes, unknownDocuments)
	}
	nan := rundir.Number(math.NaN())
	da, db := a.Diagnostics, b.Diagnostics
	var family []*stats.Comparison
	var tested []int // places in c.Diagnostics
	for _, d := range []struct {
		name string
		a, b rundir.Number
		of   func(rundir.DiagnosticsSample) float64 // nil: no measure by sample has this mean
	}{
		{"sink_rate", da.SinkRate, db.SinkRate, func(r rundir.DiagnosticsSample) float64 { return r.SinkRate }},
		{"sparsity", da.Sparsity, db.Sparsity, func(r rundir.DiagnosticsSample) float64 { return r.Sparsity }},
		{"near_sparsity", da.NearSparsity, db.NearSparsity, func(r rundir.DiagnosticsSample) float64 { return r.NearSparsity }},
		{"dead_heads", da.DeadHeads, db.DeadHeads, nil},
		{"mass", da.Mass, db.Mass, func(r rundir.DiagnosticsSample) float64 { return r.Mass }},
		{"kurtosis", da.Kurtosis, db.Kurtosis, nil},
		{"kurtosis_by_sample", nan, nan, func(r rundir.DiagnosticsSample) float64 { return r.Kurtosis }},
		{"min", da.Min, db.Min, nil}, {"max", da.Max, db.Max, nil}, {"massive", rundir.Number(da.Massive), rundir.Number(db.Massive), nil},
	} {
		change := Change{Name: d.name, A: d.a, B: d.b, Difference: d.b - d.a, Low: nan, High: nan, P: nan, Adjusted: nan, LowAdjusted: nan, HighAdjusted: nan}
		if d.of != nil && clusters != nil {
			p := stats.Pairs{Clusters: stats.Shared(clusters)}
			for i := range sideA.DiagnosticsSamples {
				p.A, p.B = append(p.A, d.of(sideA.DiagnosticsSamples[i])), append(p.B, d.of(sideB.DiagnosticsSamples[i]))
			}
			p.Unchanged = slices.Equal(p.A, p.B) // a measure, equal to the bit
			if n := without(p); n > 0 {          // as a model of zeros has no kurtosis: that ends no comparison
				change.Warnings = []string{fmt.Sprintf("not tested: %d of %d samples have no number", n, len(clusters))}
			} else {
				r, err := change.test(p, stats.Options{Draws: o.Draws, Seed: c.Seed, Level: c.Level, Names: o.Names})
				if err != nil {
					return fmt.Errorf("diagnostics: %s: %w", d.name, err)
				}
				family, tested = append(family, r), append(tested, len(c.Diagnostics))
			}
		}
		if d.of != nil && change.N == 0 && change.Warnings == nil && math.IsNaN(float64(d.a)) {
			continue // a measure by sample alone, of which there are none
		}
		c.Diagnostics = append(c.Diagnostics, change)
	}
	if err := stats.Adjust(family); err != nil {
		return err
	}
	for k, r := range family {
		d := &c.Diagnostics[tested[k]]
		d.Adjusted, d.Verdict = rundir.Number(r.PAdjusted), direction(r)
		d.LowAdjusted, d.HighAdjusted = rundir.Number(r.LowAdjusted), rundir.Number(r.HighAdjusted)
	}
	return nil
}

func hasDiagnostics(r *rundir.Run) bool { return r != nil && r.Diagnostics != nil }

// diagnostics are the settings of a side's diagnostics, computed or to be; nil for none.
func (s *Side) diagnostics() *rundir.DiagnosticsSettings {
	if s.Manifest == nil {
		return nil
	}
	return s.Manifest.Settings.Diagnostics
}

// otherSamples says in what the samples of two runs' diagnostics differ, "" where in
// nothing. A run that is yet to be computed does not know its documents, nor whether they
// give as many samples as it asks for.
func otherSamples(x, y *rundir.DiagnosticsSettings, names [2]string) string {
	var out []string
	differ := func(what string, a, b any) {
		if a != b {
			out = append(out, Setting{Name: what, A: fmt.Sprint(a), B: fmt.Sprint(b)}.in(names))
		}
	}
	differ("task", x.Task, y.Task)
	differ("length", x.Length, y.Length)
	differ("threshold", x.Threshold, y.Threshold)
	switch {
	case x.Data != "" && y.Data != "":
		differ("samples", x.Samples, y.Samples)
		if x.Samples == y.Samples && x.Task == y.Task && x.Length == y.Length {
			differ("data_sha256", x.Data, y.Data)
		}
	case x.Data != "" && x.Samples > y.Samples, y.Data != "" && y.Samples > x.Samples, x.Data == y.Data:
		differ("samples", x.Samples, y.Samples)
	}
	return strings.Join(out, "; ")
}

// test compares the measure over the samples.
func (d *Change) test(p stats.Pairs, o stats.Options) (*stats.Comparison, error) {
	r, err := stats.Compare(p, o)
	if err != nil {
		return nil, err
	}
	d.A, d.B, d.Difference = rundir.Number(r.A), rundir.Number(r.B), rundir.Number(r.Diff)
	d.N, d.Clusters, d.Low, d.High, d.P = r.N, cmp.Or(r.Clusters, r.N), rundir.Number(r.Low), rundir.Number(r.High), rundir.Number(r.P)
	for _, w := range r.Warnings {
		if w.Code != stats.Identical && w.Code != stats.Ceiling && w.Code != stats.Floor { // a rate of 0 is not wrong answers
			d.Warnings = append(d.Warnings, ofSamples.Replace(w.Text))
		}
	}
	return &r, nil
}

// ofSamples calls what is measured, and what it is measured on, by their names here.
var ofSamples = strings.NewReplacer("documents", "samples", "document", "sample", "clusters", "documents", "cluster", "document")

// without counts the samples that have no number on a side.
func without(p stats.Pairs) (n int) {
	for i := range p.A {
		if d := p.B[i] - p.A[i]; math.IsNaN(d) || math.IsInf(d, 0) {
			n++
		}
	}
	return n
}

// direction is the verdict on a measure of which neither way is better.
func direction(r *stats.Comparison) string {
	switch {
	case !r.Significant():
		return string(Noise)
	case r.Diff > 0:
		return "higher"
	}
	return "lower"
}

// sampleClusters label the samples by their documents, as either run knows them;
// nil where neither does, or where the samples are not two or more of both.
func sampleClusters(a, b []rundir.DiagnosticsSample) []string {
	if len(a) < 2 || len(a) != len(b) {
		return nil
	}
	out := make([]string, len(a))
	for i := range a {
		out[i] = cmp.Or(a[i].Cluster, b[i].Cluster, a[i].DocHash, b[i].DocHash)
	}
	if slices.Contains(out, "") {
		return nil
	}
	return out
}

// writeDiagnostics writes them as a table.
func (c *Comparison) writeDiagnostics(b *strings.Builder, width int, notes *footnotes) {
	title, tests := "diagnostics", 0
	for _, x := range c.Diagnostics {
		if x.N > 0 {
			tests++
			title = fmt.Sprintf("diagnostics, %d samples of %d documents", x.N, x.Clusters)
		}
	}
	corrected := ""
	if tests > 1 {
		title, corrected = title+"; p, interval: corrected for the number of measures (Holm)", ", corrected"
	}
	b.WriteString("\n" + text.Wrap(title, width))
	d := &text.Grid{}
	d.Column("  measure", text.Left, text.Keep)
	d.Column("A", text.Right, 2)
	d.Column("B", text.Right, 3)
	d.Column("B - A", text.Right, text.Keep)
	if tests > 0 {
		d.Column(text.Compact(c.Confidence)+"% interval"+corrected, text.Right, 4)
		d.Short("interval")
		d.Column("p", text.Right, 1)
	}
	d.Column("", text.Left, text.Keep)
	for _, x := range c.Diagnostics {
		cells := []string{"  " + x.Name, text.Decimal(x.A), text.Decimal(x.B), text.Signed(x.Difference)}
		switch {
		case x.N > 0:
			cells = append(cells, text.Interval(x.LowAdjusted, x.HighAdjusted), probability(x.Adjusted))
		case tests > 0:
			cells = append(cells, "", "")
		}
		marks := ""
		for _, w := range x.Warnings {
			marks += " " + notes.mark(text.Printable(w))
		}
		d.Row(append(cells, strings.TrimSpace(marks))...)
	}
	d.Fit(width).Write(b)
}
