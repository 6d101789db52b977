// Package machine measures what this machine can do and how near the engine
// comes to it: the register peaks of its multiply instructions, the rate at
// which memory is read, the kernels' matrix multiply at the shapes of a 340M
// model, and whole documents from end to end.
//
// It owns the timing, the rounds and the report's names. It must not know how a
// kernel works, nor tasks or text: documents here are made-up token ids.
package machine
