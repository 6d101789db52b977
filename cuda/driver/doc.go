// Package driver reaches NVIDIA GPUs through gorgonia.org/cu and a small file
// of C for what that lacks: dynamic shared memory beyond 48 KiB, pinned host
// memory, the compiler's log, and a driver that is looked for at run time.
//
// It owns the CUDA context, one stream, and the loaded kernel images. It must
// not know models or engines. Without the build tag cuda it is empty.
package driver
