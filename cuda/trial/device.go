package trial

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
)

// watched is a device whose calls are timed and whose failures are remembered, with the
// launches that may be to blame. All its memory is one block, which leases divide.
type watched struct {
	dev     device.Device
	base    device.Ptr
	size    int64
	stepped bool // whether each launch is waited for
	plain   bool // whether no launches become a graph

	mu       sync.Mutex
	since    time.Time // of the call under way; zero: none is
	launches []string  // since the device was last waited for
	failure  error     // the first
	blame    string    // what was running then
	leased   bool
}

// mostTold is the launches that are named where one of several is to blame.
const mostTold = 4

// watch takes a block of a device's memory, at most half of what is free.
func watch(dev device.Device, most int64) (*watched, error) {
	w := &watched{dev: dev, size: min(most, dev.Info().Free/2)}
	var err error
	w.base, err = dev.Alloc(w.size)
	return w, err
}

// lease gives out the whole block; it comes back when the lease is closed.
func (w *watched) lease() (device.Device, error) {
	if w.leased {
		return nil, errors.New("the device's memory is in use")
	}
	w.leased = true
	l := &lease{w: w, arena: device.NewArena(w.base, w.size)}
	if t, ok := w.dev.(conform.Timer); ok {
		return timedLease{l, t}, nil
	}
	return l, nil
}

// call runs f, which talks to the device, under watch.
func (w *watched) call(f func() error) error {
	w.mu.Lock()
	w.since = time.Now()
	w.mu.Unlock()
	err := f()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Time{}
	if err != nil && w.failure == nil {
		w.failure, w.blame = err, w.running()
	}
	return err
}

// waited is call of an f after which no launch is under way.
func (w *watched) waited(f func() error) error {
	err := w.call(f)
	if err == nil {
		w.mu.Lock()
		w.launches = w.launches[:0]
		w.mu.Unlock()
	}
	return err
}

// running names the launches under way. The lock is held.
func (w *watched) running() string {
	n := len(w.launches)
	switch {
	case n == 0:
		return "no kernel"
	case n == 1:
		return w.launches[0]
	case n <= mostTold:
		return fmt.Sprintf("one of %q", w.launches)
	}
	return fmt.Sprintf("one of %d launches, the last of them %q", n, w.launches[n-mostTold:])
}

// hung says what has been under way for longer than limit, "" where nothing has.
func (w *watched) hung(limit time.Duration) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() || time.Since(w.since) < limit {
		return ""
	}
	return w.running()
}

// failed is the first error since it was last asked, and what was running then.
func (w *watched) failed() (blame string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err, blame = w.failure, w.blame
	w.failure, w.blame = nil, ""
	return blame, err
}

// lease implements device.Device on the block.
type lease struct {
	w     *watched
	arena *device.Arena
}

func (l *lease) Info() device.Info {
	i := l.w.dev.Info()
	i.Free = l.arena.Left()
	return i
}

func (l *lease) Alloc(bytes int64) (device.Ptr, error) {
	if bytes < 0 || device.RoundUp(bytes) > l.arena.Left() {
		return 0, fmt.Errorf("%d MiB of memory wanted, %d MiB are left", bytes>>20, l.arena.Left()>>20)
	}
	return l.arena.Take(bytes), nil
}

func (l *lease) Upload(dst device.Ptr, src []byte) error {
	return l.w.call(func() error { return l.w.dev.Upload(dst, src) })
}

func (l *lease) Download(dst []byte, src device.Ptr) error {
	return l.w.waited(func() error { return l.w.dev.Download(dst, src) })
}

// launching remembers what may be to blame.
func (w *watched) launching(list ...*device.Launch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range list {
		w.launches = append(w.launches, fmt.Sprintf("%s, grid %d x %d x %d of %d threads", x.Kernel, max(1, x.Grid.X), max(1, x.Grid.Y), max(1, x.Grid.Z), x.Block.X))
	}
}

// Start implements device.Batcher: as a whole where the device takes it so, and where
// each launch is waited for a call for each part.
func (l *lease) Start(work *device.Work) (wait func() error) {
	if _, ok := l.w.dev.(device.Batcher); !ok || l.w.stepped {
		err := device.InTurn(l, work)
		return func() error { return err }
	}
	l.w.launching(work.Launches...)
	if l.w.plain && work.Again {
		once := *work
		once.Again = false
		work = &once
	}
	done := device.Start(l.w.dev, work)
	return func() error { return l.w.waited(done) }
}

func (l *lease) Launch(x *device.Launch) error {
	l.w.launching(x)
	err := l.w.call(func() error { return l.w.dev.Launch(x) })
	if err == nil && l.w.stepped {
		err = l.Sync()
	}
	return err
}

func (l *lease) Sync() error { return l.w.waited(l.w.dev.Sync) }

func (l *lease) Close() error {
	l.w.leased = false
	return nil
}

// timedLease is a lease of a device that has a clock.
type timedLease struct {
	*lease
	clock conform.Timer
}

func (l timedLease) Time(f func() error) (ms float64, err error) {
	err = l.w.waited(func() error {
		// The launches inside are calls of their own, and end the watch on this one.
		ms, err = l.clock.Time(func() error {
			err := f()
			l.w.mu.Lock()
			l.w.since = time.Now()
			l.w.mu.Unlock()
			return err
		})
		return err
	})
	return ms, err
}

// Stopwatch gives a device that has no clock the wall's.
type Stopwatch struct{ device.Device }

// Time implements conform.Timer.
func (s Stopwatch) Time(f func() error) (float64, error) {
	begin := time.Now()
	if err := f(); err != nil {
		return 0, err
	}
	err := s.Sync()
	return float64(time.Since(begin)) / float64(time.Millisecond), err
}
