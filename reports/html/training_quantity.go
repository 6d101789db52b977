package html

import (
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// quantity is a column of the history: a curve, and a row of the summary.
type quantity struct {
	field         func(*trainingRow) field // of diagnostics: only of lines that have them
	name          string
	short         string // as a table's heading
	format        func(float64) string
	tick          func(float64) string // on an axis
	ofDiagnostics bool
	log           bool
	missing       bool // trainings of before lack it
}

// of is the number in a line; NaN where it has no diagnostics.
func (q *quantity) of(r *trainingRow) float64 {
	if q.ofDiagnostics && r.Measure == nil {
		return nan
	}
	return q.field(r).float()
}

func measured[T number](name, short string, format, tick func(float64) string, log bool, f func(*TrainingMeasure) *T) quantity {
	return quantity{name: name, short: short, format: format, tick: tick, log: log, ofDiagnostics: true, field: func(r *trainingRow) field { return of(f(r.Measure)) }}
}

// later is a quantity that earlier trainings did not measure.
func later(q quantity) quantity {
	q.missing = true
	return q
}

func course[T number](name, short string, format, tick func(float64) string, log bool, f func(*trainingRow) *T) quantity {
	return quantity{name: name, short: short, format: format, tick: tick, log: log, field: func(r *trainingRow) field { return of(f(r)) }}
}

var (
	trainingLoss = course("Loss on the text it learns from, nats a token", "Training loss", text.Figures, text.Tick, false,
		func(r *trainingRow) *rundir.Number { return &r.Loss })
	heldOutLoss = measured("Loss in diagnostics, nats a token", "Loss in diagnostics", text.Figures, text.Tick, false,
		func(m *TrainingMeasure) *rundir.Number { return &m.Loss })

	diagnosticsQuantities = []quantity{
		measured("Sink rate: heads whose mean weight on the first token is above the threshold", "Sink rate", text.Percent, text.PercentTick, false, func(m *TrainingMeasure) *rundir.Number { return &m.SinkRate }),
		measured("Dead heads: no weight at any query of any sample", "Dead heads", text.Percent, text.PercentTick, false, func(m *TrainingMeasure) *rundir.Number { return &m.Dead }),
		measured("Sparsity: weights that are exactly zero", "Sparsity", text.Percent, text.PercentTick, false, func(m *TrainingMeasure) *rundir.Number { return &m.Sparsity }),
		measured("Mass: mean sum of a query's weights", "Mass", text.Figures, text.Tick, false, func(m *TrainingMeasure) *rundir.Number { return &m.Mass }),
		measured("Kurtosis of the residual stream, log axis (a Gaussian has 3)", "Kurtosis", text.Figures, text.Tick, true, func(m *TrainingMeasure) *rundir.Number { return &m.Kurtosis }),
		measured("Largest activation, log axis", "Largest activation", text.Figures, text.Tick, true, func(m *TrainingMeasure) *rundir.Number { return &m.Largest }),
		measured("Massive activations", "Massive activations", text.Count, text.Tick, false, func(m *TrainingMeasure) *int64 { return &m.Massive }),
		later(measured("Copying: tokens that can be copied and are the first choice", "Copying", text.Percent, text.PercentTick, false, func(m *TrainingMeasure) *rundir.Number { return &m.Copying })),
		later(measured("Kurtosis, the largest of a layer but the last, log axis", "Inner kurtosis", text.Figures, text.Tick, true, func(m *TrainingMeasure) *rundir.Number { return &m.InnerKurtosis })),
		later(measured("Norm of the first token over the others', the largest of a layer but the last", "First token's norm", text.Figures, text.Tick, false, func(m *TrainingMeasure) *rundir.Number { return &m.FirstNorm })),
	}
	courseQuantities = []quantity{
		course("Learning rate", "Learning rate", text.Figures, rateTick, false, func(r *trainingRow) *rundir.Number { return &r.Rate }),
		course("Norm of the gradient before clipping, log axis", "Gradient norm", text.Figures, text.Tick, true, func(r *trainingRow) *rundir.Number { return &r.Norm }),
		course("Tokens a second since the line before, diagnostics and saves included", "Tokens/s", text.Figures, text.Tick, false, func(r *trainingRow) *rundir.Number { return &r.Speed }),
	}
	placeQuantities = []quantity{
		course("", "Step", text.Count, nil, false, func(r *trainingRow) *int { return &r.Step }),
		course("", "Tokens", text.Count, nil, false, func(r *trainingRow) *int64 { return &r.Tokens }),
		course("", "Seconds", text.Figures, nil, false, func(r *trainingRow) *rundir.Number { return &r.Seconds }),
	}
)

// had are the quantities of diagnostics that any of some trainings have; every
// training has those that it had before exercises and layers were measured.
func had(all []quantity, trainings ...trainingRun) []quantity {
	return slices.DeleteFunc(slices.Clone(all), func(q quantity) bool {
		return q.missing && !slices.ContainsFunc(trainings, func(r trainingRun) bool {
			return slices.ContainsFunc(r.Lines, func(l trainingRow) bool { return text.Finite(q.of(&l)) })
		})
	})
}
