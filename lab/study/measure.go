package study

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/reports/rundir"
)

// Measure is a number of the diagnostics of a training.
type Measure struct {
	Name  string // as a study's file has it
	Title string
	Share bool                        // from 0 to 1
	of    func(*session.Line) float64 // nil: of the whole training
	exam  string                      // the exam's number; "": none
}

// copyingFrom is the share of copied tokens at which a model copies.
const copyingFrom = 0.9

var measures = []Measure{
	{"loss", "Loss on held-out windows, nats a token", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Loss) }), ""},
	{"training_loss", "Loss on what it learns from, nats a token", false, func(l *session.Line) float64 { return l.Loss }, ""},
	{"copying", "Copying: tokens that can be copied and are the first choice", true, ofDiagnostics(func(m *session.Measure) float64 { return orNaN(m.Copying) }), ""},
	{"sink_rate", "Sink rate: heads whose mean weight on the first token is above 0.3", true, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.SinkRate) }), ""},
	{"sink_half", "Sink rate of the samples' first halves", true, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.SinkHalf) }), ""},
	{"sparsity", "Weights that are exactly zero", true, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Sparsity) }), ""},
	{"mass", "Mass: mean sum of a query's weights", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Mass) }), ""},
	{"dead_heads", "Dead heads", true, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Dead) }), ""},
	{"kurtosis", "Kurtosis of the residual stream, all layers", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Kurtosis) }), ""},
	{"inner_kurtosis", "Kurtosis, the largest of a layer but the last", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.InnerKurtosis()) }), ""},
	{"first_norm", "Norm of the first token over the others', the largest of a layer but the last", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.LargestFirstNorm()) }), ""},
	{"first_weight", "Mean weight of the first token, the largest of a head", true, ofDiagnostics(func(m *session.Measure) float64 { return largestFirstWeight(m) }), ""},
	{"largest", "Largest activation", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Largest) }), ""},
	{"massive", "Massive activations", false, ofDiagnostics(func(m *session.Measure) float64 { return float64(m.Massive) }), ""},
}

func ofDiagnostics(f func(*session.Measure) float64) func(*session.Line) float64 {
	return func(l *session.Line) float64 {
		if l.Measure == nil {
			return math.NaN()
		}
		return f(l.Measure)
	}
}

func orNaN(n *rundir.Number) float64 {
	if n == nil {
		return math.NaN()
	}
	return float64(*n)
}

func largestFirstWeight(m *session.Measure) float64 {
	out := math.NaN()
	for _, l := range m.Layers {
		for _, w := range l.FirstWeight {
			if !(float64(w) <= out) {
				out = float64(w)
			}
		}
	}
	return out
}

// layerKurtosis is the kurtosis of the residual stream behind a layer, NaN where the
// model has fewer.
func layerKurtosis(name string, layer int) Measure {
	return Measure{Name: name, Title: fmt.Sprintf("Kurtosis of the residual stream behind layer %d", layer), of: ofDiagnostics(func(m *session.Measure) float64 {
		if layer >= len(m.Layers) {
			return math.NaN()
		}
		return float64(m.Layers[layer].Kurtosis)
	})}
}

// stepOfCopying is a measure of a whole history.
const stepOfCopying = "step_of_copying"

// findMeasure finds a measure by its name: loss, copying and sink_rate also of one
// source of a mix, as in copying.repeat, kurtosis also of one layer, and what the study's exam gives by its
// name behind exam.
func (s *Study) findMeasure(name string) (Measure, error) {
	if name == stepOfCopying {
		return Measure{Name: name, Title: fmt.Sprintf("First diagnosed step with copying of %.0f%%", 100*copyingFrom)}, nil
	}
	base, source, ofSource := strings.Cut(name, ".")
	if base == "exam" && ofSource {
		return s.Exam.measure(source)
	}
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Name == base })
	if layer, err := strconv.Atoi(source); err == nil && layer >= 0 && base == "kurtosis" {
		return layerKurtosis(name, layer), nil
	}
	if i < 0 || ofSource && !slices.Contains([]string{"loss", "copying", "sink_rate"}, base) {
		var names []string
		for _, m := range measures {
			names = append(names, m.Name)
		}
		return Measure{}, fmt.Errorf("no measure %q: want one of %s, %s; loss, copying or sink_rate of one source of the mix, as in copying.repeat; kurtosis of one layer, as in kurtosis.0; or a number of the exam, as in exam.score",
			name, strings.Join(names, ", "), stepOfCopying)
	}
	m := measures[i]
	if !ofSource {
		return m, nil
	}
	m.Name, m.Title = name, m.Title+", windows of "+source
	m.of = ofDiagnostics(func(m *session.Measure) float64 {
		s, ok := m.Sources[source]
		switch {
		case !ok:
			return math.NaN()
		case base == "loss":
			return float64(s.Loss)
		case base == "copying":
			return orNaN(s.Copying)
		}
		return float64(s.SinkRate)
	})
	return m, nil
}

// final is a measure at the end of a training, NaN where there is none.
func (m *Measure) final(t *Training) float64 {
	lines := t.Lines
	if m.exam != "" {
		if t.Examined != nil {
			if x, ok := t.Examined.Numbers[m.exam]; ok {
				return float64(x)
			}
		}
		return math.NaN()
	}
	if m.Name == stepOfCopying {
		for i := range lines {
			if k := lines[i].Measure; k != nil && orNaN(k.Copying) >= copyingFrom {
				return float64(lines[i].Step)
			}
		}
		return math.NaN()
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if lines[i].Measure != nil {
			return m.of(&lines[i])
		}
	}
	return math.NaN()
}
