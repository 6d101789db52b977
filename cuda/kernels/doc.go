// Package kernels holds the CUDA kernels, as source and compiled.
//
// It owns the .cu files, the script that compiles them and what came out of it,
// embedded where the build tag cuda is given. Package abi says how they are called.
// It must not know the host's planning, models or text.
package kernels
