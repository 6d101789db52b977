package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softbench/softbench/engine/attention"
)

// Configs must resolve to what transformers resolves them to: testdata/
// config_golden.json, made by the script beside it.
func TestConfigGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/config_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name   string
			Config json.RawMessage
			Want   struct {
				Hidden, Intermediate, Layers, Heads int
				KVHeads                             int `json:"kv_heads"`
				HeadDim                             int `json:"head_dim"`
				Vocab                               int
				MaxPositions                        int     `json:"max_positions"`
				NormEps                             float64 `json:"norm_eps"`
				RopeTheta                           float64 `json:"rope_theta"`
				RopeType                            string  `json:"rope_type"`
				Tie                                 bool
				AttentionBias                       bool `json:"attention_bias"`
				MLPBias                             bool `json:"mlp_bias"`
				Window                              int
				BOS, EOS                            int32
				DType                               string
				InvFreq                             []uint32 `json:"inv_freq"`
			}
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 20 {
		t.Fatalf("only %d cases", len(golden.Cases))
	}
	frequencies, exact := 0, 0
	for _, g := range golden.Cases {
		c, _, err := ParseConfig(g.Config, "")
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		w := g.Want
		window, _ := c.Window()
		got := fmt.Sprint(c.Hidden, c.Intermediate, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.Vocab, c.MaxPositions, c.Norm.Eps,
			c.Rotary[0].Theta, c.Rotary[0].Type, c.TieEmbeddings, c.OutputBias, c.MLPBias, window, c.BOS, c.EOS, c.TorchDType)
		want := fmt.Sprint(w.Hidden, w.Intermediate, w.Layers, w.Heads, w.KVHeads, w.HeadDim, w.Vocab, w.MaxPositions, float32(w.NormEps),
			w.RopeTheta, w.RopeType, w.Tie, w.AttentionBias, w.MLPBias, w.Window, w.BOS, w.EOS, w.DType)
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", g.Name, got, want)
		}
		inv := c.Rotary[0].InvFreq()
		if len(inv) != len(w.InvFreq) {
			t.Errorf("%s: %d frequencies, want %d", g.Name, len(inv), len(w.InvFreq))
			continue
		}
		for i, bits := range w.InvFreq {
			frequencies++
			// Torch's vectorised pow may be off by a unit in the last place.
			switch steps := int64(math.Float32bits(float32(inv[i]))) - int64(bits); {
			case float64(float32(inv[i])) != inv[i]:
				t.Errorf("%s: frequency %d is %v, not a float32", g.Name, i, inv[i])
			case steps == 0:
				exact++
			case steps < -1 || steps > 1:
				t.Errorf("%s: frequency %d is %v, want %v (%d units in the last place)", g.Name, i, inv[i], math.Float32frombits(bits), steps)
			}
		}
	}
	t.Logf("%d of %d frequencies equal in every bit", exact, frequencies)
	if exact*100 < frequencies*99 {
		t.Errorf("only %d of %d frequencies are equal", exact, frequencies)
	}
}

// flash-linear-attention's config: its names, its defaults, its width rule.
func TestFlaConfig(t *testing.T) {
	parse := func(text string) Config {
		t.Helper()
		c, _, err := ParseConfig([]byte(text), "")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return c
	}
	c := parse(`{"model_type":"transformer"}`)
	c.Names = Names{}
	want := Config{ModelType: "transformer", Hidden: 2048, Intermediate: 5632, Layers: 24, Heads: 32, KVHeads: 32, HeadDim: 64, Vocab: 32000,
		MaxPositions: 2048, Context: 2048, Norm: Norm{Eps: 1e-6}, MLP: MLP{Gated: true}, Rotary: []Rotary{{Theta: 10000, Dim: 64, Scaling: Scaling{Type: "default"}}},
		Blocks: make([]Block, 24), BOS: 1, EOS: 2}
	if d := cmp.Diff(want, c); d != "" {
		t.Errorf("defaults (-want +got):\n%s", d)
	}
	// The paper's 340M model.
	c = parse(`{"model_type":"transformer","attention_bias":false,"hidden_act":"swish","hidden_size":1024,"max_position_embeddings":8192,
		"num_heads":16,"num_kv_heads":null,"num_hidden_layers":24,"norm_eps":1e-06,"vocab_size":32000,"intermediate_size":null,
		"hidden_ratio":4,"window_size":null,"fuse_norm":true,"fuse_swiglu":true,"attn_impl":"parallel_softpick_attn"}`)
	if c.Intermediate != 2816 || c.HeadDim != 64 || c.KVHeads != 16 || c.Attention != (attention.Spec{Kind: attention.Softpick}) {
		t.Errorf("the 340M config gives %+v", c)
	}
	for _, w := range []struct {
		text string
		mlp  int
	}{
		{`{"model_type":"transformer","hidden_size":1024,"hidden_ratio":null}`, 2816},
		{`{"model_type":"transformer","hidden_size":768}`, 2048}, // 2048 exactly: not rounded up
		{`{"model_type":"transformer","hidden_size":64,"num_heads":4,"hidden_ratio":3}`, 256},
		{`{"model_type":"transformer","hidden_size":1024,"intermediate_size":100}`, 100},
	} {
		if c := parse(w.text); c.Intermediate != w.mlp {
			t.Errorf("%s: MLP width %d, want %d", w.text, c.Intermediate, w.mlp)
		}
	}
	if c := parse(`{"model_type":"transformer","qkv_bias":true,"qk_norm":true,"window_size":32,"norm_eps":1e-6}`); !c.QKVBias || c.OutputBias || !c.QKNorm.On || c.QKNorm.Eps != 1e-5 || c.Blocks[23].Window != 32 {
		t.Errorf("switches give %+v", c)
	}
}

// The context is what lm-evaluation-harness 0.4.13 takes it for
// (models/utils.py, resolve_max_length, on transformers 5.24's config objects).
func TestContext(t *testing.T) {
	for _, c := range []struct {
		text    string
		context int
		note    bool
	}{
		{`{"model_type":"llama"}`, 2048, false},
		{`{"model_type":"llama","max_position_embeddings":512}`, 512, false},
		{`{"model_type":"llama","max_position_embeddings":512,"n_positions":64}`, 64, true},
		{`{"model_type":"llama","n_positions":512,"max_position_embeddings":64}`, 512, true},
		{`{"model_type":"qwen3","n_positions":64.0}`, 64, true},
		{`{"model_type":"llama","n_positions":null,"max_position_embeddings":512}`, 512, false},
		{`{"model_type":"llama","n_positions":512,"max_position_embeddings":512}`, 512, false},
		{`{"model_type":"llama","max_position_embeddings":512,"n_ctx":64,"seq_length":32,"max_seq_len":16,"max_sequence_length":8}`, 512, false},
		// GPT2Config's attribute_map: the common names stand for its own, and win.
		{`{"model_type":"gpt2"}`, 1024, false},
		{`{"model_type":"gpt2","n_positions":100}`, 100, false},
		{`{"model_type":"gpt2","n_positions":100,"max_position_embeddings":50}`, 50, false},
		{`{"model_type":"gpt2","n_ctx":77}`, 1024, false},
	} {
		got, notes, err := ParseConfig([]byte(c.text), "")
		if err != nil || got.Context != c.context || len(notes) > 0 != c.note {
			t.Errorf("%s: context %d, notes %q, error %v; want %d and a note: %t", c.text, got.Context, notes, err, c.context, c.note)
		}
	}
	c, _, err := ParseConfig([]byte(`{"model_type":"gpt2","n_embd":32,"hidden_size":64,"n_head":2,"num_attention_heads":4,"n_layer":5,"num_hidden_layers":3}`), "")
	if err != nil || c.Hidden != 64 || c.Heads != 4 || c.Layers != 3 {
		t.Errorf("gpt2 by LLaMA's names: %+v, %v", c, err)
	}
	// LLaMA's class has no other names.
	c, _, err = ParseConfig([]byte(`{"model_type":"llama","n_embd":32,"d_model":16,"n_head":2,"n_layer":5,"num_heads":8}`), "")
	if err != nil || c.Hidden != 4096 || c.Heads != 32 || c.Layers != 32 {
		t.Errorf("llama by GPT-2's names: %+v, %v", c, err)
	}
}

// NaN and Infinity, which Python writes, harm only where a number is wanted.
func TestPythonNumbers(t *testing.T) {
	if _, _, err := ParseConfig([]byte(`{"model_type":"llama","note":NaN,"loss":[-Infinity,Infinity,"NaN"]}`), ""); err != nil {
		t.Error(err)
	}
	if _, _, err := ParseConfig([]byte(`{"model_type":"llama","rms_norm_eps":NaN}`), ""); err == nil || !strings.Contains(err.Error(), `rms_norm_eps is "NaN": want a number`) {
		t.Error(err)
	}
}

func TestAttentionNames(t *testing.T) {
	soft := attention.Spec{}
	pick := attention.Spec{Kind: attention.Softpick}
	for _, c := range []struct {
		keys, override string
		want           attention.Spec
		notes          int
	}{
		{``, "", soft, 0},
		{`"attn_impl":"parallel_attn"`, "", soft, 0},
		{`"attn_impl":"naive_attn"`, "", soft, 0},
		{`"attn_impl":"flash_attn"`, "", soft, 0},
		{`"attn_impl":"parallel_softpick_attn"`, "", pick, 0},
		{`"attn_impl":"naive_softpick_attn"`, "", pick, 0},
		{`"attn_impl":"parallel_rectified_attn"`, "", attention.Spec{Kind: attention.MaskedSoftmax}, 0},
		{`"attn_impl":"naive_rectified_attn"`, "", attention.Spec{Kind: attention.MaskedSoftmax}, 0},
		{`"attn_impl":"parallel_scaled_attn"`, "", attention.Spec{Scaled: true}, 0},
		{`"attn_impl":"naive_scaled_softpick_attn"`, "", attention.Spec{Kind: attention.Softpick, Scaled: true}, 0},
		{`"attn_impl":"softpick"`, "", pick, 0},
		{`"attn_impl":"scaled-rectified"`, "", attention.Spec{Kind: attention.Rectified, Scaled: true}, 0},
		{`"_attn_implementation":"softpick"`, "", pick, 0},
		{`"_attn_implementation":"sdpa"`, "", soft, 0},
		{`"_attn_implementation":"eager","attn_impl":null`, "", soft, 0},
		{`"_attn_implementation":"flash_attention_2","attn_impl":"softpick"`, "", pick, 0},
		{`"attn_impl":"softpick","_attn_implementation":"softpick"`, "", pick, 0},
		{`"attn_impl":"softpick"`, "softpick", pick, 0},
		{`"attn_impl":"softpick"`, "softmax", soft, 1},
		{`"attn_impl":"who knows"`, "softpick", pick, 1},
		{`"attn_impl":"softpick","_attn_implementation":"softmax"`, "softmax-plus-one", attention.Spec{Kind: attention.SoftmaxPlusOne}, 1},
	} {
		text := `{"model_type":"llama"}`
		if c.keys != "" {
			text = `{"model_type":"llama",` + c.keys + `}`
		}
		got, notes, err := ParseConfig([]byte(text), c.override)
		if err != nil || got.Attention != c.want || len(notes) != c.notes {
			t.Errorf("%s with %q: got %v, notes %q, error %v; want %v and %d notes", text, c.override, got.Attention, notes, err, c.want, c.notes)
		}
	}
}

func TestRefusedConfigs(t *testing.T) {
	for _, c := range []struct{ text, part string }{
		{``, "empty"},
		{"  \n", "empty"},
		{`{`, "line 1, column 1: unexpected end of JSON"},
		{"{\n \"model_type\": \"llama\",\n}", "line 3, column 1: invalid character"},
		{`[1]`, "not a JSON object"},
		{`null`, "not a JSON object"},
		{`"x"`, "not a JSON object"},
		{"{\"a\":\"\xff\"}", "not UTF-8"},
		{"\ufeff{}", "line 1, column 1"},
		{`{} {}`, "text after the JSON object"},
		{`{}`, "model_type is missing"},
		{`{"model_type":7}`, "model_type is 7: want a string"},
		{`{"model_type":"bert"}`, `model_type "bert" is not supported: want apertus, `},
		{`{"model_type":"mixtral","num_local_experts":2,"num_experts_per_tok":3}`, "num_experts_per_tok is 3 of num_local_experts 2"},
		{`{"model_type":"gpt_oss","swiglu_limit":-5}`, "swiglu_limit is -5"},
		{`{"model_type":"qwen3","num_experts":128}`, "mixture-of-experts"},
		{`{"model_type":"llama","quantization_config":{"bits":4}}`, "dequantise"},
		{`{"model_type":"llama","text_config":{}}`, "of the model types with a text_config"},
		{`{"model_type":"llama","hidden_size":"4096"}`, `hidden_size is "4096": want a whole number`},
		{`{"model_type":"llama","hidden_size":4096.5}`, "want a whole number"},
		{`{"model_type":"llama","hidden_size":0}`, "hidden_size is 0: want 1 to"},
		{`{"model_type":"llama","hidden_size":-4096}`, "hidden_size is -4096: want 1 to"},
		{`{"model_type":"llama","vocab_size":99999999999999999999999}`, "want a whole number"},
		{`{"model_type":"llama","hidden_size":100}`, "hidden_size 100 is not a multiple of num_attention_heads 32"},
		{`{"model_type":"llama","head_dim":15}`, "head dimension is 15"},
		{`{"model_type":"qwen3","head_dim":null}`, "head_dim is null"},
		{`{"model_type":"llama","num_key_value_heads":5}`, "num_attention_heads 32 is not a multiple of num_key_value_heads 5"},
		{`{"model_type":"transformer","num_kv_heads":5}`, "num_heads 32 is not a multiple of num_kv_heads 5"},
		{`{"model_type":"llama","hidden_act":"elu"}`, `hidden_act "elu"`},
		{`{"model_type":"llama","rms_norm_eps":0}`, "rms_norm_eps is 0"},
		{`{"model_type":"llama","rms_norm_eps":1e-60}`, "rms_norm_eps is 1e-60"},
		{`{"model_type":"llama","rms_norm_eps":1e999}`, "rms_norm_eps is 1e999: want a number"},
		{`{"model_type":"llama","tie_word_embeddings":"yes"}`, `tie_word_embeddings is "yes": want true or false`},
		{`{"model_type":"llama","rope_theta":null}`, "rope_theta is null"},
		{`{"model_type":"llama","rope_scaling":"linear"}`, `rope_scaling is "linear": want an object`},
		{`{"model_type":"llama","rope_scaling":{"rope_type":"spiral","factor":4}}`, `rope_scaling.rope_type "spiral" is not supported`},
		{`{"model_type":"llama","rope_scaling":{"rope_type":"yarn"}}`, "rope_scaling.factor is missing"},
		{`{"model_type":"phi3","rope_scaling":{"type":"longrope","short_factor":[1,2],"long_factor":[1,2]},"original_max_position_embeddings":64}`, "short_factor has 2 numbers for 48 pairs"},
		{`{"model_type":"opt","word_embed_proj_dim":0}`, "word_embed_proj_dim is 0"},
		{`{"model_type":"blip-2","text_config":{"model_type":"opt"}}`, "of the model types with a text_config"},
		{`{"model_type":"llava","text_config":7}`, "text_config is 7: want an object"},
		{`{"model_type":"llava","text_config":{"model_type":"clip"}}`, `model_type "clip" is not supported`},
		{`{"model_type":"llava","text_config":{"model_type":"llava","text_config":{}}}`, "a text_config of its own"},
		{`{"model_type":"llava","text_config":{"model_type":"llava"}}`, `model_type "llava" is not supported`},
		{`{"model_type":"gemma3","text_config":{"head_dim":3}}`, "head dimension is 3"},
		{`{"model_type":"qwen2","rope_scaling":{"type":"mrope","mrope_section":[1,1,2]}}`, `rope_type "mrope" is not supported`},
		{`{"model_type":"gpt2","add_cross_attention":true}`, "cross-attention"},
		{`{"model_type":"gpt2","activation_function":"tanh"}`, `activation_function "tanh" is not supported`},
		{`{"model_type":"gemma3_text","use_bidirectional_attention":true}`, "cannot be scored"},
		{`{"model_type":"gemma3_text","rope_parameters":{"rope_type":"default"}}`, "neither full_attention nor sliding_attention"},
		{`{"model_type":"smollm3","no_rope_layers":[1,0]}`, "no_rope_layers has 2 entries for 36 layers"},
		{`{"model_type":"gpt_neox","rotary_pct":1.5}`, "rotary_pct is 1.5"},
		{`{"model_type":"gpt_neox","rotary_pct":0.01}`, "components are rotated"},
		{`{"model_type":"llama","rope_scaling":{"type":"dynamic"}}`, "rope_scaling.factor is missing"},
		{`{"model_type":"llama","rope_scaling":{"type":"linear"}}`, "rope_scaling.factor is missing"},
		{`{"model_type":"llama","rope_scaling":{"type":"linear","factor":0}}`, "rope_scaling.factor is 0"},
		{`{"model_type":"llama","rope_parameters":{"rope_type":"llama3","factor":8}}`, "rope_parameters.low_freq_factor is missing"},
		{`{"model_type":"llama","rope_parameters":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4}}`, "not above low_freq_factor"},
		{`{"model_type":"qwen3","rope_parameters":{"full_attention":{"rope_type":"default"}}}`, "differ by layer"},
		{`{"model_type":"llama","partial_rotary_factor":0.5}`, "partial_rotary_factor 0.5"},
		{`{"model_type":"llama","rope_parameters":{"partial_rotary_factor":0.5}}`, "rope_parameters.partial_rotary_factor 0.5"},
		{`{"model_type":"transformer","rope_scaling":{"type":"linear","factor":2}}`, "rope_scaling is not supported"},
		{`{"model_type":"mistral","sliding_window":0}`, "sliding_window is 0"},
		{`{"model_type":"mistral","num_hidden_layers":2,"layer_types":["sliding_attention","full_attention"]}`, "layer_types[1]"},
		{`{"model_type":"qwen2","num_hidden_layers":1,"layer_types":["sliding_attention"]}`, "there is no window"},
		{`{"model_type":"qwen2","num_hidden_layers":2,"layer_types":["full_attention"]}`, "1 entries for 2 layers"},
		{`{"model_type":"qwen3","num_hidden_layers":1,"layer_types":["linear_attention"]}`, `"linear_attention" is not supported`},
		{`{"model_type":"transformer","window_size":16,"attn_impl":"parallel_softpick_attn"}`, "has no window"},
		{`{"model_type":"transformer","elementwise_affine":false}`, "elementwise_affine"},
		{`{"model_type":"transformer","hidden_ratio":1e30}`, "hidden_ratio"},
		{`{"model_type":"llama","attn_impl":"parallel_sigmoid_attn"}`, `attn_impl "parallel_sigmoid_attn" is not known: name the kind with --attention`},
		{`{"model_type":"llama","attn_impl":"softpick","_attn_implementation":"softmax"}`, "attn_impl says softpick, but _attn_implementation says softmax"},
		{`{"model_type":"llama","_attn_implementation":{"":"eager"}}`, "want a string"},
		{`{"model_type":"llama","bos_token_id":-5}`, "bos_token_id is -5"},
		{`{"model_type":"llama","eos_token_id":["x"]}`, "eos_token_id"},
	} {
		got, _, err := ParseConfig([]byte(c.text), "")
		switch {
		case err == nil:
			t.Errorf("%s: accepted as %+v, want an error about %q", c.text, got, c.part)
		case !strings.Contains(err.Error(), c.part):
			t.Errorf("%s: error %q, want %q", c.text, err, c.part)
		case strings.ContainsAny(err.Error(), "\n\r"):
			t.Errorf("%s: error %q is not one line", c.text, err)
		}
	}
	if _, _, err := ParseConfig([]byte(`{"model_type":"llama"}`), "softpik"); err == nil || !strings.Contains(err.Error(), `--attention: unknown attention kind "softpik"`) {
		t.Errorf("a misspelt override gives %v", err)
	}
}

// A config is refused in one line or resolved to something the engine can run.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"llama"}`), "")
	f.Add([]byte(`{"model_type":"qwen2","use_sliding_window":true,"max_window_layers":0,"layer_types":null}`), "softpick")
	f.Add([]byte(`{"model_type":"mistral","rope_scaling":{"type":"linear","factor":2},"eos_token_id":[2,3]}`), "x")
	f.Add([]byte(`{"model_type":"transformer","hidden_ratio":4.5,"attn_impl":"naive_scaled_attn"}`), "")
	f.Add([]byte(`{"model_type":"llama","head_dim":2,"rope_parameters":{"rope_type":"llama3","factor":1,"low_freq_factor":1,"high_freq_factor":2}}`), "")
	f.Add([]byte(`{"model_type":"qwen3","layer_types":[null],"num_hidden_layers":1}`), "")
	for _, name := range Families() {
		f.Add([]byte(`{"model_type":"`+name+`","num_hidden_layers":3}`), "softpick")
	}
	f.Add([]byte(`{"model_type":"olmo3","rope_parameters":{"full_attention":{"rope_type":"yarn","factor":8,"original_max_position_embeddings":1}}}`), "")
	f.Add([]byte(`{"model_type":"exaone4","sliding_window_pattern":"LLLG"}`), "")
	f.Fuzz(func(t *testing.T, text []byte, override string) {
		c, notes, err := ParseConfig(text, override)
		for _, line := range append(notes, fmt.Sprint(err)) {
			if strings.ContainsAny(line, "\n\r") {
				t.Fatalf("%q is not one line", line)
			}
		}
		if err != nil {
			return
		}
		if min(c.Hidden, c.Intermediate, c.Layers, c.Heads, c.KVHeads, c.HeadDim, c.Vocab, c.MaxPositions) < 1 ||
			c.Heads%c.KVHeads != 0 || c.HeadDim%2 != 0 || len(c.Blocks) != c.Layers || c.BOS < -1 || c.EOS < -1 || !(c.Norm.Eps > 0) {
			t.Fatalf("accepted as %+v", c)
		}
		if c.HeadDim > 1<<12 {
			return
		}
		for _, r := range c.Rotary {
			for _, x := range r.InvFreq() {
				if math.IsNaN(x) {
					t.Fatalf("a frequency of %+v is not a number", c)
				}
			}
		}
	})
}
