package forward

import (
	"fmt"
	"slices"
)

// extent is a run of consecutive slots.
type extent struct{ slot, n int }

// slotPool hands out slots: places for one position's keys and values, of all
// layers. Any n free slots can be had, in as many extents as it takes, so a
// store whose bytes suffice never fails for want of a gap wide enough.
type slotPool struct {
	free []extent // ascending, never adjacent
	left int
	size int
}

func newSlotPool(n int) *slotPool {
	p := &slotPool{left: n, size: n}
	if n > 0 {
		p.free = []extent{{0, n}}
	}
	return p
}

// take returns extents of n slots altogether: one where a gap is wide enough,
// the tightest, else the widest gaps one after the other.
func (p *slotPool) take(n int) ([]extent, error) {
	if n > p.left {
		return nil, fmt.Errorf("%d positions of keys and values wanted, %d of %d are free", n, p.left, p.size)
	}
	var out []extent
	for n > 0 {
		best, widest := -1, 0
		for i, e := range p.free {
			if e.n >= n && (best < 0 || e.n < p.free[best].n) {
				best = i
			}
			if e.n > p.free[widest].n {
				widest = i
			}
		}
		if best < 0 {
			best = widest
		}
		e := &p.free[best]
		got := extent{e.slot, min(n, e.n)}
		e.slot, e.n = e.slot+got.n, e.n-got.n
		if e.n == 0 {
			p.free = slices.Delete(p.free, best, best+1)
		}
		p.left -= got.n
		n -= got.n
		out = append(out, got)
	}
	return out, nil
}

// give takes extents back and joins neighbours.
func (p *slotPool) give(list []extent) {
	for _, e := range list {
		at, _ := slices.BinarySearchFunc(p.free, e, func(a, b extent) int { return a.slot - b.slot })
		p.free = slices.Insert(p.free, at, e)
		p.left += e.n
		if at+1 < len(p.free) && p.free[at].slot+p.free[at].n == p.free[at+1].slot {
			p.free[at].n += p.free[at+1].n
			p.free = slices.Delete(p.free, at+1, at+2)
		}
		if at > 0 && p.free[at-1].slot+p.free[at-1].n == p.free[at].slot {
			p.free[at-1].n += p.free[at].n
			p.free = slices.Delete(p.free, at, at+1)
		}
	}
}
