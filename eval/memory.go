package eval

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/memory"
)

var memoryUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// ParseMemory reads a size such as "4GiB" or "500MB"; empty is 0, which stands for
// what MemoryBound makes of it.
func ParseMemory(s string) (int64, error) { return ParseSize("--memory", s) }

// ParseSize reads a size of the option that is named in its error.
func ParseSize(option, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	for _, u := range memoryUnits {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && v > 0 && v*u.bytes < math.MaxInt64/2 {
			return max(1, int64(v*u.bytes)), nil
		}
		break
	}
	return 0, fmt.Errorf("%s %q: want a size such as 4GiB or 500MB", option, s)
}

// MemoryBound is the bound on keys and values: what was asked for, and for 0 half
// of the memory that is free once the weights are loaded, or none (0) where the
// system does not say.
func (m *Model) MemoryBound(asked int64) int64 {
	if asked > 0 {
		return asked
	}
	return memory.Available() / 2
}
