package engine

import (
	"context"
	"sync/atomic"

	"github.com/softbench/softbench/internal/rescue"
)

// pool runs independent tasks on a fixed number of goroutines.
type pool struct{ threads int }

// run calls task(worker, i) for every i in [0, n); worker is below threads and
// never used twice at once. Tasks are taken in order; which worker takes which
// is not fixed, so tasks must not depend on it. It stops early when ctx ends.
func (p pool) run(ctx context.Context, n int, task func(worker, i int)) error {
	workers := min(p.threads, n)
	if workers <= 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			task(0, i)
		}
		return ctx.Err()
	}
	var next atomic.Int64
	var wg rescue.Group
	for w := range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				task(w, i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
