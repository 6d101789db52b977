// Matrix products over tiles of 128 x 128 by 256 threads, and the head.
#pragma once
#include "rows.cuh"

template <class T> struct Tile;

// Eight warps of 64 x 32, steps of 32 in k, two buffers. An element is summed in
// steps of 16 from k = 0, whatever else the tile holds.
template <> struct Tile<bf16> {
	enum { Step = 32, Pitch = 40, Buffer = 128 * Pitch, Bytes = 4 * Buffer * 2 };
	float acc[64];
	static SB_DEVICE int row(int p) { return threadIdx.x / 128 * 64 + p / 8 * 16 + p % 2 * 8 + threadIdx.x % 32 / 4; }
	static SB_DEVICE int col(int p) { return threadIdx.x / 32 % 4 * 32 + p / 2 % 4 * 8 + threadIdx.x % 4 * 2; }
	static SB_DEVICE void fetch(bf16* to, const bf16* from, int first, int end, int k0, int k) {
		for (int i = threadIdx.x; i < 128 * Step / 8; i += 256) {
			int r = i / (Step / 8), c = i % (Step / 8) * 8;
			bool valid = first + r < end && k0 + c < k;
			copy16(to + r * Pitch + c, valid ? from + (u64)(first + r) * k + k0 + c : from, valid);
		}
	}
	SB_DEVICE void multiply(char* shared, const bf16* a, const bf16* w, int m0, int m, int n0, int n, int k) {
		bf16* s = (bf16*)shared;
		int lane = threadIdx.x % 32, wm = threadIdx.x / 128 * 64, wn = threadIdx.x / 32 % 4 * 32;
#pragma unroll
		for (int i = 0; i < 64; i++) acc[i] = 0;
		fetch(s, a, m0, m, 0, k);
		fetch(s + Buffer, w, n0, n, 0, k);
		commit();
		for (int k0 = 0, b = 0; k0 < k; k0 += Step, b ^= 1) {
			wait<0>();
			__syncthreads();
			if (k0 + Step < k) {
				fetch(s + (b ^ 1) * 2 * Buffer, a, m0, m, k0 + Step, k);
				fetch(s + (b ^ 1) * 2 * Buffer + Buffer, w, n0, n, k0 + Step, k);
				commit();
			}
			const bf16 *as = s + b * 2 * Buffer, *ws = as + Buffer;
#pragma unroll
			for (int kk = 0; kk < Step; kk += 16) {
				u32 fa[4][4], fb[2][4];
#pragma unroll
				for (int i = 0; i < 4; i++) load4(fa[i], as + (wm + i * 16 + lane % 16) * Pitch + kk + lane / 16 * 8);
#pragma unroll
				for (int j = 0; j < 2; j++) load4(fb[j], ws + (wn + j * 16 + lane / 16 * 8 + lane % 8) * Pitch + kk + lane / 8 % 2 * 8);
#pragma unroll
				for (int i = 0; i < 4; i++)
#pragma unroll
					for (int j = 0; j < 4; j++) mma(acc + (i * 4 + j) * 4, fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
			}
		}
		__syncthreads();
	}
};

// A thread has 8 x 8 elements, each summed in the order of k.
template <> struct Tile<float> {
	enum { Step = 16, Pitch = 132, Bytes = 2 * Step * Pitch * 4 };
	float acc[64];
	static SB_DEVICE int row(int p) { return p / 16 * 64 + threadIdx.x / 16 * 4 + p / 4 % 4; }
	static SB_DEVICE int col(int p) { return p / 2 % 2 * 64 + threadIdx.x % 16 * 4 + p % 2 * 2; }
	static SB_DEVICE void fetch(float* to, const float* from, int first, int end, int k0, int k) {
		for (int i = threadIdx.x; i < 128 * Step / 4; i += 256) {
			int r = i / (Step / 4), c = i % (Step / 4) * 4;
			float4 v = make_float4(0, 0, 0, 0);
			if (first + r < end && k0 + c < k) v = *(const float4*)(from + (u64)(first + r) * k + k0 + c);
			to[c * Pitch + r] = v.x, to[(c + 1) * Pitch + r] = v.y, to[(c + 2) * Pitch + r] = v.z, to[(c + 3) * Pitch + r] = v.w;
		}
	}
	SB_DEVICE void multiply(char* shared, const float* a, const float* w, int m0, int m, int n0, int n, int k) {
		float *as = (float*)shared, *ws = as + Step * Pitch;
		int ty = threadIdx.x / 16 * 4, tx = threadIdx.x % 16 * 4;
#pragma unroll
		for (int i = 0; i < 64; i++) acc[i] = 0;
		for (int k0 = 0; k0 < k; k0 += Step) {
			fetch(as, a, m0, m, k0, k);
			fetch(ws, w, n0, n, k0, k);
			__syncthreads();
#pragma unroll 4
			for (int kk = 0; kk < Step; kk++) {
				float4 a0 = *(float4*)(as + kk * Pitch + ty), a1 = *(float4*)(as + kk * Pitch + 64 + ty);
				float4 b0 = *(float4*)(ws + kk * Pitch + tx), b1 = *(float4*)(ws + kk * Pitch + 64 + tx);
				float x[8] = {a0.x, a0.y, a0.z, a0.w, a1.x, a1.y, a1.z, a1.w}, y[8] = {b0.x, b0.y, b0.z, b0.w, b1.x, b1.y, b1.z, b1.w};
#pragma unroll
				for (int i = 0; i < 8; i++)
#pragma unroll
					for (int j = 0; j < 8; j++) acc[i * 8 + j] = fmaf(x[i], y[j], acc[i * 8 + j]);
			}
			__syncthreads();
		}
	}
};

enum { Store, Add, SwiGLU };

template <int E, class T, class C> SB_DEVICE void gemm(const T* a, const T* w, const float* bias, C* c, int m, int n, int k) {
	SB_SHARED(char, shared, Tile<T>::Bytes);
	Tile<T> t;
	int m0 = blockIdx.y * 128, n0 = blockIdx.x * 128;
	t.multiply(shared, a, w, m0, m, n0, n, k);
#pragma unroll
	for (int p = 0; p < 32; p++) {
		int r = m0 + t.row(p), j = n0 + t.col(p);
		if (r >= m || j >= n) continue;
		float x[2] = {t.acc[2 * p], t.acc[2 * p + 1]};
		int count = j + 1 < n ? 2 : 1;
		for (int i = 0; bias && i < count; i++) x[i] += bias[j + i];
		if constexpr (E == SwiGLU) {
			if (count == 2) store(c + (u64)r * (n / 2) + j / 2, x[0] / (1.f + expf(-x[0])) * x[1]);
		} else {
			for (int i = 0; i < count; i++) {
				C* to = c + (u64)r * n + j + i;
				store(to, E == Add ? load(to) + x[i] : x[i]);
			}
		}
	}
}

// Sums of a tile in shared memory, rows of SumsPitch floats.
enum { SumsPitch = 132, SumsRows = 64, SumsBytes = SumsRows * SumsPitch * 4 };

// Writes those of the tile's rows [first, first + count), with the bias of the columns
// from n0 on where there is one.
template <class S> SB_DEVICE void putSums(const S& t, float* z, int first, int count, const float* bias, int n0, int n) {
#pragma unroll
	for (int p = 0; p < 32; p++) {
		int r = t.row(p) - first, j = n0 + t.col(p);
		if (r < 0 || r >= count) continue;
		float x = t.acc[2 * p], y = t.acc[2 * p + 1];
		if (bias && j < n) x += bias[j], y += bias[j + 1];
		*(float2*)(z + r * SumsPitch + t.col(p)) = make_float2(x, y);
	}
}

// The product's sums rotated, q to its place and keys and values to their slots: heads of
// 32, 64 or 128, so that a tile has whole ones.
template <class T> SB_DEVICE void gemmHeads(const T* a, const T* w, const float* bias, const Heads<T>& o, int m, int n, int k) {
	enum { Bytes = (int)Tile<T>::Bytes > (int)SumsBytes ? (int)Tile<T>::Bytes : (int)SumsBytes };
	SB_SHARED(char, shared, Bytes);
	Tile<T> t;
	int m0 = blockIdx.y * 128, n0 = blockIdx.x * 128;
	float* z = (float*)shared;
	t.multiply(shared, a, w, m0, m, n0, n, k);
	for (int first = 0; first < 128; first += SumsRows) {
		putSums(t, z, first, SumsRows, bias, n0, n);
		__syncthreads();
		ropeTile(z, SumsPitch, o, m0 + first, SumsRows, m, n0);
		__syncthreads();
	}
}

// What a block of the head keeps of its 128 rows and one partial's columns, whose
// sums are in t, of the first 256 threads: mine says whether this is one. Blocks of the
// same columns are neighbours, so that all rows share a read of w. Four threads
// share a row, each with every fourth column; they join by a tree, lower token first
// on ties. z has SumsRows rows.
template <class S>
SB_DEVICE void headPartials(const S& t, float* z, bool mine, const int* start, const int* ids, float* logits, float* partials, int m, int vocab) {
	int m0 = blockIdx.x * 128, n0 = blockIdx.y * 128, count = min(128, vocab - n0);
	for (int half = 0; half < 2; half++) {
		if (mine) putSums(t, z, half * SumsRows, SumsRows, nullptr, n0, vocab);
		__syncthreads();
		if (mine) {
			int r = threadIdx.x / 4, q = threadIdx.x % 4, row = m0 + half * SumsRows + r, arg = n0;
			const float* x = z + r * SumsPitch;
			float top = -INFINITY, sum = 0;
			for (int j = q; j < count; j += 4)
				if (x[j] > top || x[j] != x[j]) top = x[j], arg = n0 + j;
			for (int mask = 1; mask < 4; mask <<= 1) {
				float o = shuffle(top, mask);
				int oa = shuffle(arg, mask);
				if (o > top || (o == top && oa < arg) || o != o) top = o, arg = oa;
			}
			for (int j = q; j < count; j += 4) sum += expf(x[j] - top);
			sum += shuffle(sum, 1);
			sum += shuffle(sum, 2);
			if (row < m) {
				float* to = partials + ((u64)row * gridDim.y + blockIdx.y) * 3;
				if (q == 0) to[0] = top, to[1] = sum, to[2] = __int_as_float(arg);
				for (int i = start[row] + q; i < start[row + 1]; i += 4)
					if (ids[i] >= n0 && ids[i] < n0 + count) logits[i] = x[ids[i] - n0];
			}
		}
		__syncthreads();
	}
}

template <class T>
SB_DEVICE void head(const T* h, const T* w, const int* start, const int* ids, float* logits, float* partials, int m, int vocab, int hidden) {
	enum { Bytes = (int)Tile<T>::Bytes > (int)SumsBytes ? (int)Tile<T>::Bytes : (int)SumsBytes };
	SB_SHARED(char, shared, Bytes);
	Tile<T> t;
	t.multiply(shared, h, w, blockIdx.x * 128, m, blockIdx.y * 128, vocab, hidden);
	headPartials(t, (float*)shared, true, start, ids, logits, partials, m, vocab);
}

// A warp joins a row's partials: a lane every 32nd in order, then lanes by a tree, the
// lower token first on ties. One order of sums, whatever the rows.
SB_DEVICE void headMerge(const float* partials, double* lse, int* argmax, int m, int n) {
	int r = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
	if (r >= m) return;
	const float* p = partials + (u64)r * n * 3;
	float top = -INFINITY;
	int arg = 0x7fffffff;
	for (int c = lane; c < n; c += 32)
		if (p[3 * c] > top || arg == 0x7fffffff) top = p[3 * c], arg = __float_as_int(p[3 * c + 2]);
	for (int mask = 16; mask; mask >>= 1) {
		float o = shuffle(top, mask);
		int oa = shuffle(arg, mask);
		if (o > top || (o == top && oa < arg)) top = o, arg = oa;
	}
	double sum = 0;
	for (int c = lane; c < n; c += 32) sum += (double)p[3 * c + 1] * exp((double)(p[3 * c] - top));
	for (int mask = 16; mask; mask >>= 1) sum += shuffle(sum, mask);
	if (lane) return;
	lse[r] = (double)top + log(sum);
	argmax[r] = arg;
}
