package checkpoint_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/randmodel"
)

// model is a checkpoint on its way to disk, for tests to break.
type model struct {
	config  map[string]any
	entries []safetensors.Entry
}

// build takes a random model apart.
func build(t testing.TB, o randmodel.Options) *model {
	t.Helper()
	dir := t.TempDir()
	if err := randmodel.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	m := &model{}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m.config); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, x := range f.Tensors() {
		m.entries = append(m.entries, safetensors.Entry{Name: x.Name, DType: x.DType, Shape: x.Shape, Data: slices.Clone(x.Data)})
	}
	return m
}

func (m *model) tensor(name string) *safetensors.Entry {
	for i := range m.entries {
		if m.entries[i].Name == name {
			return &m.entries[i]
		}
	}
	panic("no tensor " + name)
}

func (m *model) add(name string, shape []int, values ...float32) {
	m.entries = append(m.entries, safetensors.Float32(name, safetensors.F32, shape, values))
}

func (m *model) remove(name string) {
	m.entries = slices.DeleteFunc(m.entries, func(e safetensors.Entry) bool { return e.Name == name })
}

func (m *model) prefix(p string) {
	for i := range m.entries {
		m.entries[i].Name = p + m.entries[i].Name
	}
}

func (m *model) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := Write(dir, m.config, m.entries...); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustOpen(t testing.TB, dir string, o Options) *Checkpoint {
	t.Helper()
	k, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// wantRefusal opens dir and checks that it is refused in one line that starts
// with a path in dir and says why.
func wantRefusal(t *testing.T, dir string, o Options, parts ...string) {
	t.Helper()
	k, err := Open(dir, o)
	if err == nil {
		k.Close()
		t.Fatalf("opened, want an error with %q", parts)
	}
	if !strings.HasPrefix(err.Error(), dir) || strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("error %q is not one line that starts with a path in %s", err, dir)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q in it", err, part)
		}
	}
}

// Every architecture's tensors must land in their places with their shapes.
func TestOpen(t *testing.T) {
	for _, o := range []randmodel.Options{
		{Type: "llama"},
		{Type: "llama", Bias: true, KVHeads: 2, Tie: true, DType: "float16"},
		{Type: "llama", Attention: "scaled-softpick", HeadDim: 32},
		{Type: "mistral", KVHeads: 1, DType: "bfloat16"},
		{Type: "qwen2", KVHeads: 2, Tie: true},
		{Type: "qwen3", KVHeads: 2, HeadDim: 8, Bias: true},
		{Type: "transformer", KVHeads: 2, Bias: true, QKNorm: true},
		{Type: "transformer", Attention: "scaled-softpick", DType: "bfloat16", ShardBytes: 20000},
	} {
		t.Run(fmt.Sprintf("%s_%s_bias=%t_tie=%t", o.Type, o.Attention, o.Bias, o.Tie), func(t *testing.T) {
			dir := t.TempDir()
			if err := randmodel.Write(dir, o); err != nil {
				t.Fatal(err)
			}
			k := mustOpen(t, dir, Options{})
			c := k.Config
			if c.ModelType != o.Type || c.TieEmbeddings != o.Tie || c.Layers != 2 || len(k.Layers) != 2 || len(k.Notes) != 0 {
				t.Errorf("config %+v, %d layers, notes %q", c, len(k.Layers), k.Notes)
			}
			if (k.Head == k.Embed) != o.Tie {
				t.Errorf("head shared: %t, want %t", k.Head == k.Embed, o.Tie)
			}
			q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
			var count int64
			check := func(name string, v *View, present bool, shape ...int) {
				t.Helper()
				if (v != nil) != present {
					t.Errorf("%s present: %t, want %t", name, v != nil, present)
				} else if present {
					x := v.Stored
					count += int64(v.Elements())
					if !slices.Equal(x.Shape, shape) || !strings.HasSuffix(x.Name, name) {
						t.Errorf("%s is %q %v, want %v", name, x.Name, x.Shape, shape)
					}
				}
			}
			fla := o.Type == "transformer"
			attnNorm, mlpNorm := "input_layernorm.weight", "post_attention_layernorm.weight"
			if fla {
				attnNorm, mlpNorm = "attn_norm.weight", "mlp_norm.weight"
			}
			qkvBias := o.Bias || o.Type == "qwen2"
			oBias := o.Bias && !fla
			mlpBias := o.Bias && o.Type == "llama"
			qkNorm := o.Type == "qwen3" || o.QKNorm
			scaled := strings.HasPrefix(o.Attention, "scaled-")
			for _, l := range k.Layers {
				check(attnNorm, l.AttnNorm.Weight, true, c.Hidden)
				check(mlpNorm, l.MLPNorm.Weight, true, c.Hidden)
				check("q_proj.weight", l.Q, true, q, c.Hidden)
				check("k_proj.weight", l.K, true, kv, c.Hidden)
				check("v_proj.weight", l.V, true, kv, c.Hidden)
				check("o_proj.weight", l.O, true, c.Hidden, q)
				check("q_proj.bias", l.QBias, qkvBias, q)
				check("k_proj.bias", l.KBias, qkvBias, kv)
				check("v_proj.bias", l.VBias, qkvBias, kv)
				check("o_proj.bias", l.OBias, oBias, c.Hidden)
				check("q_norm.weight", l.QNorm.Weight, qkNorm, c.HeadDim)
				check("k_norm.weight", l.KNorm.Weight, qkNorm, c.HeadDim)
				check("gate_proj.weight", l.Gate, true, c.Intermediate, c.Hidden)
				check("up_proj.weight", l.Up, true, c.Intermediate, c.Hidden)
				check("down_proj.weight", l.Down, true, c.Hidden, c.Intermediate)
				check("gate_proj.bias", l.GateBias, mlpBias, c.Intermediate)
				check("up_proj.bias", l.UpBias, mlpBias, c.Intermediate)
				check("down_proj.bias", l.DownBias, mlpBias, c.Hidden)
				check("attn.s", l.Scale, scaled, c.Heads, 1)
			}
			if k.Layers[0].Q == k.Layers[1].Q || !strings.Contains(k.Layers[1].Q.Stored.Name, "layers.1.") {
				t.Errorf("layer 1 has %q", k.Layers[1].Q.Stored.Name)
			}
			check(".weight", k.Embed, true, c.Vocab, c.Hidden)
			check("model.norm.weight", k.Norm.Weight, true, c.Hidden)
			if !o.Tie {
				check("lm_head.weight", k.Head, true, c.Vocab, c.Hidden)
			}
			if count != k.Parameters {
				t.Errorf("%d parameters, want %d", k.Parameters, count)
			}
			dtype := map[string]string{"": "F32", "float16": "F16", "bfloat16": "BF16"}[o.DType]
			if k.DType != dtype {
				t.Errorf("dtype %s, want %s", k.DType, dtype)
			}
		})
	}
}

const q1 = "model.layers.1.self_attn.q_proj.weight"

func TestRefusedWeights(t *testing.T) {
	for name, c := range map[string]struct {
		o       randmodel.Options
		breakIt func(*model)
		options Options
		parts   []string
	}{
		"missing tensor": {breakIt: func(m *model) { m.remove(q1) }, parts: []string{"model.safetensors", q1, "[64 64]", "missing"}},
		"missing layer":  {breakIt: func(m *model) { m.config["num_hidden_layers"] = 3 }, parts: []string{"model.layers.2.input_layernorm.weight", "missing"}},
		"a billion layers": {breakIt: func(m *model) { m.config["num_hidden_layers"] = 1 << 16 },
			parts: []string{"model.layers.2.input_layernorm.weight", "missing"}},
		"missing head": {breakIt: func(m *model) { m.remove("lm_head.weight") }, parts: []string{"lm_head.weight", "tie_word_embeddings to true"}},
		"body alone": {breakIt: func(m *model) {
			m.remove("lm_head.weight")
			for i := range m.entries {
				m.entries[i].Name = strings.TrimPrefix(m.entries[i].Name, "model.")
			}
		}, parts: []string{"without \"model.\""}},
		"extra tensor":    {breakIt: func(m *model) { m.add("model.memory.weight", []int{2}, 1, 2) }, parts: []string{`"model.memory.weight" (shape [2]) is unexpected`}},
		"another norm":    {breakIt: func(m *model) { m.add("model.layers.0.self_attn.q_norm.weight", []int{2}, 1, 2) }, parts: []string{"q_norm.weight", "unexpected"}},
		"torch.compile":   {breakIt: func(m *model) { m.prefix("_orig_mod.") }, parts: []string{`begin with "_orig_mod."`, "--strip-prefix _orig_mod."}},
		"DataParallel":    {breakIt: func(m *model) { m.prefix("module.") }, parts: []string{`begin with "module."`, "--strip-prefix module."}},
		"both":            {breakIt: func(m *model) { m.prefix("module._orig_mod.") }, parts: []string{"--strip-prefix module._orig_mod."}},
		"extra line name": {breakIt: func(m *model) { m.add("a\nb", []int{1}, 1) }, parts: []string{`"a\nb"`, "unexpected"}},
		"wrong shape": {breakIt: func(m *model) { m.tensor(q1).Shape = []int{32, 128} },
			parts: []string{q1, "shape [32 128]", "calls for [64 64]"}},
		"vector as a matrix": {breakIt: func(m *model) { m.tensor("model.norm.weight").Shape = []int{1, 64} },
			parts: []string{"model.norm.weight", "[1 64]", "[64]"}},
		"config of another width": {breakIt: func(m *model) { m.config["intermediate_size"] = 97 }, parts: []string{"gate_proj.weight", "[96 64]", "[97 64]"}},
		"vocab differs":           {breakIt: func(m *model) { m.config["vocab_size"] = 300 }, parts: []string{"embed_tokens.weight", "[256 64]", "[300 64]"}},
		"wrong dtype": {breakIt: func(m *model) {
			m.tensor(q1).DType, m.tensor(q1).Data = "C64", make([]byte, 8*64*64)
		}, parts: []string{q1, "dtype C64", "numbers of 8 to 64 bits"}},
		"four bits": {breakIt: func(m *model) {
			m.tensor(q1).DType, m.tensor(q1).Data = "F4", make([]byte, 64*64/2)
		}, parts: []string{q1, "dtype F4"}},
		"eight bits whose scales nothing explains": {breakIt: func(m *model) {
			m.tensor(q1).DType, m.tensor(q1).Data = "I8", make([]byte, 64*64)
			m.add(strings.TrimSuffix(q1, ".weight")+".SCB", []int{64}, make([]float32, 64)...)
		}, parts: []string{"self_attn.q_proj.SCB", "unexpected"}},
		"tied head of another shape": {breakIt: func(m *model) {
			m.config["tie_word_embeddings"] = true
			m.tensor("lm_head.weight").Shape = []int{64, 256}
		}, parts: []string{"lm_head.weight", "[64 256]", "[256 64]"}},
		"scaled without s": {options: Options{Attention: "scaled-softpick"}, breakIt: func(*model) {},
			parts: []string{"model.layers.0.self_attn.s", "missing", "unscaled kind with --attention"}},
		"s without scaled": {o: randmodel.Options{Attention: "scaled-softpick"}, breakIt: func(m *model) { delete(m.config, "attn_impl") },
			parts: []string{"self_attn.s", "unexpected", "--attention scaled-softmax"}},
		"misspelt kind": {options: Options{Attention: "softpik"}, breakIt: func(*model) {}, parts: []string{"config.json", `unknown attention kind "softpik"`}},
		"another log table": {o: randmodel.Options{Type: "transformer", Attention: "scaled-softpick"},
			breakIt: func(m *model) {
				m.add("model.layers.0.attn.logn", []int{3, 1, 1}, float32(math.Log(2)), float32(math.Log(3)), 2)
			},
			parts: []string{"layers.0.attn.logn", "position 2 holds 2, want ln(4)"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := build(t, c.o)
			c.breakIt(m)
			wantRefusal(t, m.write(t), c.options, c.parts...)
		})
	}
}

// A single NaN or infinity anywhere must be found and named, in every type.
func TestRefusedNonFinite(t *testing.T) {
	for _, c := range []struct {
		dtype, tensor string
		at            int
		bits          uint32
		parts         []string
	}{
		{"float32", q1, 64*64 - 1, 0x7fc00000, []string{"NaN at index [63 63]"}},
		{"float32", "model.norm.weight", 5, 0xff800000, []string{"-Inf at index [5]"}},
		{"float16", "lm_head.weight", 255 * 64, 0x7c00, []string{"+Inf at index [255 0]"}},
		{"bfloat16", "model.layers.0.mlp.down_proj.weight", 97, 0xffff, []string{"NaN at index [1 1]"}},
	} {
		m := build(t, randmodel.Options{DType: c.dtype})
		data := m.tensor(c.tensor).Data
		if c.dtype == "float32" {
			binary.LittleEndian.PutUint32(data[4*c.at:], c.bits)
		} else {
			binary.LittleEndian.PutUint16(data[2*c.at:], uint16(c.bits))
		}
		dir := m.write(t)
		wantRefusal(t, dir, Options{}, append(c.parts, c.tensor, "model.safetensors")...)
		mustOpen(t, dir, Options{SkipFinite: true})
	}
}

func TestRefusedDirectories(t *testing.T) {
	put := func(dir, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dirWith := func(files ...string) string {
		dir := t.TempDir()
		for _, f := range files {
			name, text, _ := strings.Cut(f, "=")
			put(dir, name, text)
		}
		return dir
	}
	llama := `config.json={"model_type":"llama"}`
	wantRefusal(t, filepath.Join(t.TempDir(), "none"), Options{}, "no such directory")
	file := filepath.Join(dirWith(llama), "config.json")
	wantRefusal(t, file, Options{}, "not a directory")
	wantRefusal(t, dirWith(), Options{}, "no config.json")
	wantRefusal(t, dirWith("model.gguf="), Options{}, "no config.json", "model.gguf, give that file's path")
	wantRefusal(t, dirWith("config.json="), Options{}, "config.json", "empty")
	wantRefusal(t, dirWith("config.json={\n\"hidden"), Options{}, "config.json", "line 2, column 7")
	wantRefusal(t, dirWith(llama), Options{}, "no weights", "model.safetensors")
	wantRefusal(t, dirWith(llama, "pytorch_model.bin="), Options{}, "pytorch_model.bin: not a zip", "save safetensors")
	wantRefusal(t, dirWith(llama, "other.bin="), Options{}, "only other.bin", "save_pretrained")
	wantRefusal(t, dirWith(llama, "llama.Q4_K.gguf="), Options{}, "only llama.Q4_K.gguf", "give that file's path")
	wantRefusal(t, dirWith(llama, "model-00001-of-00002.safetensors="), Options{}, "download the index")
	wantRefusal(t, dirWith(llama, "adapter_config.json={}"), Options{}, "adapter", "merge")
	wantRefusal(t, dirWith(llama, "model.safetensors=1234567"), Options{}, "model.safetensors", "7 bytes, too few")
	wantRefusal(t, dirWith(llama, `model.safetensors.index.json={"weight_map":{"a":"../x.safetensors"}}`), Options{}, "below the index's directory")
	wantRefusal(t, dirWith(llama, `model.safetensors.index.json={"weight_map":{"a":"m-1.safetensors"}}`), Options{}, "m-1.safetensors", "no such file")
	dir := dirWith("model.safetensors=")
	if err := os.Mkdir(filepath.Join(dir, "config.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, dir, Options{}, "config.json", "not a file")
}

// Every prefix of a real file must be refused: none may pass for a whole one.
func TestTruncated(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 8, Intermediate: 8, Heads: 2, Layers: 1, Vocab: 16}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.safetensors")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 1 + n/50 {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, dir, Options{}, "model.safetensors")
	}
}

// What transformers itself passes over is passed over with a note.
func TestToleratedExtras(t *testing.T) {
	m := build(t, randmodel.Options{})
	for i := range 2 {
		m.add(fmt.Sprintf("model.layers.%d.self_attn.rotary_emb.inv_freq", i), []int{8}, make([]float32, 8)...)
	}
	if k := mustOpen(t, m.write(t), Options{}); len(k.Notes) != 1 || !strings.Contains(k.Notes[0], "2 stored rotary inv_freq") {
		t.Errorf("notes %q", k.Notes)
	}

	m = build(t, randmodel.Options{Tie: true})
	head := *m.tensor("model.embed_tokens.weight")
	head.Name = "lm_head.weight"
	m.entries = append(m.entries, head)
	if k := mustOpen(t, m.write(t), Options{}); k.Head != k.Embed || k.Parameters != mustOpen(t, build(t, randmodel.Options{Tie: true}).write(t), Options{}).Parameters {
		t.Error("a stored copy of the tied head is counted or used")
	}

	// The paper's scaled checkpoints store a table of logarithms, rounded to the
	// weights' type.
	m = build(t, randmodel.Options{Type: "transformer", Attention: "scaled-softpick"})
	logs := make([]float32, 2048)
	for i := range logs {
		logs[i] = float32(math.Log(float64(i + 2)))
	}
	m.entries = append(m.entries, safetensors.Float32("model.layers.0.attn.logn", safetensors.BF16, []int{2048, 1, 1}, logs))
	if k := mustOpen(t, m.write(t), Options{}); len(k.Notes) != 1 || !strings.Contains(k.Notes[0], "ln(position+2)") {
		t.Errorf("notes %q", k.Notes)
	}
}

func TestOverride(t *testing.T) {
	dir := build(t, randmodel.Options{Type: "transformer", Attention: "scaled-softpick"}).write(t)
	k := mustOpen(t, dir, Options{Attention: "softmax"})
	if k.Config.Attention.String() != "softmax" || k.Layers[0].Scale != nil || len(k.Notes) != 2 || !strings.Contains(k.Notes[1], "2 learned attention scales are ignored") {
		t.Errorf("attention %s, scale %v, notes %q", k.Config.Attention, k.Layers[0].Scale, k.Notes)
	}
	k = mustOpen(t, dir, Options{Attention: "scaled-softmax"})
	if k.Layers[1].Scale == nil || len(k.Notes) != 1 || !strings.Contains(k.Notes[0], "by config.json it is scaled-softpick") {
		t.Errorf("scale %v, notes %q", k.Layers[1].Scale, k.Notes)
	}
}

// The weights may lie in a file of another name, and in several dtypes.
func TestOddDirectories(t *testing.T) {
	m := build(t, randmodel.Options{})
	x := m.tensor("lm_head.weight")
	x.DType, x.Data = safetensors.BF16, bytes.Repeat([]byte{0x80, 0x3f}, len(x.Data)/4)
	dir := m.write(t)
	if err := os.Rename(filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "weights.safetensors")); err != nil {
		t.Fatal(err)
	}
	if k := mustOpen(t, dir, Options{}); k.DType != "F32" || len(k.Notes) != 1 || !strings.Contains(k.Notes[0], "several dtypes") {
		t.Errorf("dtype %s, notes %q", k.DType, k.Notes)
	}
}

// A write that fails must not leave a directory that looks complete.
func TestFailedWrite(t *testing.T) {
	m := build(t, randmodel.Options{})
	dir := t.TempDir()
	bad := m.tensor(q1)
	bad.Data, bad.Stream = nil, func(io.Writer) error { return fmt.Errorf("disk full") }
	if err := Write(dir, m.config, m.entries...); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := Write(dir, map[string]any{"x": math.NaN()}); err == nil || strings.ContainsAny(err.Error(), "\n") {
		t.Errorf("a config that is no JSON: error %v", err)
	}
}
