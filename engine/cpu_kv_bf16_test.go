package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine/kernel"
)

// TestBlockValues gathers key blocks from segments that begin and end anywhere,
// some longer than what the path uses of them, and some that hold those before them too, into a buffer full of NaN: each
// value must be its position's own, and zero behind the last.
func TestBlockValues(t *testing.T) {
	layout := kvLayout{layers: 2, heads: 3, size: 20, format: kvBFloat16{}}
	width := layout.width()
	rng := rand.New(rand.NewPCG(1, 9))
	value := func(layer, head, position, d int) uint16 {
		return uint16(layer<<14 | head<<12 | position<<5 | d)
	}
	shared := 0
	for range 200 {
		c := cpu{layout: layout, pool: pool{1}}
		var path []Segment
		total := 1 + rng.IntN(120)
		for at := 0; at < total; {
			n := 1 + rng.IntN(40)
			segment, err := c.NewSegment(at, n)
			if err != nil {
				t.Fatal(err)
			}
			used := min(total-at, n-rng.IntN(min(n, 3)))
			seg := segment.(*cpuSegment)
			for layer := range layout.layers {
				for head := range layout.heads {
					row := make([]uint16, width)
					for p := at; p < at+n; p++ {
						for d := range row {
							if row[d] = value(layer, head, p, d); p >= at+used {
								row[d] = 0x7fc1 // another branch's
							}
						}
						seg.putValueBF16(layer, head, p, row)
					}
				}
			}
			path, at = append(path, seg), at+used
		}
		if rng.IntN(2) == 0 {
			b := &Batch{}
			for i, s := range path {
				b.Spans = append(b.Spans, Span{Path: path[:i+1], Position: s.(*cpuSegment).start})
			}
			c.share(b)
			for layer := range layout.layers {
				if err := c.copyShared(t.Context(), layer); err != nil {
					t.Fatal(err)
				}
			}
			shared += len(c.scratch.shared)
		}
		last := path[len(path)-1].(*cpuSegment)
		last.n = total - last.start // the task's own rows end here
		layer, head := rng.IntN(layout.layers), rng.IntN(layout.heads)
		block := rng.IntN(total) / kernel.KeyBlock * kernel.KeyBlock
		end := block + 1 + rng.IntN(min(kernel.KeyBlock, total-block))
		buf := slices.Repeat([]uint16{0x7fc2}, kernel.KeyBlock*width)
		got := blockValuesBF16(buf, path, layer, head, block, end)
		for j := range kernel.KeyBlock {
			for d := range width {
				want := uint16(0)
				if block+j < end {
					want = value(layer, head, block+j, d)
				}
				if x := got[(j/2*width+d)*2+j%2]; x != want {
					t.Fatalf("positions [%d, %d) of %d segments: lane %d component %d is %#x, want %#x", block, end, len(path), j, d, x, want)
				}
			}
		}
	}
	if shared < 20 {
		t.Errorf("%d segments hold others' values", shared)
	}
}
