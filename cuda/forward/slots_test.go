package forward

import (
	"math/rand/v2"
	"testing"
)

// TestSlotsAreNeverSharedOrLost: a slot given twice would let one sequence
// overwrite another's keys; one lost would shrink the store for ever.
func TestSlotsAreNeverSharedOrLost(t *testing.T) {
	const size = 500
	r := rand.New(rand.NewPCG(1, 2))
	p := newSlotPool(size)
	owner := make([]int, size)
	held := map[int][]extent{}
	used := 0
	for id := 1; id < 4000; id++ {
		if r.IntN(2) == 0 && len(held) > 0 {
			for k, list := range held { // any one
				for _, e := range list {
					for s := e.slot; s < e.slot+e.n; s++ {
						if owner[s] != k {
							t.Fatalf("slot %d belongs to %d, was given to %d", s, owner[s], k)
						}
						owner[s] = 0
					}
					used -= e.n
				}
				p.give(list)
				delete(held, k)
				break
			}
			continue
		}
		n := 1 + r.IntN(90)
		list, err := p.take(n)
		if (err != nil) != (n > size-used) {
			t.Fatalf("%d slots wanted, %d in use of %d: error %v", n, used, size, err)
		}
		got := 0
		for _, e := range list {
			for s := e.slot; s < e.slot+e.n; s++ {
				if owner[s] != 0 {
					t.Fatalf("slot %d given to %d and to %d", s, owner[s], id)
				}
				owner[s] = id
			}
			got += e.n
		}
		if err == nil {
			if got != n {
				t.Fatalf("%d slots given, %d wanted", got, n)
			}
			held[id] = list
			used += n
		}
		if p.left != size-used {
			t.Fatalf("%d slots left, want %d", p.left, size-used)
		}
	}
	for _, list := range held {
		p.give(list)
	}
	if len(p.free) != 1 || p.free[0] != (extent{0, size}) {
		t.Fatalf("free slots at the end: %v, want all in one piece", p.free)
	}
}

// TestSlotsPreferOnePiece: long runs of slots are what makes key blocks cheap
// to load.
func TestSlotsPreferOnePiece(t *testing.T) {
	p := newSlotPool(100)
	a, _ := p.take(10)
	b, _ := p.take(20)
	c, _ := p.take(10)
	p.give(b)
	if got, _ := p.take(15); len(got) != 1 || got[0].slot != 10 {
		t.Fatalf("15 slots were taken as %v, want them from the gap of 20 at 10", got)
	}
	p.give(a)
	p.give(c)
	if got, _ := p.take(60); len(got) != 1 {
		t.Fatalf("60 slots were taken as %v, want one piece", got)
	}
}
