package forward

import (
	"math"
	"slices"

	"github.com/softbench/softbench/engine"
)

// tile is the work of one block of the attention kernel for one key/value head:
// rows of one span at consecutive positions, with the heads that share the keys.
type tile struct {
	row, rows int32 // in the batch
	position  int32 // absolute, of the first row
	run, runs int32 // the path's runs in the table of runs
}

// plan is everything a forward pass of some rows needs to know, as tables.
type plan struct {
	spans []engine.Span // cut to these rows, Row counted from 0
	paths []tile        // of each span, its path's runs
	heads []*engine.HeadRow

	ids, position, slot []int32
	runs                []run
	tiles               []tile // of all rows
	last                []tile // of the rows that leave the last layer; row counted in the batch
	kept                []int32
	at                  []int32 // of each scored row, its row after the last layer

	targetStart, targets []int32 // targets of scored row i: targets[targetStart[i]:targetStart[i+1]]
}

// split cuts a batch into plans of at most mostRows rows and, where several
// spans are in one, mostRuns runs. Rows keep their order, so that a row's keys
// are stored by its own plan or one before.
func split(b *engine.Batch, mostRows, tileRows, mostRuns int) []*plan {
	var plans []*plan
	var p *plan
	first := 0 // row of the batch where p begins
	head := 0
	heads := order(b)
	finish := func(end int) {
		for ; head < len(heads) && b.Heads[heads[head]].Row < end; head++ {
			p.heads = append(p.heads, &b.Heads[heads[head]])
		}
		p.finish(first, b.Observer != nil, tileRows)
		plans = append(plans, p)
		p = nil
	}
	for i := range b.Spans {
		sp := b.Spans[i]
		for sp.N > 0 {
			if p == nil {
				p, first = &plan{}, sp.Row
			}
			before := len(p.runs)
			if p.runs = appendRuns(p.runs, sp.Path); before > 0 && len(p.runs) > mostRuns {
				p.runs = p.runs[:before]
				finish(sp.Row)
				continue
			}
			p.paths = append(p.paths, tile{run: int32(before), runs: int32(len(p.runs) - before)})
			take := min(sp.N, mostRows-len(p.ids))
			p.add(b, sp, take, first)
			sp.Row, sp.N, sp.Position = sp.Row+take, sp.N-take, sp.Position+take
			if len(p.ids) == mostRows {
				finish(sp.Row)
			}
		}
	}
	if p != nil {
		finish(len(b.Tokens))
	}
	return plans
}

// order lists the scored rows by row; a row may be scored more than once.
func order(b *engine.Batch) []int {
	list := make([]int, len(b.Heads))
	for i := range list {
		list[i] = i
	}
	slices.SortStableFunc(list, func(i, j int) int { return b.Heads[i].Row - b.Heads[j].Row })
	return list
}

// add takes the first n rows of a span.
func (p *plan) add(b *engine.Batch, sp engine.Span, n, first int) {
	own := sp.Path[len(sp.Path)-1].(*segment)
	p.ids = append(p.ids, b.Tokens[sp.Row:sp.Row+n]...)
	for i := range n {
		p.position = append(p.position, int32(sp.Position+i))
		p.slot = append(p.slot, int32(own.slot(sp.Position+i)))
	}
	sp.Row, sp.N = sp.Row-first, n
	p.spans = append(p.spans, sp)
}

// finish makes the tables that need all rows.
func (p *plan) finish(first int, all bool, tileRows int) {
	p.planHeads(first, all)
	kept := p.kept
	for i := range p.spans {
		sp, t := &p.spans[i], p.paths[i]
		for r := 0; r < sp.N; r += tileRows {
			p.tiles = append(p.tiles, t.of(sp, r, min(sp.N-r, tileRows)))
		}
		for len(kept) > 0 && int(kept[0]) < sp.Row+sp.N { // runs of neighbours
			n := 1
			for n < min(tileRows, len(kept)) && kept[n] == kept[0]+int32(n) && int(kept[n]) < sp.Row+sp.N {
				n++
			}
			p.last = append(p.last, t.of(sp, int(kept[0])-sp.Row, n))
			kept = kept[n:]
		}
	}
	if all {
		return // an observer wants them in order
	}
	// The longest first: a device that starts blocks in order ends evenly.
	for _, list := range [][]tile{p.tiles, p.last} {
		slices.SortStableFunc(list, func(a, b tile) int { return int(b.position + b.rows - a.position - a.rows) })
	}
}

// of is the tile of n rows of a span from its r-th on.
func (t tile) of(sp *engine.Span, r, n int) tile {
	t.row, t.rows, t.position = int32(sp.Row+r), int32(n), int32(sp.Position+r)
	return t
}

// planHeads decides which rows leave the last layer: all where an observer
// observes, else those whose next token is scored.
func (p *plan) planHeads(first int, all bool) {
	p.targetStart = append(p.targetStart, 0)
	for _, h := range p.heads {
		p.targets = append(p.targets, h.Targets...)
		p.targetStart = append(p.targetStart, int32(len(p.targets)))
		p.kept = append(p.kept, int32(h.Row-first))
	}
	if all {
		p.kept = p.kept[:0]
		for r := range p.ids {
			p.kept = append(p.kept, int32(r))
		}
	} else {
		p.kept = slices.Compact(p.kept)
	}
	for _, h := range p.heads {
		i, _ := slices.BinarySearch(p.kept, int32(h.Row-first))
		p.at = append(p.at, int32(i))
	}
}

// logPosition is the factor of scaled attention kinds at a position.
func logPosition(position int32) float32 { return float32(math.Log(float64(position) + 2)) }
