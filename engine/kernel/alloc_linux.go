package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a large page of memory.
const hugePage = 2 << 20

// adviseHugePages asks for large pages under size bytes at p, which were not
// touched yet: the first writing then costs a page fault every two megabytes
// instead of every four kilobytes, and reading misses fewer translations. It is
// advice: where the system does not take it, nothing changes.
func adviseHugePages(p unsafe.Pointer, size uintptr) {
	start := (hugePage - uintptr(p)%hugePage) % hugePage
	if size < start+hugePage {
		return
	}
	whole := (size - start) / hugePage * hugePage
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, start)), whole), unix.MADV_HUGEPAGE)
}
