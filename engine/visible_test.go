package engine

import "testing"

// TestVisible: counted one by one.
func TestVisible(t *testing.T) {
	for position := range 12 {
		for rows := 1; rows < 9; rows++ {
			for window := range 9 {
				want := int64(0)
				for p := position; p < position+rows; p++ {
					seen := p + 1
					if window > 0 {
						seen = min(seen, window)
					}
					want += int64(seen)
				}
				if got := visible(position, rows, window); got != want {
					t.Fatalf("%d rows from %d, window %d: %d, want %d", rows, position, window, got, want)
				}
			}
		}
	}
	var w Work
	w.span([]int{0, 0, 3}, 4, 2)
	if w != (Work{Rows: 2, Pairs: 5 + 6 + 5 + 6 + 3 + 3}) {
		t.Errorf("%+v", w)
	}
}
