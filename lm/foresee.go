package lm

import (
	"context"

	"github.com/softbench/softbench/engine"
)

// Foresee counts what Run would compute, where every text that is decoded gets as long as it may,
// and the memory it takes. It computes nothing, and Run may follow.
func (p *Prepared) Foresee(ctx context.Context, o RunOptions) (engine.Stats, error) {
	f := *p.forest
	f.Ask = p.trie.scoredRows
	return p.lm.model.Foresee(ctx, &f, engine.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory})
}

// scoredRows are the rows of a node that something is asked of, without what.
func (t *trie) scoredRows(node int) []engine.Scored {
	n := &t.nodes[t.order[node]]
	asked := make([]bool, len(n.tokens))
	for i := range n.asks {
		for row := n.asks[i].from; row < n.asks[i].to; row++ {
			asked[row] = true
		}
	}
	var out []engine.Scored
	for row, is := range asked {
		if is {
			out = append(out, engine.Scored{Row: row})
		}
	}
	return out
}
