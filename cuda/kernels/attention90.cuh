// Attention for sm_90a and head sizes 64 and 128: a tile of 128 queries, two groups of
// four warps, over the key blocks of attention.cuh. Scores are products of queries and
// keys in shared memory; weights stay in registers, where the product with values
// takes them from.
#pragma once
#include "attention.cuh"
#include "hopper.cuh"

// Panels of 64 columns, each of rows of 128 bytes, as hopper.cuh has them. The slots of
// keys lie scattered, so threads copy 16 bytes each, and not boxes.
template <int D> struct Shared90 {
	enum { Queries = 128 * D * 2, Panel = 64 * 128, Keys = 64 * D * 2, Slots = Queries + 3 * Keys, Threads = 256 };
	char* all;
	SB_DEVICE char* queries() const { return all; }
	SB_DEVICE char* keys(int stage) const { return all + Queries + stage * Keys; }
	SB_DEVICE char* values() const { return all + Queries + 2 * Keys; }
	SB_DEVICE int* slots(int turn) const { return (int*)(all + Slots) + turn * 64; }
	// Row r, columns from c on, a multiple of 8, of panels of so many rows.
	static SB_DEVICE char* at(char* panels, int rows, int r, int c) { return panels + c / 64 * rows * 128 + r * 128 + (c % 64 / 8 ^ r % 8) * 16; }
	// Zeros where the slot is -1.
	static SB_DEVICE void fetch(char* to, const bf16* store, const int* slots, int kv, int head) {
		for (int i = threadIdx.x; i < 64 * D / 8; i += Threads) {
			int j = i / (D / 8), c = i % (D / 8) * 8, s = slots[j];
			copy16(at(to, 64, j, c), store + (s < 0 ? 0 : ((u64)s * kv + head) * D + c), s >= 0);
		}
		commit();
	}
};

template <int D>
SB_DEVICE void attention90(const bf16* q, const bf16* keys, const bf16* values, bf16* out, float* stats, const int* tiles, const int* runs, int kind, int window, int heads, int kv) {
	typedef Shared90<D> S;
	S shared = {dynamicShared()};
	Queries b(tiles + 5 * (u64)blockIdx.x, runs, kind, window, heads, kv, blockIdx.y);
	int t = threadIdx.x, lane = t % 32, g = lane / 4, c2 = lane % 4 * 2, i0 = t / 32 * 16 + g, i1 = i0 + 8;
	// Every block that is seen has a positive weight, so values need not wait to be asked for.
	bool always = kind == Softmax || kind == SoftmaxPlusOne;
	float o[D / 2], m0 = startMax(kind), m1 = m0, sum0 = 0, sum1 = 0;
#pragma unroll
	for (int e = 0; e < D / 2; e++) o[e] = 0;
	int block = b.first() / 64 * 64;
	if (t < 64) shared.slots(0)[t] = b.slot(block + t);
	__syncthreads();
	for (int i = t; i < 128 * D / 8; i += S::Threads) {
		int r = i / (D / 8), c = i % (D / 8) * 8;
		bool valid = r < b.count;
		copy16(S::at(shared.queries(), 128, r, c), q + (valid ? (u64)b.at(r) * D + c : 0), valid);
	}
	S::fetch(shared.keys(0), keys, shared.slots(0), kv, b.head);
	for (int turn = 0; block < b.end(); block += 64, turn ^= 1) {
		bool more = block + 64 < b.end();
		wait<0>();
		asyncFence();
		if (t < 64) shared.slots(turn ^ 1)[t] = b.slot(block + 64 + t);
		__syncthreads(); // keys are here; values and the other keys are done with
		if (always) S::fetch(shared.values(), values, shared.slots(turn), kv, b.head);
		if (more) S::fetch(shared.keys(turn ^ 1), keys, shared.slots(turn ^ 1), kv, b.head);
		float s[32];
#pragma unroll
		for (int e = 0; e < 32; e++) s[e] = 0;
		productFence();
#pragma unroll
		for (int k = 0; k < D; k += 16)
			product(s, matrix(address(shared.queries()) + k / 64 * 128 * 128 + t / 128 * 64 * 128 + k % 64 * 2), matrix(address(shared.keys(turn)) + k / 64 * S::Panel + k % 64 * 2));
		productCommit();
		productWait<0>();
		hold(s);
		u32 p[4][4];
		bool any = false;
#pragma unroll
		for (int h = 0; h < 2; h++) { // a thread's two rows
			float x[16], f;
			int key[16];
#pragma unroll
			for (int j = 0; j < 16; j++) x[j] = s[j / 2 * 4 + 2 * h + j % 2], key[j] = block + j / 2 * 8 + c2 + j % 2;
			any |= weighRow<16, 4>(b, h ? i1 : i0, x, key, h ? m1 : m0, h ? sum1 : sum0, f);
#pragma unroll
			for (int k = 0; k < 4; k++) p[k][h] = pack(x[k * 4], x[k * 4 + 1]), p[k][2 + h] = pack(x[k * 4 + 2], x[k * 4 + 3]);
#pragma unroll
			for (int n = 0; n < D / 8; n++) o[n * 4 + 2 * h] *= f, o[n * 4 + 2 * h + 1] *= f;
		}
		any = __syncthreads_or(any);
		if (!any) continue;
		if (!always) S::fetch(shared.values(), values, shared.slots(turn), kv, b.head);
		if (always && more) wait<1>();
		else wait<0>();
		asyncFence();
		__syncthreads();
		productFence();
#pragma unroll
		for (int k = 0; k < 4; k++) product(o, p[k], matrixAcross(address(shared.values()) + k * 16 * 128, S::Panel));
		productCommit();
		productWait<0>();
		hold(o);
	}
	wait<0>();
#pragma unroll
	for (int h = 0; h < 2; h++) {
		int i = h ? i1 : i0;
		if (i >= b.count) continue;
		float f = norm(kind, h ? m1 : m0, h ? sum1 : sum0);
#pragma unroll
		for (int n = 0; n < D / 8; n++) *(u32*)(out + (u64)b.at(i) * D + n * 8 + c2) = pack(o[n * 4 + 2 * h] * f + 0.f, o[n * 4 + 2 * h + 1] * f + 0.f);
		if (stats && c2 == 0) stats[2 * (u64)b.at(i)] = h ? m1 : m0, stats[2 * (u64)b.at(i) + 1] = f;
	}
}
