// Package filelock makes a process the only one that writes something, by a lock
// on an open file that ends with the process.
//
// It owns the systems' calls. It must not know what is written.
package filelock

import "errors"

var (
	// ErrLocked says that another process, or another open file of this one, has
	// the lock.
	ErrLocked = errors.New("locked by another process")
	// ErrNone says that the file system has no locks.
	ErrNone = errors.New("the file system has no locks")
)
