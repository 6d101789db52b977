//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package safetensors

import (
	"os"

	"golang.org/x/sys/unix"
)

type mapping struct {
	data []byte
	heap bool // read, not mapped
}

func mapFile(path string) (*mapping, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size == 0 {
		return &mapping{}, nil
	}
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil { // a file system without mmap
		if data, rerr := readWhole(f, path, size); rerr == nil {
			return &mapping{data: data, heap: true}, nil
		}
		return nil, pathError(path, os.NewSyscallError("mmap", err))
	}
	return &mapping{data: data}, nil
}

func (m *mapping) close() error {
	if m.data == nil {
		return nil
	}
	data := m.data
	m.data = nil
	if m.heap {
		return nil
	}
	return unix.Munmap(data)
}

// drop releases the whole pages of data[offset:offset+n].
func (m *mapping) drop(offset, n int) {
	if m.data == nil || m.heap {
		return
	}
	page := os.Getpagesize()
	from := (offset + page - 1) / page * page
	to := (offset + n) / page * page
	if from >= to {
		return
	}
	// Advice only: a refusal changes nothing but memory use.
	_ = unix.Madvise(m.data[from:to], unix.MADV_DONTNEED)
}
