package engine

import "github.com/softbench/softbench/engine/kernel"

// observeTile goes over a finished task's key blocks a second time, now that
// each query's maximum and denominator are known, and shows the final weights.
func (c *cpu) observeTile(t *attentionTile, layer int, w attentionWork, o Observer) {
	group := c.config.Heads / c.config.KVHeads
	rows := w.r1 - w.r0
	weights := make([]float32, rows*kernel.KeyBlock)
	c.eachKeyBlock(t, layer, w, func(block, end int) {
		for h := range group {
			keys := end - block
			for r := range rows {
				i := r*group + h
				out := weights[r*keys:][:keys]
				clear(out)
				lo, hi := c.visible(layer, w, r, block)
				st, norm := t.states[i], t.states[i].Norm(c.kind)
				for j := lo; j < hi; j++ {
					out[j] = kernel.FinalWeight(c.kind, t.s[i*kernel.KeyBlock+j], st.Max) * norm
				}
			}
			o.Attention(AttentionBlock{
				Layer: layer, Head: w.kvHead*group + h, Node: w.span.Node,
				Query: w.span.Position + w.r0, Queries: rows, Key: block, Keys: keys,
				Weights: weights[:rows*keys],
			})
		}
	})
}
