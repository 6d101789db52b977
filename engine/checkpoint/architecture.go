package checkpoint

import "github.com/softbench/softbench/engine/attention"

// Config is a model as the forward pass computes it, with every default filled
// in. It is all that the engine knows of an architecture: what a model type
// means is said by its family, once (families.go), and nothing else asks for
// the type's name.
//
// With x the residual stream, a block is
//
//	x += r·post(attention(pre(x)));  x += r·post'(MLP(pre'(x)))
//
// where each of the four norms may be absent (Names), or, where Parallel,
//
//	x += r·attention(pre(x)) + r·MLP(pre'(x))
type Config struct {
	ModelType    string // config.json's model_type; "transformer" is flash-linear-attention's
	TextOf       string // the multimodal model_type that this is the text part of; "": it is the whole
	Hidden       int    // width of the residual stream
	Intermediate int    // width of the MLP
	Layers       int
	Heads        int // query heads
	KVHeads      int // key and value heads; divides Heads
	HeadDim      int // even; Heads·HeadDim need not be Hidden
	Vocab        int // rows of the embedding and of the head
	MaxPositions int // the longest context the model was made for
	Context      int // tokens a run feeds at most where it is not told: max_position_embeddings, or n_positions

	Norm     Norm   // of the residual stream's width: in the blocks, and the last
	QKNorm   QKNorm // of queries and keys
	MLP      MLP
	Experts  Experts // of the layers that have them
	Parallel bool    // attention and MLP read the same residual stream
	NormSum  bool    // post is of the sum: x = post(x + attention(x)); x = post'(x + MLP(x))

	EmbedWidth int // of the embedding's and the head's rows, where matrices project it to Hidden and back; 0: Hidden

	EmbedScale    float32 // of the embedding; 0: 1
	Positions     int     // rows of a table of learned positions that is added to the embedding; 0: none
	PositionsFrom int     // the row of position 0 in it
	ResidualScale float32 // r, of what a block adds; 0: 1
	AttnScale     float32 // of q·k; 0: 1/sqrt(HeadDim)
	ScoreCap      float32 // c·tanh(score/c) of scaled scores; 0: none
	LogitScale    float32 // of the logits; 0: 1
	LogitCap      float32 // c·tanh(logit/c); 0: none
	ClipQKV       float32 // q, k and v are cut off at ±it; 0: they are not

	// Rotary is the ways in which layers rotate queries and keys. Interleaved
	// pairs components 2i and 2i+1 of a head in the files; the rows of q and k are
	// put in an order where the first half pairs with the second.
	Rotary      []Rotary
	Interleaved bool
	Blocks      []Block // what layers have of their own: Layers of them

	TieEmbeddings bool // the head is the embedding
	QKVBias       bool // q, k and v add a bias
	OutputBias    bool // the attention's output projection adds a bias
	MLPBias       bool // the MLP's matrices add a bias
	HeadBias      bool // the head adds a bias

	Attention attention.Spec
	Names     Names // of the weights in the files

	BOS, EOS   int32  // -1: none. Of several EOS the first
	TorchDType string // as the config says, "" where it does not
}

// Block is what a layer may have of its own.
type Block struct {
	Window    int     // keys at distance >= it are not seen; 0: all are
	Rotary    int     // index into Config.Rotary; -1: nothing is rotated
	AttnScale float32 // times the Config's; 0: 1
	Experts   bool    // the MLP is a mixture of experts
}

// Norm is a normalisation of vectors x, computed in float32.
type Norm struct {
	// Mean is LayerNorm: x's mean is taken away before, and its variance
	// divided by. Else RMSNorm: x/sqrt(mean(x²)+eps).
	Mean   bool
	Eps    float32
	Bare   bool    // has no weight (and no bias)
	Bias   bool    // adds a bias
	Offset float32 // the weight is what the file has, plus this (Gemma: 1)
}

// QKNorm is a normalisation of queries and keys.
type QKNorm struct {
	Norm
	On bool
	// Wide normalises all heads of a position together, with a weight for each
	// component; else each head for itself.
	Wide bool
	// PerHead: each head has its own weight; else one is shared.
	PerHead bool
	Apart   bool // of them each is a tensor of its own: the norm's name, ".norms.%d.weight"
	After   bool // after the rotation; else before
}

// MLP is Down·(act(Gate·h)·(Up·h)), or Down·act(Up·h) where it is not gated.
type MLP struct {
	Gated        bool
	Act          Activation
	Alpha, Limit float32 // of ClampedSwiGLU
}

// Experts is a mixture of experts: of N MLPs a token goes through the Each that a
// router gives the largest probabilities, and their outputs are added, weighted by
// these.
type Experts struct {
	N, Each   int
	Width     int  // of an expert's MLP
	Shared    int  // width of an MLP that all tokens go through, weighted by a gate's sigmoid; 0: none
	Normalise bool // the chosen probabilities are divided by their sum
	Bias      bool // router and experts have biases
}

// Activation is an MLP's nonlinearity.
type Activation uint8

// The activations, by transformers' names in ACT2FN.
const (
	SiLU      Activation = iota // x/(1+e^-x): "silu", "swish"
	GELU                        // x·Φ(x): "gelu"
	GELUTanh                    // 0.5x(1+tanh(√(2/π)(x+0.044715x³))): "gelu_new", "gelu_pytorch_tanh", "gelu_fast"
	ReLU                        // max(x, 0): "relu"
	ReLU2                       // max(x, 0)²: "relu2"
	QuickGELU                   // x/(1+e^-1.702x): "quick_gelu"
	// XIELU has a layer's learned a, b, β and ε: ax²+βx for x > 0, else
	// b(e^min(x,ε)-1-x)+βx (arXiv 2411.13010): "xielu"
	XIELU
	// ClampedSwiGLU is gpt_oss's: with both cut off at ±Limit, the gate above only,
	// gate/(1+e^-Alpha·gate)·(up+1).
	ClampedSwiGLU
)

// activations are the names that configs use.
var activations = map[string]Activation{
	"silu": SiLU, "swish": SiLU,
	"gelu": GELU, "gelu_python": GELU,
	"gelu_new": GELUTanh, "gelu_pytorch_tanh": GELUTanh, "gelu_fast": GELUTanh, "gelu_accurate": GELUTanh,
	"relu": ReLU, "relu2": ReLU2, "quick_gelu": QuickGELU, "xielu": XIELU,
}

// Names are the weights' names in the files, less ".weight" and ".bias". An
// empty name means that the model has no such weight: norms that are absent,
// a gate where the MLP has none, and q, k and v where QKV holds all three.
type Names struct {
	Embed, Positions, Norm, Head string
	ProjectIn, ProjectOut        string // of an embedding of another width
	Layer                        string // prefix of a layer's, with %d for its number

	AttnNorm, PostAttnNorm, MLPNorm, PostMLPNorm string

	Q, K, V, O   string
	QKV          Fused // the one weight of q, k and v
	QNorm, KNorm string
	Scale, Sinks string // s of the scaled kinds, and b of the learned ones, whole
	OutputGate   string // of the gated kinds

	Gate, Up, Down string
	GateUp         Fused // the one weight of gate and up
	// Of a mixture of experts: Router and SharedGate in the layer, Expert with %d for
	// an expert's number, before Gate's, Up's and Down's last parts in ExpertParts;
	// or Packed, the prefix of tensors that hold all experts.
	Router, Expert, Shared, SharedGate, Packed string
	ExpertParts                                [3]string
	Act                                        string // the parameters of an activation that learns some

	// Transposed: matrices lie as [in, out] (GPT-2's Conv1D).
	Transposed bool
}

// Fused is a stored weight that is several matrices.
type Fused struct {
	Name string
	// ByGroup: the parts alternate from one key/value head to the next, its query
	// heads, its key, its value (GPT-NeoX); else all of q, then of k, then of v.
	ByGroup bool
}

// Windows are the layers' attention windows: keys at distance >= a window are not seen; 0: all are.
func (c *Config) Windows() []int {
	out := make([]int, c.Layers)
	for i := range min(c.Layers, len(c.Blocks)) {
		out[i] = c.Blocks[i].Window
	}
	return out
}

// Window is the sliding window of all layers: ok is false where they differ.
func (c *Config) Window() (window int, ok bool) {
	for i, b := range c.Blocks {
		if i > 0 && b.Window != window {
			return 0, false
		}
		window = b.Window
	}
	return window, true
}

// BeyondLlama names what the model has that LLaMA's block, with biases, norms of
// each head's queries and keys and a window, has not: for backends that compute
// only that.
func (c *Config) BeyondLlama() (what []string) {
	n := &c.Names
	for _, x := range []struct {
		has  bool
		name string
	}{
		{c.Norm.Mean || c.Norm.Bare || c.Norm.Bias || c.QKNorm.On && (c.QKNorm.Mean || c.QKNorm.Bare || c.QKNorm.Bias), "LayerNorm"},
		{n.AttnNorm == "" || n.MLPNorm == "" || n.PostAttnNorm != "" || n.PostMLPNorm != "", "a norm after attention or MLP"},
		{c.QKNorm.Wide || c.QKNorm.PerHead || c.QKNorm.After, "this normalisation of queries and keys"},
		{!c.MLP.Gated, "an MLP without a gate"},
		{c.MLP.Act != SiLU, "an activation other than SiLU"},
		{c.Parallel, "attention and MLP in parallel"},
		{c.EmbedWidth != 0, "a projected embedding"},
		{c.EmbedScale != 0 || c.ResidualScale != 0 || c.AttnScale != 0 || c.LogitScale != 0, "a scale of embedding, residual, scores or logits"},
		{c.ScoreCap != 0 || c.LogitCap != 0 || c.ClipQKV != 0, "a soft cap or clipping"},
		{c.Positions != 0, "learned positions"},
		{len(c.Rotary) != 1 || c.Rotary[0].Dim != c.HeadDim, "rotary positions of part of a head or of some layers"},
		{c.HeadBias, "a bias of the head"},
		{c.Experts.N > 0, "a mixture of experts"},
		{c.Attention.Gated || c.Attention.Kind.Definition().Learned, c.Attention.String() + " attention"},
	} {
		if x.has {
			what = append(what, x.name)
		}
	}
	if len(c.Rotary) == 1 && (c.Rotary[0].Amplitude != 0 || c.Rotary[0].QueryBeta != 0) {
		what = append(what, "scaled cosines and sines of rotary positions")
	}
	for _, b := range c.Blocks {
		if b.Rotary != 0 || b.AttnScale != 0 {
			return append(what, "layers that differ in rotary positions or scale")
		}
	}
	return what
}
