/*
 * A libcuda.so.1 for tests: one device whose memory is this process's, and two
 * kernels: "fill", (float *out, int n, float value), writes value n times, and
 * "describe", (float *out, CUtensorMap a, CUtensorMap b), what the maps say.
 * It fails where the real driver would: no current context, memory that is not
 * the device's, an image that is not the one below, an unknown function.
 */
#include <cuda.h>
#include <stdio.h>
#include <string.h>

#define API __attribute__((visibility("default")))
enum { LIMIT = 256 << 20 };

static __thread int current;
static int inits, contexts, kernel_shared, kernel_maps;
static size_t used;
static struct { char *p; size_t n; } blocks[64];
static int nblocks;

static int inside(CUdeviceptr p, size_t n) {
	for (int i = 0; i < nblocks; i++)
		if ((char *)p >= blocks[i].p && (char *)p + n <= blocks[i].p + blocks[i].n) return 1;
	return 0;
}

API CUresult cuInit(unsigned int flags) { inits++; return getenv("FAKECUDA_INIT") ? atoi(getenv("FAKECUDA_INIT")) : flags; }
API CUresult cuDriverGetVersion(int *v) { *v = 12040; return 0; }
API CUresult cuGetErrorName(CUresult e, const char **s) { *s = e == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_FAKE"; return 0; }
API CUresult cuGetErrorString(CUresult e, const char **s) { *s = "as the fake driver says"; return 0; }
API CUresult cuDeviceGetCount(int *n) { *n = getenv("FAKECUDA_DEVICES") ? atoi(getenv("FAKECUDA_DEVICES")) : 1; return 0; }
API CUresult cuDeviceGet(CUdevice *d, int i) { *d = i; return 0; }
API CUresult cuDeviceGetName(char *s, int n, CUdevice d) { snprintf(s, n, "Fake GPU"); return 0; }
API CUresult cuDeviceGetAttribute(int *v, CUdevice_attribute a, CUdevice d) {
	switch (a) {
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *v = getenv("FAKECUDA_MAJOR") ? atoi(getenv("FAKECUDA_MAJOR")) : 9; return 0;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *v = 0; return 0;
	case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *v = 132; return 0;
	case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: *v = 1980000; return 0;
	case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: *v = 2619000; return 0;
	case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *v = 227 << 10; return 0;
	}
	return CUDA_ERROR_INVALID_VALUE;
}
API CUresult cuCtxCreate_v2(CUcontext *c, unsigned int f, CUdevice d) { contexts++; current = 1; *c = (CUcontext)&contexts; return 0; }
API CUresult cuCtxSetCurrent(CUcontext c) { current = c != 0; return 0; }
static int graphs;
/* Refuses where graphs were not given back. */
API CUresult cuCtxDestroy_v2(CUcontext c) { contexts--; current = 0; return graphs ? CUDA_ERROR_INVALID_CONTEXT : 0; }
API CUresult cuMemGetInfo_v2(size_t *free, size_t *total) { if (!current) return CUDA_ERROR_INVALID_CONTEXT; *free = LIMIT - used; *total = LIMIT; return 0; }
API CUresult cuMemAlloc_v2(CUdeviceptr *p, size_t n) {
	if (!current) return CUDA_ERROR_INVALID_CONTEXT;
	if (used + n > LIMIT || nblocks == 64) return CUDA_ERROR_OUT_OF_MEMORY;
	blocks[nblocks].p = malloc(n);
	blocks[nblocks].n = n;
	*p = (CUdeviceptr)blocks[nblocks++].p;
	used += n;
	return 0;
}
API CUresult cuMemHostAlloc(void **p, size_t n, unsigned int f) { if (!current) return CUDA_ERROR_INVALID_CONTEXT; *p = malloc(n); return 0; }
API CUresult cuMemFreeHost(void *p) { free(p); return 0; }
API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr d, const void *s, size_t n, CUstream st) {
	if (!current || !st || !inside(d, n)) return CUDA_ERROR_INVALID_VALUE;
	memcpy((void *)d, s, n);
	return 0;
}
API CUresult cuMemcpyDtoH_v2(void *d, CUdeviceptr s, size_t n) {
	if (!current || !inside(s, n)) return CUDA_ERROR_INVALID_VALUE;
	memcpy(d, (void *)s, n);
	return 0;
}
API CUresult cuStreamCreate(CUstream *s, unsigned int f) { if (!current) return CUDA_ERROR_INVALID_CONTEXT; *s = (CUstream)&used; return 0; }
API CUresult cuStreamSynchronize(CUstream s) { return s && current ? 0 : CUDA_ERROR_INVALID_HANDLE; }
API CUresult cuEventCreate(CUevent *e, unsigned int f) { *e = (CUevent)&nblocks; return 0; }
API CUresult cuEventDestroy_v2(CUevent e) { return 0; }
API CUresult cuEventRecord(CUevent e, CUstream s) { return s ? 0 : CUDA_ERROR_INVALID_HANDLE; }
API CUresult cuEventSynchronize(CUevent e) { return 0; }
API CUresult cuEventElapsedTime(float *ms, CUevent a, CUevent b) { *ms = 1.5f; return 0; }
API CUresult cuModuleLoadDataEx(CUmodule *m, const void *image, unsigned int n, CUjit_option *o, void **v) {
	if (!current || n != 2 || o[0] != CU_JIT_ERROR_LOG_BUFFER || o[1] != CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) return CUDA_ERROR_INVALID_VALUE;
	if (strcmp(image, "fake image")) {
		snprintf(v[0], (size_t)v[1], "ptxas: this is not an image\nsecond line");
		return CUDA_ERROR_INVALID_PTX;
	}
	*m = (CUmodule)"fake image";
	return 0;
}
API CUresult cuModuleGetFunction(CUfunction *f, CUmodule m, const char *name) {
	if (!strcmp(name, "fill")) *f = (CUfunction)&kernel_shared;
	else if (!strcmp(name, "describe")) *f = (CUfunction)&kernel_maps;
	else return CUDA_ERROR_NOT_FOUND;
	return 0;
}
#ifndef OLD
API CUresult cuTensorMapEncodeTiled(CUtensorMap *m, CUtensorMapDataType type, cuuint32_t rank, void *base, const cuuint64_t *size, const cuuint64_t *stride,
	const cuuint32_t *box, const cuuint32_t *step, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion l2, CUtensorMapFloatOOBfill fill) {
	if ((uintptr_t)m % 64 || type != 9 || rank != 2 || (uintptr_t)base % 16 || stride[0] % 16 || interleave || swizzle != 3 || l2 > 3 || fill) return CUDA_ERROR_INVALID_VALUE;
	for (int i = 0; i < 2; i++)
		if (!size[i] || size[i] > 1ull << 32 || !box[i] || box[i] > 256 || step[i] != 1) return CUDA_ERROR_INVALID_VALUE;
	if (2 * box[0] > 128 || 2 * box[0] % 16 || !inside((CUdeviceptr)base, size[1] * stride[0])) return CUDA_ERROR_INVALID_VALUE;
	cuuint64_t say[] = {size[0], size[1], stride[0], box[0], box[1]};
	memcpy(m, say, sizeof say);
	return 0;
}
#endif
/* A graph is a chain of launches with copies of their arguments, of the two kernels. */
typedef struct { _Alignas(64) CUtensorMap maps[2]; CUDA_KERNEL_NODE_PARAMS p; float *out; int n; float value; void *params[3]; } Node;
typedef struct { Node nodes[8]; int n; } Graph;
API CUresult cuLaunchKernel(CUfunction, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, CUstream, void **, void **);
static void *zeros(size_t n) { return memset(aligned_alloc(64, (n + 63) / 64 * 64), 0, n); }
static CUresult set(Node *n, const CUDA_KERNEL_NODE_PARAMS *p) {
	if (!current || p->extra || p->kern || p->ctx) return CUDA_ERROR_INVALID_VALUE;
	n->p = *p, n->out = *(float **)p->kernelParams[0], n->params[0] = &n->out;
	if (p->func == (CUfunction)&kernel_maps) {
		for (int i = 0; i < 2; i++) n->maps[i] = *(CUtensorMap *)p->kernelParams[1 + i], n->params[1 + i] = n->maps + i;
	} else {
		n->n = *(int *)p->kernelParams[1], n->value = *(float *)p->kernelParams[2];
		n->params[1] = &n->n, n->params[2] = &n->value;
	}
	return 0;
}
API CUresult cuGraphCreate(CUgraph *g, unsigned int f) { graphs++; *g = zeros(sizeof(Graph)); return f; }
API CUresult cuGraphDestroy(CUgraph g) { graphs--; free(g); return 0; }
API CUresult cuGraphExecDestroy(CUgraphExec e) { graphs -= 100; free(e); return 0; }
API CUresult cuGraphAddKernelNode_v2(CUgraphNode *node, CUgraph g, const CUgraphNode *after, size_t n, const CUDA_KERNEL_NODE_PARAMS *p) {
	Graph *x = (Graph *)g;
	if (x->n == 8 || (x->n ? n != 1 || *after != (CUgraphNode)(x->nodes + x->n - 1) : n != 0)) return CUDA_ERROR_INVALID_VALUE;
	*node = (CUgraphNode)(x->nodes + x->n);
	return set(x->nodes + x->n++, p);
}
/* An instance remembers which graph's nodes it is of by their addresses. */
API CUresult cuGraphInstantiateWithFlags(CUgraphExec *e, CUgraph g, unsigned long long f) {
	struct { Graph g; Graph *of; } *x = zeros(sizeof *x);
	x->g = *(Graph *)g, x->of = (Graph *)g, graphs += 100;
	for (int i = 0; i < x->g.n; i++) {
		Node *n = x->g.nodes + i, *from = x->of->nodes + i;
		for (int j = 0; j < 3; j++) n->params[j] = (char *)n + ((char *)from->params[j] - (char *)from);
	}
	*e = (CUgraphExec)x;
	return (CUresult)f;
}
API CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec e, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS *p) {
	struct { Graph g; Graph *of; } *x = (void *)e;
	int i = (Node *)node - x->of->nodes;
	return i < 0 || i >= x->g.n ? CUDA_ERROR_INVALID_VALUE : set(x->g.nodes + i, p);
}
API CUresult cuGraphLaunch(CUgraphExec e, CUstream s) {
	Graph *x = (Graph *)e;
	for (int i = 0; i < x->n; i++) {
		CUDA_KERNEL_NODE_PARAMS *p = &x->nodes[i].p;
		CUresult r = cuLaunchKernel(p->func, p->gridDimX, p->gridDimY, p->gridDimZ, p->blockDimX, p->blockDimY, p->blockDimZ, p->sharedMemBytes, s, x->nodes[i].params, 0);
		if (r) return r;
	}
	return 0;
}
API CUresult cuMemcpyDtoHAsync_v2(void *d, CUdeviceptr s, size_t n, CUstream st) {
	if (!current || !st || !inside(s, n)) return CUDA_ERROR_INVALID_VALUE;
	memcpy(d, (void *)s, n);
	return 0;
}
API CUresult cuFuncSetAttribute(CUfunction f, CUfunction_attribute a, int v) {
	if (a != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_ERROR_INVALID_VALUE;
	kernel_shared = v;
	return 0;
}
API CUresult cuLaunchKernel(CUfunction f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
	unsigned int bz, unsigned int shared, CUstream s, void **params, void **extra) {
	if (!current || !s || !gx || !gy || !gz || !bx || !by || !bz || extra) return CUDA_ERROR_INVALID_VALUE;
	if (shared > 48 << 10 && (int)shared > kernel_shared) return CUDA_ERROR_INVALID_VALUE;
	if (f == (CUfunction)&kernel_maps) {
		float *out = *(float **)params[0];
		for (int i = 0; i < 10; i++) out[i] = (float)((CUtensorMap *)params[1 + i / 5])->opaque[i % 5];
		return (uintptr_t)params[1] % 64 || (uintptr_t)params[2] % 64 ? CUDA_ERROR_INVALID_VALUE : 0;
	}
	float *out = *(float **)params[0], value = *(float *)params[2];
	int n = *(int *)params[1];
	if (!inside((CUdeviceptr)out, 4 * (size_t)n)) return CUDA_ERROR_ILLEGAL_ADDRESS;
	for (int i = 0; i < n; i++) out[i] = value;
	return 0;
}
