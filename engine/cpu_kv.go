package engine

import (
	"math/bits"
	"sync"

	"github.com/softbench/softbench/engine/kernel"
)

// kvLayout says where keys and values of a segment lie. Each layer holds, for
// each key/value head, first the keys of whole groups of kernel.KeyGroup
// absolute positions, transposed:
//
//	key(head, position, d) = k[((head·groups + position/16 - first)·size + d)·16 + position%16]
//
// and then the values, a row a position:
//
//	value(head, position, d) = v[(head·n + position - start)·size + d]
//
// A group that two segments share stands in both; each fills its own lanes.
type kvLayout struct{ layers, heads, size int }

// cpuSegment implements Segment.
type cpuSegment struct {
	layout         kvLayout
	start, n       int
	first, groups  int // absolute index of the first key group, and their count
	keys, perLayer int // floats of a layer's keys, and of all of a layer
	data           []float32
	store          *kvStore
}

func (l kvLayout) floats(start, n int) (groups, keys, perLayer int) {
	groups = (start+n+kernel.KeyGroup-1)/kernel.KeyGroup - start/kernel.KeyGroup
	keys = l.heads * groups * l.size * kernel.KeyGroup
	return groups, keys, keys + l.heads*n*l.size
}

func (l kvLayout) bytes(start, n int) int64 {
	_, _, perLayer := l.floats(start, n)
	return int64(l.layers) * int64(perLayer) * 4
}

// Range implements Segment.
func (s *cpuSegment) Range() (start, n int) { return s.start, s.n }

// Release implements Segment.
func (s *cpuSegment) Release() { s.store.put(s.data); s.data = nil }

// keysOf returns the transposed key groups of one layer and head.
func (s *cpuSegment) keysOf(layer, head int) []float32 {
	per := s.groups * s.layout.size * kernel.KeyGroup
	return s.data[layer*s.perLayer+head*per:][:per]
}

// valuesOf returns the value rows of one layer and head.
func (s *cpuSegment) valuesOf(layer, head int) []float32 {
	per := s.n * s.layout.size
	return s.data[layer*s.perLayer+s.keys+head*per:][:per]
}

// kvStore hands out memory for segments and keeps some of what comes back:
// fresh memory costs a page fault and a clearing a page.
type kvStore struct {
	mu   sync.Mutex
	free map[int][][]float32 // by log2 of the size
	kept int64               // floats kept
}

// keepFloats bounds what the store keeps unused: 256 MiB.
const keepFloats = 64 << 20

func (st *kvStore) get(floats int) []float32 {
	class := bits.Len(uint(floats - 1))
	st.mu.Lock()
	defer st.mu.Unlock()
	if list := st.free[class]; len(list) > 0 {
		data := list[len(list)-1]
		st.free[class] = list[:len(list)-1]
		st.kept -= int64(cap(data))
		if cap(data) >= floats {
			return data[:floats]
		}
	}
	// Small sizes are rounded up to be reused; large ones are taken as they
	// are, since rounding would waste up to half.
	if class < 22 {
		return make([]float32, floats, 1<<class)
	}
	return make([]float32, floats)
}

func (st *kvStore) put(data []float32) {
	class := bits.Len(uint(cap(data) - 1))
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.kept+int64(cap(data)) > keepFloats {
		return
	}
	if st.free == nil {
		st.free = map[int][][]float32{}
	}
	st.free[class] = append(st.free[class], data)
	st.kept += int64(cap(data))
}
