package twins

import (
	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/world"
)

// World is the world that the twins were trained on, with invented words beside its text.
var World = session.WorldOptions{Seed: 1, Words: 16_000_000, Questions: 300, Vocab: 2048, OwnWords: 122}

// Training is how both twins were trained; they differ in Attention alone. First
// there is nothing to copy, then much, then some beside text.
var Training = session.Settings{
	Attention: "softmax", Hidden: 128, Intermediate: 344, Layers: 3, Heads: 2, HeadDim: 64, Context: 128, Positions: 128, Theta: 10000,
	Tie: true, Vocab: 2048, Batch: 32, Accumulate: 1, Steps: 9000, Rate: 6e-3, Warmup: 200, Decay: 0.5, Clip: 1, Seed: 1, DType: "bfloat16",
	Init: 0.1, QKGain: 1, Beta1: 0.9, Beta2: 0.95, AdamEps: 1e-8,
	Mix: "until 3000: text=50,chain=50; until 5500: text=30,chain=5,again=25,repeat=40; text=55,chain=15,again=12,repeat=18",
}

// VariedWorld is a less uniform world, with invented words for exercises beside its
// text, and Varied a training on both, two windows of five text: what new twins are to be.
// docs/twins.md has how far that is.
var VariedWorld = session.WorldOptions{Seed: 1, Words: 8_000_000, Questions: 300, Vocab: 2048, OwnWords: 122, Text: world.Varied}

// Varied's kinds differ in Attention alone.
var Varied = session.Settings{
	Attention: "softmax", Hidden: 128, Intermediate: 344, Layers: 4, Heads: 2, HeadDim: 64, Context: 256, Theta: 10000,
	Tie: true, Vocab: 2048, Batch: 16, Accumulate: 1, Steps: 12000, Rate: 3e-3, Warmup: 200, Decay: 0.1, Clip: 1, Seed: 1, DType: "bfloat16",
	Init: 0.1, QKGain: 1, Beta1: 0.9, Beta2: 0.95, AdamEps: 1e-8, Mix: "text=40,chain=13,span=7,repeat=40",
}

// ToyWorld is a world of invented words alone, and Toy a training on it in which
// sinks form within ten minutes of one processor.
var ToyWorld = session.WorldOptions{Seed: 1, OwnWords: 122}

// Toy's kinds differ in Attention alone. docs/twins.md has what came of it.
var Toy = session.Settings{
	Attention: "softmax", Hidden: 64, Intermediate: 176, Layers: 2, Heads: 2, HeadDim: 64, Context: 128, Theta: 10000,
	Tie: true, Vocab: 2048, Batch: 32, Accumulate: 1, Steps: 5800, Rate: 3e-3, Warmup: 100, Decay: 0.1, Clip: 1, Seed: 1, DType: "bfloat16",
	Init: 0.1, QKGain: 1, Beta1: 0.9, Beta2: 0.95, AdamEps: 1e-8, Mix: "chain=42,span=18,repeat=40",
}
