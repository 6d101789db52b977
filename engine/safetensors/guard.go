package safetensors

import (
	"fmt"
	"runtime/debug"
	"sync"
	"unsafe"
)

// Guard calls read, which may touch tensors' Data, and turns a fault of the
// memory behind it into an error: a mapped file that someone cuts short, or a
// disk that fails, ends the process otherwise. It holds for read's own goroutine
// only; one that read starts needs a Guard of its own.
func Guard(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok {
			panic(r)
		}
		path := mapped.path(fault.Addr())
		if path == "" {
			panic(r) // not a file of ours: a fault of the program
		}
		err = fmt.Errorf("%s: the file was cut short or became unreadable while it was read: put the whole file back and start again", path)
	}()
	return read()
}

// mapped knows the mappings of this process, so that an address tells its file.
var mapped registry

type registry struct {
	mu   sync.Mutex
	open map[*mapping]string
}

func (r *registry) add(m *mapping, path string) {
	if len(m.data) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[*mapping]string{}
	}
	r.open[m] = path
}

func (r *registry) remove(m *mapping) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, m)
}

// path returns the file mapped at an address, "" for none.
func (r *registry) path(addr uintptr) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for m, path := range r.open {
		// Mapped memory does not move: its address is a number like any other.
		start := uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))
		if addr >= start && addr-start < uintptr(len(m.data)) {
			return path
		}
	}
	return ""
}
