package sim

import (
	"sort"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// queries is one block of the attention kernels: a tile and a key/value head.
type queries struct {
	e                       element
	d                       *Device
	keys, values, runs      device.Ptr
	row, rows, position     int
	run, runCount           int
	kind                    attention.Kind
	window, heads, kv, size int
	kvHead                  int
	most                    int         // queries of a block; 0: any
	q                       [][]float32 // of each query: row i/group, head i%group
	table                   []int32     // the path's runs
}

func newQueries(e element, d *Device, tile device.Ptr, q device.Ptr, b queries) *queries {
	t := ints(d, tile, 0, abi.TileInts)
	b.e, b.d = e, d
	b.row, b.rows, b.position, b.run, b.runCount = int(t[0]), int(t[1]), int(t[2]), int(t[3]), int(t[4])
	group := b.heads / b.kv
	if b.rows < 1 || b.most > 0 && b.rows*group > b.most {
		panic(fault{"a tile of more queries than a block holds, or none"})
	}
	b.table = ints(d, b.runs, 2*b.run, 2*b.runCount)
	for i := range b.rows * group {
		b.q = append(b.q, e.load(q, ((b.row+i/group)*b.heads+b.kvHead*group+i%group)*b.size, b.size))
	}
	return &b
}

// slot finds where a position's keys lie: in the last run that starts at it or
// before.
func (b *queries) slot(position int) int {
	i := sort.Search(len(b.table)/2, func(i int) bool { return int(b.table[2*i]) > position }) - 1
	if i < 0 {
		panic(fault{"a position before the path's first run"})
	}
	return int(b.table[2*i+1]) + position - int(b.table[2*i])
}

// visible is the keys of a block that the i-th query sees, from the block's own
// first on.
func (b *queries) visible(i, block int) (lo, hi int) {
	position := b.position + i/(b.heads/b.kv)
	if b.window > 0 {
		lo = max(0, position-b.window+1-block)
	}
	lo, hi = min(lo, abi.KeyBlock), max(0, min(abi.KeyBlock, position+1-block))
	return min(lo, hi), hi
}

// first is the key block that the tile begins with.
func (b *queries) first() int {
	if b.window == 0 {
		return 0
	}
	return max(0, b.position-b.window+1) / abi.KeyBlock * abi.KeyBlock
}

// block loads the rows of keys, or of values, of a key block that the tile sees.
func (b *queries) block(store device.Ptr, block int) [][]float32 {
	list := make([][]float32, min(abi.KeyBlock, b.position+b.rows-block))
	first := 0
	if b.window > 0 {
		first = max(0, b.position-b.window+1-block)
	}
	for j := first; j < len(list); j++ {
		list[j] = b.e.load(store, (b.slot(block+j)*b.kv+b.kvHead)*b.size, b.size)
	}
	return list
}

// scores is the products of the i-th query with the keys it sees of a block.
func (b *queries) scores(s []float32, i int, keys [][]float32, lo, hi int) {
	for j := lo; j < hi; j++ {
		s[j] = dot(b.q[i], keys[j])
	}
}

func attend(e element, d *Device, l *device.Launch, size int) {
	q, out, stats, tiles := l.Args[0].Ptr(), l.Args[3].Ptr(), l.Args[4].Ptr(), l.Args[5].Ptr()
	proto := queries{
		keys: l.Args[1].Ptr(), values: l.Args[2].Ptr(), runs: l.Args[6].Ptr(), kind: attention.Kind(l.Args[7].Int()),
		window: l.Args[8].Int(), heads: l.Args[9].Int(), kv: l.Args[10].Int(), size: size,
	}
	proto.most = abi.QueryBlock(e.mode, size)
	eachBlock(l, func(tile, kvHead int) {
		proto.kvHead = kvHead
		newQueries(e, d, tiles+abi.Offset(tile, 4*abi.TileInts), q, proto).attend(out, stats)
	})
}

// attend is one pass over the key blocks.
func (b *queries) attend(out, stats device.Ptr) {
	n := len(b.q)
	states, o := make([]kernel.State, n), make([][]float32, n)
	weights := make([][abi.KeyBlock]float32, n)
	for i := range states {
		states[i], o[i] = kernel.NewState(b.kind, 0), make([]float32, b.size)
	}
	for block := b.first(); block < b.position+b.rows; block += abi.KeyBlock {
		positive := false
		keys := b.block(b.keys, block)
		for i := range n {
			lo, hi := b.visible(i, block)
			b.scores(weights[i][:], i, keys, lo, hi)
			factor, any := kernel.WeighGeneric(b.kind, weights[i][:], lo, hi, &states[i])
			kernel.Generic{}.Scale(o[i], factor)
			positive = positive || any
		}
		if !positive {
			continue // every weight is zero: the values are not read
		}
		for j, v := range b.block(b.values, block) {
			for i := range n {
				if w := weights[i][j]; w != 0 {
					for k, x := range v {
						o[i][k] += w * x
					}
				}
			}
		}
	}
	group := b.heads / b.kv
	for i := range n {
		norm := states[i].Norm(b.kind)
		kernel.Generic{}.Scale(o[i], norm)
		at := (b.row+i/group)*b.heads + b.kvHead*group + i%group
		b.e.store(out, at*b.size, o[i])
		if stats != 0 {
			copy(floats(b.d, stats, 2*at, 2), []float32{states[i].Max, norm})
		}
	}
}

func observe(e element, d *Device, l *device.Launch) {
	q, stats, tile, out := l.Args[0].Ptr(), l.Args[2].Ptr(), l.Args[3].Ptr(), l.Args[5].Ptr()
	key, keys := l.Args[6].Int(), l.Args[7].Int()
	proto := queries{
		keys: l.Args[1].Ptr(), runs: l.Args[4].Ptr(), kind: attention.Kind(l.Args[8].Int()),
		window: l.Args[9].Int(), heads: l.Args[10].Int(), kv: l.Args[11].Int(), size: l.Args[12].Int(),
	}
	eachBlock(l, func(x, kvHead int) {
		proto.kvHead = kvHead
		b := newQueries(e, d, tile, q, proto)
		group := b.heads / b.kv
		block := key + x*abi.KeyBlock
		var s [abi.KeyBlock]float32
		loaded := b.block(b.keys, block)
		for i := range b.q {
			head := kvHead*group + i%group
			st := floats(d, stats, 2*((b.row+i/group)*b.heads+head), 2)
			lo, hi := b.visible(i, block)
			b.scores(s[:], i, loaded, lo, hi)
			row := floats(d, out, (head*b.rows+i/group)*keys+x*abi.KeyBlock, min(abi.KeyBlock, keys-x*abi.KeyBlock))
			for j := range row {
				row[j] = 0
				if j >= lo && j < hi {
					row[j] = kernel.FinalWeight(b.kind, s[j], st[0]) * st[1]
				}
			}
		}
	})
}
