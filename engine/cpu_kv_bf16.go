package engine

import "github.com/softbench/softbench/engine/kernel"

// kvBFloat16 rounds them. Components of keys, and positions of values, come in pairs, and the head
// size is padded with zeros to a width that kernels want:
//
//	key(head, position, d) = k[(((head·groups + position/16 - first)·width + d)/2·16 + position%16)·2 + d%2]
//	value(head, position, d) = v[((head·pairs + position/2 - 8·first)·width + d)·2 + position%2]
type kvBFloat16 struct{}

func (kvBFloat16) width(size int) int { return kernel.PairedK(size) }

// floats counts two halves as one.
func (f kvBFloat16) floats(size, groups, n int) (keys, values int) {
	width := f.width(size)
	return groups * width * kernel.KeyGroup / 2, (n + 1) / 2 * width
}

// pair is the place of a position's pair among a segment's.
func (s *cpuSegment) pair(position int) int { return (position - s.first*kernel.KeyGroup) / 2 }

func (kvBFloat16) put(c *cpu, t *attentionTile, own *cpuSegment, layer, position, n int, qkv []float32) {
	width := c.layout.width()
	growFloats(&t.round, width)
	stride, rounded, words := c.qkvWidth(), kernel.Halves(t.round), kernel.Words(t.round)
	for h := range c.config.KVHeads {
		for r := range n {
			key, _ := c.keysAndValues(qkv[r*stride:], h)
			c.set.Round(rounded[:width], key)
			own.putKeyBF16(layer, h, position+r, words[:width/2])
		}
		for r := 0; r < n; r++ {
			_, value := c.keysAndValues(qkv[r*stride:], h)
			c.set.Round(rounded[:width], value)
			if (position+r)%2 == 1 || r+1 == n {
				own.putValueBF16(layer, h, position+r, rounded[:width])
				continue
			}
			r++
			_, next := c.keysAndValues(qkv[r*stride:], h)
			c.set.Round(rounded[width:], next)
			own.putValuesBF16(layer, h, position+r-1, words)
		}
	}
}

func (kvBFloat16) queries(c *cpu, t *attentionTile, m int) {
	size, width := c.config.HeadDim, c.layout.width()
	grow(&t.half, m*width)
	for i := range m {
		c.set.Round(t.half[i*width:][:width], t.q[i*size:][:size])
	}
}

func (kvBFloat16) scores(c *cpu, s []float32, lds int, t *attentionTile, m int, seg *cpuSegment, layer, head, g, groups int) {
	width := c.layout.width()
	c.set.ScoresBF16(s, lds, t.half, m, width, seg.keysOfBF16(layer, head)[(g-seg.first)*width*kernel.KeyGroup:], groups)
}

func (f kvBFloat16) copyValues(dst, src []float32, size, from, to int) {
	pair := f.width(size) // in float32
	copy(dst[from/2*pair:to/2*pair], src[from/2*pair:])
	if to%2 == 1 { // the other of the pair is the segment's own
		copyLane(kernel.Halves(dst[to/2*pair:][:pair]), kernel.Halves(src[to/2*pair:]), 0)
	}
}

// addValues takes the block as one product, whatever segments it lies in: where its sums are cut
// into pairs must not depend on those.
func (kvBFloat16) addValues(c *cpu, t *attentionTile, layer int, w attentionWork, m, block, end int) {
	width := c.layout.width()
	grow(&t.weights, m*kernel.KeyBlock)
	c.set.Round(t.weights, t.s[:m*kernel.KeyBlock])
	grow(&t.values, kernel.KeyBlock*width)
	values := blockValuesBF16(t.values, w.span.Path, layer, w.kvHead, block, end)
	c.set.AccumulateBF16(t.o, t.weights, m, values, width)
}

// keysOfBF16 and valuesOfBF16 are keysOf and valuesOf in bfloat16.
func (s *cpuSegment) keysOfBF16(layer, head int) []uint16 {
	return kernel.Halves(s.keysOf(layer, head))
}

func (s *cpuSegment) valuesOfBF16(layer, head int) []uint16 {
	return kernel.Halves(s.valuesOf(layer, head))
}

// putKeyBF16 stores one position's key, [width/2] pairs of components.
func (s *cpuSegment) putKeyBF16(layer, head, position int, key []uint32) {
	group, lane := position/kernel.KeyGroup-s.first, position%kernel.KeyGroup
	keys := kernel.Words(s.keysOf(layer, head))[group*len(key)*kernel.KeyGroup:][:len(key)*kernel.KeyGroup]
	for d, pair := range key {
		keys[d*kernel.KeyGroup+lane] = pair
	}
}

// putValueBF16 stores one position's value, [width].
func (s *cpuSegment) putValueBF16(layer, head, position int, value []uint16) {
	values := s.valuesOfBF16(layer, head)[s.pair(position)*len(value)*2:][:2*len(value)]
	lane := position % 2
	for d, v := range value {
		values[2*d+lane] = v
	}
}

// putValuesBF16 stores the values of a pair of positions, the first one even: [2, width/2] pairs of
// components.
func (s *cpuSegment) putValuesBF16(layer, head, position int, values []uint32) {
	half := len(values) / 2
	at := kernel.Words(s.valuesOf(layer, head))[s.pair(position)*2*half:][:2*half]
	second := values[half:][:half]
	for d, a := range values[:half] {
		b := second[d]
		at[2*d], at[2*d+1] = a&0xffff|b<<16, a>>16|b&0xffff0000
	}
}

// blockValuesBF16 returns the values [KeyBlock/2, width, 2] of the key block that
// starts at block, those from end on zero or unseen by any query: a segment's own
// memory where the whole block lies in one, else gathered in buf.
func blockValuesBF16(buf []uint16, path []Segment, layer, head, block, end int) []uint16 {
	row := len(buf) / (kernel.KeyBlock / 2) // a pair of positions
	var own []uint16
	eachSegment(path, block, end, func(seg *cpuSegment, from, to int) {
		values := seg.valuesOfBF16(layer, head)
		at := func(position int) []uint16 { return values[seg.pair(position)*row:][:row] }
		if to-from == kernel.KeyBlock {
			own = values[seg.pair(block)*row:][:len(buf)]
			return
		}
		for from < to {
			dst := buf[(from-block)/2*row:][:row]
			switch n := min(to, from/2*2+2) - from; {
			case n == 2:
				copy(dst, at(from))
			default:
				copyLane(dst, at(from), from%2)
			}
			from = from/2*2 + 2
		}
	})
	if own != nil {
		return own
	}
	clear(buf[(end-block+1)/2*row:])
	if end%2 == 1 {
		last := buf[(end-block)/2*row:][:row]
		for i := 1; i < row; i += 2 {
			last[i] = 0
		}
	}
	return buf
}

// copyLane copies every other element: the first or the second of each pair.
func copyLane(dst, src []uint16, lane int) {
	for i := lane; i < len(dst); i += 2 {
		dst[i] = src[i]
	}
}
