package device

import (
	"fmt"
	"math"
)

// Ptr is an address in a device's memory; 0 is not an address.
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
	Hopper       bool // whether the image has the kernels that only sm_90a runs
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
	Boxes // a Matrix; on a GPU a tensor map of 128 bytes
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
	case Boxes:
		return "matrix"
	}
	return fmt.Sprintf("ArgKind(%d)", uint8(k))
}

// Matrix is rows of bfloat16, one behind the other, for kernels that copy boxes of
// them to shared memory: rows of 128 bytes, swizzled, with zeros for what lies
// outside the matrix. A row of it is a multiple of 16 bytes.
type Matrix struct {
	Base                Ptr
	Rows, Columns       int
	BoxRows, BoxColumns int // at most 256 rows of 64 columns
}

// Check says in what a matrix is none that can be copied from.
func (m Matrix) Check() error {
	if m.Base == 0 || m.Base%16 != 0 || m.Rows < 1 || m.Columns < 1 || 2*m.Columns%16 != 0 || m.BoxRows < 1 || m.BoxRows > 256 || m.BoxColumns != 64 {
		return fmt.Errorf("%+v is not a matrix that boxes can be copied from", m)
	}
	return nil
}

// Arg is one kernel argument: its type and its bits, in the low bytes. A matrix's
// bits are its address.
type Arg struct {
	Kind   ArgKind
	Bits   uint64
	Matrix Matrix // of Boxes
}

// P, I, F and M make arguments: an address, a 32-bit whole number, a float, and a matrix.
func P(p Ptr) Arg     { return Arg{Kind: Pointer, Bits: uint64(p)} }
func I(n int) Arg     { return Arg{Kind: Int32, Bits: uint64(uint32(int32(n)))} }
func F(x float32) Arg { return Arg{Kind: Float32, Bits: uint64(math.Float32bits(x))} }
func M(m Matrix) Arg  { return Arg{Kind: Boxes, Bits: uint64(m.Base), Matrix: m} }

// Ptr, Int and Float read an argument back.
func (a Arg) Ptr() Ptr       { return Ptr(a.Bits) }
func (a Arg) Int() int       { return int(int32(a.Bits)) }
func (a Arg) Int64() int64   { return int64(a.Bits) }
func (a Arg) Float() float32 { return math.Float32frombits(uint32(a.Bits)) }
