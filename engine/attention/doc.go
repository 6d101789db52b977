// Package attention names the attention kinds softbench knows and defines each
// by its formula in float64.
//
// It owns the names, their parsing and the reference weights that every faster
// path is tested against. It knows nothing of models, tensors or kernels.
package attention
