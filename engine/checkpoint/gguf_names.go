package checkpoint

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// tensors returns the file's tensors by the names that the config calls for, with
// what llama.cpp did to them undone. A tensor that no weight is made of keeps its
// name, so that it is judged as one too many.
func (g *ggufFile) tensors(c *Config) (all []*safetensors.Tensor) {
	names := g.names(c)
	for _, t := range g.Tensors {
		switch {
		case strings.HasPrefix(t.Name, "rope_freqs.") || strings.HasPrefix(t.Name, "rope_factors_"):
			continue // read by rotary
		case strings.Contains(t.Name, "_exps."):
			all = append(all, g.experts(c, t)...)
			continue
		}
		t = g.undo(c, t)
		if to, ok := names[t.Name]; ok {
			renamed := *t
			renamed.Name = to
			t = &renamed
		}
		all = append(all, t)
	}
	if c.Names.Packed != "" {
		all = append(all, g.packed(c)...)
	}
	return all
}

// names maps the names of a GGUF file to those that the config calls for.
func (g *ggufFile) names(c *Config) map[string]string {
	n := &c.Names
	to := map[string]string{}
	add := func(from, name string) {
		if name != "" {
			to[from+".weight"], to[from+".bias"] = name+".weight", name+".bias"
		}
	}
	add("token_embd", n.Embed)
	add("position_embd", n.Positions)
	add("output_norm", n.Norm)
	add("output", n.Head)
	after, up := n.PostAttnNorm, n.Up
	if g.arch.modelType == "gpt_oss" {
		after = n.MLPNorm // by its place in the block
	}
	if n.GateUp.Name != "" {
		up = n.GateUp.Name
	}
	for i := range min(c.Layers, len(g.Tensors)) { // a config may claim any number
		from, layer := fmt.Sprintf("blk.%d.", i), fmt.Sprintf(n.Layer, i)
		for _, x := range [][2]string{
			{"attn_norm", n.AttnNorm}, {"post_attention_norm", after}, {"ffn_norm", n.MLPNorm}, {"post_ffw_norm", n.PostMLPNorm},
			{"attn_q", n.Q}, {"attn_k", n.K}, {"attn_v", n.V}, {"attn_qkv", n.QKV.Name}, {"attn_output", n.O},
			{"attn_q_norm", n.QNorm}, {"attn_k_norm", n.KNorm},
			{"ffn_gate", n.Gate}, {"ffn_up", up}, {"ffn_down", n.Down}, {"ffn_gate_inp", n.Router},
		} {
			if x[1] != "" {
				add(from+x[0], layer+x[1])
			}
		}
		if n.Sinks != "" {
			to[from+"attn_sinks.weight"] = layer + n.Sinks
		}
		if c.Experts.Shared > 0 {
			add(from+"ffn_gate_inp_shexp", layer+n.SharedGate)
			for part, name := range []string{"ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp"} {
				add(from+name, layer+n.Shared+n.ExpertParts[part])
			}
		}
	}
	return to
}

// undo takes back what llama.cpp's conversion does to a tensor.
func (g *ggufFile) undo(c *Config, t *safetensors.Tensor) *safetensors.Tensor {
	switch {
	case g.arch.permuted && (strings.Contains(t.Name, ".attn_q.") || strings.Contains(t.Name, ".attn_k.")) && t.Shape[0]%c.HeadDim == 0:
		size := c.HeadDim
		return safetensors.Reordered(t.Name, " halves", t, func(j int) int {
			i := j % size
			return j - i + 2*(i%(size/2)) + i/(size/2)
		})
	case g.arch.raised && strings.HasSuffix(t.Name, "norm.weight") && len(t.Shape) == 1:
		less := func(i int, dst []float32) {
			t.RowF32(i, dst)
			dst[0]--
		}
		return safetensors.NewDecoded(t.Name, t.DType+" less 1", t.Shape, safetensors.Rows{Width: 1, Read: less}, t)
	case strings.HasSuffix(t.Name, "ffn_gate_inp_shexp.weight") && len(t.Shape) == 1:
		whole := safetensors.Rows{Width: t.Shape[0], Read: func(_ int, dst []float32) { copy(dst, t.F32()) }}
		return safetensors.NewDecoded(t.Name, t.DType+" as a row", []int{1, t.Shape[0]}, whole, t)
	}
	return t
}

// expertPart is which of an expert's matrices a tensor's name says, and its layer.
func expertPart(name string) (layer, part int, bias, ok bool) {
	for i, p := range []string{"gate", "up", "down"} {
		for _, suffix := range []string{"weight", "bias"} {
			if n, _ := fmt.Sscanf(name, "blk.%d.ffn_"+p+"_exps."+suffix, &layer); n == 1 && name == fmt.Sprintf("blk.%d.ffn_%s_exps.%s", layer, p, suffix) {
				return layer, i, suffix == "bias", true
			}
		}
	}
	return 0, 0, false, false
}

// maxParts bounds the matrices of all experts of a model: real ones have some 60,000.
const maxParts = 1 << 20

// experts cuts a tensor of all experts' matrices into theirs, where the model type
// has them apart.
func (g *ggufFile) experts(c *Config, t *safetensors.Tensor) (all []*safetensors.Tensor) {
	n := &c.Names
	layer, part, bias, ok := expertPart(t.Name)
	if ok && n.Packed != "" && layer < c.Layers {
		return nil // packed makes its own
	}
	if !ok || bias || n.Expert == "" || len(t.Shape) != 3 || t.Shape[0] != c.Experts.N {
		return []*safetensors.Tensor{t}
	}
	if g.parts += t.Shape[0]; g.parts > maxParts {
		return []*safetensors.Tensor{t} // which no weight asks for
	}
	for i := range t.Shape[0] {
		all = append(all, gguf.Part(fmt.Sprintf(n.Layer, layer)+fmt.Sprintf(n.Expert, i)+n.ExpertParts[part]+".weight", t, i))
	}
	return all
}

// packed makes the tensors of all experts that gpt_oss has, whose matrices are
// [in, out] and gate's and up's columns alternate.
func (g *ggufFile) packed(c *Config) (all []*safetensors.Tensor) {
	for i := range min(c.Layers, len(g.Tensors)) {
		at := func(part, suffix string) *safetensors.Tensor {
			t := g.byName[fmt.Sprintf("blk.%d.ffn_%s_exps.%s", i, part, suffix)]
			if t == nil || t.Shape[0] != c.Experts.N || suffix == "weight" && len(t.Shape) != 3 || suffix == "bias" && len(t.Shape) != 2 {
				return nil
			}
			if g.parts += t.Shape[0]; g.parts > maxParts {
				return nil
			}
			return t
		}
		prefix := fmt.Sprintf(c.Names.Layer, i) + c.Names.Packed
		if gate, up := at("gate", "weight"), at("up", "weight"); gate != nil && up != nil && sameShape(gate, up) {
			all = append(all, columnsOf(prefix+"gate_up_proj", gate, up))
		}
		if down := at("down", "weight"); down != nil {
			all = append(all, columnsOf(prefix+"down_proj", down))
		}
		if gate, up := at("gate", "bias"), at("up", "bias"); gate != nil && up != nil && sameShape(gate, up) {
			shape := []int{gate.Shape[0], 2 * gate.Shape[1]}
			all = append(all, safetensors.NewDecoded(prefix+"gate_up_proj_bias", gate.DType+" gate and up", shape, safetensors.Rows{Width: shape[1], Read: func(e int, dst []float32) {
				half := make([]float32, shape[1]/2)
				for p, t := range []*safetensors.Tensor{gate, up} {
					t.RowF32(e, half)
					for j, x := range half {
						dst[2*j+p] = x
					}
				}
			}}, gate, up))
		}
		if down := at("down", "bias"); down != nil {
			renamed := *down
			renamed.Name = prefix + "down_proj_bias"
			all = append(all, &renamed)
		}
	}
	return all
}

func sameShape(a, b *safetensors.Tensor) bool {
	return fmt.Sprint(a.Shape) == fmt.Sprint(b.Shape)
}

// columnsOf is the tensor [experts, in, parts·out] whose columns are the rows of
// tensors [experts, out, in], one of each in turn.
func columnsOf(name string, parts ...*safetensors.Tensor) *safetensors.Tensor {
	t := parts[0]
	experts, out, in := t.Shape[0], t.Shape[1], t.Shape[2]
	how := ""
	for _, p := range parts {
		how += string(p.DType) + " "
	}
	matrices := make([][]*safetensors.Tensor, len(parts)) // of each part and expert
	for p := range parts {
		for e := range experts {
			matrices[p] = append(matrices[p], gguf.Part(name, parts[p], e))
		}
	}
	return safetensors.NewDecoded(name, safetensors.DType(how+"turned"), []int{experts, in, len(parts) * out}, alternating{matrices, in}, parts...)
}

// alternating decodes columns; see columnsOf.
type alternating struct {
	matrices [][]*safetensors.Tensor
	in       int
}

func (a alternating) Column(i, from int, dst []float32) {
	t := a.matrices[i%len(a.matrices)][from/a.in]
	row := dst
	if from%a.in != 0 || len(dst) != a.in {
		row = make([]float32, a.in)
	}
	t.RowF32(i/len(a.matrices), row)
	if len(row) != len(dst) || from%a.in != 0 {
		copy(dst, row[from%a.in:])
	}
}

// Codes implements quantise.Coded: row i is a row of one of the parts, in turn.
func (a alternating) Codes(columns bool, from int) *quantise.Codes {
	var parts []*quantise.Codes
	for _, m := range a.matrices {
		coded, ok := m[from/a.in].Decoder().(quantise.Coded)
		if !ok || !columns {
			return nil
		}
		c := coded.Codes(false, 0)
		if c == nil || len(parts) > 0 && c.Coding != parts[0].Coding {
			return nil
		}
		parts = append(parts, c)
	}
	all := *parts[0]
	all.Rows *= len(parts)
	all.Row = func(i int, codes []uint8, scales, zeros []float32) {
		parts[i%len(parts)].Row(i/len(parts), codes, scales, zeros)
	}
	return &all
}

func (a alternating) Row(e int, dst []float32) {
	out := a.matrices[0][e].Shape[0]
	width := len(a.matrices) * out
	column := make([]float32, a.in)
	for i := range width {
		a.Column(i, e*a.in, column)
		for j, x := range column {
			dst[j*width+i] = x
		}
	}
}
