package html

import (
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// manyMaps are attention maps of so many tokens, eight of them, as a run keeps them.
func manyMaps(tokens int) []rundir.MapRow {
	var out []rundir.MapRow
	for head := range int32(8) {
		r := rundir.MapRow{Layer: head / 2, Head: head % 2}
		for q := range tokens {
			r.Tokens = append(r.Tokens, "token")
			for k := range q + 1 {
				r.Weights = append(r.Weights, float32(1+k)/float32(1+q)/float32(q+2))
			}
		}
		out = append(out, r)
	}
	return out
}

// A page's attention maps are bounded together: what one run may show, ten may not.
func TestMapsHaveRoomOnThePage(t *testing.T) {
	for runs, want := range map[int]int{1: 8, 2: 8, 4: 8, 10: 3, 30: 1, 50: 0} {
		maps, left := MapsOf(manyMaps(40), runs)
		if len(maps) != want || left != 8-want {
			t.Errorf("%d runs: %d maps of each, %d left out; want %d", runs, len(maps), left, want)
		}
		if err := checkMaps(maps, roomFor(runs)); err != nil {
			t.Error(err)
		}
	}
	all, _ := MapsOf(manyMaps(40), 1)
	if err := checkMaps(all, roomFor(10)); err == nil {
		t.Error("eight maps of each of ten runs were let through")
	}
}
