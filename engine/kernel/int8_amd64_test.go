//go:build !noasm

package kernel

import "testing"

// TestInt8InPairs: int8 without VNNI has the same bits, also where the processor has it.
func TestInt8InPairs(t *testing.T) {
	for _, s := range []*simd{avx2, avx512} {
		if _, err := ByName(s.name); err != nil {
			t.Log(err)
			continue
		}
		pairs := *s
		pairs.pairs = true
		conformInt8(t, &pairs)
	}
}
