package trial

import (
	"regexp"
	"slices"

	"github.com/softbench/softbench/cuda/conform"
)

// ordered puts checks so that something of everything is done at any time: of each
// group the same part, the first of each before the second of any. Among equals kernels
// come before models, and these before timings.
func ordered(list []conform.Check, only *regexp.Regexp) []conform.Check {
	type placed struct {
		conform.Check
		part float64 // of its group that is done before it
	}
	count, seen := map[string]int{}, map[string]int{}
	var all []placed
	for _, c := range list {
		if only != nil && !only.MatchString(c.Name) {
			continue
		}
		count[c.Group]++
		all = append(all, placed{Check: c})
	}
	for i := range all {
		g := all[i].Group
		all[i].part = float64(seen[g]) / float64(count[g])
		seen[g]++
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		switch {
		case a.part < b.part:
			return -1
		case a.part > b.part:
			return 1
		}
		return 0
	})
	sorted := make([]conform.Check, len(all))
	for i, c := range all {
		sorted[i] = c.Check
	}
	return sorted
}
