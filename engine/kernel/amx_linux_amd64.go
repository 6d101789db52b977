//go:build !noasm

package kernel

import (
	"fmt"
	"sync"
	"syscall"
)

const (
	archRequestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
	featureTileData       = 18     // XFEATURE_XTILEDATA
)

// requestTiles asks Linux once for the use of AMX's tile data in this process.
// Without it the first tile instruction is a fatal signal.
var requestTiles = sync.OnceValue(func() error {
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archRequestPermission, featureTileData, 0)
	if errno != 0 {
		return fmt.Errorf("the operating system refuses the tiles' use (arch_prctl: %w)", errno)
	}
	return nil
})
