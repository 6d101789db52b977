//go:build !unix

package main

import (
	"os"
	"syscall"
)

// stops are the signals that end a command as Ctrl-C does, what is done being kept.
var stops = []os.Signal{os.Interrupt, syscall.SIGTERM}
