package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// Measures of the inside that both runs kept by sample get an interval and a test,
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
			s.Inside = append(s.Inside, rundir.InsideRow{Sample: int32(i), SinkRate: shift + 0.1*r.Float64(), Mass: 1, Kurtosis: 5 + r.Float64()})
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
	b.Manifest.Settings.Diagnostics.Data = "y"
	if c := compared(t, a, b, o); len(c.Diagnostics) != 0 || len(c.Notes) == 0 {
		t.Errorf("diagnostics of other samples are compared: %+v", c.Diagnostics)
	}
}
