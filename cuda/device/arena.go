package device

import "fmt"

// Align is what every part of an arena is aligned to, in bytes: enough for the
// widest loads and for tensor maps.
const Align = 256

// RoundUp rounds bytes up to a multiple of Align.
func RoundUp(bytes int64) int64 { return (bytes + Align - 1) / Align * Align }

// Arena divides one block of device memory into parts, in order, none of which
// is given back: all sizes are known before the memory is taken.
type Arena struct {
	base       Ptr
	used, size int64
	guard      func(p Ptr, bytes int64)
}

// NewArena divides size bytes at base, which must be a multiple of Align.
func NewArena(base Ptr, size int64) *Arena { return &Arena{base: base, size: size} }

// Guard has each part taken from now on told to f, with its exact size.
func (a *Arena) Guard(f func(p Ptr, bytes int64)) { a.guard = f }

// Take returns the next part. It panics where the parts exceed the block: the
// caller sized it from the same numbers.
func (a *Arena) Take(bytes int64) Ptr {
	need := RoundUp(bytes)
	if bytes < 0 || need > a.size-a.used {
		panic(fmt.Sprintf("cuda arena: %d bytes wanted, %d of %d left", bytes, a.size-a.used, a.size))
	}
	p := a.base + Ptr(a.used)
	a.used += need
	if a.guard != nil {
		a.guard(p, bytes)
	}
	return p
}

// Left is the number of bytes not yet taken.
func (a *Arena) Left() int64 { return a.size - a.used }
