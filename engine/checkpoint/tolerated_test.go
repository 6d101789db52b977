package checkpoint_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/randmodel"
)

// What transformers loads with the weights that were meant is the same model to
// the last weight, and a note says what was left unused: testdata/tolerance.py
// shows that transformers 5.24 gives the same logits for each.
func TestTolerated(t *testing.T) {
	const embed, head = "model.embed_tokens.weight", "lm_head.weight"
	tied := randmodel.Options{Tie: true}
	half := randmodel.Options{Tie: true, DType: "bfloat16"}
	copyHead := func(m *model) *safetensors.Entry {
		e := *m.tensor(embed)
		e.Name, e.Data = head, slices.Clone(e.Data)
		m.entries = append(m.entries, e)
		return &m.entries[len(m.entries)-1]
	}
	for name, c := range map[string]struct {
		o       randmodel.Options
		change  func(*model)
		options Options
		note    string // "": none
	}{
		"nothing":          {change: func(*model) {}},
		"tied, head alone": {o: tied, change: func(m *model) { m.tensor(embed).Name = head }, note: "only lm_head.weight is stored"},
		"tied, both":       {o: tied, change: func(m *model) { copyHead(m) }},
		"tied, head in another type": {o: half, change: func(m *model) {
			e := copyHead(m)
			wide := make([]float32, len(e.Data)/2)
			safetensors.Decode(safetensors.BF16, wide, e.Data)
			*e = safetensors.Float32(head, safetensors.F32, e.Shape, wide)
		}},
		"tied, another head": {change: func(m *model) { m.config["tie_word_embeddings"] = true }, note: "the stored head is read, which differs from the embedding"},
		"value head": {change: func(m *model) {
			m.add("v_head.summary.weight", []int{1, 2}, 1, 2)
			m.add("v_head.summary.bias", []int{1}, 1)
		},
			note: "2 tensors of a head for another task"},
		"class head":  {change: func(m *model) { m.add("score.weight", []int{2}, 1, 2) }, note: "1 tensors of a head"},
		"buffers":     {change: func(m *model) { m.add("model.layers.0.self_attn.rotary_emb.inv_freq", []int{1}, 1) }, note: "1 stored rotary inv_freq"},
		"old buffers": {change: func(m *model) { m.add("model.rotary_emb.inv_freq", []int{1}, 1) }, note: "1 stored rotary inv_freq"},
		"cosines": {change: func(m *model) {
			m.add("model.layers.0.self_attn.rotary_emb.cos_cached", []int{1}, 1)
			m.add("model.rotary_emb.original_inv_freq", []int{1}, 1)
		}, note: "2 stored rotary inv_freq tensors, or cosines"},
		"positions":                   {change: func(m *model) { m.add("model.position_ids", []int{1}, 1) }, note: "1 stored position_ids"},
		"mask":                        {change: func(m *model) { m.add("model.layers.0.self_attn.masked_bias", []int{1}, 1) }, note: "1 stored attention masks"},
		"further on":                  {change: func(m *model) { m.add("mtp.layers.0.weight", []int{1}, 1) }, note: "1 tensors of a head"},
		"rewards":                     {change: func(m *model) { m.add("regression_layer.weight", []int{1}, 1) }, note: "1 tensors of a head"},
		"padding past the vocabulary": {change: func(m *model) { m.config["pad_token_id"] = m.config["vocab_size"] }},
		"stray bias": {change: func(m *model) {
			m.add("model.layers.0.self_attn.q_proj.bias", []int{1}, 1)
			m.add("model.layers.1.mlp.up_proj.bias", []int{1}, 1)
		}, note: `2 biases (such as "model.layers.0.self_attn.q_proj.bias")`},
		"layers beyond": {change: func(m *model) {
			m.add("model.layers.2.mlp.up_proj.weight", []int{1}, 1)
			m.add("model.layers.61.eh_proj.weight", []int{1}, 1)
		}, note: "2 tensors of layers beyond the 2"},
		"body alone, tied": {o: tied, change: func(m *model) {
			for i := range m.entries {
				m.entries[i].Name = strings.TrimPrefix(m.entries[i].Name, "model.")
			}
		}, note: "the body alone"},
		"window of a llama": {change: func(m *model) { m.config["sliding_window"] = 4 }, note: "sliding_window in config.json is not used"},
		"a prefix":          {change: func(m *model) { m.prefix("_orig_mod.") }, options: Options{StripPrefix: "_orig_mod."}},
		"a prefix of some":  {change: func(m *model) { m.tensor(head).Name = "module." + head }, options: Options{StripPrefix: "module."}},
		"no prefix":         {change: func(*model) {}, options: Options{StripPrefix: "module."}, note: "--strip-prefix module. changes nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := mustOpen(t, build(t, c.o).write(t), Options{})
			m := build(t, c.o)
			c.change(m)
			k := mustOpen(t, m.write(t), c.options)
			want, err := plain.SHA256(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k.SHA256(t.Context()); err != nil || got != want || k.Parameters != plain.Parameters {
				t.Errorf("another model: %s and %d parameters, want %s and %d; %v", got, k.Parameters, want, plain.Parameters, err)
			}
			if notes := strings.Join(k.Notes, "; "); !strings.Contains(notes, c.note) || len(k.Notes) > 0 != (c.note != "") {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// Weights that are stored as whole numbers, as truth values or in the eight-bit floats
// of other makers are those that transformers casts them to (testdata/tolerance.py), and
// a note names the first that holds whole numbers.
func TestCastWeights(t *testing.T) {
	const norm, matrix = "model.layers.0.input_layernorm.weight", "model.layers.1.mlp.up_proj.weight"
	for dtype, ones := range map[safetensors.DType][]byte{ // what 1 is
		"I8": {1}, "U8": {1}, "BOOL": {1}, "I16": {1, 0}, "U16": {1, 0}, "I32": {1, 0, 0, 0}, "U32": {1, 0, 0, 0},
		"I64": {1, 0, 0, 0, 0, 0, 0, 0}, "U64": {1, 0, 0, 0, 0, 0, 0, 0}, "F64": {0, 0, 0, 0, 0, 0, 0xf0, 0x3f},
		"F8_E4M3": {0x38}, "F8_E5M2": {0x3c}, "F8_E8M0": {127}, "F8_E4M3FNUZ": {0x40}, "F8_E5M2FNUZ": {0x40},
	} {
		for _, name := range []string{norm, matrix, "model.embed_tokens.weight"} {
			t.Run(string(dtype)+" "+name, func(t *testing.T) {
				m := build(t, randmodel.Options{})
				e := m.tensor(name)
				n := 1
				for _, d := range e.Shape {
					n *= d
				}
				e.DType, e.Data = dtype, bytes.Repeat(ones, n)
				k := mustOpen(t, m.write(t), Options{})
				var got []float32
				for _, v := range []*View{k.Layers[0].AttnNorm.Weight, k.Layers[1].Up, k.Embed} {
					if v.Stored.Name == name {
						got = v.F32()
					}
				}
				if len(got) != n || slices.ContainsFunc(got, func(x float32) bool { return x != 1 }) {
					t.Errorf("%d numbers, want %d ones: %v", len(got), n, got[:min(len(got), 4)])
				}
				notes := strings.Join(k.Notes, "; ")
				if whole := strings.Contains(notes, "stored as whole numbers ("+name+" "+string(dtype)+")"); whole != dtype.Whole() {
					t.Errorf("notes %q", notes)
				}
			})
		}
	}
}
