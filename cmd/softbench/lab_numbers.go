package main

import (
	"fmt"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/lab/session"
)

// checkTrain refuses numbers that no training has, by the names of their flags and
// before any text is read. What two numbers cannot be together is the trainer's to say.
func checkTrain(o *session.Options) error {
	if err := eval.CheckThreads(o.Threads); err != nil {
		return err
	}
	s := &o.Settings
	const steps, tokens = 1 << 30, 1 << 24
	for _, n := range []struct {
		flag               string
		value, least, most int
	}{
		{"hidden", s.Hidden, 2, 1 << 20}, {"intermediate", s.Intermediate, 1, 1 << 22}, {"layers", s.Layers, 1, 1 << 14},
		{"heads", s.Heads, 1, 1 << 14}, {"head-dim", s.HeadDim, 0, 1 << 14},
		{"context", s.Context, 1, tokens}, {"positions", s.Positions, 0, eval.MaxContext}, {"vocab", s.Vocab, 1, 1 << 20},
		{"batch", s.Batch, 1, 1 << 16}, {"accumulate", s.Accumulate, 1, 1 << 16}, {"steps", s.Steps, 1, steps}, {"warmup", s.Warmup, 0, steps},
		{"save-every", o.SaveEvery, 1, steps}, {"log-every", o.LogEvery, 1, steps}, {"diagnostics-every", o.DiagnosticsEvery, 0, steps},
		{"diagnostics-samples", o.DiagnosticsSamples, 1, 1 << 16}, {"diagnostics-length", o.DiagnosticsLength, 0, tokens},
	} {
		if n.value < n.least || n.value > n.most {
			return fmt.Errorf("--%s %d: want %d to %d", n.flag, n.value, n.least, n.most)
		}
	}
	for _, n := range []struct {
		flag               string
		value, least, most float64
	}{
		{"theta", s.Theta, 1, 1e15}, {"rate", s.Rate, 1e-30, 100}, {"decay", s.Decay, 0, 100}, {"clip", s.Clip, 0, 1e30},
		{"init", s.Init, 1e-30, 100}, {"qk-gain", s.QKGain, 1e-30, 1e6},
		{"adam-beta1", s.Beta1, 1e-30, 0.999999}, {"adam-beta2", s.Beta2, 1e-30, 0.999999}, {"adam-eps", s.AdamEps, 1e-30, 1},
	} {
		if !(n.value >= n.least && n.value <= n.most) {
			return fmt.Errorf("--%s %g: want %g to %g", n.flag, n.value, n.least, n.most)
		}
	}
	return nil
}
