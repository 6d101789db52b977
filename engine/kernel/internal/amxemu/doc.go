// Package amxemu runs a program and emulates the AMX instructions in it that
// the processor does not know, so that the kernels' tests run without the
// hardware. It is for tests only.
//
// It owns the meaning of the instructions that engine/kernel uses, after
// the Intel SDM, volume 2, and the mechanics of catching them (ptrace, SIGILL).
// It must not know what the program computes.
package amxemu
