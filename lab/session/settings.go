package session

import (
	"fmt"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/lab/train"
)

// Settings are the numbers of a training.
type Settings struct {
	Attention    string  `json:"attention"`
	Hidden       int     `json:"hidden"`
	Intermediate int     `json:"intermediate"`
	Layers       int     `json:"layers"`
	Heads        int     `json:"heads"`
	HeadDim      int     `json:"head_dim"`  // size of a head; 0: Hidden / Heads
	Context      int     `json:"context"`   // tokens of a window
	Positions    int     `json:"positions"` // longest text the checkpoint claims to take; 0: Context
	Theta        float64 `json:"theta"`     // of RoPE
	Tie          bool    `json:"tie"`       // the head is the embedding
	Vocab        int     `json:"vocab"`     // of a tokenizer that is trained first
	Batch        int     `json:"batch"`     // windows at once
	Accumulate   int     `json:"accumulate"`
	Steps        int     `json:"steps"`
	Rate         float64 `json:"rate"`
	Warmup       int     `json:"warmup"` // steps
	Decay        float64 `json:"decay"`
	Clip         float64 `json:"clip"`
	Seed         uint64  `json:"seed"`
	DType        string  `json:"dtype"`   // float32 or bfloat16: of matrix products, and of the checkpoint
	Init         float64 `json:"init"`    // standard deviation of the first weights
	QKGain       float64 `json:"qk_gain"` // what those of q and k are multiplied by
	Beta1        float64 `json:"adam_beta1"`
	Beta2        float64 `json:"adam_beta2"`
	AdamEps      float64 `json:"adam_eps"`
	Mix          string  `json:"mix"` // sources of windows with their parts; "": text alone
}

// Default is a model of about a million parameters that learns the world's
// sentences in minutes.
func Default() Settings {
	return Settings{
		Attention: attention.Softmax.String(), Hidden: 128, Intermediate: 344, Layers: 4, Heads: 4, Context: 256, Theta: 10000,
		Tie: true, Vocab: 2048, Batch: 16, Accumulate: 1, Steps: 500, Rate: 2e-3, Warmup: 50, Decay: 0.1, Clip: 1, Seed: 1, DType: "bfloat16",
		Init: 0.02, QKGain: 1, Beta1: 0.9, Beta2: 0.95, AdamEps: 1e-8,
	}
}

// TokensPerStep is the number of tokens that a step trains on.
func (s *Settings) TokensPerStep() int64 {
	return int64(s.Batch) * int64(s.Accumulate) * int64(s.Context)
}

// options turns settings into a trainer's, but for the vocabulary and what the
// text says.
func (s *Settings) options(threads int) (train.Options, safetensors.DType, error) {
	spec, err := attention.Parse(s.Attention)
	if err != nil {
		return train.Options{}, "", err
	}
	set, err := kernel.FromEnv()
	if err != nil {
		return train.Options{}, "", err
	}
	o := train.Options{
		Config: train.Config{
			Hidden: s.Hidden, Intermediate: s.Intermediate, Layers: s.Layers, Heads: s.Heads, HeadSize: s.HeadDim, Context: s.Context, Positions: s.Positions,
			Attention: spec.Kind, Scaled: spec.Scaled, Gated: spec.Gated, Cap: spec.Cap, RopeTheta: s.Theta, NormEps: 1e-5, Tie: s.Tie,
		},
		Steps: s.Steps, Batch: s.Batch, Accumulate: s.Accumulate, Rate: s.Rate, Warmup: s.Warmup, Decay: s.Decay, Clip: s.Clip,
		Seed: s.Seed, Threads: threads, Set: set,
		Begin: train.Beginning{Std: s.Init, QKGain: s.QKGain}, Adam: train.Adam{Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.AdamEps},
	}
	for name, v := range map[string]float64{"init": s.Init, "qk gain": s.QKGain, "Adam's first beta": s.Beta1, "Adam's second beta": s.Beta2, "Adam's epsilon": s.AdamEps} {
		if !(v > 0) {
			return train.Options{}, "", fmt.Errorf("%s %v: want a number above zero", name, v)
		}
	}
	switch s.DType {
	case "float32":
		o.DType = kernel.Float32
		return o, safetensors.F32, nil
	case "bfloat16":
		o.DType = kernel.BFloat16
		return o, safetensors.BF16, nil
	}
	return train.Options{}, "", fmt.Errorf("number format %q: want float32 or bfloat16", s.DType)
}
