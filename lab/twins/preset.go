package twins

import "github.com/softbench/softbench/lab/session"

// World is the world that the twins were trained on.
var World = session.WorldOptions{Seed: 1, Words: 16_000_000, Questions: 300, Vocab: 2048}

// Training is how both twins were trained; they differ in Attention alone.
var Training = session.Settings{
	Attention: "softmax", Hidden: 128, Intermediate: 344, Layers: 4, Heads: 4, Context: 1024, Positions: 2304, Theta: 10000,
	Tie: true, Vocab: 2048, Batch: 4, Accumulate: 1, Steps: 6000, Rate: 2e-3, Warmup: 200, Decay: 0.1, Clip: 1, Seed: 1, DType: "bfloat16",
}
