package randmodel

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/checkpoint"
)

// The bytes are part of what published timings and tests stand on: they must not
// drift, on any machine.
func TestBytesArePinned(t *testing.T) {
	for dtype, want := range map[string]string{
		"float32":  "d86411e2ea26a43e2b846f20a42e31134bdbe62b3445f5481f343554cff3f635",
		"float16":  "2a0863753a3f97045eb0419e982cc26e58829713e7732501bd14184d9b8352e3",
		"bfloat16": "ae10f3b5b3f09f423f072335a5640c9f5509ba37f820c48aef0c259da310630f",
	} {
		dir := t.TempDir()
		if err := Write(dir, Options{Seed: 1, DType: dtype, Gain: 2, ScoreGain: 3}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: SHA-256 %s, want %s", dtype, got, want)
		}
	}
}

// The weights must have the spread that keeps activations alive, and differ by
// seed and by name.
func TestDistribution(t *testing.T) {
	open := func(o Options) *checkpoint.Checkpoint {
		t.Helper()
		dir := t.TempDir()
		if err := Write(dir, o); err != nil {
			t.Fatal(err)
		}
		k, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { k.Close() })
		return k
	}
	k := open(Options{Gain: 4})
	for name, c := range map[string]struct {
		values        []float32
		mean, std, by float64
	}{
		"q":    {k.Layers[0].Q.F32(), 0, 1.0 / 8, 0.005},
		"down": {k.Layers[1].Down.F32(), 0, 1 / math.Sqrt(96), 0.005},
		"head": {k.Head.F32(), 0, 1.0 / 8, 0.005},
		"norm": {k.Norm.Weight.F32(), 4, 0.4, 0.2},
	} {
		var sum, square float64
		for _, v := range c.values {
			sum += float64(v)
			square += float64(v) * float64(v)
		}
		n := float64(len(c.values))
		mean := sum / n
		std := math.Sqrt(square/n - mean*mean)
		if math.Abs(mean-c.mean) > c.by || math.Abs(std-c.std) > c.by {
			t.Errorf("%s: mean %.4f and deviation %.4f, want %.4f and %.4f", name, mean, std, c.mean, c.std)
		}
	}
	if a, b := k.Layers[0].Q.F32(), k.Layers[0].K.F32(); a[0] == b[0] && a[1] == b[1] {
		t.Error("q and k are the same numbers")
	}
	if a, b := k.Head.F32(), open(Options{Seed: 9}).Head.F32(); a[0] == b[0] && a[1] == b[1] {
		t.Error("two seeds give the same numbers")
	}
}

func TestTokenizerIsCopied(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "tokenizer.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(to, Options{Tokenizer: from}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(to, "tokenizer.json")); err != nil || string(b) != "{}" {
		t.Errorf("tokenizer.json holds %q, error %v", b, err)
	}
	if err := Write(t.TempDir(), Options{Tokenizer: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no tokenizer files") {
		t.Errorf("an empty tokenizer directory gives %v", err)
	}
}

func TestRefusedOptions(t *testing.T) {
	for part, o := range map[string]Options{
		"unknown preset":        {Preset: "7b"},
		"unknown dtype":         {DType: "int8"},
		`model_type "bert"`:     {Type: "bert"},
		"is not a multiple of":  {Heads: 6, KVHeads: 4},
		"attn_impl":             {Attention: "sigmoid"},
		"hidden_size is -1":     {Hidden: -1},
		"rope_scaling.rope_typ": {Config: map[string]any{"rope_scaling": map[string]any{"rope_type": "spiral"}}},
	} {
		dir := t.TempDir()
		err := Write(dir, o)
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want %q", o, err, part)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%+v left %v behind", o, left)
		}
	}
}
