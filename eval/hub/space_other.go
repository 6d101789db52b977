//go:build !linux && !darwin && !windows

package hub

// freeSpace: this system is not asked.
func freeSpace(string) (n int64, ok bool) { return 0, false }
