// The machine of machine.cuh on a processor: a block's threads take turns, a warp's
// operations happen when all its lanes have come to them. What a GPU leaves
// undefined is found out by doing it in more than one way: threads in several
// orders, and asynchronous copies as early or as late as they may happen. Written
// from the PTX ISA's fragment layouts for ldmatrix .x4 (.trans) and mma .m16n8k16.
// hopper.h has what sm_90a adds.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <algorithm>

#define SB_KERNEL extern "C"
#define SB_DEVICE inline
#define SB_SHARED(type, name, count) type* name = (type*)emu::shared(sizeof(type) * (count))
#define __launch_bounds__(...)

using std::max;
using std::min;
struct uint3 { unsigned x, y, z; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float __uint_as_float(u32 u) { float f; memcpy(&f, &u, 4); return f; }
inline float __int_as_float(int i) { return __uint_as_float((u32)i); }
inline int __float_as_int(float f) { int i; memcpy(&i, &f, 4); return i; }

namespace emu {
extern uint3 thread, block, threads, blocks; // of the thread whose turn it is
void* shared(size_t bytes);
// All threads of the block wait; the result is whether one of them said so.
int barrier(int any);
void syncthreads();
void copy(void* to, const void* from, bool valid);
void commit();
void wait(int pending);

// What a lane brings to an operation of its warp.
enum Operation { None, Shuffle, Load, LoadTransposed, Multiply, SyncWarp, Product, ProductFence, ProductCommit, ProductWait };
struct Lane {
	Operation op;
	u32 value;          // Shuffle: in, and out
	int mask;           // Shuffle; ProductWait: groups that may stay under way
	const void* row;    // Load: 8 values of 16 bits
	u32* r;             // Load: 4 registers
	float* c;           // Multiply, Product
	const u32* a;       // Multiply: 4 registers; Product, where b's rows go along n
	u32 b0, b1;         // Multiply
	int columns;          // Product
	u64 aMatrix, bMatrix; // Product: descriptors
};
u32 together(const Lane& lane); // returns Shuffle's value
}

#define threadIdx emu::thread
#define blockIdx emu::block
#define blockDim emu::threads
#define gridDim emu::blocks
inline void __syncthreads() { emu::syncthreads(); }
inline int __syncthreads_or(int any) { return emu::barrier(any); }

inline void copy16(void* dst, const void* src, bool valid) { emu::copy(dst, src, valid); }
inline void commit() { emu::commit(); }
template <int N> inline void wait() { emu::wait(N); }
inline void load4(u32 (&r)[4], const void* p) {
	emu::Lane l{};
	l.op = emu::Load, l.row = p, l.r = r;
	emu::together(l);
}
inline void load4t(u32 (&r)[4], const void* p) {
	emu::Lane l{};
	l.op = emu::LoadTransposed, l.row = p, l.r = r;
	emu::together(l);
}
inline void mma(float* c, const u32* a, u32 b0, u32 b1) {
	emu::Lane l{};
	l.op = emu::Multiply, l.c = c, l.a = a, l.b0 = b0, l.b1 = b1;
	emu::together(l);
}
inline u32 shuffleBits(u32 x, int mask) {
	emu::Lane l{};
	l.op = emu::Shuffle, l.value = x, l.mask = mask;
	return emu::together(l);
}
inline float shuffle(float x, int mask) { return __uint_as_float(shuffleBits((u32)__float_as_int(x), mask)); }
inline int shuffle(int x, int mask) { return (int)shuffleBits((u32)x, mask); }
inline double shuffle(double x, int mask) {
	u32 half[2];
	memcpy(half, &x, 8);
	half[0] = shuffleBits(half[0], mask), half[1] = shuffleBits(half[1], mask);
	memcpy(&x, half, 8);
	return x;
}
// To the nearest, ties to even; a NaN stays one.
inline u32 toBF16(float x) {
	u32 u = (u32)__float_as_int(x);
	if (x != x) return 0x7fff;
	return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}
inline u32 pack(float low, float high) { return toBF16(low) | toBF16(high) << 16; }
inline u32 packPositive(float low, float high) { return pack(low <= 0 ? 0 : low, high <= 0 ? 0 : high); }
inline float powerOf2(float x) { return x < -126 ? 0 : exp2f(x); }
