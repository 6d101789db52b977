//go:build cuda && linux && (amd64 || arm64)

#define _GNU_SOURCE
#include "loader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Every driver function is defined here as a jump through a slot, so that the
 * program links and starts on machines without a driver. Until softbench_load
 * has found the driver, and for functions that it lacks, the slot points to a
 * function that reports an error.
 */
#define HIDDEN __attribute__((used, visibility("hidden")))

HIDDEN CUresult softbench_unloaded(void) { return CUDA_ERROR_NOT_INITIALIZED; }
HIDDEN CUresult softbench_absent(void) { return CUDA_ERROR_NOT_FOUND; }

#define SYM(name, real) HIDDEN void *softbench_slot_##name = (void *)softbench_unloaded;
#include "symbols.h"
#undef SYM

#if defined(__x86_64__)
#define JUMP(name) "jmp *softbench_slot_" #name "(%rip)\n"
#elif defined(__aarch64__)
#define JUMP(name) \
	"adrp x16, softbench_slot_" #name "\n" \
	"ldr x16, [x16, :lo12:softbench_slot_" #name "]\n" \
	"br x16\n"
#endif

#define SYM(name, real) \
	__asm__(".text\n.globl " #name "\n.type " #name ", %function\n" #name ":\n" JUMP(name) \
		".size " #name ", .-" #name "\n");
#include "symbols.h"
#undef SYM

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int state = SOFTBENCH_NO_DRIVER;
static int missing;
static char reason[512];

/* Where installers put the driver's library beside the loader's own directories:
 * distributions, containers that are lent a GPU, WSL, NixOS. */
static const char *const elsewhere[] = {
#if defined(__x86_64__)
	"/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
	"/usr/lib/aarch64-linux-gnu",
#endif
	"/usr/lib64", "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib", "/run/opengl-driver/lib",
};

static void load(void) {
	void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib) snprintf(reason, sizeof reason, "%s", dlerror());
	for (size_t i = 0; !lib && i < sizeof elsewhere / sizeof *elsewhere; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/libcuda.so.1", elsewhere[i]);
		lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		const char *why = lib ? NULL : dlerror();
		/* A file that is there and does not load says more than one that is not. */
		if (why && access(path, F_OK) == 0) snprintf(reason, sizeof reason, "%s", why);
	}
	if (!lib) return;
	CUresult (*init)(unsigned int) = (CUresult(*)(unsigned int))dlsym(lib, "cuInit");
	if (!init) {
		snprintf(reason, sizeof reason, "libcuda.so.1 has no cuInit: it is not NVIDIA's driver");
		return;
	}
	void *p;
#define SYM(name, real) \
	p = dlsym(lib, #real); \
	missing += !p; \
	softbench_slot_##name = p ? p : (void *)softbench_absent;
#include "symbols.h"
#undef SYM
	state = (int)init(0);
}

int softbench_load(void) {
	pthread_once(&once, load);
	return state;
}

const char *softbench_load_error(void) { return reason; }

int softbench_missing(void) { return missing; }

/* cu calls this as the program starts, and would end it where it fails. The
 * driver is loaded when softbench_load is first called, not before: a command
 * that needs no device does not pay for one. */
CUresult cuInit(unsigned int flags) {
	(void)flags;
	return CUDA_SUCCESS;
}

enum { MAX_ARGUMENTS = 64 };

/* Points to arguments; false where there are too many. */
static int point(void **params, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps) {
	for (int i = 0; i < n && i < MAX_ARGUMENTS; i++) params[i] = matrices >> i & 1 ? (void *)maps++ : (void *)(values + i);
	return n <= MAX_ARGUMENTS;
}

static CUDA_KERNEL_NODE_PARAMS kernel_node(CUfunction f, const unsigned int *grid, const unsigned int *block, unsigned int shared, void **params) {
	CUDA_KERNEL_NODE_PARAMS p = {f, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, params, NULL, NULL, NULL};
	return p;
}

CUresult softbench_graph_add(CUgraphNode *node, CUgraph graph, CUgraphNode before, CUfunction f, const unsigned int *grid, const unsigned int *block,
	unsigned int shared, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps) {
	void *params[MAX_ARGUMENTS];
	if (!point(params, values, n, matrices, maps)) return CUDA_ERROR_INVALID_VALUE;
	CUDA_KERNEL_NODE_PARAMS p = kernel_node(f, grid, block, shared, params);
	return cuGraphAddKernelNode(node, graph, before ? &before : NULL, before != NULL, &p);
}

CUresult softbench_graph_set(CUgraphExec exec, CUgraphNode node, CUfunction f, const unsigned int *grid, const unsigned int *block,
	unsigned int shared, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps) {
	void *params[MAX_ARGUMENTS];
	if (!point(params, values, n, matrices, maps)) return CUDA_ERROR_INVALID_VALUE;
	CUDA_KERNEL_NODE_PARAMS p = kernel_node(f, grid, block, shared, params);
	return cuGraphExecKernelNodeSetParams(exec, node, &p);
}

#define HAS(name) (softbench_slot_##name != (void *)softbench_absent && softbench_slot_##name != (void *)softbench_unloaded)

/* The nodes' parameters are those of CUDA 12.0. */
int softbench_has_graphs(void) {
	return HAS(cuGraphCreate) && HAS(cuGraphAddKernelNode) && HAS(cuGraphInstantiateWithFlags) && HAS(cuGraphExecKernelNodeSetParams) && HAS(cuGraphLaunch);
}

CUresult softbench_launch(CUfunction f, const unsigned int *grid, const unsigned int *block,
	unsigned int shared, CUstream stream, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps) {
	void *params[MAX_ARGUMENTS];
	if (!point(params, values, n, matrices, maps)) return CUDA_ERROR_INVALID_VALUE;
	return cuLaunchKernel(f, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, stream, params, 0);
}

CUresult softbench_matrix(CUtensorMap *to, CUdeviceptr base, uint64_t rows, uint64_t columns, uint32_t box_rows, uint32_t box_columns) {
	cuuint64_t size[] = {columns, rows}, stride[] = {2 * columns};
	cuuint32_t box[] = {box_columns, box_rows}, step[] = {1, 1};
	return cuTensorMapEncodeTiled(to, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, (void *)(uintptr_t)base, size, stride, box, step,
		CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

int softbench_has_matrices(void) { return HAS(cuTensorMapEncodeTiled); }

CUresult softbench_load_module(CUmodule *m, const void *image, char *log, unsigned int size) {
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)(uintptr_t)size};
	return cuModuleLoadDataEx(m, image, 2, options, values);
}
