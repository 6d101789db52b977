package engine

import (
	"math/rand/v2"
	"testing"
)

// TestStoreHoldsNoMoreThanItsPeak: memory in use and kept together never exceed
// the most that was in use at once, whatever the sizes.
func TestStoreHoldsNoMoreThanItsPeak(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var st kvStore
	var live [][]float32
	var peak, reused int
	for range 20000 {
		if len(live) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(live))
			st.put(live[i])
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
		} else {
			floats := 1 + r.IntN(1<<r.IntN(14))
			before := st.kept
			data := st.get(floats)
			if st.kept < before && len(data) == floats {
				reused++
			}
			if len(data) != floats {
				t.Fatalf("%d floats asked for, %d given", floats, len(data))
			}
			if size, _ := roundUp(floats); cap(data) > size+size/7+1 {
				t.Fatalf("%d floats asked for, %d taken", floats, cap(data))
			}
			live = append(live, data)
		}
		use, kept := 0, 0
		for _, d := range live {
			use += cap(d)
		}
		for _, list := range st.free {
			for _, d := range list {
				kept += cap(d)
			}
		}
		peak = max(peak, use)
		if int64(use) != st.live || int64(kept) != st.kept {
			t.Fatalf("counted %d in use and %d kept, there are %d and %d", st.live, st.kept, use, kept)
		}
		if use+kept > peak {
			t.Fatalf("%d in use and %d kept, more than %d", use, kept, peak)
		}
	}
	if reused < 1000 {
		t.Errorf("%d reuses", reused)
	}
}

// SegmentBytes is what a segment takes, to the byte, and little more than its
// keys and values.
func TestSegmentBytes(t *testing.T) {
	for floats := 1; floats < 1<<23; floats += 1 + floats/37 {
		size, class := roundUp(floats)
		again, same := roundUp(size)
		if size < floats || size > floats+floats/8+1 || again != size || same != class {
			t.Fatalf("%d floats: %d of class %d; that again: %d of class %d", floats, size, class, again, same)
		}
	}
}
