//go:build (amd64 || arm64) && !noasm

package kernel

//go:generate go run ../../internal/asmgen/gen .

import "unsafe"

// tile is one call of a micro-kernel: rows x vecs vectors of C, all held in
// registers while it walks over steps of A and B. Distances are in bytes.
//
//	C[r, c] at c + r·ldc + c·4
//	A[r, s] at a + r·lda + s·(size of a step)
//	B[s, v] at b + s·bstep + v·bvec, a vector
type tile struct {
	c, a, b unsafe.Pointer
	ldc     uintptr
	lda     uintptr
	bstep   uintptr
	bvec    uintptr
	steps   int
	rows    int
	vecs    int
	mode    int
	mask    uint64    // lanes of the last vector of C that exist, for AVX-512
	lanes   *[8]int32 // the same for AVX2: -1 where a lane exists
}

// What a micro-kernel does with the sums.
const (
	modeStore = iota // C = sum, the chain starts from zero
	modeAdd          // C += sum, the chain starts from zero
	modeChain        // C = sum, the chain starts from C
)
