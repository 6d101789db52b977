//go:build darwin || linux

package hub

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeSpace is how many bytes the user may still write below dir, which need not be
// there yet; ok is false where the system does not tell.
func freeSpace(dir string) (n int64, ok bool) {
	for {
		var s unix.Statfs_t
		err := unix.Statfs(dir, &s)
		if err == nil {
			return int64(s.Bavail) * int64(s.Bsize), s.Blocks > 0
		}
		parent := filepath.Dir(dir)
		if !os.IsNotExist(err) || parent == dir {
			return 0, false
		}
		dir = parent
	}
}
