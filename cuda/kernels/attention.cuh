// Attention of a tile of 64 queries (rows times the heads that share keys) over
// key blocks of 64 that start at multiples of 64 from position 0. 128 threads.
#pragma once
#include "machine.cuh"

enum { Softmax, Softpick, Rectified, MaskedSoftmax, SoftmaxPlusOne };

struct Queries {
	int row, rows, position, count, kind, window, heads, kv, group, head, runs;
	const int* run;
	SB_DEVICE Queries(const int* tile, const int* runTable, int kind, int window, int heads, int kv, int head)
	    : row(tile[0]), rows(tile[1]), position(tile[2]), kind(kind), window(window), heads(heads), kv(kv), group(heads / kv), head(head), runs(tile[4]), run(runTable + 2 * tile[3]) {
		count = rows * group;
	}
	SB_DEVICE int at(int i) const { return (row + i / group) * heads + head * group + i % group; } // of query i, in rows of a head
	SB_DEVICE int end() const { return position + rows; }
	SB_DEVICE int first() const { return window ? max(0, position - window + 1) : 0; } // key seen by any query
	SB_DEVICE bool sees(int i, int key) const {
		int p = position + i / group;
		return i < count && key <= p && (!window || key > p - window);
	}
	// Every query sees every key of the block of 64.
	SB_DEVICE bool whole(int block) const { return block + 63 <= position && (!window || block > position + rows - 1 - window); }
	// The slot of a key, or -1 where no query sees it.
	SB_DEVICE int slot(int key) const {
		if (key < first() || key >= end()) return -1;
		int lo = 0, hi = runs - 1;
		while (lo < hi) {
			int mid = (lo + hi + 1) / 2;
			if (run[2 * mid] <= key) lo = mid;
			else hi = mid - 1;
		}
		return run[2 * lo + 1] + key - run[2 * lo];
	}
};

// The kinds. The maximum starts at 0 in all but softmax, so that e^-m is at most 1.
SB_DEVICE float startMax(int kind) { return kind == Softmax ? -INFINITY : 0.f; }
SB_DEVICE float weigh(int kind, float x, float m, float floor, float& d) {
	float e = expf(x - m), w = e;
	d = e;
	if (kind == Softpick) w = e - floor, d = fabsf(w), w = fmaxf(w, 0.f);
	if (kind == Rectified) w = d = fmaxf(e - floor, 0.f);
	if (kind == MaskedSoftmax && x < 0) w = d = 0;
	return w;
}
SB_DEVICE float norm(int kind, float m, float sum) {
	if (kind == Softpick || kind == Rectified) return 1.f / (sum + 1e-6f);
	if (kind == SoftmaxPlusOne) return 1.f / (sum + expf(-m));
	return kind == MaskedSoftmax && sum == 0 ? 0.f : 1.f / sum;
}
// In float32: one row's part of a key block: x[N] scores in this thread, lanes [0, Lanes)
// hold the rest of the row. Scores become weights; says whether some weight is positive.
template <int N, int Lanes> SB_DEVICE bool weighExactly(const Queries& b, int i, float (&x)[N], const int (&key)[N], float& m, float& sum, float& factor) {
	float top = m;
#pragma unroll
	for (int j = 0; j < N; j++)
		if (b.sees(i, key[j])) top = fmaxf(top, x[j]);
#pragma unroll
	for (int k = 1; k < Lanes; k <<= 1) top = fmaxf(top, shuffle(top, k));
	factor = top == m ? 1.f : expf(m - top);
	float floor = expf(-top), part = 0, d;
	bool any = false;
#pragma unroll
	for (int j = 0; j < N; j++) {
		if (b.sees(i, key[j])) {
			x[j] = weigh(b.kind, x[j], top, floor, d);
			part += d;
			any |= x[j] > 0;
		} else x[j] = 0;
	}
#pragma unroll
	for (int k = 1; k < Lanes; k <<= 1) part += shuffle(part, k);
	m = top, sum = sum * factor + part;
	return any;
}

// What a thread has of a row's scores over 64 keys where fragments of 16x8 hold them:
// of key j/2·8 + j%2 (plus lane%4·2, which lo and hi leave out) x[j], in log2's
// units by a factor that the exponent takes in. Scores become weights over 2^-top,
// those of softpick not yet without their negative ones: packPositive's part.
// Each kind is compiled for itself, and without a mask where every key is seen:
// a maximum, a multiplication and addition, a power, at most two additions a score.
template <int Kind, bool Masked> SB_DEVICE void weighRow(float (&x)[16], int lo, int hi, float& m, float& sum, float& factor) {
	const float log2e = 1.4426950408889634f;
	float top = m, part[2] = {0, 0};
#pragma unroll
	for (int j = 0; j < 16; j++) {
		if (Masked) x[j] = j / 2 * 8 + j % 2 >= lo && j / 2 * 8 + j % 2 <= hi ? x[j] : -INFINITY;
		top = fmaxf(top, x[j]);
	}
	top = fmaxf(top, shuffle(top, 1));
	top = fmaxf(top, shuffle(top, 2));
	// A row of softmax that has seen no key yet has no maximum.
	float shift = Masked && Kind == Softmax && top == -INFINITY ? 0.f : -top * log2e, floor = powerOf2(shift);
	factor = top == m ? 1.f : powerOf2(fmaf(m, log2e, shift));
#pragma unroll
	for (int j = 0; j < 16; j++) {
		float e = powerOf2(fmaf(x[j], log2e, shift)), d;
		if (Kind == MaskedSoftmax) e = x[j] < 0 ? 0.f : e;
		if (Kind == Softpick) e = (Masked && x[j] == -INFINITY ? floor : e) - floor;
		if (Kind == Rectified) e = fmaxf(e - floor, 0.f);
		d = Kind == Softpick ? fabsf(e) : e;
		x[j] = e, part[j % 2] += d;
	}
	float all = part[0] + part[1];
	all += shuffle(all, 1);
	all += shuffle(all, 2);
	m = top, sum = fmaf(sum, factor, all);
}

// A thread's two rows over a block of keys: scores s, of fragments n of 8 keys the row
// h at s[4n + 2h], become p, the first operand of the product with values, k by 16
// keys. o, of D/8 fragments, is set to the new maxima. Says whether p has a weight.
template <int Kind, bool Masked, int D>
SB_DEVICE bool weighBlock(const Queries& b, int block, int i0, int c2, const float (&s)[32], float (&m)[2], float (&sum)[2], u32 (&p)[4][4], float* o) {
	float f[2];
	u32 any = 0;
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float x[16];
#pragma unroll
		for (int j = 0; j < 16; j++) x[j] = s[j / 2 * 4 + 2 * h + j % 2];
		int hi = 0, lo = 0;
		if (Masked) {
			hi = b.position + (i0 + 8 * h) / b.group - block - c2;
			lo = b.window ? hi - b.window + 1 : -64;
		}
		weighRow<Kind, Masked>(x, lo, hi, m[h], sum[h], f[h]);
#pragma unroll
		for (int k = 0; k < 4; k++) {
			p[k][h] = packPositive(x[k * 4], x[k * 4 + 1]), p[k][2 + h] = packPositive(x[k * 4 + 2], x[k * 4 + 3]);
			any |= p[k][h] | p[k][2 + h];
		}
	}
	if (f[0] != 1.f || f[1] != 1.f) { // seldom: maxima that start at 0 hardly grow
#pragma unroll
		for (int n = 0; n < D / 8; n++) o[n * 4] *= f[0], o[n * 4 + 1] *= f[0], o[n * 4 + 2] *= f[1], o[n * 4 + 3] *= f[1];
	}
	return any;
}
template <int Kind, int D>
SB_DEVICE bool weighBlock(const Queries& b, int block, int i0, int c2, const float (&s)[32], float (&m)[2], float (&sum)[2], u32 (&p)[4][4], float* o) {
	return b.whole(block) ? weighBlock<Kind, false, D>(b, block, i0, c2, s, m, sum, p, o) : weighBlock<Kind, true, D>(b, block, i0, c2, s, m, sum, p, o);
}
// A thread's part of the outputs and of stats.
template <int D> SB_DEVICE void finish(const Queries& b, int kind, int i0, int c2, const float (&m)[2], const float (&sum)[2], const float* o, bf16* out, float* stats) {
#pragma unroll
	for (int h = 0; h < 2; h++) {
		int i = i0 + 8 * h;
		if (i >= b.count) continue;
		u64 at = b.at(i);
		float f = norm(kind, m[h], sum[h]);
#pragma unroll
		for (int n = 0; n < D / 8; n++) *(u32*)(out + at * D + n * 8 + c2) = pack(o[n * 4 + 2 * h] * f + 0.f, o[n * 4 + 2 * h + 1] * f + 0.f);
		if (stats && c2 == 0) stats[2 * at] = m[h], stats[2 * at + 1] = f;
	}
}

// 64 keys or values of D by asynchronous copies of a block of Threads; zeros where the
// slot is -1. Neighbours take neighbouring 16 bytes of a row, up to 128 of them; put
// gives the place of column c of row j.
template <int D, int Threads, class Put> SB_DEVICE void fetch(const bf16* store, const int* slots, int kv, int head, Put put) {
	enum { Across = D % 64 ? 4 : 8, Rows = Threads / Across };
	int c = threadIdx.x % Across * 8, j0 = threadIdx.x / Across;
	const bf16* from = store + head * D + c;
	u32 row = kv * D;
#pragma unroll
	for (int n = 0; n < 64 / Rows; n++) {
		int s = slots[j0 + n * Rows];
		const bf16* x = from + (u64)(u32)(s < 0 ? 0 : s) * row;
#pragma unroll
		for (int k = 0; k < D; k += Across * 8) copy16(put(j0 + n * Rows, c + k), x + k, s >= 0);
	}
	commit();
}

// A warp has 16 queries. Values, and the keys of the next block, load while scores are
// computed; up to head size 128, else keys and values share a buffer.
template <int D, int Kind>
SB_DEVICE void attendHalves(const bf16* q, const bf16* keys, const bf16* values, bf16* out, float* stats, const Queries& b, char* shared) {
	enum { Own = D <= 128, Size = 64 * (D + 8) };
	bf16 *ks = (bf16*)shared, *vs = ks + (Own ? Size : 0);
	int* slots = (int*)(shared + (Own ? 2 : 1) * Size * 2);
	auto load = [&](bf16* to, const bf16* store, const int* slots) { fetch<D, 128>(store, slots, b.kv, b.head, [to](int j, int c) { return to + j * (D + 8) + c; }); };
	int t = threadIdx.x, lane = t % 32, g = lane / 4, c2 = lane % 4 * 2, i0 = t / 32 * 16 + g;
	u32 fq[D / 16][4];
#pragma unroll
	for (int k = 0; k < D / 16; k++)
#pragma unroll
		for (int e = 0; e < 4; e++) {
			int i = i0 + e % 2 * 8;
			fq[k][e] = i < b.count ? *(const u32*)(q + (u64)b.at(i) * D + k * 16 + e / 2 * 8 + c2) : 0;
		}
	float o[D / 2], m[2] = {startMax(Kind), startMax(Kind)}, sum[2] = {0, 0};
#pragma unroll
	for (int e = 0; e < D / 2; e++) o[e] = 0;
	int block = b.first() / 64 * 64;
	if (t < 64) slots[t] = b.slot(block + t);
	__syncthreads();
	load(ks, keys, slots);
	for (int turn = 0; block < b.end(); block += 64, turn ^= 64) {
		wait<0>();
		if (t < 64) slots[(turn ^ 64) + t] = b.slot(block + 64 + t);
		__syncthreads();
		if (Own) load(vs, values, slots + turn);
		float s[32];
#pragma unroll
		for (int n = 0; n < 32; n++) s[n] = 0;
#pragma unroll
		for (int n = 0; n < 8; n += 2)
#pragma unroll
			for (int k = 0; k < D / 16; k++) {
				u32 fk[4];
				load4(fk, ks + (n * 8 + lane / 16 * 8 + lane % 8) * (D + 8) + k * 16 + lane / 8 % 2 * 8);
				mma(s + n * 4, fq[k], fk[0], fk[1]);
				mma(s + n * 4 + 4, fq[k], fk[2], fk[3]);
			}
		u32 p[4][4];
		bool any = weighBlock<Kind, D>(b, block, i0, c2, s, m, sum, p, o), more = block + 64 < b.end();
		any = __syncthreads_or(any); // keys are done with
		if (Own && more) load(ks, keys, slots + (turn ^ 64));
		if (any) {
			if (!Own) load(vs, values, slots + turn);
			if (Own && more) wait<1>();
			else wait<0>();
			__syncthreads();
#pragma unroll
			for (int k = 0; k < 4; k++)
#pragma unroll
				for (int n = 0; n < D / 8; n += 2) {
					u32 fv[4];
					load4t(fv, vs + (k * 16 + lane % 16) * (D + 8) + n * 8 + lane / 16 * 8);
					mma(o + n * 4, p[k], fv[0], fv[1]);
					mma(o + n * 4 + 4, p[k], fv[2], fv[3]);
				}
		}
		if (!Own && more) {
			__syncthreads();
			load(ks, keys, slots + (turn ^ 64));
		}
	}
	wait<0>();
	finish<D>(b, Kind, i0, c2, m, sum, o, out, stats);
}

// Each kind by a kernel's code of its own: f<D, Kind>(arguments).
#define SB_BY_KIND(f, D, ...) \
	switch (b.kind) { \
	case Softmax: return f<D, Softmax>(__VA_ARGS__); \
	case Softpick: return f<D, Softpick>(__VA_ARGS__); \
	case Rectified: return f<D, Rectified>(__VA_ARGS__); \
	case MaskedSoftmax: return f<D, MaskedSoftmax>(__VA_ARGS__); \
	case SoftmaxPlusOne: return f<D, SoftmaxPlusOne>(__VA_ARGS__); \
	}
template <int D>
SB_DEVICE void attend(const bf16* q, const bf16* keys, const bf16* values, bf16* out, float* stats, const Queries& b, char* shared) {
	SB_BY_KIND(attendHalves, D, q, keys, values, out, stats, b, shared)
}

// True float32: a thread has 4 queries and every eighth key; q, keys and values
// pass through shared memory 32 columns at a time.
template <int D>
SB_DEVICE void attend(const float* q, const float* keys, const float* values, float* out, float* stats, const Queries& b, char* shared) {
	enum { Pitch = 33, Wide = 65 };
	float *qs = (float*)shared, *ks = qs + 64 * Pitch, *ps = ks + 64 * Pitch;
	int* slots = (int*)(ps + 64 * Wide);
	int t = threadIdx.x, ty = t / 8 * 4, tx = t % 8;
	float o[4][D / 8] = {}, m[4], sum[4] = {};
	for (int i = 0; i < 4; i++) m[i] = startMax(b.kind);
	for (int block = b.first() / 64 * 64; block < b.end(); block += 64) {
		__syncthreads();
		if (t < 64) slots[t] = b.slot(block + t);
		float s[4][8] = {};
		for (int c = 0; c < D; c += 32) {
			__syncthreads();
			for (int i = t; i < 64 * 32; i += 128) {
				int r = i / 32, k = i % 32, sl = slots[r];
				qs[r * Pitch + k] = r < b.count ? q[(u64)b.at(r) * D + c + k] : 0;
				ks[r * Pitch + k] = sl < 0 ? 0 : keys[((u64)sl * b.kv + b.head) * D + c + k];
			}
			__syncthreads();
			for (int k = 0; k < 32; k++)
#pragma unroll
				for (int i = 0; i < 4; i++)
#pragma unroll
					for (int j = 0; j < 8; j++) s[i][j] = fmaf(qs[(ty + i) * Pitch + k], ks[(tx + 8 * j) * Pitch + k], s[i][j]);
		}
		int key[8];
		bool any = false;
#pragma unroll
		for (int j = 0; j < 8; j++) key[j] = block + tx + 8 * j;
#pragma unroll
		for (int i = 0; i < 4; i++) {
			float f;
			any |= weighExactly<8, 8>(b, ty + i, s[i], key, m[i], sum[i], f);
#pragma unroll
			for (int n = 0; n < D / 8; n++) o[i][n] *= f;
#pragma unroll
			for (int j = 0; j < 8; j++) ps[(ty + i) * Wide + tx + 8 * j] = s[i][j];
		}
		if (!__syncthreads_or(any)) continue;
#pragma unroll
		for (int c = 0; c < D; c += 32) {
			for (int i = t; i < 64 * 32; i += 128) {
				int r = i / 32, k = i % 32, sl = slots[r];
				ks[r * Pitch + k] = sl < 0 ? 0 : values[((u64)sl * b.kv + b.head) * D + c + k];
			}
			__syncthreads();
			for (int k = 0; k < 64; k++)
#pragma unroll
				for (int i = 0; i < 4; i++)
#pragma unroll
					for (int n = 0; n < 4; n++) o[i][c / 8 + n] = fmaf(ps[(ty + i) * Wide + k], ks[k * Pitch + tx + 8 * n], o[i][c / 8 + n]);
			__syncthreads();
		}
	}
	for (int i = 0; i < 4; i++) {
		if (ty + i >= b.count) continue;
		u64 at = b.at(ty + i);
		float f = norm(b.kind, m[i], sum[i]);
#pragma unroll
		for (int n = 0; n < D / 8; n++) out[at * D + tx + 8 * n] = o[i][n] * f + 0.f;
		if (stats && tx == 0) stats[2 * at] = m[i], stats[2 * at + 1] = f;
	}
}

template <int D, class T>
SB_DEVICE void attention(const T* q, const T* keys, const T* values, T* out, float* stats, const int* tiles, const int* runs, int kind, int window, int heads, int kv) {
	enum { Halves = (D <= 128 ? 2 : 1) * 64 * (D + 8) * 2 + 512, Floats = (64 * 33 * 2 + 64 * 65) * 4 + 256 };
	SB_SHARED(char, shared, sizeof(T) == 2 ? Halves : Floats);
	attend<D>(q, keys, values, out, stats, Queries(tiles + 5 * (u64)blockIdx.x, runs, kind, window, heads, kv, blockIdx.y), shared);
}

// The final weights of one tile over 64 keys, plainly: a thread takes a query
// and a key at a time.
template <class T>
SB_DEVICE void observe(const T* q, const T* keys, const float* stats, const int* tile, const int* runs, float* out, int first, int count, int kind, int window, int heads, int kv, int size) {
	Queries b(tile, runs, kind, window, heads, kv, blockIdx.y);
	for (int i = threadIdx.x; i < b.count * 64; i += 128) {
		int query = i / 64, j = blockIdx.x * 64 + i % 64, key = first + j;
		if (j >= count) continue;
		float w = 0, s = 0, d;
		if (b.sees(query, key)) {
			const T *x = q + (u64)b.at(query) * size, *y = keys + ((u64)b.slot(key) * kv + b.head) * size;
			for (int k = 0; k < size; k++) s = fmaf(load(x + k), load(y + k), s);
			const float* st = stats + 2 * (u64)b.at(query);
			w = weigh(kind, s, st[0], expf(-st[0]), d) * st[1];
		}
		out[((u64)(b.head * b.group + query % b.group) * b.rows + query / b.group) * count + j] = w;
	}
}
