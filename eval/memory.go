package eval

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

var memoryUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// ParseMemory reads a size such as "4GiB" or "500MB"; empty means half of the
// memory that is free now, or no bound where the system does not say.
func ParseMemory(s string) (int64, error) {
	if s == "" {
		return available() / 2, nil
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
	return 0, fmt.Errorf("--memory %q: want a size such as 4GiB or 500MB", s)
}

// available is the memory that new work may use, in bytes; 0 where unknown.
func available() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) >= 2 && fields[0] == "MemAvailable:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}
