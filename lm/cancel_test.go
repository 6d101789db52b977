package lm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

// countdown is a context that ends when it has been asked a number of times whether
// it has.
type countdown struct {
	context.Context
	left  atomic.Int64
	asked atomic.Int64 // after its end
}

func (c *countdown) Err() error {
	if c.left.Add(-1) >= 0 {
		return nil
	}
	c.asked.Add(1)
	return context.Canceled
}

// TestPreparingIsCancelled: preparing many requests stops within a few of them,
// whenever it is cancelled: while texts are encoded, while their tree grows, while
// what it scores is noted.
func TestPreparingIsCancelled(t *testing.T) {
	const n = 5000
	l, _ := newLM(t, letters{}, Options{MaxLength: 100, Threads: 3})
	p := l.NewPlan()
	for i := range n {
		if err := p.Loglikelihood(Request{fmt.Sprint("a", i), " b"}, func(answer.Answer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	whole := &countdown{Context: context.Background()}
	whole.left.Store(1 << 40)
	if _, err := p.Prepare(whole); err != nil {
		t.Fatal(err)
	}
	asked := 1<<40 - whole.left.Load()
	if asked < 3*n {
		t.Fatalf("%d requests ask %d times whether to stop, want each of three passes to ask for each", n, asked)
	}
	for _, after := range []int64{0, 1, n / 2, n - 1, n + 10, 3 * n / 2, 2*n + 10, 5 * n / 2, asked - 1} {
		ctx := &countdown{Context: context.Background()}
		ctx.left.Store(after)
		_, err := p.Prepare(ctx)
		if !errors.Is(err, context.Canceled) || ctx.asked.Load() > 10 {
			t.Errorf("cancelled at question %d of %d: %v, and %d more were asked", after, asked, err, ctx.asked.Load())
		}
	}
}
