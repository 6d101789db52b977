// Kernels of one block a row: gather, embedding, RMSNorm, RoPE; and RoPE of a product's tile.
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

// Where the heads of q, k and v go, and what becomes of them before: a norm where there is
// one, rotation by halves of q and k, a factor of q.
template <class T> struct Heads {
	T *q, *keys, *values;
	const int* slot;
	const float *cs, *sn, *logN, *scale, *qNorm, *kNorm;
	int heads, kv, size;
	float base, eps;

	SB_DEVICE int all() const { return heads + 2 * kv; }
	SB_DEVICE bool isV(int h) const { return h >= heads + kv; }
	SB_DEVICE const float* norm(int h) const { return h < heads ? qNorm : isV(h) ? nullptr : kNorm; }
	SB_DEVICE T* place(int r, int h) const {
		if (h < heads) return q + ((u64)r * heads + h) * size;
		return (isV(h) ? values : keys) + ((u64)slot[r] * kv + h - heads - (isV(h) ? kv : 0)) * size;
	}
	SB_DEVICE float factor(int r, int h) const {
		float f = h < heads ? base : 1.f;
		if (h < heads && scale) f *= scale[h] * logN[r];
		return f;
	}
	// What the norm of a head multiplies with, the same bits in every lane of a warp.
	SB_DEVICE float unit(const float* x) const {
		float sum = 0;
		for (int i = threadIdx.x % 32; i < size; i += 32) sum += x[i] * x[i];
		return 1.f / sqrtf(warpSum(sum) / size + eps);
	}
	// Of a head that is not v's: its elements i and i + size/2, with their cosine and sine.
	SB_DEVICE void turn(float& a, float& b, const float* norm, int i, float unit, float c, float s, float f) const {
		float x = a, y = b;
		if (norm) x = x * unit * norm[i], y = y * unit * norm[i + size / 2];
		a = (x * c - y * s) * f;
		b = (y * c + x * s) * f;
	}
};

// A warp takes a head; a lane takes pairs (i, i + size/2).
template <class T> SB_DEVICE void rope(const float* qkv, const Heads<T>& o, int rows) {
	int r = blockIdx.x, half = o.size / 2;
	if (r >= rows) return;
	for (int h = threadIdx.x / 32; h < o.all(); h += 8) {
		const float *x = qkv + ((u64)r * o.all() + h) * o.size, *norm = o.norm(h);
		T* to = o.place(r, h);
		float unit = norm ? o.unit(x) : 1.f, f = o.factor(r, h);
		for (int i = threadIdx.x % 32; i < half; i += 32) {
			float a = x[i], b = x[i + half];
			if (!o.isV(h)) o.turn(a, b, norm, i, unit, o.cs[(u64)r * half + i], o.sn[(u64)r * half + i], f);
			store(to + i, a);
			store(to + i + half, b);
		}
	}
}

// The same of a tile of qkv in shared memory, rows [m0, m0 + count) of m and the 128
// columns from n0 on, which are whole heads. Of 256 threads a warp takes a row, a lane two
// neighbours and the two half a head behind.
template <bool Norms, class T> SB_DEVICE void ropeRows(const float* z, int pitch, const Heads<T>& o, int m0, int count, int m, int n0) {
	int lane = threadIdx.x % 32, size = o.size, half = size / 2, first = n0 / size, in = lane / (size / 4), i = lane % (size / 4) * 2, h = first + in;
	const float* norm = Norms ? o.norm(h) : nullptr;
	count = min(count, m - m0);
	for (int j = threadIdx.x / 32; j < count; j += 8) {
		int r = m0 + j;
		const float* x = z + j * pitch;
		float unit = 1.f;
		for (int g = 0; Norms && g < 128 / size; g++) { // every lane takes part
			if (!o.norm(first + g)) continue;
			float u = o.unit(x + g * size);
			if (g == in) unit = u;
		}
		if (h >= o.all()) continue;
		x += in * size + i;
		float2 a = *(const float2*)x, b = *(const float2*)(x + half);
		if (!o.isV(h)) {
			float2 c = *(const float2*)(o.cs + (u64)r * half + i), s = *(const float2*)(o.sn + (u64)r * half + i);
			float f = o.factor(r, h);
			o.turn(a.x, b.x, norm, i, unit, c.x, s.x, f);
			o.turn(a.y, b.y, norm, i + 1, unit, c.y, s.y, f);
		}
		T* to = o.place(r, h) + i;
		store2(to, a.x, a.y);
		store2(to + half, b.x, b.y);
	}
}

template <class T> SB_DEVICE void ropeTile(const float* z, int pitch, const Heads<T>& o, int m0, int count, int m, int n0) {
	if (o.qNorm || o.kNorm) ropeRows<true>(z, pitch, o, m0, count, m, n0);
	else ropeRows<false>(z, pitch, o, m0, count, m, n0);
}
