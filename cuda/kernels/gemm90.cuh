// Matrix products for sm_90a, over tiles of 128 x 128 as gemm.cuh's, and the head.
// Two groups of four warps compute 64 rows each; a thread of a ninth warp keeps
// three stages of 64 columns of both operands filled. Two blocks share a
// multiprocessor: one computes while the other begins or ends.
#pragma once
#include "gemm.cuh"
#include "hopper.cuh"

// An element is summed in steps of 16 from k = 0, whatever else the tile holds.
struct Tile90 {
	enum { Step = 64, Stages = 3, Operand = 128 * Step * 2, Stage = 2 * Operand, Threads = 256 };
	float acc[64];
	static SB_DEVICE int row(int p) { return threadIdx.x / 32 * 16 + p % 2 * 8 + threadIdx.x % 32 / 4; }
	static SB_DEVICE int col(int p) { return p / 2 * 8 + threadIdx.x % 4 * 2; }
	// a and w are described in boxes of 128 rows by 64 columns. It leaves sums with the
	// first 256 threads, and shared memory unused up to the barriers.
	SB_DEVICE void multiply(char* shared, const TensorMap& a, const TensorMap& w, int m0, int n0, int k) {
		u64 *full = (u64*)(shared + Stages * Stage), *empty = full + Stages;
		if (threadIdx.x == 0) {
			for (int s = 0; s < Stages; s++) {
				barrierInit(full + s, 1);
				barrierInit(empty + s, Threads / 32);
			}
			barriersReady();
		}
		__syncthreads();
		int steps = (k + Step - 1) / Step;
		if (threadIdx.x >= Threads) {
			if (threadIdx.x == Threads)
				for (int i = 0, s = 0, parity = 1; i < steps; i++) {
					await(empty + s, parity);
					arriveExpecting(full + s, Stage);
					copyBox(shared + s * Stage, a, i * Step, m0, full + s);
					copyBox(shared + s * Stage + Operand, w, i * Step, n0, full + s);
					if (++s == Stages) s = 0, parity ^= 1;
				}
			syncWarp();
			return;
		}
#pragma unroll
		for (int i = 0; i < 64; i++) acc[i] = 0;
		for (int i = 0, s = 0, parity = 0; i < steps; i++) {
			u32 as = address(shared) + s * Stage + threadIdx.x / 128 * (Operand / 2), ws = address(shared) + s * Stage + Operand;
			await(full + s, parity);
			productFence();
#pragma unroll
			for (int kk = 0; kk < Step; kk += 16) product(acc, matrix(as + kk * 2), matrix(ws + kk * 2));
			productCommit();
			if (i > 0) { // the step before is over
				productWait<1>();
				if (threadIdx.x % 32 == 0) arrive(empty + (s ? s : Stages) - 1);
			}
			if (++s == Stages) s = 0, parity ^= 1;
		}
		productWait<0>();
		hold(acc);
	}
};

SB_DEVICE void add2(float* to, float x, float y) {
	float2 v = *(float2*)to;
	*(float2*)to = make_float2(v.x + x, v.y + y);
}

// n is a multiple of 8.
template <int E, class C> SB_DEVICE void gemm90(const TensorMap& a, const TensorMap& w, const float* bias, C* c, int m, int n, int k) {
	Tile90 t;
	int m0 = blockIdx.y * 128, n0 = blockIdx.x * 128;
	t.multiply(dynamicShared(), a, w, m0, n0, k);
	if (threadIdx.x >= Tile90::Threads) return;
#pragma unroll
	for (int p = 0; p < 32; p++) {
		int r = m0 + t.row(p), j = n0 + t.col(p);
		if (r >= m || j >= n) continue;
		float x = t.acc[2 * p], y = t.acc[2 * p + 1];
		if (bias) x += bias[j], y += bias[j + 1];
		if constexpr (E == SwiGLU) store(c + (u64)r * (n / 2) + j / 2, x / (1.f + expf(-x)) * y);
		else if constexpr (E == Add) add2(c + (u64)r * n + j, x, y);
		else *(float2*)(c + (u64)r * n + j) = make_float2(x, y);
	}
}

SB_DEVICE void gemmHeads90(const TensorMap& a, const TensorMap& w, const float* bias, const Heads<bf16>& o, int m, int n, int k) {
	Tile90 t;
	int m0 = blockIdx.y * 128, n0 = blockIdx.x * 128;
	char* shared = dynamicShared();
	float* z = (float*)shared;
	bool mine = threadIdx.x < Tile90::Threads;
	t.multiply(shared, a, w, m0, n0, k);
	__syncthreads(); // the other group's products read what is written now
	if (mine) putSums(t, z, 0, 128, bias, n0, n);
	__syncthreads();
	if (mine) ropeTile(z, SumsPitch, o, m0, 128, m, n0);
}

SB_DEVICE void head90(const TensorMap& h, const TensorMap& w, const int* start, const int* ids, float* logits, float* partials, int m, int vocab, int hidden) {
	Tile90 t;
	char* shared = dynamicShared();
	t.multiply(shared, h, w, blockIdx.x * 128, blockIdx.y * 128, hidden);
	__syncthreads();
	headPartials(t, (float*)shared, threadIdx.x < Tile90::Threads, start, ids, logits, partials, m, vocab);
}
