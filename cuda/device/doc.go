// Package device is what the CUDA backend asks of a device: memory, copies and
// kernel launches, in order.
//
// It owns the Device interface, the launch descriptor and the division of one
// block of memory into parts. It must not know models, engines or any kernel,
// nor how a device is reached: the driver package does that for a GPU, the sim
// package in plain Go.
package device
