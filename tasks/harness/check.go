package harness

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Status is a name and whether it can be run.
type Status struct {
	Name, Kind, File string
	Err              error // why it cannot
}

// Check loads everything.
func (x *Index) Check(ctx context.Context) ([]Status, error) {
	names := x.Names()
	out := make([]Status, len(names))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	pass := func(of func(Kind) bool, check func(e *Entry) error) {
		for w := range workers {
			wg.Go(func() {
				for i := w; i < len(names) && ctx.Err() == nil; i += workers {
					if e := x.entries[names[i]]; of(e.Kind) {
						out[i] = Status{Name: e.Name, Kind: string(e.Kind), File: e.File, Err: check(e)}
					}
				}
			})
		}
		wg.Wait()
	}
	leaf := func(k Kind) bool { return k == Leaf || k == Python }
	pass(leaf, func(e *Entry) error { _, err := x.Select(e.Name); return err })
	failed := map[string]bool{}
	for _, s := range out {
		failed[s.Name] = s.Err != nil
	}
	pass(func(k Kind) bool { return !leaf(k) }, func(e *Entry) error {
		for _, t := range e.Tags {
			if e.Kind == Tag && failed[t] {
				return fmt.Errorf("tag %s: the task %s cannot be run", e.Name, t)
			}
		}
		if e.Kind == Tag {
			return nil
		}
		_, err := x.Select(e.Name)
		return err
	})
	return out, ctx.Err()
}
