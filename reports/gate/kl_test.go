package gate

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// klSide is a run of n documents of 10 tokens, each away by about so many nats a token, with the
// divergences as compare's own table has them.
func klSide(t *testing.T, n int, nats float64) (*compare.Side, *compare.Divergence) {
	t.Helper()
	side := madeSide(1, 0.5, madeTask{name: "last", n: n, metrics: madeTasks[1].metrics})
	var records []rundir.DivergenceRecord
	for d := range n {
		var tokens []rundir.DivergenceToken
		for k := range 10 {
			tokens = append(tokens, rundir.DivergenceToken{Seen: k + 1, KL: nats * (1 + 0.3*math.Sin(float64(7*d+k)))})
		}
		records = append(records, rundir.NewDivergenceRecord("last", d, 0, tokens))
	}
	table, err := compare.Diverge(side, records, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	out, err := compare.DivergenceSide(side, rundir.Settings{ModelSHA256: "first", Attention: "softmax"}, records)
	if err != nil {
		t.Fatal(err)
	}
	return out, table
}

// The upper end of the interval decides, which is compare's own; what is not shown to be within the
// bound fails, unless the policy says otherwise.
func TestAtMostKL(t *testing.T) {
	run, table := klSide(t, 40, 0.05)
	first := madeSide(2, 0.5)
	low, high := float64(table.Mean.Low), float64(table.Mean.High)
	for _, c := range []struct {
		most   float64
		policy *Policy
		want   stats.Decision
		fails  bool
	}{
		{high + 1e-9, nil, stats.Pass, false},
		{high - 1e-9, nil, stats.Inconclusive, true},
		{high - 1e-9, policyOf(t, "inconclusive: pass"), stats.Inconclusive, false},
		{low + 1e-9, nil, stats.Inconclusive, true},
		{low - 1e-9, nil, stats.Regressed, true},
		{0, nil, stats.Regressed, true},
	} {
		r, err := Check(run, AtMostKL(run, first, c.most), c.policy.ForKL())
		if err != nil {
			t.Fatal(err)
		}
		m := r.find(t, "last", "kl")
		if m.Decision != c.want || r.Fails != c.fails || m.Run != table.Mean.Value || math.Abs(float64(m.High-table.Mean.High)) > 1e-12 || math.Abs(float64(m.Low-table.Mean.Low)) > 1e-12 {
			t.Errorf("%v nats: %s, fails %v, %v in [%v, %v]; want %s of %v", c.most, m.Decision, r.Fails, m.Run, m.Low, m.High, c.want, table.Mean)
		}
		if text := m.Explain(); !strings.Contains(text, "nats a token further away") || strings.Contains(text, "as good as the baseline") {
			t.Error(text)
		}
	}
	same, _ := klSide(t, 40, 0)
	if r, err := Check(same, AtMostKL(same, first, 0), (*Policy)(nil).ForKL()); err != nil || r.Decision != stats.Pass {
		t.Errorf("of the same model, nothing allowed: %+v, %v", r, err)
	}
}

// A stored result: no further away than it was by more than the allowed part of it, document by document.
func TestKLBaseline(t *testing.T) {
	was, _ := klSide(t, 40, 0.05)
	b := baselineOf(t, was, nil)
	if d := b.Tasks[0].Metrics[0].AllowedDrop; math.Abs(d-0.1*b.Tasks[0].Metrics[0].Value) > 1e-4 || b.From() != "first softmax" {
		t.Errorf("%v nats allowed, from %q", d, b.From())
	}
	for nats, want := range map[float64]stats.Decision{0.05: stats.Pass, 0.02: stats.Pass, 0.0545: stats.Pass, 0.05502: stats.Inconclusive, 0.07: stats.Regressed} {
		run, _ := klSide(t, 40, nats)
		run.MayDiffer["model_sha256"] = fmt.Sprint(nats)
		r, err := Check(run, b, (*Policy)(nil).ForKL())
		if err != nil {
			t.Fatal(err)
		}
		if r.Decision != want || r.Fails != (want != stats.Pass) {
			t.Errorf("%v nats: %s, fails %v; want %s\n%s", nats, r.Decision, r.Fails, want, render(t, r.WriteTable))
		}
	}
	// What is not the same measurement is refused with what differs.
	for want, change := range map[string]func(*compare.Side){
		"max_length":            func(s *compare.Side) { s.MustMatch["max_length"] = "128" },
		"tokenizer_sha256":      func(s *compare.Side) { s.MustMatch["tokenizer_sha256"] = "other" },
		"kl_from":               func(s *compare.Side) { s.MustMatch[compare.KLFrom] = "another softmax" },
		"the documents changed": func(s *compare.Side) { s.Tasks[0].Documents[3].Keys[0] = "another" },
		"40 documents in the baseline, 39 in the run": func(s *compare.Side) { s.Tasks[0].Documents = s.Tasks[0].Documents[:39] },
	} {
		run, _ := klSide(t, 40, 0.05)
		change(run)
		_, err := Check(run, b, nil)
		if _, ok := errors.AsType[*Unfit](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Small divergences are not 0.0000 in a report.
func TestSmallKL(t *testing.T) {
	run, _ := klSide(t, 40, 3e-5)
	r, err := Check(run, AtMostKL(run, madeSide(2, 0.5), 1e-5), (*Policy)(nil).ForKL())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"table": render(t, r.WriteTable), "Markdown": render(t, r.WriteMarkdown), "annotations": render(t, r.WriteAnnotations), "JUnit": render(t, r.WriteJUnit)} {
		if !strings.Contains(text, "e-05") || strings.Contains(text, "0.0000") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}
