// hopper.cuh's machine on a processor, written from the PTX ISA's descriptions of
// mbarrier, cp.async.bulk.tensor, matrix descriptors and wgmma.
#pragma once
#include "emu.h"

#define SB_MAP const TensorMap

namespace emu {
char* dynamicShared(); // not aligned to more than 16 bytes, as on a GPU
u32 sharedAddress(const void* p);
void barrierInit(u64* b, u32 arrivals);
void barriersReady();
void arrive(u64* b, u32 bytes);
void await(u64* b, u32 parity);
void copyBox(void* to, const TensorMap& map, int x, int y, u64* b);
void asyncFence();
}

inline u32 address(const void* p) { return emu::sharedAddress(p); }
inline char* dynamicShared() {
	char* all = emu::dynamicShared();
	return all + (-address(all) & 1023);
}
inline void barrierInit(u64* b, u32 arrivals) { emu::barrierInit(b, arrivals); }
inline void barriersReady() { emu::barriersReady(); }
inline void arrive(u64* b) { emu::arrive(b, 0); }
inline void arriveExpecting(u64* b, u32 bytes) { emu::arrive(b, bytes); }
inline void await(u64* b, u32 parity) { emu::await(b, parity); }
inline void copyBox(void* to, const TensorMap& map, int x, int y, u64* b) { emu::copyBox(to, map, x, y, b); }

inline void asyncFence() { emu::asyncFence(); }

inline void alone(emu::Operation op, int pending = 0) {
	emu::Lane l{};
	l.op = op, l.mask = pending;
	emu::together(l);
}
inline void syncWarp() { alone(emu::SyncWarp); }
inline void productFence() { alone(emu::ProductFence); }
inline void productCommit() { alone(emu::ProductCommit); }
template <int N> inline void productWait() { alone(emu::ProductWait, N); }
template <int N> inline void hold(float (&)[N]) {}
template <int N> inline void product(float (&d)[N], u64 a, u64 b) {
	emu::Lane l{};
	l.op = emu::Product, l.c = d, l.columns = 2 * N, l.aMatrix = a, l.bMatrix = b;
	emu::together(l);
}
template <int N> inline void product(float (&d)[N], const u32 (&a)[4], u64 b) {
	emu::Lane l{};
	l.op = emu::Product, l.c = d, l.columns = 2 * N, l.a = a, l.bMatrix = b;
	emu::together(l);
}
