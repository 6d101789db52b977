//go:build !unix

package main

import "os/exec"

func alone(cmd *exec.Cmd) *exec.Cmd { return cmd }
