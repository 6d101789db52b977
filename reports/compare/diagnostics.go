package compare

import (
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// compareDiagnostics sets the measures of the inside of the model side by side:
// those of the whole model, and sample by sample where both runs kept them.
func (c *Comparison) compareDiagnostics(sideA, sideB *Side, o Options) error {
	a, b := sideA.Manifest, sideB.Manifest
	if a == nil || b == nil || a.Diagnostics == nil || b.Diagnostics == nil {
		return nil
	}
	x, y := a.Settings.Diagnostics, b.Settings.Diagnostics
	if x == nil || y == nil || x.Task != y.Task || x.Samples != y.Samples || x.Length != y.Length || x.Threshold != y.Threshold || x.Data != y.Data {
		c.Notes = append(c.Notes, "the diagnostics are of other samples: not compared")
		return nil
	}
	nan := rundir.Number(math.NaN())
	da, db := a.Diagnostics, b.Diagnostics
	for _, d := range []struct {
		name string
		a, b rundir.Number
		of   func(rundir.InsideRow) float64 // nil: no measure by sample has this mean
	}{
		{"sink_rate", da.SinkRate, db.SinkRate, func(r rundir.InsideRow) float64 { return r.SinkRate }},
		{"sparsity", da.Sparsity, db.Sparsity, func(r rundir.InsideRow) float64 { return r.Sparsity }},
		{"near_sparsity", da.NearSparsity, db.NearSparsity, func(r rundir.InsideRow) float64 { return r.NearSparsity }},
		{"dead_heads", da.DeadHeads, db.DeadHeads, nil},
		{"mass", da.Mass, db.Mass, func(r rundir.InsideRow) float64 { return r.Mass }},
		{"kurtosis", da.Kurtosis, db.Kurtosis, nil},
		{"kurtosis_by_sample", nan, nan, func(r rundir.InsideRow) float64 { return r.Kurtosis }},
		{"min", da.Min, db.Min, nil}, {"max", da.Max, db.Max, nil}, {"massive", rundir.Number(da.Massive), rundir.Number(db.Massive), nil},
	} {
		change := Change{Name: d.name, A: d.a, B: d.b, Difference: d.b - d.a, Low: nan, High: nan, P: nan}
		if d.of != nil && len(sideA.Inside) > 1 && len(sideA.Inside) == len(sideB.Inside) {
			var p stats.Pairs
			for i := range sideA.Inside {
				p.A, p.B = append(p.A, d.of(sideA.Inside[i])), append(p.B, d.of(sideB.Inside[i]))
			}
			p.Unchanged = slices.Equal(p.A, p.B) // a measure, equal to the bit
			r, err := stats.Compare(p, stats.Options{Draws: o.Draws, Seed: c.Seed, Level: c.Level})
			if err != nil {
				return fmt.Errorf("diagnostics: %s: %w", d.name, err)
			}
			change.A, change.B, change.Difference = rundir.Number(r.A), rundir.Number(r.B), rundir.Number(r.Diff)
			change.N, change.Low, change.High, change.P = r.N, rundir.Number(r.Low), rundir.Number(r.High), rundir.Number(r.P)
		} else if math.IsNaN(float64(d.a)) {
			continue
		}
		c.Diagnostics = append(c.Diagnostics, change)
	}
	return nil
}
