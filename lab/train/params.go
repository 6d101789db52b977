package train

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/softbench/softbench/engine/attention"
)

// Config is a model's shape. Every head has its own keys and values.
type Config struct {
	Hidden, Intermediate, Layers, Heads, Vocab, Context int
	// HeadSize is the size of a head; Hidden/Heads if zero. Heads·HeadSize need
	// not be Hidden.
	HeadSize  int
	Attention attention.Kind
	// Scaled: queries are multiplied by s[head]·ln(position+2), position from 0
	// and s learned, before they meet the keys (scaled.go).
	Scaled    bool
	Gated     bool    // the output is multiplied by a gate's sigmoid (remedies.go)
	Cap       float32 // the logit soft cap of the scores; 0: none (remedies.go)
	RopeTheta float64
	NormEps   float32
	Tie       bool // the head is the embedding
	// Positions is the longest text the exported checkpoint claims to take
	// (max_position_embeddings), which may exceed the windows it was trained on;
	// Context if zero.
	Positions int
}

// HeadDim is the size of a head.
func (c *Config) HeadDim() int {
	if c.HeadSize != 0 {
		return c.HeadSize
	}
	return c.Hidden / c.Heads
}

// width is the number of all heads' components: of q, of k, of v.
func (c *Config) width() int { return c.Heads * c.HeadDim() }

func (c *Config) positions() int { return max(c.Context, c.Positions) }

// Check refuses shapes that cannot be.
func (c *Config) Check() error {
	for name, v := range map[string]int{"hidden": c.Hidden, "intermediate": c.Intermediate, "layers": c.Layers, "heads": c.Heads, "vocabulary": c.Vocab, "context": c.Context} {
		if v < 1 {
			return fmt.Errorf("%s size %d: want at least 1", name, v)
		}
	}
	if c.Positions != 0 && c.Positions < c.Context {
		return fmt.Errorf("%d positions are fewer than a window's %d tokens", c.Positions, c.Context)
	}
	switch {
	case c.HeadSize < 0 || c.HeadSize%2 != 0:
		return fmt.Errorf("head size %d: want an even number above zero, or 0 for the width divided by the heads", c.HeadSize)
	case c.HeadSize == 0 && (c.Hidden%c.Heads != 0 || c.HeadDim()%2 != 0):
		return fmt.Errorf("%d heads do not divide a width of %d into even sizes: give a head size of its own, or other numbers", c.Heads, c.Hidden)
	case c.Scaled && c.width() != c.Hidden:
		return fmt.Errorf("%d heads of %d are not a width of %d: the checkpoint of a scaled kind has no place for a head size of its own", c.Heads, c.HeadDim(), c.Hidden)
	}
	if !(c.Cap >= 0) || math.IsInf(float64(c.Cap), 0) {
		return fmt.Errorf("a soft cap of %v: want a number above zero, or 0 for none", c.Cap)
	}
	if !(c.RopeTheta > 0) || !(c.NormEps > 0) || math.IsInf(c.RopeTheta, 0) {
		return fmt.Errorf("rope theta %v and norm epsilon %v must be numbers above zero", c.RopeTheta, c.NormEps)
	}
	h, f, a := float64(c.Hidden), float64(c.Intermediate), float64(c.Heads)*float64(c.HeadDim())
	if n := float64(c.Layers)*h*(5*a+3*f) + 2*float64(c.Vocab)*h; n > mostNumbers {
		return fmt.Errorf("a model of about %.3g parameters: this trainer takes %.3g at most", n, mostNumbers)
	}
	return nil
}

// mostNumbers bounds a model's parameters, and the numbers that a batch leaves
// for the way back: far above what a processor trains, and a wrong setting is a
// line of text, not a crash.
const mostNumbers = float64(1 << 33)

// checkBatch refuses batches whose activations are too many.
func (c *Config) checkBatch(batch int) error {
	row := float64(c.Layers) * (5*float64(c.Hidden) + 6*float64(c.Heads)*float64(c.HeadDim()) + 3*float64(c.Intermediate))
	if n := float64(batch) * float64(c.Context) * row; n > mostNumbers {
		return fmt.Errorf("a batch of %d windows of %d tokens keeps about %.3g numbers: this trainer takes %.3g at most; accumulate smaller ones", batch, c.Context, n, mostNumbers)
	}
	return nil
}

// Tensor is one parameter, row-major.
type Tensor struct {
	Name  string // as transformers' Llama names it, or would
	Shape []int
	Data  []float32
	// Decay: weight decay applies (matrices but the embedding; no norm, no scale).
	Decay bool
}

// layerParams are one block's parameters. q, k and v lie in one matrix
// [3·width, hidden], gate and up in one [2·intermediate, hidden]; out is
// [hidden, width].
type layerParams struct {
	attnNorm, mlpNorm      []float32
	qkv, out, gateUp, down []float32
	scale                  []float32 // [heads]; nil unless Config.Scaled
	sinks                  []float32 // [heads]; nil unless the kind has learned ones
	gate                   []float32 // [width, hidden]; nil unless Config.Gated
}

// Params are a model's parameters, or gradients of them, in one block of memory.
type Params struct {
	All    []float32
	embed  []float32 // [vocab, hidden]
	layers []layerParams
	norm   []float32
	head   []float32 // [vocab, hidden]; embed itself where tied
	config Config
}

// NewParams makes parameters of zeros.
func NewParams(c Config) *Params {
	h, f, a := c.Hidden, c.Intermediate, c.width()
	perLayer := 2*h + 4*a*h + 3*f*h
	if c.Scaled {
		perLayer += c.Heads
	}
	if c.learned() {
		perLayer += c.Heads
	}
	if c.Gated {
		perLayer += a * h
	}
	total := c.Vocab*h + c.Layers*perLayer + h
	if !c.Tie {
		total += c.Vocab * h
	}
	p := &Params{All: make([]float32, total), config: c}
	at := 0
	take := func(n int) []float32 {
		at += n
		return p.All[at-n : at : at]
	}
	p.embed = take(c.Vocab * h)
	for range c.Layers {
		p.layers = append(p.layers, layerParams{
			attnNorm: take(h), qkv: take(3 * a * h), out: take(h * a),
			mlpNorm: take(h), gateUp: take(2 * f * h), down: take(h * f),
		})
		if c.Scaled {
			p.layers[len(p.layers)-1].scale = take(c.Heads)
		}
		if c.learned() {
			p.layers[len(p.layers)-1].sinks = take(c.Heads)
		}
		if c.Gated {
			p.layers[len(p.layers)-1].gate = take(a * h)
		}
	}
	p.norm = take(h)
	p.head = p.embed
	if !c.Tie {
		p.head = take(c.Vocab * h)
	}
	return p
}

// Beginning says how weights begin. The zero value means the usual one.
type Beginning struct {
	Std    float64 // standard deviation of the weights; 0: usualStd
	QKGain float64 // what those of q and k are multiplied by; 0: 1
}

const usualStd = 0.02

func (b Beginning) filled() Beginning {
	b.Std = cmp.Or(b.Std, usualStd)
	b.QKGain = cmp.Or(b.QKGain, 1)
	return b
}

// Init draws the weights: normal with b's standard deviation, the matrices that
// write to the residual stream divided by sqrt(2·layers); norms are one, scales
// firstScale. A scaled kind begins from the weights of its unscaled form.
func (p *Params) Init(seed uint64, b Beginning) {
	b = b.filled()
	for i, t := range p.Tensors() {
		if !t.Decay && t.Name != embedName {
			constant := float32(1)
			switch {
			case hasSuffix(t.Name, scaleSuffix):
				constant = firstScale
			case hasSuffix(t.Name, sinkSuffix):
				constant = firstSink
			}
			for j := range t.Data {
				t.Data[j] = constant
			}
			continue
		}
		std := b.Std
		switch {
		case residual(t.Name):
			std /= math.Sqrt(2 * float64(p.config.Layers))
		case hasSuffix(t.Name, "q_proj.weight") || hasSuffix(t.Name, "k_proj.weight"):
			std *= b.QKGain
		}
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		for j := range t.Data {
			t.Data[j] = float32(r.NormFloat64() * std)
		}
	}
}

const embedName = "model.embed_tokens.weight"

func residual(name string) bool {
	return hasSuffix(name, "o_proj.weight") || hasSuffix(name, "down_proj.weight")
}

func hasSuffix(s, suffix string) bool {
	return len(s) >= len(suffix) && s[len(s)-len(suffix):] == suffix
}

// Tensors lists the parameters under the names of transformers' Llama, and the
// what that has not (scales, sinks, gates), last; the data are views.
func (p *Params) Tensors() []Tensor {
	c := &p.config
	h, f, a := c.Hidden, c.Intermediate, c.width()
	out := []Tensor{{embedName, []int{c.Vocab, h}, p.embed, false}}
	for i := range p.layers {
		l := &p.layers[i]
		name := func(s string) string { return fmt.Sprintf("model.layers.%d.%s.weight", i, s) }
		out = append(out,
			Tensor{name("input_layernorm"), []int{h}, l.attnNorm, false},
			Tensor{name("self_attn.q_proj"), []int{a, h}, l.qkv[:a*h], true},
			Tensor{name("self_attn.k_proj"), []int{a, h}, l.qkv[a*h : 2*a*h], true},
			Tensor{name("self_attn.v_proj"), []int{a, h}, l.qkv[2*a*h:], true},
			Tensor{name("self_attn.o_proj"), []int{h, a}, l.out, true},
			Tensor{name("post_attention_layernorm"), []int{h}, l.mlpNorm, false},
			Tensor{name("mlp.gate_proj"), []int{f, h}, l.gateUp[:f*h], true},
			Tensor{name("mlp.up_proj"), []int{f, h}, l.gateUp[f*h:], true},
			Tensor{name("mlp.down_proj"), []int{h, f}, l.down, true})
	}
	out = append(out, Tensor{"model.norm.weight", []int{h}, p.norm, false})
	if !c.Tie {
		out = append(out, Tensor{"lm_head.weight", []int{c.Vocab, h}, p.head, true})
	}
	for i := range p.layers {
		if s := p.layers[i].scale; s != nil {
			out = append(out, Tensor{fmt.Sprintf("model.layers.%d.self_attn%s", i, scaleSuffix), []int{c.Heads, 1}, s, false})
		}
	}
	for i := range p.layers {
		if s := p.layers[i].sinks; s != nil {
			out = append(out, Tensor{fmt.Sprintf("model.layers.%d.self_attn%s", i, sinkSuffix), []int{c.Heads}, s, false})
		}
	}
	for i := range p.layers {
		if g := p.layers[i].gate; g != nil {
			out = append(out, Tensor{fmt.Sprintf("model.layers.%d.self_attn.g_proj.weight", i), []int{a, h}, g, true})
		}
	}
	return out
}
