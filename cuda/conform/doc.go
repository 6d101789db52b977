// Package conform holds a device against the simulated one: every kernel on
// random ragged shapes, and whole models against the CPU backend.
//
// It owns the cases and their tolerances. Tests run it on the simulated device
// itself, with faults put in that it must find; the check command runs it on a
// GPU. It must not know how a device is reached.
package conform
