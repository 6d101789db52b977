//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package safetensors

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/softbench/softbench/internal/regularfile"
)

type mapping struct {
	data []byte
	heap bool // read, not mapped

	file *os.File // kept open, to ask after its state; nil where nothing is mapped
	was  stamp    // before the first byte was read
}

// stamp is what tells that a file's bytes have changed.
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
	// What else sets ctime: links, permissions, owner.
	links    uint64
	mode     uint32
	uid, gid uint32
}

func stampOf(st *unix.Stat_t) stamp {
	return stamp{uint64(st.Dev), uint64(st.Ino), int64(st.Size), st.Mtim, st.Ctim, uint64(st.Nlink), uint32(st.Mode), st.Uid, st.Gid}
}

// sameBytes reports whether a file has, by its state then and now, the bytes it
// had. A write sets both times; who sets mtime back after it cannot set ctime.
func (s stamp) sameBytes(now stamp) bool {
	if s.dev != now.dev || s.ino != now.ino || s.size != now.size || s.mtime != now.mtime {
		return false
	}
	return s.ctime == now.ctime || s.links != now.links || s.mode != now.mode || s.uid != now.uid || s.gid != now.gid
}

func mapFile(path string) (*mapping, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	m := &mapping{}
	if size == 0 {
		return m, f.Close()
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, regularfile.PathError(path, os.NewSyscallError("fstat", err))
	}
	m.file, m.was = f, stampOf(&st)
	m.data, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil { // a file system without mmap
		data, rerr := readWhole(f, path, size)
		f.Close()
		if rerr == nil {
			return &mapping{data: data, heap: true}, nil
		}
		return nil, regularfile.PathError(path, os.NewSyscallError("mmap", err))
	}
	mapped.add(m, path)
	return m, nil
}

// unchanged says where the file's bytes are not those that were mapped.
func (m *mapping) unchanged(path string) error {
	if m.file == nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(m.file.Fd()), &st); err != nil {
		return regularfile.PathError(path, os.NewSyscallError("fstat", err))
	}
	now := stampOf(&st)
	if m.was.sameBytes(now) {
		return nil
	}
	// A new name sets ctime too.
	if now.ctime = m.was.ctime; !m.was.sameBytes(now) || m.inPlace(path) == nil {
		return fmt.Errorf("%s: the file was written to while it was read: start again when nothing writes it", path)
	}
	return nil
}

// inPlace says where path no longer leads to the mapped file.
func (m *mapping) inPlace(path string) error {
	if m.file == nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || m.was.dev != uint64(st.Dev) || m.was.ino != uint64(st.Ino) {
		return fmt.Errorf("%s: the file was replaced or removed while it was read: start again when nothing writes to its directory", path)
	}
	return nil
}

func (m *mapping) close() error {
	if m.data == nil {
		return nil
	}
	mapped.remove(m)
	data := m.data
	m.data = nil
	if m.heap {
		return nil
	}
	m.file.Close() // only read from
	m.file = nil
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
