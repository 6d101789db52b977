// The kernels by name, as package abi agrees them with the host.
#include "attention.cuh"
#include "gemm.cuh"
#include "rows.cuh"
#ifdef SB_HOPPER // sm_90a, and the emulation
#include "attention90.cuh"
#include "gemm90.cuh"
#endif

SB_KERNEL void sb_gather(const int* in, const int* index, int* out, int rows, int words) { gather(in, index, out, rows, words); }
SB_KERNEL void sb_head_merge(const float* partials, double* lse, int* argmax, int m, int n) { headMerge(partials, lse, argmax, m, n); }

// The parameters that say where heads go, and what is made of them.
#define HEADS(T) T *q, T *keys, T *values, const int *slot, const float *c, const float *s, const float *logN, const float *scale, const float *qNorm, const float *kNorm, int heads, int kv, int size, float base, float eps
#define HEADS_OF(T) Heads<T>{q, keys, values, slot, c, s, logN, scale, qNorm, kNorm, heads, kv, size, base, eps}
#define BOTH(T, S) \
	SB_KERNEL void __launch_bounds__(256) sb_embed_##S(const int* ids, const T* table, float* x, int rows, int hidden) { embed(ids, table, x, rows, hidden); } \
	SB_KERNEL void __launch_bounds__(256) sb_rmsnorm_##S(const float* x, const float* w, const int* index, T* out, int rows, int hidden, float eps) { rmsnorm(x, w, index, out, rows, hidden, eps); } \
	SB_KERNEL void __launch_bounds__(256) sb_rope_##S(const float* qkv, HEADS(T), int rows) { rope(qkv, HEADS_OF(T), rows); } \
	SB_KERNEL void __launch_bounds__(256) sb_qkv_##S(const T* a, const T* w, const float* bias, HEADS(T), int m, int n, int k) { gemmHeads(a, w, bias, HEADS_OF(T), m, n, k); } \
	SB_KERNEL void __launch_bounds__(256) sb_gemm_store_##S(const T* a, const T* w, const float* bias, float* c, int m, int n, int k) { gemm<Store>(a, w, bias, c, m, n, k); } \
	SB_KERNEL void __launch_bounds__(256) sb_gemm_add_##S(const T* a, const T* w, const float* bias, float* c, int m, int n, int k) { gemm<Add>(a, w, bias, c, m, n, k); } \
	SB_KERNEL void __launch_bounds__(256) sb_gemm_swiglu_##S(const T* a, const T* w, const float* bias, T* c, int m, int n, int k) { gemm<SwiGLU>(a, w, bias, c, m, n, k); } \
	SB_KERNEL void __launch_bounds__(128) sb_observe_##S(const T* q, const T* keys, const float* stats, const int* tile, const int* runs, float* out, int key, int count, int kind, int window, int heads, int kv, int size) { observe(q, keys, stats, tile, runs, out, key, count, kind, window, heads, kv, size); } \
	SB_KERNEL void __launch_bounds__(256) sb_head_##S(const T* h, const T* w, const int* start, const int* ids, float* logits, float* partials, int m, int vocab, int hidden) { head(h, w, start, ids, logits, partials, m, vocab, hidden); }
BOTH(float, f32)
BOTH(bf16, bf16)

#define ATTENTION(D, T, S) \
	SB_KERNEL void __launch_bounds__(128) sb_attention_##D##_##S(const T* q, const T* keys, const T* values, T* out, float* stats, const int* tiles, const int* runs, int kind, int window, int heads, int kv) { attention<D>(q, keys, values, out, stats, tiles, runs, kind, window, heads, kv); }
#define SIZES(T, S) ATTENTION(32, T, S) ATTENTION(64, T, S) ATTENTION(96, T, S) ATTENTION(128, T, S) ATTENTION(192, T, S) ATTENTION(256, T, S)
SIZES(float, f32)
SIZES(bf16, bf16)

#ifdef SB_HOPPER
// A head size, the blocks that a multiprocessor has registers for, and a kind.
#define ATTENTION90(D, N, K, S) \
	SB_KERNEL void __launch_bounds__(256, N) sb_attention_##D##_##S##_wgmma(const bf16* q, const bf16* keys, const bf16* values, bf16* out, float* stats, const int* tiles, const int* runs, int window, int heads, int kv) { attention90<D, K>(q, keys, values, out, stats, tiles, runs, window, heads, kv); }
#define KINDS90(D, N) ATTENTION90(D, N, Softmax, softmax) ATTENTION90(D, N, Softpick, softpick) ATTENTION90(D, N, Rectified, rectified) ATTENTION90(D, N, MaskedSoftmax, masked_softmax) ATTENTION90(D, N, SoftmaxPlusOne, softmax_plus_one)
KINDS90(64, 2)
KINDS90(128, 1)
#define GEMM90(E, S, C) \
	SB_KERNEL void __launch_bounds__(288, 2) sb_gemm_##S##_wgmma(SB_MAP a, SB_MAP w, const float* bias, C* c, int m, int n, int k) { gemm90<E>(a, w, bias, c, m, n, k); }
GEMM90(Store, store, float)
GEMM90(Add, add, float)
GEMM90(SwiGLU, swiglu, bf16)
SB_KERNEL void __launch_bounds__(288, 2) sb_qkv_wgmma(SB_MAP a, SB_MAP w, const float* bias, HEADS(bf16), int m, int n, int k) { gemmHeads90(a, w, bias, HEADS_OF(bf16), m, n, k); }
SB_KERNEL void __launch_bounds__(288, 2) sb_head_wgmma(SB_MAP h, SB_MAP w, const int* start, const int* ids, float* logits, float* partials, int m, int vocab, int hidden) { head90(h, w, start, ids, logits, partials, m, vocab, hidden); }
#endif
