package serve

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm"
)

// pause is how long the first request of a batch waits for those that come with it.
const pause = 2 * time.Millisecond

// batchTokens ends a batch that has so many, so that none waits long for others.
const batchTokens = 1 << 16

// job is a request that waits for the model.
type job struct {
	ctx       context.Context // ends where the client is gone
	sequences []lm.Sequence
	tokens    int
	answers   []lm.SequenceAnswer
	done      chan error // one value
}

var errStopping = &failure{http.StatusServiceUnavailable, "the server is stopping", "", "stopping"}

// Run computes what ServeHTTP takes until ctx ends, all that waits at a time as one forest.
func (s *Server) Run(ctx context.Context) {
	defer close(s.stopped)
	for {
		var batch []*job
		select {
		case <-ctx.Done():
			return
		case j := <-s.queue:
			batch = append(batch, j)
		}
		s.compute(ctx, s.gather(ctx, batch))
	}
}

// gather takes what waits beside a first request, and what comes in a moment.
func (s *Server) gather(ctx context.Context, batch []*job) []*job {
	over := time.After(pause)
	for tokens := batch[0].tokens; tokens < batchTokens; {
		select {
		case j := <-s.queue:
			batch = append(batch, j)
			tokens += j.tokens
		case <-over:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// compute answers a batch. Where it fails, each of its requests is tried by itself: what is
// wrong with one is not told to another.
func (s *Server) compute(ctx context.Context, batch []*job) {
	err := s.plan(ctx, batch)
	switch {
	case ctx.Err() != nil:
		err = errStopping
	case err != nil && len(batch) > 1:
		for _, j := range batch {
			s.compute(ctx, []*job{j})
		}
		return
	}
	for _, j := range batch {
		j.done <- err
	}
}

// plan computes the sequences of a batch as one forest. It ends early where all who wait are gone.
func (s *Server) plan(ctx context.Context, batch []*job) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left atomic.Int64
	left.Store(int64(len(batch)))
	for _, j := range batch {
		stop := context.AfterFunc(j.ctx, func() {
			if left.Add(-1) == 0 {
				cancel(errGone)
			}
		})
		defer stop()
	}
	p := s.lm.NewPlan()
	for _, j := range batch {
		if j.ctx.Err() != nil {
			continue
		}
		for i, q := range j.sequences {
			if err := p.Sequence(q, func(a lm.SequenceAnswer) error { j.answers[i] = a; return nil }); err != nil {
				return err
			}
		}
	}
	err := rescue.Try(func() error { _, err := p.Run(ctx, s.options.Run); return err })
	var fault *rescue.Panic
	if errors.As(err, &fault) {
		return s.fault(fault)
	}
	return err
}

var errGone = errors.New("all clients of the batch are gone")

// submit hands sequences to Run and waits for their answers.
func (s *Server) submit(ctx context.Context, a *asked) ([]lm.SequenceAnswer, error) {
	j := &job{ctx: ctx, done: make(chan error, 1)}
	for _, p := range a.prompts {
		j.sequences = append(j.sequences, a.sequence(p))
		j.tokens += len(p.tokens) + a.generate
	}
	j.answers = make([]lm.SequenceAnswer, len(j.sequences))
	select {
	case s.queue <- j:
	case <-s.stopped:
		return nil, errStopping
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case err := <-j.done:
		return j.answers, err
	case <-ctx.Done(): // the answers are still written to
		return nil, ctx.Err()
	}
}
