//go:build cuda && linux && (amd64 || arm64)

package driver

/*
#cgo CFLAGS: -I${SRCDIR}/../include
#cgo LDFLAGS: -ldl -lpthread
#include "loader.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"gorgonia.org/cu"
)

// ErrNoDevice is in the chain of errors that say that there is nothing to run
// on, as opposed to a device that fails.
var ErrNoDevice = errors.New("no CUDA device")

// noDevice says in one line why there is none.
func noDevice(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrNoDevice, fmt.Sprintf(format, a...))
}

// Count loads the driver, once, and counts its devices. The error says why
// there are none.
func Count() (int, error) {
	code := C.softbench_load()
	if code == C.SOFTBENCH_NO_DRIVER {
		return 0, noDevice("%s (it comes with NVIDIA's driver)", C.GoString(C.softbench_load_error()))
	}
	if code != 0 {
		return 0, noDevice("the driver's cuInit failed: %s", describe(C.CUresult(code)))
	}
	n, err := cu.NumDevices()
	if err != nil {
		return 0, noDevice("the driver cannot count its devices: %v", err)
	}
	if n == 0 {
		return 0, noDevice("the driver has none: look at nvidia-smi and CUDA_VISIBLE_DEVICES")
	}
	return n, nil
}

// describe is the driver's own name and text for an error.
func describe(code C.CUresult) string {
	var name, text *C.char
	C.cuGetErrorName(code, &name)
	C.cuGetErrorString(code, &text)
	if name == nil || text == nil {
		return fmt.Sprintf("error %d", uint32(code))
	}
	return fmt.Sprintf("%s (%s)", C.GoString(name), C.GoString(text))
}

// check turns a result of our own calls into an error.
func check(what string, code C.CUresult) error {
	if code == C.CUDA_SUCCESS {
		return nil
	}
	return fmt.Errorf("%s: %s", what, describe(code))
}

// thread runs functions one after the other on one thread of the system, since
// a CUDA context belongs to a thread.
type thread struct {
	work chan func()
	done chan struct{}
}

func newThread() *thread {
	t := &thread{work: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its work
		defer close(t.done)
		for f := range t.work {
			f()
		}
	}()
	return t
}

// do runs f on the thread and waits for it.
func (t *thread) do(f func() error) error { return t.start(f)() }

// start has the thread run f; wait waits for it.
func (t *thread) start(f func() error) (wait func() error) {
	result := make(chan error, 1)
	t.work <- func() { result <- f() }
	return func() error { return <-result }
}

func (t *thread) stop() {
	close(t.work)
	<-t.done
}

// missingSymbols is the number of functions in symbols.h that the driver lacks.
func missingSymbols() int { return int(C.softbench_missing()) }

// Name is a device's own name and compute capability, without taking it.
func Name(ordinal int) (string, error) {
	if _, err := Count(); err != nil {
		return "", err
	}
	d, err := cu.GetDevice(ordinal)
	if err != nil {
		return "", fmt.Errorf("CUDA device %d: %w", ordinal, err)
	}
	name, err := d.Name()
	if err != nil {
		return "", fmt.Errorf("CUDA device %d: %w", ordinal, err)
	}
	major, minor, err := d.ComputeCapability()
	if err != nil {
		return "", fmt.Errorf("CUDA device %d: %w", ordinal, err)
	}
	return fmt.Sprintf("%s, sm_%d%d", strings.TrimRight(name, "\x00"), major, minor), nil
}
