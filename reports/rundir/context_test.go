package rundir

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

// ending is a context that ends when it has been asked so many times: in the midst of
// the work, however fast the machine is.
type ending struct {
	context.Context
	left atomic.Int64
}

func endingAfter(n int64) *ending {
	e := &ending{Context: context.Background()}
	e.left.Store(n)
	return e
}

func (e *ending) Err() error {
	if e.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// Whatever reads or writes a run stops where its context ends, be it in the midst of a
// file: a run may have millions of rows, on a slow disk. What is in the journal stays.
func TestContextReachesRuns(t *testing.T) {
	const n = 4_000
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	var rows []Sample
	for i := range n {
		r := Record{Task: "arc_easy", Doc: i / 4, Request: i % 4, Answer: answer.Answer{LogLikelihood: -float64(i), ContinuationTokens: 5}}
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, Sample{Task: r.Task, Kind: "multiple_choice", DocID: int32(r.Doc), Request: int32(r.Request), LogLikelihood: ptr(r.LogLikelihood)})
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	run := &Run{Settings: someSettings(), Tasks: []TaskResult{{Name: "arc_easy", Documents: n / 4}}}
	inside := DiagnosticsRows{Samples: []DiagnosticsSample{{}}}

	stops := func(what string, most int64, do func(ctx context.Context) error) {
		t.Helper()
		for k := int64(0); ; k += 1 + k/2 { // a file of many lines looks many times
			err := do(endingAfter(k))
			if err == nil {
				if k < most {
					t.Errorf("%s looked at its context %d times, want %d or more", what, k, most)
				}
				return
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s, ended after %d looks: %v", what, k, err)
			}
		}
	}
	stops("ReadPart", 3, func(ctx context.Context) error {
		_, err := ReadPart(ctx, dir, someSettings())
		return err
	})
	stops("Finish", 5, func(ctx context.Context) error { return w.Finish(ctx, run, rows, inside) })
	stops("Open", 5, func(ctx context.Context) error {
		_, _, err := Open(ctx, dir)
		return err
	})
	stops("Resume", 5, func(ctx context.Context) error {
		_, _, err := Resume(ctx, dir, someSettings())
		if errors.Is(err, ErrFinished) {
			return nil
		}
		return err
	})
	stops("ReadDiagnosticsSamples", 1, func(ctx context.Context) error {
		_, err := ReadDiagnosticsSamples(ctx, dir)
		return err
	})
	_, back, err := Open(context.Background(), dir)
	if err != nil || len(back) != n {
		t.Errorf("%d rows of %d, %v", len(back), n, err)
	}
}
