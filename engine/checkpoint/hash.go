package checkpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine/safetensors"
)

// SHA256 returns the checkpoint's identity in hexadecimal: equal for two
// checkpoints that have the same resolved config (attention kind included) and
// the same weights in use, whatever the names, number and layout of their files.
// It is computed once, in parallel.
//
// It is the SHA-256 of these lines, each ended by "\n":
//
//	softbench checkpoint 1
//	the config: one "key value" line per field, as configLines writes them
//	per weight in use, by name: its name (quoted as by Go's %q), dtype, shape,
//	and the SHA-256 of each 4 MiB piece of its data, separated by spaces
//
// A weight that is decoded (quantised, merged with an adapter) has, in place of
// its dtype, how its numbers are made, and, in place of its data, that of all
// tensors it is made of, each with its dtype and shape before it: what is hashed is
// what is stored, so the same weights in two formats have two identities.
//
// Tensors that are not used (see Notes) do not count.
//
// It is an error where a file has been written to since Open: what was computed
// with before may then not be what was hashed.
func (k *Checkpoint) SHA256(ctx context.Context) (string, error) {
	k.hashing.Lock()
	defer k.hashing.Unlock()
	if k.sum != "" {
		return k.sum, nil
	}
	sum, err := k.hash(ctx)
	if err == nil {
		err = k.set.Unchanged()
	}
	if err != nil {
		return "", err
	}
	k.sum = sum
	return sum, nil
}

func (k *Checkpoint) hash(ctx context.Context) (string, error) {
	var stored []*safetensors.Tensor
	at := map[*safetensors.Tensor]int{}
	for _, t := range k.used {
		for _, part := range t.Stored() {
			if _, seen := at[part]; !seen {
				at[part] = len(stored)
				stored = append(stored, part)
			}
		}
	}
	sums := make([][][sha256.Size]byte, len(stored))
	for i, t := range stored {
		sums[i] = make([][sha256.Size]byte, (len(t.Data)+chunk-1)/chunk)
	}
	if err := pieces(ctx, k.threads, stored, func(i, at int, data []byte) error {
		sums[i][at/chunk] = sha256.Sum256(data)
		safetensors.DropBytes(stored[i], at, len(data)) // packed weights may stand beside these by now
		return nil
	}); err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "softbench checkpoint 1\n%s", k.Config.lines())
	for _, t := range k.used {
		fmt.Fprintf(h, "%q %s %v", t.Name, cmp.Or(k.planned[t], t.DType), t.Shape)
		for _, part := range t.Stored() {
			if part != t {
				fmt.Fprintf(h, " %s %v", part.DType, part.Shape)
			}
			for _, s := range sums[at[part]] {
				fmt.Fprintf(h, " %x", s)
			}
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// lines writes the fields that change what is computed. TorchDType is not one:
// the tensors say their types themselves. What only later families have is
// written where it is used, so that a model of before keeps its identity.
func (c *Config) lines() string {
	r := Rotary{}
	if len(c.Rotary) > 0 {
		r = c.Rotary[0]
	}
	window, alike := c.Window()
	var b strings.Builder
	fmt.Fprintf(&b, `model_type %s
hidden %d
intermediate %d
layers %d
heads %d
kv_heads %d
head_dim %d
vocab %d
max_positions %d
norm_eps %v
qk_norm_eps %v
rope_theta %v
rope %s %v %v %v %d
tie %t
biases %t %t %t
qk_norm %t
attention %s
sliding_window %d
bos %d
eos %d
`, c.ModelType, c.Hidden, c.Intermediate, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.Vocab, c.MaxPositions,
		c.Norm.Eps, c.QKNorm.Eps, r.Theta,
		r.Type, r.Factor, r.LowFreqFactor, r.HighFreqFactor, r.OriginalMaxPositions,
		c.TieEmbeddings, c.QKVBias, c.OutputBias, c.MLPBias, c.QKNorm.On, c.Attention, window, c.BOS, c.EOS)
	beyond := func(name string, value, usual any) {
		if value != usual {
			fmt.Fprintf(&b, "%s %v\n", name, value)
		}
	}
	beyond("norm", c.Norm, Norm{Eps: c.Norm.Eps})
	beyond("qk_norm", c.QKNorm, QKNorm{Norm: Norm{Eps: c.QKNorm.Eps}, On: c.QKNorm.On})
	beyond("mlp", c.MLP, MLP{Gated: true})
	beyond("experts", c.Experts, Experts{})
	beyond("parallel", c.Parallel, false)
	beyond("embed_scale", c.EmbedScale, float32(0))
	beyond("positions", [2]int{c.Positions, c.PositionsFrom}, [2]int{})
	beyond("scales", [3]float32{c.ResidualScale, c.AttnScale, c.LogitScale}, [3]float32{})
	beyond("caps", [3]float32{c.ScoreCap, c.LogitCap, c.ClipQKV}, [3]float32{})
	beyond("interleaved", c.Interleaved, false)
	beyond("head_bias", c.HeadBias, false)
	if len(c.Rotary) != 1 || r.Dim != c.HeadDim || r.Amplitude != 0 || r.Alpha != 0 {
		fmt.Fprintf(&b, "rotary %v\n", c.Rotary)
	}
	rotated := true
	for _, x := range c.Blocks {
		rotated = rotated && x.Rotary == 0 && x.AttnScale == 0 && !x.Experts
	}
	if !alike || !rotated {
		fmt.Fprintf(&b, "blocks %v\n", c.Blocks)
	}
	return b.String()
}
