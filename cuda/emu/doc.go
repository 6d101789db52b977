// Package emu is a device on which the CUDA kernels' own source runs, compiled for a
// processor: threads of a block take turns, matrix instructions follow the PTX ISA's
// description. It finds wrong indices, missing barriers and waits, and accesses
// outside memory; it says nothing of speed, nor of what a GPU does beyond that
// description.
//
// It owns the process that runs the kernels. It must not know what they compute.
package emu
