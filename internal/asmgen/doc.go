// Package asmgen writes the Go assembly of engine/kernel.
//
// It owns the shapes of the unrolled loops and the encodings of instructions
// that Go's assembler does not know. It must not be imported by anything but
// its command (asmgen/gen) and tests: the generated files are checked in.
package asmgen
