package conform

import (
	"fmt"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/attention"
)

// shape is one attention problem: tiles of one key/value store.
type shape struct {
	kind            attention.Kind
	heads, kv, size int
	window          int
	lengths         []int // positions of each sequence; the last rows of each are queries
	rows            int   // queries of each sequence at most
	shift           float64
}

// String names what of it matters to a kernel.
func (s shape) String() string {
	text := fmt.Sprintf("%v, %d/%d heads of %d, lengths %v, %d rows", s.kind, s.heads, s.kv, s.size, s.lengths, s.rows)
	if s.window > 0 {
		text += fmt.Sprintf(", window %d", s.window)
	}
	if s.shift != 0 {
		text += fmt.Sprintf(", scores shifted by %v", s.shift)
	}
	return text
}

// shapes covers the kinds, head sizes, groups, windows, ragged paths in
// scattered runs, rows of negative scores only, and a very long row.
func shapes() []shape {
	var list []shape
	ragged := []int{1, 2, abi.KeyBlock - 1, abi.KeyBlock, abi.KeyBlock + 1, 3*abi.KeyBlock + 5}
	for _, kind := range abi.Kinds {
		list = append(list,
			shape{kind: kind, heads: 4, kv: 2, size: 64, lengths: ragged, rows: 40},
			shape{kind: kind, heads: 3, kv: 1, size: 32, window: 19, lengths: ragged, rows: 30},
			shape{kind: kind, heads: 2, kv: 2, size: 64, lengths: []int{100}, rows: 100, shift: -40},
		)
	}
	for _, size := range []int{32, 96, 128, 192, 256} {
		list = append(list, shape{kind: attention.Softpick, heads: 2, kv: 1, size: size, lengths: []int{70, 131}, rows: 33},
			shape{kind: attention.Softmax, heads: 2, kv: 2, size: size, lengths: []int{70, 131}, rows: 33, window: 64})
	}
	for _, kind := range []attention.Kind{attention.Softmax, attention.Softpick} {
		list = append(list, shape{kind: kind, heads: 1, kv: 1, size: 32, lengths: []int{veryLong}, rows: 1})
	}
	return list
}

// hopperShapes are those that have other kernels on sm_90a: head sizes 64 and 128,
// tiles of 128 queries and less, and more than one tile a sequence.
func hopperShapes() []shape {
	var list []shape
	ragged := []int{1, 2, abi.KeyBlock - 1, abi.KeyBlock, abi.KeyBlock + 1, 3*abi.KeyBlock + 5}
	for _, kind := range abi.Kinds {
		list = append(list,
			shape{kind: kind, heads: 4, kv: 2, size: 64, lengths: ragged, rows: 70},
			shape{kind: kind, heads: 3, kv: 1, size: 128, window: 19, lengths: ragged, rows: 50},
			shape{kind: kind, heads: 2, kv: 2, size: 64, lengths: []int{140}, rows: 140, shift: -40},
			shape{kind: kind, heads: 1, kv: 1, size: 128, lengths: []int{257, 140}, rows: 140},
		)
	}
	return append(list, shape{kind: attention.Softpick, heads: 1, kv: 1, size: 64, lengths: []int{veryLong}, rows: 1})
}

// veryLong is the positions of the longest row.
const veryLong = 1 << 17

// attention runs Attention and Observe over one problem. Keys lie in runs of
// random length in random order; the slots of no position hold poison.
func (r maker) attention(s shape) *testCase {
	group := s.heads / s.kv
	total, rows := 0, 0
	for _, n := range s.lengths {
		total += n + 3
		rows += min(n, s.rows)
	}
	keys, values := make([]float32, total*s.kv*s.size), make([]float32, total*s.kv*s.size)
	nan := float32(0)
	nan /= nan
	for i := range keys {
		keys[i], values[i] = nan, nan
	}
	var tiles, runs []int32
	row, slot := 0, 3 // the first slots too are no one's
	type point struct{ tile, rows, end int }
	var observed []point
	for _, n := range s.lengths {
		first := len(runs) / 2
		// Runs of the path, then the places they get.
		var starts []int
		for p := 0; p < n; p += 1 + r.IntN(90) {
			starts = append(starts, p)
		}
		at := make([]int, len(starts))
		for _, i := range r.Perm(len(starts)) {
			end := n
			if i+1 < len(starts) {
				end = starts[i+1]
			}
			at[i] = slot
			for p := starts[i]; p < end; p++ {
				copy(keys[slot*s.kv*s.size:], r.normal(s.kv*s.size, 1))
				copy(values[slot*s.kv*s.size:], r.normal(s.kv*s.size, 1))
				if s.shift != 0 {
					for h := range s.kv { // the queries' first component is 1
						keys[(slot*s.kv+h)*s.size] = float32(s.shift)
					}
				}
				slot++
			}
		}
		slot += 3
		for i, p := range starts {
			runs = append(runs, int32(p), int32(at[i]))
		}
		count := min(n, s.rows)
		tile := abi.TileRows(r.mode, s.size, group)
		for q := 0; q < count; q += tile {
			t := min(tile, count-q)
			position := n - count + q
			observed = append(observed, point{len(tiles) / abi.TileInts, t, position + t})
			tiles = append(tiles, int32(row+q), int32(t), int32(position), int32(first), int32(len(runs)/2-first))
		}
		row += count
	}
	q := r.normal(rows*s.heads*s.size, 1/float64(s.size)*6)
	if s.shift != 0 {
		for i := 0; i < len(q); i += s.size {
			q[i] = 1
		}
	}
	// Where the products are large weights are steep: the tolerance is on what
	// one rounding of a score does, on weights of at most one.
	near := 2e-2
	if r.mode == abi.F32 {
		near = 2e-5
	}
	pick := observed[r.IntN(len(observed))]
	key := r.IntN((pick.end+abi.KeyBlock-1)/abi.KeyBlock) * abi.KeyBlock
	count := min(2*abi.KeyBlock, pick.end-key)
	return &testCase{buffers: []*buffer{
		in(of(r.mode), q), in(of(r.mode), keys), in(of(r.mode), values), out(of(r.mode), rows*s.heads*s.size, near, 1).of(s.heads * s.size),
		out(floats, 2*rows*s.heads, 1e-4, 1e-3).of(2 * s.heads), ints(tiles), ints(runs), out(floats, s.heads*pick.rows*count, near, 1).of(count),
	},
		launch: func(p []device.Ptr) []*device.Launch {
			a := abi.AttentionArgs{
				Q: p[0], Keys: p[1], Values: p[2], Out: p[3], Stats: p[4], Tiles: p[5], Runs: p[6], N: len(tiles) / abi.TileInts,
				Kind: s.kind, Window: s.window, Heads: s.heads, KVHeads: s.kv, Size: s.size,
			}
			return []*device.Launch{abi.Attention(r.mode, a), abi.Observe(r.mode, a, pick.tile, pick.rows, key, count, p[7])}
		}}
}
