package forward

import (
	"encoding/binary"
	"math"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/engine"
)

// observeResidual shows the residual stream after a block.
func (b *Backend) observeResidual(p *plan, layer int, o engine.Observer) error {
	hidden := b.config.Hidden
	for _, sp := range p.spans {
		// A span may be longer than one download should be.
		const most = 1024
		for r := 0; r < sp.N; r += most {
			n := min(most, sp.N-r)
			data, err := b.download(b.scratch.x+abi.Offset(sp.Row+r, 4*hidden), 4*n*hidden)
			if err != nil {
				return err
			}
			o.Residual(engine.Residual{Layer: layer, Node: sp.Node, Position: sp.Position + r, X: floats(data)})
		}
	}
	return nil
}

// observeAttention computes final weights again, a tile and some key blocks at
// a time, now that each query's maximum and denominator are known.
func (b *Backend) observeAttention(q *queue, p *plan, layer int, a abi.AttentionArgs, o engine.Observer) error {
	node := p.nodes()
	for i, t := range p.tiles {
		rows, end := int(t.rows), int(t.position+t.rows)
		first := 0
		if w := b.config.Blocks[layer].Window; w > 0 {
			first = max(0, int(t.position)-w+1) / abi.KeyBlock * abi.KeyBlock
		}
		step := observed / 4 / (b.config.Heads * rows) / abi.KeyBlock * abi.KeyBlock
		for key := first; key < end; key += step {
			keys := min(step, end-key)
			q.launch(abi.Observe(b.mode, a, i, rows, key, keys, b.scratch.weights))
			if q.run(b); q.err != nil {
				return q.err
			}
			data, err := b.download(b.scratch.weights, 4*b.config.Heads*rows*keys)
			if err != nil {
				return err
			}
			all := floats(data)
			for h := range b.config.Heads {
				o.Attention(engine.AttentionBlock{
					Layer: layer, Head: h, Node: node[i], Query: int(t.position), Queries: rows, Key: key, Keys: keys,
					Weights: all[h*rows*keys:][:rows*keys],
				})
			}
		}
	}
	return nil
}

// nodes is the forest's node of each tile.
func (p *plan) nodes() []int {
	list := make([]int, len(p.tiles))
	span := 0
	for i, t := range p.tiles {
		for int(t.row) >= p.spans[span].Row+p.spans[span].N {
			span++
		}
		list[i] = p.spans[span].Node
	}
	return list
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
