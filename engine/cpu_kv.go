package engine

import (
	"context"
	"math/bits"
	"sync"

	"github.com/softbench/softbench/engine/kernel"
)

// kvLayout says where keys and values of a segment lie. Each layer holds, for
// each key/value head, first the keys of whole groups of kernel.KeyGroup
// absolute positions, transposed, and then the values, each as the format says.
//
// Both begin at the group that the segment begins in. A group that two segments share stands in
// both; each fills its own places, and those that share names.
type kvLayout struct {
	layers, heads, size int
	format              kvFormat
}

// width is the distance of two rows of components.
func (l kvLayout) width() int { return l.format.width(l.size) }

// cpuSegment implements Segment.
type cpuSegment struct {
	layout         kvLayout
	start, n       int
	from           int       // the first position it holds: start, or before it in the same group
	first, groups  int       // absolute index of the first key group, and their count
	keys, perLayer int       // floats of a layer's keys, and of all of a layer
	data           []float32 // or pairs of bfloat16
	store          *kvStore
}

// floats is how much a segment takes, in float32.
func (l kvLayout) floats(start, n int) (groups, keys, perLayer int) {
	groups = (start+n+kernel.KeyGroup-1)/kernel.KeyGroup - start/kernel.KeyGroup
	keys, values := l.format.floats(l.size, groups, start%kernel.KeyGroup+n)
	return groups, l.heads * keys, l.heads * (keys + values)
}

func (l kvLayout) bytes(start, n int) int64 {
	_, _, perLayer := l.floats(start, n)
	size, _ := roundUp(l.layers * perLayer)
	return int64(size) * 4
}

// share says which segments of a batch that begin behind others in one group of keys hold those
// others' keys and values too: the products of a path of many short segments then go group by group,
// not segment by segment. Their first rows are in the batch.
func (c *cpu) share(b *Batch) {
	shared := c.scratch.shared[:0]
	for i := range b.Spans {
		sp := &b.Spans[i]
		last := len(sp.Path) - 1
		own := sp.Path[last].(*cpuSegment)
		if last == 0 || sp.Position != own.start || own.start%kernel.KeyGroup == 0 {
			continue
		}
		if parent := sp.Path[last-1].(*cpuSegment); parent.start/kernel.KeyGroup == own.first {
			own.from = parent.from
			shared = append(shared, sharedGroup{own, parent})
		}
	}
	c.scratch.shared = shared
}

// sharedGroup is a segment and the one before it, whose keys and values in the group where the
// segment begins it holds too.
type sharedGroup struct{ own, parent *cpuSegment }

// copyShared fills what share promised, once all rows of the batch have their keys and values.
// Parents come before their children, and a child's copy has what its parent was given.
func (c *cpu) copyShared(ctx context.Context, layer int) error {
	if len(c.scratch.shared) == 0 {
		return nil
	}
	return c.pool.run(ctx, c.layout.heads, func(_, head int) {
		for _, sh := range c.scratch.shared {
			group := sh.own.keys / c.layout.heads / sh.own.groups
			dst := sh.own.keysOf(layer, head)
			src := sh.parent.keysOf(layer, head)
			from, to := sh.own.from%kernel.KeyGroup, sh.own.start%kernel.KeyGroup
			for at := 0; at < group; at += kernel.KeyGroup {
				copy(dst[at+from:at+to], src[at+from:at+to])
			}
			c.layout.format.copyValues(sh.own.valuesOf(layer, head), sh.parent.valuesOf(layer, head), c.layout.size, from, to)
		}
	})
}

func (s *cpuSegment) Range() (start, n int) { return s.start, s.n }

func (s *cpuSegment) Release() { s.store.put(s.data); s.data = nil }

// keysOf returns the transposed key groups of one layer and head.
func (s *cpuSegment) keysOf(layer, head int) []float32 {
	per := s.keys / s.layout.heads
	return s.data[layer*s.perLayer+head*per:][:per]
}

// valuesOf returns the values of one layer and head.
func (s *cpuSegment) valuesOf(layer, head int) []float32 {
	per := (s.perLayer - s.keys) / s.layout.heads
	return s.data[layer*s.perLayer+s.keys+head*per:][:per]
}

// kvStore hands out memory for segments and keeps some of what comes back:
// fresh memory costs a page fault and a clearing a page. What it holds in all, in
// use and kept, is never more than was in use at once before, so that a bound on
// the segments alive bounds it too.
type kvStore struct {
	mu         sync.Mutex
	free       map[int][][]float32 // by class
	live, peak int64               // floats in use, now and at most
	kept       int64               // floats kept
}

// keepFloats bounds what the store keeps unused: 256 MiB.
const keepFloats = 64 << 20

// roundUp is the size that a request of so many floats is given, and its class:
// small ones are rounded up, by at most an eighth, to be reused; large ones are
// taken as they are.
func roundUp(floats int) (size, class int) {
	const steps = 8
	class = bits.Len(uint(max(floats, 1) - 1))
	if class >= 22 || class < 4 {
		return floats, class * steps
	}
	step := 1 << class / 2 / steps
	n := (floats + step - 1) / step
	return n * step, class*steps + n - steps - 1
}

func (st *kvStore) get(floats int) []float32 {
	size, class := roundUp(floats)
	st.mu.Lock()
	defer st.mu.Unlock()
	data := st.take(class, floats)
	if data == nil {
		// Room for it within the peak, where it does not make a new one.
		for c, list := range st.free {
			for len(list) > 0 && st.live+st.kept+int64(size) > max(st.peak, st.live+int64(size)) {
				st.kept -= int64(cap(list[len(list)-1]))
				list[len(list)-1] = nil
				list = list[:len(list)-1]
			}
			st.free[c] = list
		}
		data = make([]float32, floats, size)
	}
	st.live += int64(cap(data))
	st.peak = max(st.peak, st.live)
	return data
}

// take returns kept memory of a class that holds so many floats and hardly more,
// nil where there is none.
func (st *kvStore) take(class, floats int) []float32 {
	list := st.free[class]
	for i := len(list) - 1; i >= 0; i-- {
		if data := list[i]; cap(data) >= floats && cap(data) <= floats+floats/7 {
			list[i] = list[len(list)-1]
			st.free[class] = list[:len(list)-1]
			st.kept -= int64(cap(data))
			return data[:floats]
		}
	}
	return nil
}

func (st *kvStore) put(data []float32) {
	_, class := roundUp(cap(data))
	st.mu.Lock()
	defer st.mu.Unlock()
	st.live -= int64(cap(data))
	if st.kept+int64(cap(data)) > keepFloats {
		return
	}
	if st.free == nil {
		st.free = map[int][][]float32{}
	}
	st.free[class] = append(st.free[class], data)
	st.kept += int64(cap(data))
}
