package engine

import (
	"context"
	"errors"
	"fmt"
)

// filled is a batch, and what its scored rows are for.
type filled struct {
	batch Batch
	heads []headRef
	ready Prepared
}

// runAhead runs a forest on a device that computes by itself: while a batch is under
// way the results of the one before are handed out and the next one is filled and made
// ready, so that it starts when the device is free. A batch after one that decodes
// waits for its tokens, and is filled when they are there.
func (s *schedule) runAhead(ctx context.Context, a Ahead) (err error) {
	var now, spare *filled // under way; delivered, its memory for the next
	defer func() {
		if now != nil { // an error: nothing may be under way when memory is given back
			err = errors.Join(err, now.wait(ctx))
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var next *filled
		if now == nil || !s.decides(&now.batch) {
			if next, err = s.prepare(a, spare, now != nil); err != nil {
				return err
			}
			if next == nil && now == nil {
				return nil
			}
			spare = nil
		}
		done := now
		if now = nil; done != nil {
			if err := done.wait(ctx); err != nil {
				return err
			}
		}
		if now = next; now != nil {
			now.ready.Start()
		}
		if done != nil {
			if err := s.deliver(&done.batch, done.heads); err != nil {
				return err
			}
			spare = done
		}
	}
}

func (f *filled) wait(ctx context.Context) error {
	if err := f.ready.Wait(ctx); err != nil {
		return fmt.Errorf("forward pass: %w", err)
	}
	return nil
}

// decides says whether a batch's results decide the next one's rows: some node decodes.
func (s *schedule) decides(b *Batch) bool {
	for _, sp := range b.Spans {
		n := &s.forest.Nodes[sp.Node]
		if n.Generate > 0 && sp.Position+sp.N >= s.state[sp.Node].start+len(n.Tokens) {
			return true
		}
	}
	return false
}

// prepare fills the next batch and makes it ready; nil where nothing is left, or
// nothing has room before the batch under way is done.
func (s *schedule) prepare(a Ahead, spare *filled, early bool) (*filled, error) {
	if spare != nil {
		s.batch, s.heads = spare.batch, spare.heads
	} else {
		s.batch, s.heads = Batch{}, nil
	}
	s.early = early
	more, err := s.fill()
	if err != nil || !more {
		return nil, err
	}
	f := &filled{batch: s.batch, heads: s.heads}
	if f.ready, err = a.Prepare(&f.batch); err != nil {
		return nil, fmt.Errorf("forward pass: %w", err)
	}
	return f, nil
}
