//go:build unix

package regularfile

import "syscall"

// withoutWaiting keeps the opening of a FIFO from waiting for its writer.
const withoutWaiting = syscall.O_NONBLOCK
