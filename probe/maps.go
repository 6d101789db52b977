package probe

import (
	"fmt"

	"github.com/softbench/softbench/engine"
)

// Maps is an engine.Observer that keeps the whole attention maps of chosen heads
// over one text, the only node of its forest. Its memory grows with the square of
// the text's length: use it for short ones.
type Maps struct {
	tokens int
	maps   map[[2]int]*Map
	order  []*Map
}

// Map is one head's weights over a text of n tokens: Weights holds the rows of
// the lower triangle one after the other, n(n+1)/2 of them. Query i's weight on
// key j is Weights[i(i+1)/2+j].
type Map struct {
	Layer, Head int
	Weights     []float32
}

// NewMaps prepares the maps of every one of layers with every one of heads over
// a text of tokens tokens, for a model of modelLayers × modelHeads.
func NewMaps(layers, heads []int, tokens, modelLayers, modelHeads int) (*Maps, error) {
	if tokens < 1 {
		return nil, fmt.Errorf("attention maps of a text of %d tokens", tokens)
	}
	m := &Maps{tokens: tokens, maps: map[[2]int]*Map{}}
	for _, l := range layers {
		for _, h := range heads {
			if l < 0 || l >= modelLayers || h < 0 || h >= modelHeads {
				return nil, fmt.Errorf("attention map of layer %d head %d: the model has layers 0 to %d and heads 0 to %d", l, h, modelLayers-1, modelHeads-1)
			}
			if m.maps[[2]int{l, h}] == nil {
				one := &Map{Layer: l, Head: h, Weights: make([]float32, tokens*(tokens+1)/2)}
				m.maps[[2]int{l, h}] = one
				m.order = append(m.order, one)
			}
		}
	}
	return m, nil
}

func (m *Maps) Attention(b engine.AttentionBlock) {
	one := m.maps[[2]int{b.Layer, b.Head}]
	if one == nil {
		return
	}
	for q := range b.Queries {
		i := b.Query + q
		n := min(b.Keys, i+1-b.Key)
		if n > 0 && i < m.tokens {
			copy(one.Weights[i*(i+1)/2+b.Key:][:n], b.Weights[q*b.Keys:])
		}
	}
}

func (m *Maps) Residual(engine.Residual) {}

// All returns the maps in the order in which layers and heads were named.
func (m *Maps) All() []*Map { return m.order }
