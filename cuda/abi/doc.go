// Package abi is what the host and the kernels agree on: the kernels' names,
// their parameters in order, grids, blocks, shared memory and tile sizes.
//
// It owns that agreement and nothing else. The forward package makes launches
// with it, the sim package computes what they ask for in plain Go, and a test
// holds names and parameters against the compiled kernels, where there are some.
package abi
