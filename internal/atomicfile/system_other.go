//go:build !unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

const (
	notWaiting  = 0
	notTerminal = 0
)

// descriptor: this system has no names for open files.
func descriptor(string) (fd int, ok bool) { return -1, false }

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

// links: this system does not say; replacing parts a file from its other names.
func links(fs.FileInfo) uint64 { return 1 }

// alike: a new file has its directory's permissions here.
func alike(*os.File, fs.FileInfo) bool { return true }

func refuses(error) bool { return false }

func noReader(error) bool { return false }
