package harness

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
)

// buffers are for files that are read whole and left again.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// readText reads a small regular file. An index reads 14,000 of them: package os asks the system seven times for each, which is
// half of what a start takes, and this four times.
func readText(path string) (string, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = syscall.Close(fd) }()
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	for n := 0; ; {
		if n == len(*b) {
			if n > maxFile {
				return "", fmt.Errorf("more than %d bytes", maxFile)
			}
			*b = append(*b, make([]byte, n)...)
		}
		switch k, err := syscall.Read(fd, (*b)[n:]); {
		case err == syscall.EINTR:
		case err != nil:
			return "", err
		case k <= 0:
			return string((*b)[:n]), nil
		default:
			n += k
		}
	}
}

// isTaskFile reports whether what a directory has is a YAML file: a pipe of that name would never end.
func isTaskFile(path string, d fs.DirEntry) bool {
	if !strings.HasSuffix(d.Name(), ".yaml") {
		return false
	}
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular() // an error is told where the file is read
}
