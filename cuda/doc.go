// Package cuda gives the engine a backend on an NVIDIA GPU.
//
// It owns the choice of a device, of the kernels that suit it, and the errors
// that say why there is none. The forward pass is the forward package's, over
// the device package's interface; the driver package reaches the GPU. It must
// not know tasks, prompts or text.
//
// Built with the tag cuda (cgo, Linux) it looks for libcuda.so.1 when first
// asked, so that one binary runs everywhere. Without the tag there is no device,
// and neither cgo nor gorgonia.org/cu is linked.
package cuda
