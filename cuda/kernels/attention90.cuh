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
	static SB_DEVICE void fetch(char* to, const bf16* store, const int* slots, int kv, int head) {
		::fetch<D, Threads>(store, slots, kv, head, [to](int j, int c) { return at(to, 64, j, c); });
	}
};

// A kernel has one kind: ptxas serialises the products of one that has several.
template <int D, int Kind>
SB_DEVICE void attention90(const bf16* q, const bf16* keys, const bf16* values, bf16* out, float* stats, const int* tiles, const int* runs, int window, int heads, int kv) {
	typedef Shared90<D> S;
	S shared = {dynamicShared()};
	Queries b(tiles + 5 * (u64)blockIdx.x, runs, Kind, window, heads, kv, blockIdx.y);
	int t = threadIdx.x, lane = t % 32, g = lane / 4, c2 = lane % 4 * 2, i0 = t / 32 * 16 + g;
	float o[D / 2], m[2] = {startMax(Kind), startMax(Kind)}, sum[2] = {0, 0};
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
	S::fetch(shared.keys(0), keys, shared.slots(0), b.kv, b.head);
	u64 mq = matrix(address(shared.queries()) + t / 128 * 64 * 128), mk = matrix(address(shared.keys(0))), mv = matrixAcross(address(shared.values()), S::Panel);
	for (int turn = 0; block < b.end(); block += 64, turn ^= 1) {
		bool more = block + 64 < b.end();
		wait<0>();
		asyncFence();
		if (t < 64) shared.slots(turn ^ 1)[t] = b.slot(block + 64 + t);
		__syncthreads(); // keys are here; values and the other keys are done with
		S::fetch(shared.values(), values, shared.slots(turn), b.kv, b.head);
		if (more) S::fetch(shared.keys(turn ^ 1), keys, shared.slots(turn ^ 1), b.kv, b.head);
		float s[32];
#pragma unroll
		for (int e = 0; e < 32; e++) s[e] = 0;
		productFence();
#pragma unroll
		for (int k = 0; k < D; k += 16)
			product(s, further(mq, k / 64 * 128 * 128 + k % 64 * 2), further(mk, turn * S::Keys + k / 64 * S::Panel + k % 64 * 2));
		productCommit();
		productWait<0>();
		hold(s);
		u32 p[4][4];
		// A block without a weight costs its values' way here, and no product.
		if (!__syncthreads_or(weighBlock<Kind, D>(b, block, i0, c2, s, m, sum, p, o))) continue;
		if (more) wait<1>();
		else wait<0>();
		asyncFence();
		__syncthreads();
		productFence();
#pragma unroll
		for (int k = 0; k < 4; k++) product(o, p[k], further(mv, k * 16 * 128));
		productCommit();
		productWait<0>();
		hold(o);
	}
	wait<0>();
	finish<D>(b, Kind, i0, c2, m, sum, o, out, stats);
}

