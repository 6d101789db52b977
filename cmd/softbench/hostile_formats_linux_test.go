package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// ggufBuilder writes the header of a GGUF file.
type ggufBuilder struct{ bytes.Buffer }

func (w *ggufBuilder) n(size int, n uint64) {
	w.Write(binary.LittleEndian.AppendUint64(nil, n)[:size])
}

func (w *ggufBuilder) text(s string) {
	w.n(8, uint64(len(s)))
	w.WriteString(s)
}

func (w *ggufBuilder) begin(tensors, keys uint64) {
	w.WriteString("GGUF")
	w.n(4, 3)
	w.n(8, tensors)
	w.n(8, keys)
}

// sizes are the keys of a llama of so many blocks, heads and experts.
func (w *ggufBuilder) sizes(blocks, heads, experts uint64) {
	w.text("general.architecture")
	w.n(4, 8)
	w.text("llama")
	for _, k := range []struct {
		name string
		n    uint64
	}{{"block_count", blocks}, {"embedding_length", 64}, {"attention.head_count", heads}, {"expert_count", experts}} {
		w.text("llama." + k.name)
		w.n(4, 4)
		w.n(4, k.n)
	}
}

func (w *ggufBuilder) tensor(name string, kind, offset uint64, dims ...uint64) {
	w.text(name)
	w.n(4, uint64(len(dims)))
	for _, d := range dims {
		w.n(8, d)
	}
	w.n(4, kind)
	w.n(8, offset)
}

// save writes it as a file that claims so many bytes and holds few.
func (w *ggufBuilder) save(path string, size int64) error {
	if err := os.WriteFile(path, w.Bytes(), 0o666); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// pickled writes a file of torch's whose pickle is this, compressed.
func pickled(path, program string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("archive/data.pkl")
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(program)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// TestHostileFormats is TestHostileCheckpoints for formats other than safetensors of
// plain numbers: files that claim more than they hold, or ask for much memory in few
// bytes, are refused in one line, with little of it.
func TestHostileFormats(t *testing.T) {
	t.Parallel()
	tekken := func(vocab func(add func(string))) string {
		var b strings.Builder
		b.WriteString(`{"config":{"pattern":"a","default_num_special_tokens":20},"special_tokens":null,"vocab":[`)
		first := true
		vocab(func(s string) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			fmt.Fprintf(&b, `{"token_bytes":%q}`, base64.StdEncoding.EncodeToString([]byte(s)))
		})
		b.WriteString("]}")
		return b.String()
	}
	only := func(path, text string, gone ...string) error {
		for _, g := range gone {
			if err := os.Remove(filepath.Join(filepath.Dir(path), g)); err != nil {
				return err
			}
		}
		return os.WriteFile(path, []byte(text), 0o666)
	}
	fifo := func(path string) error { return syscall.Mkfifo(path, 0o666) }
	const params, index, bin = "params.json", "consolidated.safetensors.index.json", "pytorch_model.bin"
	for _, c := range []struct {
		file, name string
		make       func(path string) error
		want       string
	}{
		{"x.gguf", "strings", func(p string) error {
			var w ggufBuilder
			w.begin(0, 1)
			w.text("tokenizer.ggml.tokens")
			w.n(4, 9)
			w.n(4, 8)
			w.n(8, 1<<28)
			return w.save(p, 3<<30)
		}, "bytes of text"},
		{"x.gguf", "layers", func(p string) error {
			var w ggufBuilder
			w.begin(1, 5)
			w.sizes(1<<32-1, 4, 0)
			w.tensor("token_embd.weight", 0, 0, 64, 512)
			return w.save(p, 1<<20)
		}, "num_hidden_layers"},
		{"x.gguf", "heads", func(p string) error {
			var w ggufBuilder
			w.begin(1, 5)
			w.sizes(2, 1<<32-1, 0)
			w.tensor("token_embd.weight", 0, 0, 64, 512)
			return w.save(p, 1<<20)
		}, "num_attention_heads"},
		{"x.gguf", "frequencies", func(p string) error {
			var w ggufBuilder
			w.begin(2, 5)
			w.sizes(2, 4, 0)
			w.tensor("token_embd.weight", 0, 0, 64, 512)
			w.tensor("rope_freqs.weight", 2, 1<<17, 1<<31-32)
			return w.save(p, 3<<30)
		}, "rope_freqs.weight"},
		{"x.gguf", "experts", func(p string) error {
			var w ggufBuilder
			const blocks, experts = 64, 65535
			w.begin(1+3*blocks, 6)
			w.sizes(blocks, 4, experts)
			w.text("llama.attention.head_count_kv")
			w.n(4, 4)
			w.n(4, 4)
			w.tensor("token_embd.weight", 0, 0, 64, 512)
			at := uint64(1 << 17)
			for i := range blocks {
				for _, part := range []string{"gate", "up", "down"} {
					w.tensor(fmt.Sprintf("blk.%d.ffn_%s_exps.weight", i, part), 0, at, 1, 1, experts)
					at += 1 << 18
				}
			}
			return w.save(p, 1<<30)
		}, "is missing"},

		{bin, "values", func(p string) error { return pickled(p, "\x80\x02}N"+strings.Repeat("\x94", 60<<20)+".") }, "more than 4194304 values"},
		{bin, "list", func(p string) error {
			return pickled(p, "\x80\x02]"+strings.Repeat("("+strings.Repeat("N", 1<<19)+"e", 100)+".")
		}, "more than 4194304 values"},
		{bin, "large", func(p string) error { return pickled(p, strings.Repeat("N", 65<<20)) }, "more than 67108864"},
		{bin, "itself", func(p string) error { return pickled(p, "\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.") }, "holds a dictionary"},
		{bin, "code", func(p string) error { return pickled(p, "\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.") }, `it names "system"`},
		{bin, "pipe", fifo, "a pipe"},

		{params, "brackets", func(p string) error { return only(p, strings.Repeat("[", 120<<10), "config.json") }, "exceeded max depth"},
		{params, "pipe", func(p string) error {
			if err := os.Remove(filepath.Join(filepath.Dir(p), "config.json")); err != nil {
				return err
			}
			return fifo(p)
		}, "a pipe"},
		{params, "layers", func(p string) error {
			return only(p, `{"dim":64,"n_layers":65536,"n_heads":4,"hidden_dim":96,"vocab_size":512,"norm_eps":1,"sliding_window":[1]}`, "config.json")
		}, "is missing"},
		{index, "shards", func(p string) error {
			var b strings.Builder
			b.WriteString(`{"weight_map":{"":"a.safetensors"`)
			for i := range 2_000_000 {
				fmt.Fprintf(&b, `,"%d":"%d.safetensors"`, i, i)
			}
			b.WriteString("}}")
			dir := filepath.Dir(p)
			if err := os.Remove(filepath.Join(dir, "consolidated.safetensors")); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, params), []byte(`{"dim":64,"n_layers":2,"n_heads":4,"hidden_dim":8,"vocab_size":512,"norm_eps":1}`), 0o666); err != nil {
				return err
			}
			return only(p, b.String(), "config.json")
		}, "more than 524288 entries"},

		{"tekken.json", "pipe", fifo, "a pipe"},
		{"tekken.json", "tokens", func(p string) error {
			return os.WriteFile(p, []byte(tekken(func(add func(string)) {
				for range 3_000_000 {
					add("a")
				}
			})), 0o666)
		}, "at most 67108864 are read"},
		{"tekken.json", "pairs", func(p string) error {
			return os.WriteFile(p, []byte(tekken(func(add func(string)) {
				for length := 1; length <= 18; length++ {
					for n := range 1 << length {
						add(strings.NewReplacer("0", "a", "1", "b").Replace(fmt.Sprintf("%0*b", length, n)))
					}
				}
			})), 0o666)
		}, "imply more than"},

		{"config.json", "norms of heads", func(p string) error {
			return os.WriteFile(p, []byte(`{"model_type":"stablelm","hidden_size":268435456,"num_attention_heads":134217728,"num_key_value_heads":134217728,"vocab_size":512,
"intermediate_size":8,"num_hidden_layers":2,"qk_layernorm":true,"partial_rotary_factor":1}`), 0o666)
		}, "is missing"},
		{"config.json", "state", func(p string) error {
			entry := func(name string, n int) safetensors.Entry {
				return safetensors.Entry{Name: name, DType: "U8", Shape: []int{n}, Data: make([]byte, n)}
			}
			state := entry("a.weight.quant_state.bitsandbytes__nf4", 200<<20)
			copy(state.Data, `{"shape":[`)
			for i := 10; i+1 < len(state.Data); i += 2 {
				state.Data[i], state.Data[i+1] = '1', ','
			}
			if err := safetensors.Write(filepath.Join(filepath.Dir(p), "model.safetensors"), []safetensors.Entry{entry("a.weight", 32), state}, nil); err != nil {
				return err
			}
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			var config map[string]any
			if err := json.Unmarshal(text, &config); err != nil {
				return err
			}
			config["quantization_config"] = map[string]any{"quant_method": "bitsandbytes"}
			if text, err = json.Marshal(config); err != nil {
				return err
			}
			return os.WriteFile(p, text, 0o666)
		}, "quant_state has"},
	} {
		t.Run(c.file+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := randmodel.Write(dir, randmodel.Options{Seed: 1, Vocab: 512, Tokenizer: filepath.Join(golden.Dir(t), "tiny")}); err != nil {
				t.Fatal(err)
			}
			weights := filepath.Join(dir, "model.safetensors")
			switch c.file {
			case bin, "tekken.json":
				os.Remove(weights)
				if c.file != bin {
					os.Remove(filepath.Join(dir, "tokenizer.json"))
				}
			case params, index:
				if err := os.Rename(weights, filepath.Join(dir, "consolidated.safetensors")); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, c.file)
			if c.file == bin || c.file == "tekken.json" {
				os.Remove(path)
			}
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			model := dir
			if c.file == "x.gguf" {
				model = path
			}
			hostile(t, c.want, "inspect", model)
		})
	}
}

// An adapter that is a pipe, huge, or of other sizes than it says is refused likewise.
func TestHostileAdapters(t *testing.T) {
	t.Parallel()
	base, from := golden.Dir(t, "models", "llama-llama3"), golden.Dir(t, "formats", "adapter", "plain")
	const config, weights = "adapter_config.json", "adapter_model.safetensors"
	for _, c := range []struct {
		file, name string
		make       func(path string) error
		want       string
	}{
		{config, "pipe", func(p string) error { return syscall.Mkfifo(p, 0o666) }, "a pipe"},
		{config, "large", func(p string) error { return sparse(p, 3<<30) }, "at most"},
		{config, "brackets", func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("[", 120<<10)), 0o666) }, "exceeded max depth"},
		{config, "rank", func(p string) error {
			return os.WriteFile(p, []byte(`{"peft_type":"LORA","r":268435456,"lora_alpha":1}`), 0o666)
		}, "says that r is 268435456"},
		{config, "infinite", func(p string) error {
			return os.WriteFile(p, []byte(`{"peft_type":"LORA","r":4,"lora_alpha":1e999}`), 0o666)
		}, "lora_alpha"},
		{weights, "pipe", func(p string) error { return syscall.Mkfifo(p, 0o666) }, "a pipe"},
		{weights, "cut off", func(p string) error {
			data, err := os.ReadFile(filepath.Join(from, weights))
			if err != nil {
				return err
			}
			return os.WriteFile(p, data[:len(data)-100], 0o666)
		}, "cut"},
	} {
		t.Run(c.file+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range []string{config, weights} {
				data, err := os.ReadFile(filepath.Join(from, name))
				if err != nil {
					t.Fatal(err)
				}
				if name == c.file {
					err = c.make(filepath.Join(dir, name))
				} else {
					err = os.WriteFile(filepath.Join(dir, name), data, 0o666)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			model := t.TempDir()
			for _, name := range []string{"config.json", "model.safetensors"} {
				if err := os.Symlink(filepath.Join(base, name), filepath.Join(model, name)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(golden.Dir(t, "tiny", "tokenizer.json"), filepath.Join(model, "tokenizer.json")); err != nil {
				t.Fatal(err)
			}
			hostile(t, c.want, "inspect", model, "--adapter", dir)
		})
	}
}

// hostile wants a command refused with a line that has a part, in at most 1 GiB.
func hostile(t *testing.T, part string, args ...string) {
	t.Helper()
	line, most := refusal(t, args...)
	if !strings.Contains(line, part) || len(line) > 1000 {
		t.Errorf("%d bytes: %.500s, want %q", len(line), line, part)
	}
	if most > 1<<30 {
		t.Errorf("took %d MB of memory, want at most 1024", most>>20)
	}
}
