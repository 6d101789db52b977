// What the kernels need of the machine: bfloat16, asynchronous copies, matrix
// fragments. Inline PTX is here and in hopper.cuh and nowhere else; emu/ replaces
// these parts.
#pragma once
typedef unsigned int u32;
typedef unsigned long long u64;
struct bf16 { unsigned short bits; };

#ifdef SB_EMULATE
#include "emu/emu.h"
#else
#define SB_KERNEL extern "C" __global__
#define SB_DEVICE __device__ __forceinline__
// The shared memory of a kernel; each kernel declares it once.
#define SB_SHARED(type, name, count) __shared__ __align__(128) type name[count]

SB_DEVICE u32 address(const void* p) { return (u32)__cvta_generic_to_shared(p); }
// 16 bytes to shared memory, zeros where not valid: src is then not read.
SB_DEVICE void copy16(void* dst, const void* src, bool valid) {
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address(dst)), "l"(src), "r"(valid ? 16 : 0) : "memory");
}
SB_DEVICE void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N> SB_DEVICE void wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }
// Four 8x8 matrices; lane l gives the address of row l%8 of matrix l/8.
SB_DEVICE void load4(u32 (&r)[4], const void* p) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address(p)) : "memory");
}
SB_DEVICE void load4t(u32 (&r)[4], const void* p) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address(p)) : "memory");
}
// c[16, 8] += a[16, 16] · b[16, 8]
SB_DEVICE void mma(float* c, const u32* a, u32 b0, u32 b1) {
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
	             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
SB_DEVICE u32 pack(float low, float high) {
	u32 r;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
	return r;
}
// The same of what is positive; zeros for the rest.
SB_DEVICE u32 packPositive(float low, float high) {
	u32 r;
	asm("cvt.rn.relu.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
	return r;
}
// 2^x within 2 units in the last place; below 2^-126 zero.
SB_DEVICE float powerOf2(float x) {
	float r;
	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
	return r;
}
SB_DEVICE float shuffle(float x, int mask) { return __shfl_xor_sync(~0u, x, mask); }
SB_DEVICE int shuffle(int x, int mask) { return __shfl_xor_sync(~0u, x, mask); }
SB_DEVICE double shuffle(double x, int mask) { return __shfl_xor_sync(~0u, x, mask); }
#endif

SB_DEVICE float load(const float* p) { return *p; }
SB_DEVICE float load(const bf16* p) { return __uint_as_float((u32)p->bits << 16); }
SB_DEVICE void store(float* p, float x) { *p = x; }
SB_DEVICE void store(bf16* p, float x) { p->bits = (unsigned short)pack(x, 0.f); }
SB_DEVICE void store2(float* p, float x, float y) { *(float2*)p = make_float2(x, y); }
SB_DEVICE void store2(bf16* p, float x, float y) { *(u32*)p = pack(x, y); }
SB_DEVICE float warpSum(float x) { // the same bits in every lane: each step adds two equal sums
	for (int m = 16; m; m >>= 1) x += shuffle(x, m);
	return x;
}
