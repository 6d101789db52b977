// Package train trains small LLaMA-style models, with every attention kind, in
// plain float32 on the processor.
//
// It owns forward and backward passes, the optimiser and the training state. It
// must not know where text comes from nor how a model is evaluated. The same
// seed, data and settings give the same weights, bit for bit, on the same
// instruction set: every sum has a fixed order, whatever the number of threads.
package train
