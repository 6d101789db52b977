package eval

import (
	"context"
	"math"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
)

// TestBoundaryParity compares what is fed and what is answered where a context
// meets its continuation with lm-evaluation-harness, for tokenizers that merge
// over words and over blanks, with and without BOS. Where the harness stops with
// an assertion there is an error here, and with AllowUnscored a count.
func TestBoundaryParity(t *testing.T) {
	for _, set := range golden.Boundaries(t) {
		t.Run(set.Tokenizer, func(t *testing.T) {
			t.Parallel()
			load := func(allow bool) *lm.LM {
				m, err := Load(context.Background(), ModelOptions{
					Model: golden.TinyCheckpoint(t, set.Tokenizer), Device: "cpu", DType: "float32", Threads: 1, AllowUnscored: allow,
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { m.Close() })
				return m.LM
			}
			lenient := load(true)
			if lenient.MaxLength() != set.MaxLength {
				t.Fatalf("maximum length %d, the harness has %d", lenient.MaxLength(), set.MaxLength)
			}
			compareBoundary(t, lenient, set.Requests)
			compareRefused(t, load(false), set.Requests)
			compareTexts(t, lenient, set.Rolling)
		})
	}
}

func textsOf(r golden.BoundaryRequest) lm.Request {
	return lm.Request{Context: string(r.Context), Continuation: string(r.Continuation)}
}

func compareBoundary(t *testing.T, l *lm.LM, want []golden.BoundaryRequest) {
	var requests []lm.Request
	for _, w := range want {
		requests = append(requests, textsOf(w))
	}
	got, _, err := l.Score(context.Background(), requests, nil, lm.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if refused := w.Error != ""; refused || got[i].Unscored != "" {
			if !refused || got[i].Unscored == "" {
				t.Errorf("%+q: unscored %q, the harness answers %q", requests[i], got[i].Unscored, w.Error)
			}
			continue
		}
		ids, from := l.Encode(requests[i])
		if golden.HashIDs(ids) != w.IDs || from != w.Tokens[0] || len(ids)-from != w.Tokens[1] {
			t.Errorf("%+q: %d+%d ids, want %v, of other texts: %v", requests[i], from, len(ids)-from, w.Tokens, ids)
			continue
		}
		if !(math.Abs(got[i].LogLikelihood-w.LogLikelihood) <= requestTolerance) || got[i].Greedy != w.IsGreedy {
			t.Errorf("%+q: loglikelihood %v greedy %v, want %v %v", requests[i], got[i].LogLikelihood, got[i].Greedy, w.LogLikelihood, w.IsGreedy)
		}
	}
}

// compareRefused asks for each request at which the harness stops alone.
func compareRefused(t *testing.T, l *lm.LM, want []golden.BoundaryRequest) {
	refused := 0
	for _, w := range want {
		if w.Error == "" {
			continue
		}
		refused++
		if got, _, err := l.Score(context.Background(), []lm.Request{textsOf(w)}, nil, lm.RunOptions{}); err == nil {
			t.Errorf("%+q is scored as %+v; the harness stops", textsOf(w), got)
		}
	}
	if refused == 0 || refused == len(want) {
		t.Errorf("the harness stops at %d of %d requests", refused, len(want))
	}
}

func compareTexts(t *testing.T, l *lm.LM, want []golden.BoundaryText) {
	for _, w := range want {
		ids, from := l.Windows(string(w.Text))
		if len(ids) != len(w.Windows) {
			t.Errorf("%.40q: %d windows, want %d", w.Text, len(ids), len(w.Windows))
			continue
		}
		for k, window := range w.Windows {
			if from[k] != window.Context || len(ids[k])-from[k] != window.Scored || golden.HashIDs(ids[k]) != window.IDs {
				t.Errorf("%.40q window %d: %d+%d ids, want %d+%d, of other texts", w.Text, k, from[k], len(ids[k])-from[k], window.Context, window.Scored)
			}
		}
		var got float64
		p := l.NewPlan()
		if err := p.Rolling(string(w.Text), func(r answer.Answer) error { got = r.LogLikelihood; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(context.Background(), lm.RunOptions{}); err != nil {
			t.Fatal(err)
		}
		// The harness sums in float32.
		if bound := requestTolerance + 1e-6*math.Abs(w.LogLikelihood); !(math.Abs(got-w.LogLikelihood) <= bound) {
			t.Errorf("%.40q: loglikelihood %v, want %v within %v", w.Text, got, w.LogLikelihood, bound)
		}
	}
}
