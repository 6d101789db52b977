// What kernels for sm_90a need of the machine beside machine.cuh: copies of boxes
// of a matrix by the tensor memory accelerator, barriers that count their bytes,
// and products by a group of four warps, of operands in shared memory.
//
// Operands lie in rows of 128 bytes, 8 rows a kilobyte, in which the 16 bytes at
// x of row r are found at x ^ 16·(r%8): what the copies call a swizzle of 128 bytes.
#pragma once
#include "machine.cuh"

// A matrix of bfloat16 as the host describes it; package device's Matrix.
struct alignas(64) TensorMap { u64 opaque[16]; };

// Of a matrix in shared memory that begins on a kilobyte, or some columns into a row
// of such a one: its address, groups of 8 rows a kilobyte apart, the swizzle above.
// No other group is within reach of an operand, so the leading offset is not used.
SB_DEVICE u64 matrix(u32 address) { return (u64)((address & 0x3ffff) >> 4) | 1ull << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62; }

// The same of a matrix whose rows go along n and not along k: panels of 64 columns, the
// next one so many bytes behind.
SB_DEVICE u64 matrixAcross(u32 address, int panel) { return (u64)((address & 0x3ffff) >> 4) | (u64)(panel >> 4) << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62; }

// The matrix that begins so many bytes behind, a multiple of 16.
SB_DEVICE u64 further(u64 matrix, u32 bytes) { return matrix + (bytes >> 4); }

#ifdef SB_EMULATE
#include "emu/hopper.h"
#else
#define SB_MAP const __grid_constant__ TensorMap
// The shared memory that a launch asks for, from its first whole kilobyte on.
SB_DEVICE char* dynamicShared() {
	extern __shared__ char dynamicMemory[];
	return dynamicMemory + (-address(dynamicMemory) & 1023);
}

SB_DEVICE void barrierInit(u64* b, u32 arrivals) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address(b)), "r"(arrivals) : "memory"); }
// After a thread's barrierInit, for the copies to see it.
SB_DEVICE void barriersReady() { asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;" ::: "memory"); }
SB_DEVICE void arrive(u64* b) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address(b)) : "memory"); }
// Arrives, and has the phase last until so many bytes have come.
SB_DEVICE void arriveExpecting(u64* b, u32 bytes) { asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address(b)), "r"(bytes) : "memory"); }
// Waits for the end of the phase of this parity; the first phase has 0.
SB_DEVICE void await(u64* b, u32 parity) {
	u32 done;
	do asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}" : "=r"(done) : "r"(address(b)), "r"(parity) : "memory");
	while (!done);
}
// The box of a map that begins at column x of row y; zeros outside the matrix.
SB_DEVICE void copyBox(void* to, const TensorMap& map, int x, int y, u64* b) {
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(address(to)), "l"(&map), "r"(x), "r"(y), "r"(address(b)) : "memory");
}
// After a thread's own writes to shared memory, for products to see them.
SB_DEVICE void asyncFence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
SB_DEVICE void syncWarp() { __syncwarp(); }

// Before products that touch registers which something else has touched.
SB_DEVICE void productFence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
SB_DEVICE void productCommit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int N> SB_DEVICE void productWait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory"); }
// Keeps the compiler from moving a use of d to before the wait.
template <int N> SB_DEVICE void hold(float (&d)[N]) {
#pragma unroll
	for (int i = 0; i < N; i++) asm volatile("" : "+f"(d[i])::"memory");
}

#define SB_8(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define SB_32(d, i) SB_8(d, i), SB_8(d, i + 8), SB_8(d, i + 16), SB_8(d, i + 24)
// d[64, n] += a[64, 16] · b[n, 16]ᵀ. Thread t of the group has of d, for each e, row
// t/32·16 + e/2%2·8 + t%32/4, column e/4·8 + t%4·2 + e%2.
SB_DEVICE void product(float (&d)[64], u64 a, u64 b) {
	asm volatile("{\n.reg .pred p;\nsetp.eq.b32 p, 0, 0;\n"
	             "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
	             "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
	             "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
	             "%64, %65, p, 1, 1, 0, 0;\n}"
	             : SB_32(d, 0), SB_32(d, 32) : "l"(a), "l"(b));
}
SB_DEVICE void product(float (&d)[32], u64 a, u64 b) {
	asm volatile("{\n.reg .pred p;\nsetp.eq.b32 p, 0, 0;\n"
	             "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
	             "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, "
	             "%32, %33, p, 1, 1, 0, 0;\n}"
	             : SB_32(d, 0) : "l"(a), "l"(b));
}
// d[64, n] += a[64, 16] · b[16, n]. Thread t has of a, in a[e], row t/32·16 + e%2·8 +
// t%32/4, columns e/2·8 + t%4·2 and the next.
SB_DEVICE void product(float (&d)[64], const u32 (&a)[4], u64 b) {
	asm volatile("{\n.reg .pred p;\nsetp.eq.b32 p, 0, 0;\n"
	             "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
	             "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
	             "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
	             "{%64,%65,%66,%67}, %68, p, 1, 1, 1;\n}"
	             : SB_32(d, 0), SB_32(d, 32) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
SB_DEVICE void product(float (&d)[32], const u32 (&a)[4], u64 b) {
	asm volatile("{\n.reg .pred p;\nsetp.eq.b32 p, 0, 0;\n"
	             "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
	             "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, "
	             "{%32,%33,%34,%35}, %36, p, 1, 1, 1;\n}"
	             : SB_32(d, 0) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
#endif
