// Package rescue brings a panic from the goroutine where it happened to the one
// that waits for it, with its stack, so that a process can end in its own way. It
// must not know what for.
package rescue

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Panic is a panic and the stack of the goroutine that it came from. It is an
// error, for those who hand it on by returning it.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprint(p.Value) }

// Caught makes a Panic of what recover returned, which is not nil; one that was
// brought from another goroutine stays as it is. Call it in the deferred function.
func Caught(r any) *Panic {
	if p, ok := r.(*Panic); ok {
		return p
	}
	return &Panic{r, debug.Stack()}
}

// Try runs f and returns a panic of it as a *Panic.
func Try(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = Caught(r)
		}
	}()
	return f()
}

// Group is a sync.WaitGroup whose Wait panics where one of its goroutines did,
// with the first one's panic.
type Group struct {
	wg    sync.WaitGroup
	first atomic.Pointer[Panic]
}

// Go runs f in a goroutine.
func (g *Group) Go(f func()) {
	g.wg.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				g.first.CompareAndSwap(nil, Caught(r))
			}
		}()
		f()
	})
}

// Wait waits for all goroutines.
func (g *Group) Wait() {
	g.wg.Wait()
	if p := g.first.Load(); p != nil {
		panic(p)
	}
}
