//go:build !noasm

package kernel

import (
	"testing"
	"unsafe"
)

// TestTilesKeepPointers: the assembly leaves a call's pointers where they were.
// One that it moved behind the last panel would point at whatever lies there,
// and the garbage collector stops the process over a pointer to what is free.
func TestTilesKeepPointers(t *testing.T) {
	set, err := ByName("amx")
	if err != nil {
		t.Skipf("no AMX: %v", err)
	}
	const m, w = 40, 64
	p, v, o := make([]uint16, m*KeyBlock), make([]uint16, KeyBlock*w), make([]float32, m*w)
	call := amxCall{
		lda: KeyBlock * 2, ldc: w * 4, steps: KeyBlock / 32,
		bstride: w * 4, bvec: 64, bpanel: 128, direct: 1, chain: 1,
	}
	a, b, c := at(p, 0), at(v, 0), at(o, 0)
	set.(*amxSet).attentionRows(&call, w/32, c, a, b, m)
	// The last block is of the rows behind the first 32.
	want := [3]unsafe.Pointer{unsafe.Add(a, 32*call.lda), b, unsafe.Add(c, 32*call.ldc)}
	if got := [3]unsafe.Pointer{call.a, call.b, call.c}; got != want {
		t.Errorf("pointers %v after the call, want %v", got, want)
	}
}
