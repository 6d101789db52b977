// Kernels of one block a row: gather, embedding, RMSNorm, RoPE.
#pragma once
#include "machine.cuh"

template <class T> SB_DEVICE void embed(const int* ids, const T* table, float* x, int rows, int hidden) {
	int r = blockIdx.x;
	if (r >= rows) return;
	const T* from = table + (u64)ids[r] * hidden;
	for (int i = threadIdx.x; i < hidden; i += blockDim.x) x[(u64)r * hidden + i] = load(from + i);
}

SB_DEVICE void gather(const int* in, const int* index, int* out, int rows, int words) {
	int r = blockIdx.x;
	if (r >= rows) return;
	for (int i = threadIdx.x; i < words; i += blockDim.x) out[(u64)r * words + i] = in[(u64)index[r] * words + i];
}

// Sums: a thread's elements in order, then lanes by a tree, then warps in order.
template <class T> SB_DEVICE void rmsnorm(const float* x, const float* weight, const int* index, T* out, int rows, int hidden, float eps) {
	SB_SHARED(float, part, 8);
	int r = blockIdx.x, t = threadIdx.x;
	if (r >= rows) return;
	const float* from = x + (u64)(index ? index[r] : r) * hidden;
	float sum = 0;
	for (int i = t; i < hidden; i += 256) sum += from[i] * from[i];
	sum = warpSum(sum);
	if (t % 32 == 0) part[t / 32] = sum;
	__syncthreads();
	sum = 0;
	for (int i = 0; i < 8; i++) sum += part[i];
	float scale = 1.f / sqrtf(sum / hidden + eps);
	for (int i = t; i < hidden; i += 256) store(out + (u64)r * hidden + i, from[i] * scale * weight[i]);
}

// A warp takes a head of q, k or v; a lane takes pairs (i, i + size/2).
template <class T>
SB_DEVICE void rope(const float* qkv, T* q, T* keys, T* values, const int* slot, const float* cs, const float* sn, const float* logN, const float* scale,
                    const float* qNorm, const float* kNorm, int rows, int heads, int kv, int size, float base, float eps) {
	int r = blockIdx.x, lane = threadIdx.x % 32, half = size / 2;
	if (r >= rows) return;
	for (int h = threadIdx.x / 32; h < heads + 2 * kv; h += 8) {
		const float* x = qkv + ((u64)r * (heads + 2 * kv) + h) * size;
		bool isQ = h < heads, isV = h >= heads + kv;
		T* to = isQ ? q + ((u64)r * heads + h) * size : (isV ? values : keys) + ((u64)slot[r] * kv + (h - heads) % kv) * size;
		const float* norm = isQ ? qNorm : isV ? nullptr : kNorm;
		float unit = 1.f;
		if (norm) {
			float sum = 0;
			for (int i = lane; i < size; i += 32) sum += x[i] * x[i];
			unit = 1.f / sqrtf(warpSum(sum) / size + eps);
		}
		float f = isQ ? base : 1.f;
		if (isQ && scale) f *= scale[h] * logN[r];
		for (int i = lane; i < half; i += 32) {
			float a = x[i], b = x[i + half];
			if (norm) a = a * unit * norm[i], b = b * unit * norm[i + half];
			if (isV) {
				store(to + i, a);
				store(to + i + half, b);
				continue;
			}
			float c = cs[(u64)r * half + i], s = sn[(u64)r * half + i];
			store(to + i, (a * c - b * s) * f);
			store(to + i + half, (b * c + a * s) * f);
		}
	}
}
