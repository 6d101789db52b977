package engine

import "github.com/softbench/softbench/engine/kernel"

// kvFormat is one way of keeping keys and values until queries meet them: where they lie, and the
// products that take them so.
type kvFormat interface {
	// width is the distance of two rows of components of a head.
	width(size int) int
	// floats is what one head's keys of so many groups and n values, from the beginning of the first
	// group on, take, in float32.
	floats(size, groups, n int) (keys, values int)
	// put stores keys and values of n positions from position on, all in one segment; qkv begins at
	// the row of the first.
	put(c *cpu, t *attentionTile, own *cpuSegment, layer, position, n int, qkv []float32)
	// queries makes of a task's m queries in t.q what scores takes.
	queries(c *cpu, t *attentionTile, m int)
	// scores multiplies them with groups of a segment's keys, the first being group g of the sequence.
	scores(c *cpu, s []float32, lds int, t *attentionTile, m int, seg *cpuSegment, layer, head, g, groups int)
	// copyValues copies one head's values of positions [from, to) of the group that both begin at.
	copyValues(dst, src []float32, size, from, to int)
	// addValues adds a key block's weighted values to the outputs.
	addValues(c *cpu, t *attentionTile, layer int, w attentionWork, m, block, end int)
}

// kvFormats are all there are.
var kvFormats = map[kernel.KV]kvFormat{
	kernel.KVFloat32:  kvFloat32{},
	kernel.KVBFloat16: kvBFloat16{},
}

// kvFloat32 keeps them as they are computed:
//
//	key(head, position, d) = k[((head·groups + position/16 - first)·size + d)·16 + position%16]
//	value(head, position, d) = v[(head·(start%16 + n) + position - 16·first)·size + d]
type kvFloat32 struct{}

func (kvFloat32) width(size int) int { return size }

func (kvFloat32) floats(size, groups, n int) (keys, values int) {
	return groups * size * kernel.KeyGroup, n * size
}

func (kvFloat32) put(c *cpu, _ *attentionTile, own *cpuSegment, layer, position, n int, qkv []float32) {
	for r := range n {
		row := qkv[r*c.qkvWidth():]
		for h := range c.config.KVHeads {
			key, value := c.keysAndValues(row, h)
			own.putKey(layer, h, position+r, key)
			own.putValue(layer, h, position+r, value)
		}
	}
}

func (kvFloat32) queries(*cpu, *attentionTile, int) {}

func (kvFloat32) scores(c *cpu, s []float32, lds int, t *attentionTile, m int, seg *cpuSegment, layer, head, g, groups int) {
	size := c.config.HeadDim
	c.set.Scores(s, lds, t.q, m, size, seg.keysOf(layer, head)[(g-seg.first)*size*kernel.KeyGroup:], groups)
}

func (kvFloat32) copyValues(dst, src []float32, size, from, to int) {
	copy(dst[from*size:to*size], src[from*size:])
}

func (kvFloat32) addValues(c *cpu, t *attentionTile, layer int, w attentionWork, m, block, end int) {
	size := c.config.HeadDim
	eachSegment(w.span.Path, block, end, func(seg *cpuSegment, from, to int) {
		values := seg.valuesOf(layer, w.kvHead)[(from-seg.first*kernel.KeyGroup)*size:]
		c.set.Accumulate(t.o, t.s[from-block:], kernel.KeyBlock, m, values, to-from, size)
	})
}

// putKey and putValue store one position's key and value.
func (s *cpuSegment) putKey(layer, head, position int, key []float32) {
	group, lane := position/kernel.KeyGroup-s.first, position%kernel.KeyGroup
	keys := s.keysOf(layer, head)[group*len(key)*kernel.KeyGroup:]
	for d, k := range key {
		keys[d*kernel.KeyGroup+lane] = k
	}
}

func (s *cpuSegment) putValue(layer, head, position int, value []float32) {
	copy(s.valuesOf(layer, head)[(position-s.first*kernel.KeyGroup)*len(value):][:len(value)], value)
}
