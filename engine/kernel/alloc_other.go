//go:build !linux

package kernel

import "unsafe"

func adviseHugePages(unsafe.Pointer, uintptr) {}
