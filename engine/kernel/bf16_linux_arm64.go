//go:build !noasm

package kernel

import (
	"encoding/binary"
	"os"
)

// hasBF16 asks the kernel for FEAT_BF16: bit 14 of AT_HWCAP2.
func hasBF16() bool {
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return false
	}
	const hwcap2, bf16 = 26, 1 << 14
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == hwcap2 {
			return binary.LittleEndian.Uint64(auxv[8:])&bf16 != 0
		}
	}
	return false
}
