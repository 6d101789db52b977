//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// alone keeps the terminal's Ctrl-C from a process, which its parent ends.
func alone(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}
