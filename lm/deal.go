package lm

import (
	"context"
	"slices"
	"sort"
)

// Deal divides groups of requests, such as those of a document, among parts, and returns
// the part of each, from 0 on. A part computes its own forest, so that what two parts share
// is computed twice: groups that share a prefix stay together as far as an even division
// allows. The part with the most distinct tokens has as few as can be where groups keep the
// order of the forest. What may be generated counts as computed.
//
// of is the group of request i; alone are the tokens of groups of no request, which
// come after those of of and share nothing: they are dealt by turns, before the others. The
// division follows from requests, tokenizer and parts: every process finds the same.
func (p *Plan) Deal(ctx context.Context, of []int, groups int, alone []int, parts int) ([]int, error) {
	prepared, err := p.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	d := newDealing(prepared.trie, groups, parts)
	for i, q := range p.requests {
		for w := range q.windows {
			if n := &q.windows[w]; n.inputs > 0 || q.prompt != nil {
				d.leaves[of[i]] = append(d.leaves[of[i]], n.leaf)
			}
		}
	}
	turns := make([]int, len(alone))
	for i, tokens := range alone {
		turns[i] = i % parts
		d.alone[turns[i]] += int64(tokens)
	}
	return append(d.even(), turns...), nil
}

// dealing is a forest whose requests are divided.
type dealing struct {
	trie   *trie
	place  []int32   // of a node, depth first
	leaves [][]int32 // of each group
	alone  []int64   // of each part, tokens that are in no forest
	order  []int     // groups by their first leaf's place
	taken  []int32   // of a node, the last part that has it, counted over all tries
	stamp  int32
}

func newDealing(t *trie, groups, parts int) *dealing {
	d := &dealing{trie: t, place: make([]int32, len(t.nodes)), leaves: make([][]int32, groups), alone: make([]int64, parts), taken: make([]int32, len(t.nodes))}
	for at, id := range t.order {
		d.place[id] = int32(at)
	}
	return d
}

// even finds the smallest bound of a part's tokens with which the parts are enough.
func (d *dealing) even() []int {
	parts := len(d.alone)
	d.order = make([]int, len(d.leaves))
	first := make([]int32, len(d.leaves))
	for g := range d.order {
		d.order[g] = g
		if len(d.leaves[g]) > 0 {
			first[g] = d.place[d.leaves[g][0]]
		}
	}
	slices.SortStableFunc(d.order, func(a, b int) int { return int(first[a]) - int(first[b]) })
	var all int64
	for _, n := range d.alone {
		all += n
	}
	d.stamp++
	for _, g := range d.order {
		all += d.take(g)
	}
	low := (all + int64(parts) - 1) / int64(parts)
	bound := low + int64(sort.Search(int(all-low), func(more int) bool {
		return d.cut(low+int64(more), nil) <= parts
	}))
	part := make([]int, len(d.leaves))
	d.cut(bound, part)
	return part
}

// cut fills parts in order, each up to a bound or with one group that exceeds it alone, and says
// how many it takes: at most one more than there are.
func (d *dealing) cut(bound int64, part []int) (parts int) {
	d.stamp++
	parts = 1
	used, empty := d.alone[0], true
	for _, g := range d.order {
		more := d.take(g)
		for used+more > bound && !(empty && more > bound) {
			if parts++; parts > len(d.alone) {
				return parts
			}
			d.stamp++
			used, empty = d.alone[parts-1], true
			more = d.take(g)
		}
		used, empty = used+more, false
		if part != nil {
			part[g] = parts - 1
		}
	}
	return parts
}

// take gives a group to the part under way and returns the tokens that it adds.
func (d *dealing) take(g int) (more int64) {
	for _, id := range d.leaves[g] {
		for ; id >= 0 && d.taken[id] != d.stamp; id = d.trie.nodes[id].parent {
			d.taken[id] = d.stamp
			more += int64(len(d.trie.nodes[id].tokens)) + int64(d.trie.nodes[id].generate)
		}
	}
	return more
}
