//go:build cuda && linux && (amd64 || arm64)

package driver

import (
	"errors"
	"strings"
	"testing"

	"gorgonia.org/cu"
)

// TestStartsWithoutADriver: that this test runs at all means that cu's init did
// not end the process. Without a driver every call must be an error, and say why.
func TestStartsWithoutADriver(t *testing.T) {
	n, err := Count()
	if err == nil {
		t.Skipf("this machine has %d CUDA devices", n)
	}
	if !errors.Is(err, ErrNoDevice) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v, want one line about no CUDA device", err)
	}
	if text := err.Error(); !strings.Contains(text, "libcuda.so.1") {
		t.Errorf("%v does not say what was looked for, in the loader's words", err)
	}
	if _, err := Open(0, nil); !errors.Is(err, ErrNoDevice) {
		t.Fatalf("Open: got %v, want ErrNoDevice", err)
	}
	if _, err := cu.MemAlloc(1 << 20); err == nil {
		t.Fatal("cu.MemAlloc succeeded without a driver")
	}
	if v := cu.Version(); v != -1 {
		t.Fatalf("cu.Version() is %d without a driver, want -1", v)
	}
}

// TestDriverHasEverySymbol: a misspelt versioned name would turn one function
// into an error on every machine.
func TestDriverHasEverySymbol(t *testing.T) {
	if _, err := Count(); err != nil {
		t.Skip(err)
	}
	if n := missingSymbols(); n != 0 {
		t.Fatalf("the driver lacks %d of the functions in symbols.h", n)
	}
}
