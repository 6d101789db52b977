// Package sim is a device in plain Go: it reads the launch descriptors, tables
// and memory that a GPU would, and computes what each kernel is specified to,
// block of the grid by block.
//
// Stream is one that takes work as a whole and keeps graphs.
//
// It owns a simple executor of the kernels' contract (package abi), not a fast
// one. With it the whole CUDA backend but the kernels themselves is tested on
// any machine: fresh memory is poison, every access is checked against the part
// of memory it belongs to, and a grid that misses a row leaves the poison in
// place. It says nothing about whether the compiled kernels keep the contract:
// that is for tests on a GPU.
package sim
