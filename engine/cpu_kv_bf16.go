package engine

import "github.com/softbench/softbench/engine/kernel"

// keysOfBF16 and valuesOfBF16 are keysOf and valuesOf in bfloat16.
func (s *cpuSegment) keysOfBF16(layer, head int) []uint16 {
	return kernel.Halves(s.keysOf(layer, head))
}

func (s *cpuSegment) valuesOfBF16(layer, head int) []uint16 {
	return kernel.Halves(s.valuesOf(layer, head))
}

// putKeyBF16 and putValueBF16 store one position's key and value, [width].
func (s *cpuSegment) putKeyBF16(layer, head, position int, key []uint16) {
	group, lane := position/kernel.KeyGroup-s.first, position%kernel.KeyGroup
	keys := s.keysOfBF16(layer, head)[group*len(key)*kernel.KeyGroup:][:len(key)*kernel.KeyGroup]
	for d := 0; d+1 < len(key); d += 2 {
		at := d*kernel.KeyGroup + 2*lane
		keys[at], keys[at+1] = key[d], key[d+1]
	}
}

func (s *cpuSegment) putValueBF16(layer, head, position int, value []uint16) {
	pair := position/2 - s.start/2
	values := s.valuesOfBF16(layer, head)[pair*len(value)*2:][:2*len(value)]
	lane := position % 2
	for d, v := range value {
		values[2*d+lane] = v
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
		at := func(position int) []uint16 { return values[(position/2-seg.start/2)*row:][:row] }
		if to-from == kernel.KeyBlock {
			own = values[(block/2-seg.start/2)*row:][:len(buf)]
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
