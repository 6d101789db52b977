//go:build unix

package main

import (
	"os"
	"syscall"
)

// stops are the signals that end a command as Ctrl-C does, what is done being kept:
// schedulers send SIGTERM before they take a node away, and SIGUSR1 where a job asked
// to be told earlier (Slurm's --signal).
var stops = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1}
