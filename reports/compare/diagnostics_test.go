package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// Diagnostics that both runs kept by sample get an interval and a test,
// which turn with the sides; equal ones are noise.
func TestDiagnosticsBySample(t *testing.T) {
	with := func(name string, seed uint64, shift float64) *Side {
		s := madeSide(name, seed, 0.5)
		s.Manifest = &rundir.Run{
			Settings:    rundir.Settings{Diagnostics: &rundir.DiagnosticsSettings{Task: "text", Samples: 16, Length: 64, Threshold: 0.3, Data: "x"}},
			Diagnostics: &rundir.Diagnostics{Task: "text", Samples: 16, Length: 64, Threshold: 0.3, SinkRate: 0.5, Mass: 1, Kurtosis: 9},
		}
		r := rand.New(rand.NewPCG(seed, 4))
		for i := range 16 {
			s.DiagnosticsSamples = append(s.DiagnosticsSamples, rundir.DiagnosticsSample{Sample: int32(i), DocID: int32(i), DocHash: fmt.Sprint("document ", i), SinkRate: shift + 0.1*r.Float64(), Mass: 1, Kurtosis: 5 + r.Float64()})
		}
		return s
	}
	a, b := with("a", 1, 0), with("b", 2, 0.5)
	find := func(c *Comparison, name string) Change {
		t.Helper()
		for _, d := range c.Diagnostics {
			if d.Name == name {
				return d
			}
		}
		t.Fatalf("no %s", name)
		return Change{}
	}
	o := Options{Draws: 500}
	c := compared(t, a, b, o)
	sink := find(c, "sink_rate")
	if sink.N != 16 || !(sink.Low > 0.4 && sink.High < 0.6 && sink.P < 0.01) || !(sink.Low < sink.Difference && sink.Difference < sink.High) {
		t.Errorf("sink rate %+v", sink)
	}
	back := find(compared(t, b, a, o), "sink_rate")
	if back.Difference != -sink.Difference || back.P != sink.P ||
		math.Abs(float64(back.Low+sink.High)) > 1e-12 || math.Abs(float64(back.High+sink.Low)) > 1e-12 {
		t.Errorf("%+v, mirrored %+v", sink, back)
	}
	if mass := find(c, "mass"); mass.P != 1 || mass.Low != 0 || mass.High != 0 {
		t.Errorf("mass %+v", mass)
	}
	if k := find(c, "kurtosis"); k.N != 0 || !math.IsNaN(float64(k.P)) || !math.IsNaN(float64(k.Low)) {
		t.Errorf("kurtosis of the whole model %+v", k)
	}
	if k := find(c, "kurtosis_by_sample"); k.N != 16 || k.P < 0.001 || !(k.Low < 0 && 0 < k.High) {
		t.Errorf("kurtosis by sample %+v", k)
	}
	for _, d := range c.Diagnostics {
		if d.N > 0 && (d.Adjusted < d.P || d.Verdict == "" || d.Clusters != 16) {
			t.Errorf("%s: p %v, adjusted %v, %q, of %d documents", d.Name, d.P, d.Adjusted, d.Verdict, d.Clusters)
		}
	}
	if sink.Verdict != "higher" || find(c, "mass").Verdict != string(Noise) {
		t.Errorf("sink rate is %s, mass %s", sink.Verdict, find(c, "mass").Verdict)
	}
	// Samples of which one side alone knows the document.
	old := with("b", 2, 0.5)
	for i := range old.DiagnosticsSamples {
		old.DiagnosticsSamples[i].DocHash = ""
	}
	if got := find(compared(t, a, old, o), "sink_rate"); got.P != sink.P || got.N != 16 {
		t.Errorf("%+v where one run knows the documents, want %+v", got, sink)
	}
	// A model of zeros has no kurtosis; all else is compared.
	zero := with("b", 2, 0.5)
	for i := range zero.DiagnosticsSamples {
		zero.DiagnosticsSamples[i].Kurtosis = math.NaN()
	}
	c = compared(t, a, zero, o)
	if k := find(c, "kurtosis_by_sample"); k.N != 0 || len(k.Warnings) != 1 || find(c, "sink_rate").N != 16 {
		t.Errorf("kurtosis of nothing: %+v", k)
	}
	b.Manifest.Settings.Diagnostics.Data = "y"
	if c := compared(t, a, b, o); len(c.Diagnostics) != 0 || len(c.Notes) == 0 {
		t.Errorf("diagnostics of other samples are compared: %+v", c.Diagnostics)
	}
}

// TestDiagnosticsAlarms: two models that differ in how they take to documents and in
// nothing else. With 128 samples of 6 documents, each sample taken for itself, single
// measures raised alarms in 17% of such comparisons at a correlation of 0.05 within a
// document, and one of the five uncorrected measures in 22 to 24%.
func TestDiagnosticsAlarms(t *testing.T) {
	sims := 200
	if os.Getenv("SOFTBENCH_LONG") != "" {
		sims = 3000
	}
	const samples, documents, correlation = 128, 6, 0.05
	side := func(name string, seed uint64) *Side {
		s := madeSide(name, 1, 0.5)
		s.Manifest = &rundir.Run{
			Settings:    rundir.Settings{Diagnostics: &rundir.DiagnosticsSettings{Task: "text", Samples: samples, Length: 32, Threshold: 0.3, Data: "x"}},
			Diagnostics: &rundir.Diagnostics{Task: "text", Samples: samples, Length: 32, Threshold: 0.3},
		}
		r := rand.New(rand.NewPCG(seed, 4))
		var own [documents][5]float64
		for d := range own {
			for k := range own[d] {
				own[d][k] = math.Sqrt(correlation) * r.NormFloat64()
			}
		}
		for i := range samples {
			var x [5]float64
			for k := range x {
				x[k] = own[i%documents][k] + math.Sqrt(1-correlation)*r.NormFloat64()
			}
			s.DiagnosticsSamples = append(s.DiagnosticsSamples, rundir.DiagnosticsSample{
				Sample: int32(i), DocID: int32(i % documents), DocHash: fmt.Sprint("document ", i%documents),
				SinkRate: x[0], Sparsity: x[1], NearSparsity: x[2], Mass: x[3], Kurtosis: x[4],
			})
		}
		return s
	}
	single, any := 0, 0
	for s := range sims {
		c := &Comparison{Seed: uint64(s), Level: 0.05}
		if err := c.compareDiagnostics(side("a", uint64(2*s)), side("b", uint64(2*s+1)), Options{Draws: 300}); err != nil {
			t.Fatal(err)
		}
		alarm := false
		for _, d := range c.Diagnostics {
			if d.N > 0 && d.P < 0.05 {
				single++
			}
			alarm = alarm || d.N > 0 && d.Adjusted < 0.05
		}
		if alarm {
			any++
		}
	}
	for what, x := range map[string]struct{ hits, of int }{"a measure": {single, 5 * sims}, "any measure, corrected": {any, sims}} {
		rate := float64(x.hits) / float64(x.of)
		t.Logf("%s: %.3f", what, rate)
		if most := 0.05 + 4*math.Sqrt(0.05*0.95/float64(sims)); rate > most {
			t.Errorf("%s: alarms in %.3f of comparisons without a difference", what, rate)
		}
	}
}
