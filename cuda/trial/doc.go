// Package trial tries a device that nobody has tried: every check of conform, in a
// child process that is begun again where the device fails or a kernel hangs, the most
// telling first, and each outcome told and kept as it comes.
//
// It owns the order of checks, the watchdog, the two processes' talk and the table. It
// must not know how a GPU is reached: the check command tells it.
package trial
