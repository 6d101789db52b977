// Package kernel holds the engine's inner loops: matrix multiply over packed
// weights, the pieces of block-wise attention, and the row operations between
// them, each in one portable form and in forms for particular processors.
//
// It owns number formats, memory layouts and instruction sets. It must not know
// models, layers, tokens or threads: callers split the work, and every function
// here is safe to call from several goroutines on disjoint outputs.
//
// Every output element is computed in an order fixed by its own row and column
// alone, never by how many rows or columns are computed beside it. That is what
// makes a score independent of its batch (see Set).
//
// Paths, the fastest first; SOFTBENCH_ISA forces one:
//
//	amx         bfloat16 products in AMX tiles, the rest as avx512bf16; proved on
//	            an emulator of the tiles, not yet run on such a processor
//	avx512bf16  bfloat16 products by VDPBF16PS, the rest as avx512
//	avx512      float32; bfloat16 weights are widened as they are read
//	avx2        the same with AVX2 and FMA
//	neonbf16    arm64: bfloat16 products by BFDOT, the rest as neon
//	neon        float32 in vectors of four; bfloat16 weights are widened as they are read
//	generic     portable Go, and all that the build tag noasm leaves
//
// The assembly is written by internal/asmgen (go generate): its micro-kernels
// differ in counts only, and some instructions are unknown to Go's assembler.
package kernel
