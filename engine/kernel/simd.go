//go:build (amd64 || arm64) && !noasm

package kernel

import (
	"unsafe"
)

// isa is an instruction set with assembly here.
type isa uint8

// simd is the Set of a vector instruction set. Its methods fall back to
// Generic for what has no assembly.
type simd struct {
	Generic
	isa  isa
	name string
	// lanes is the number of float32 in a vector; rows and panel are the
	// micro-kernel's rows and columns, a panel being two vectors.
	lanes, rows, panel int
	dots               bool // has an instruction for the dot product of pairs of bfloat16
	products           products[simdProduct]
	tiles              bool // bfloat16 is multiplied in AMX's tiles
	pairs              bool // int8 is multiplied in pairs even where fours could be
}

func (s *simd) Name() string { return s.name }

func (s *simd) PanelWidth() int { return s.panel }

// QueryTile implements Set: some whole tiles. With more, scores and outputs
// leave the first-level cache; with fewer, keys and values are read more often.
func (s *simd) QueryTile() int { return 42 }

// BatchRows implements Set: on the 340M model, two cores of a Zen 4, 1024 rows
// took 4% less processor time than 512, and 2048 another 1%, but keep results
// waiting.
func (s *simd) BatchRows(Arithmetic) int { return 1024 }

// laneMasks[n] has the first n lanes set.
var laneMasks = func() (m [9][8]int32) {
	for n := range m {
		for i := range n {
			m[n][i] = -1
		}
	}
	return m
}()

// columns sets how many columns of C exist: the vectors and the last one's mask.
func (s *simd) columns(t *tile, n int) {
	t.vecs = (n + s.lanes - 1) / s.lanes
	last := n - (t.vecs-1)*s.lanes
	t.mask = 1<<last - 1
	t.lanes = &laneMasks[min(last, 8)]
}

// at is the address of x[i]; i may be len(x) only where nothing is read.
func at[T any](x []T, i int) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), i*int(unsafe.Sizeof(x[0])))
}

// address is at as a number, for loops that keep it so: i may be len(x), which is no place a
// pointer may have.
func address[T any](x []T, i int) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(x))) + uintptr(i)*unsafe.Sizeof(x[0])
}
