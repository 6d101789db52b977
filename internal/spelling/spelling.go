// Package spelling finds which known names a mistyped one could have meant. It must
// not know what the names are of.
package spelling

import (
	"slices"
	"strings"
)

// Nearest returns up to three names that a slip of the fingers could have meant: those that hold the
// name or are held by it, then those within a third of its length in edits.
func Nearest(name string, names []string) []string {
	type scored struct {
		name string
		cost int
	}
	var list []scored
	n := strings.ToLower(name)
	for _, k := range names {
		cost := editDistance(n, strings.ToLower(k))
		switch {
		case n != "" && (strings.Contains(k, n) || strings.Contains(n, k)):
			cost = min(cost, 1)
		case cost > max(1, len(n)/3):
			continue
		}
		list = append(list, scored{k, cost})
	}
	slices.SortStableFunc(list, func(a, b scored) int { return a.cost - b.cost })
	var out []string
	for _, s := range list[:min(3, len(list))] {
		out = append(out, s.name)
	}
	return out
}

// editDistance is Levenshtein's, over bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
