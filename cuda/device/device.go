package device

import (
	"fmt"
	"math"
)

// Ptr is an address in a device's memory; 0 is no address.
type Ptr uint64

// Device runs launches and copies in the order they are given. It is used by
// one goroutine at a time.
type Device interface {
	Info() Info
	// Alloc takes bytes of device memory, aligned to 256 bytes, contents
	// undefined. It is held until Close.
	Alloc(bytes int64) (Ptr, error)
	// Upload copies src to the device. src may be changed once it returns.
	Upload(dst Ptr, src []byte) error
	// Download waits for all before it and copies from the device.
	Download(dst []byte, src Ptr) error
	// Launch starts a kernel after all before it, and need not wait for its end.
	Launch(l *Launch) error
	// Sync waits for all before it; an error of an earlier launch shows up here.
	Sync() error
	// Close frees everything.
	Close() error
}

// Info describes a device as found.
type Info struct {
	Name         string
	Major, Minor int   // compute capability
	SMs          int   // multiprocessors
	ClockMHz     int   // highest clock of the multiprocessors
	MemoryMHz    int   // highest clock of the memory
	Total, Free  int64 // bytes of memory, and of those free when it was opened
	Shared       int   // most bytes of shared memory a block may have
	Driver       int   // version of the CUDA driver interface, 12040 for 12.4
	Image        string
}

// Capability is the compute capability as the field writes it, "sm_90".
func (i Info) Capability() string { return fmt.Sprintf("sm_%d%d", i.Major, i.Minor) }

// Dim is the extent of a grid in blocks, or of a block in threads.
type Dim struct{ X, Y, Z int }

// Launch is one kernel launch. Kernels are known by name.
type Launch struct {
	Kernel      string
	Grid, Block Dim
	Shared      int // bytes of dynamic shared memory
	Args        []Arg
}

// ArgKind is the type of a kernel parameter.
type ArgKind uint8

// The types that kernels take. Whole numbers are 32 bits wide unless they say
// otherwise.
const (
	Pointer ArgKind = iota
	Int32
	Int64
	Float32
)

// String returns the C type.
func (k ArgKind) String() string {
	switch k {
	case Pointer:
		return "pointer"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float32:
		return "float"
	}
	return fmt.Sprintf("ArgKind(%d)", uint8(k))
}

// Arg is one kernel argument: its type and its bits, in the low bytes.
type Arg struct {
	Kind ArgKind
	Bits uint64
}

// P, I, L and F make arguments: an address, a 32-bit and a 64-bit whole number,
// and a float.
func P(p Ptr) Arg     { return Arg{Pointer, uint64(p)} }
func I(n int) Arg     { return Arg{Int32, uint64(uint32(int32(n)))} }
func L(n int64) Arg   { return Arg{Int64, uint64(n)} }
func F(x float32) Arg { return Arg{Float32, uint64(math.Float32bits(x))} }

// Ptr, Int and Float read an argument back.
func (a Arg) Ptr() Ptr       { return Ptr(a.Bits) }
func (a Arg) Int() int       { return int(int32(a.Bits)) }
func (a Arg) Int64() int64   { return int64(a.Bits) }
func (a Arg) Float() float32 { return math.Float32frombits(uint32(a.Bits)) }
