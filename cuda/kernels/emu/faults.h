// Kernels that go wrong in the way they are told to, to see that the emulation finds
// it; package emu's tests say what it must find. Of the first, one group of four warps multiplies
// the first 64 rows of a matrix of 64 columns with 128 of its rows, in one stage.
#pragma once
#include "hopper.h"

enum Fault {
	NoFault, BoxOffAKilobyte, NoSwizzle, MatrixOffAKilobyte, MatrixBeyondItsRows, MatrixOutside, NoFence, NoWait, NoCommit, ReadBeforeWait, ChangedBeforeWait,
	AnotherMatrix, NoBarrierWait, NoBarrier, BarrierUnknownToCopies, TooFewBytes, TooManyBytes, ArrivedTwice, BarrierWrittenOver, OverwrittenBeforeWait, BoxOutside,
};

SB_KERNEL void emu_fault(SB_MAP map, float* out, int fault) {
	char* shared = dynamicShared();
	u64* full = (u64*)(shared + (32 << 10));
	int t = threadIdx.x;
	if (t == 0 && fault != NoBarrier) {
		barrierInit(full, 1);
		if (fault != BarrierUnknownToCopies) barriersReady();
	}
	__syncthreads();
	if (t == 0) {
		arriveExpecting(full, (32 << 10) + (fault == TooManyBytes ? 16 : fault == TooFewBytes ? -(16 << 10) : 0));
		copyBox(shared + (fault == BoxOffAKilobyte ? 128 : 0), map, 0, 0, full);
		copyBox(shared + (fault == BoxOutside ? 1 << 20 : 16 << 10), map, 0, 0, full);
		if (fault == ArrivedTwice) arrive(full), arrive(full);
	}
	if (fault != NoBarrierWait) await(full, 0);
	float d[64] = {};
	if (fault != NoFence) productFence();
	for (int k = 0; k < 64; k += 16) {
		u64 a = matrix(address(shared) + k * 2), b = matrix(address(shared) + (16 << 10) + k * 2);
		if (fault == NoSwizzle) a &= ~(3ull << 62);
		if (fault == MatrixOffAKilobyte) a += 128 >> 4;
		if (fault == MatrixBeyondItsRows) b += 16 >> 4;
		if (fault == MatrixOutside) b += (8 << 10) >> 4;
		if (fault == AnotherMatrix && t / 32 == 2) b += 1024 >> 4;
		product(d, a, b);
	}
	if (fault == ReadBeforeWait) out[t] = d[0];
	if (fault == ChangedBeforeWait) d[5] = 1;
	if (fault != NoCommit) productCommit();
	if (fault == OverwrittenBeforeWait) {
		__syncthreads();
		if (t == 0) arriveExpecting(full, 16 << 10), copyBox(shared, map, 0, 64, full);
		await(full, 1);
	}
	if (fault != NoWait) productWait<0>();
	if (fault == NoBarrierWait) await(full, 0);
	if (fault == BarrierWrittenOver) *full = 0;
	if (fault == ReadBeforeWait) return;
	for (int e = 0; e < 64; e++) out[(t / 32 * 16 + e / 2 % 2 * 8 + t % 32 / 4) * 128 + e / 4 * 8 + t % 4 * 2 + e % 2] = d[e];
}

enum FaultAcross { NoFaultAcross, CopyUnknownToProducts, CopyNotWaitedFor, RegistersChangedBeforeWait, MatrixWithinARow, GroupsOf16Rows };

// The square of a matrix of 64 x 64: from registers, and from what threads copied.
SB_KERNEL void emu_fault_across(const bf16* m, float* out, int fault) {
	char* shared = dynamicShared();
	int t = threadIdx.x;
	for (int i = t; i < 64 * 8; i += 128) copy16(shared + i / 8 * 128 + (i % 8 ^ i / 8 % 8) * 16, m + i * 8, true);
	commit();
	if (fault != CopyNotWaitedFor) wait<0>();
	if (fault != CopyUnknownToProducts) asyncFence();
	__syncthreads();
	u32 a[4][4];
	for (int k = 0; k < 4; k++)
		for (int e = 0; e < 4; e++) memcpy(&a[k][e], m + (t / 32 * 16 + e % 2 * 8 + t % 32 / 4) * 64 + k * 16 + e / 2 * 8 + t % 4 * 2, 4);
	float d[32] = {};
	productFence();
	for (int k = 0; k < 4; k++) {
		u64 b = matrixAcross(address(shared) + k * 16 * 128, 64 * 128);
		if (fault == MatrixWithinARow) b += 32 >> 4;
		if (fault == GroupsOf16Rows) b += (u64)(1024 >> 4) << 32;
		product(d, a[k], b);
	}
	if (fault == RegistersChangedBeforeWait) a[3][1] ^= 1;
	productCommit();
	productWait<0>();
	wait<0>();
	for (int e = 0; e < 32; e++) out[(t / 32 * 16 + e / 2 % 2 * 8 + t % 32 / 4) * 64 + e / 4 * 8 + t % 4 * 2 + e % 2] = d[e];
}
