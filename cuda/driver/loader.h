#ifndef SOFTBENCH_LOADER_H
#define SOFTBENCH_LOADER_H

#include <cuda.h>

/* softbench_load opens libcuda.so.1 and calls its cuInit, once. It returns
 * cuInit's result, or SOFTBENCH_NO_DRIVER. */
#define SOFTBENCH_NO_DRIVER (-1)
int softbench_load(void);

/* softbench_load_error says why there is no driver; "" where there is one. */
const char *softbench_load_error(void);

/* softbench_missing is the number of wanted symbols that the driver lacks. */
int softbench_missing(void);

/* softbench_launch starts a kernel; values holds n arguments of 8 bytes each, of
 * which the driver reads as many as the kernel's parameter has. Bit i of matrices
 * says that argument i is a tensor map: the next of maps. */
CUresult softbench_launch(CUfunction f, const unsigned int *grid, const unsigned int *block,
	unsigned int shared, CUstream stream, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps);

/* softbench_graph_add adds a kernel to a graph, after a node or, where that is null,
 * as the first; arguments as softbench_launch's. softbench_graph_set changes one in a
 * graph that is instantiated. softbench_has_graphs says whether the driver can. */
CUresult softbench_graph_add(CUgraphNode *node, CUgraph graph, CUgraphNode before, CUfunction f, const unsigned int *grid, const unsigned int *block,
	unsigned int shared, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps);
CUresult softbench_graph_set(CUgraphExec exec, CUgraphNode node, CUfunction f, const unsigned int *grid, const unsigned int *block,
	unsigned int shared, uint64_t *values, int n, uint64_t matrices, CUtensorMap *maps);
int softbench_has_graphs(void);

/* softbench_matrix describes a matrix of bfloat16, to be copied in boxes of rows of
 * 128 bytes, swizzled. softbench_has_matrices says whether the driver can. */
CUresult softbench_matrix(CUtensorMap *to, CUdeviceptr base, uint64_t rows, uint64_t columns, uint32_t box_rows, uint32_t box_columns);
int softbench_has_matrices(void);

/* softbench_load_module is cuModuleLoadDataEx with the compiler's error log. */
CUresult softbench_load_module(CUmodule *m, const void *image, char *log, unsigned int size);

#endif
