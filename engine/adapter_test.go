package engine_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// A model with a LoRA adapter merged at load scores what transformers scores after
// peft's merge_and_unload, and has another hash than without.
func TestAdapter(t *testing.T) {
	hash := func(ck *checkpoint.Checkpoint) string {
		sum, err := ck.SHA256(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	for _, name := range golden.Formats(t, "adapter") {
		t.Run(name, func(t *testing.T) {
			g := golden.FormatModel(t, "adapter", name, "")
			base := golden.Dir(t, "models", "llama-llama3")
			if name == "gpt2" {
				base = golden.Family(t, "gpt2").Dir
			}
			plain, err := checkpoint.Open(base, checkpoint.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			ck, err := checkpoint.Open(base, checkpoint.Options{Adapter: g.Dir})
			if err != nil {
				t.Fatal(err)
			}
			defer ck.Close()
			if hash(ck) == hash(plain) {
				t.Error("the adapter does not change the hash")
			}
			compareAdapter(t, g, ck)
		})
	}
}

func compareAdapter(t *testing.T, g golden.Model, ck *checkpoint.Checkpoint) {
	t.Helper()
	eachSet(t, func(t *testing.T, set kernel.Set) {
		b, err := NewCPU(context.Background(), ck, CPUOptions{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		m := New(b, ck.Config.Vocab)
		worst := 0.0
		for i, seq := range g.Sequences {
			for p, got := range scoreAll(t, m, seq.IDs, seq.Targets, RunOptions{}) {
				worst = max(worst, math.Abs(float64(got.LogProbs[0])-g.Runs[0].Sequences[i].LogProb[p]))
			}
		}
		if t.Logf("max |Δ logprob| %.1e", worst); !(worst <= parity) {
			t.Errorf("max |Δ logprob| is %v", worst)
		}
	})
}

// Which way a weight lies is the model's to say, as with peft: an adapter's
// fan_in_fan_out that says otherwise changes nothing, and is noted.
func TestAdapterAgainstItsFlag(t *testing.T) {
	g := golden.FormatModel(t, "adapter", "gpt2", "")
	text, err := os.ReadFile(filepath.Join(g.Dir, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile(filepath.Join(g.Dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed := strings.Replace(string(text), `"fan_in_fan_out": true`, `"fan_in_fan_out": false`, 1)
	if changed == string(text) {
		t.Fatal("the golden has no fan_in_fan_out")
	}
	for file, data := range map[string][]byte{"adapter_config.json": []byte(changed), "adapter_model.safetensors": weights} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ck, err := checkpoint.Open(golden.Family(t, "gpt2").Dir, checkpoint.Options{Adapter: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	if !strings.Contains(strings.Join(ck.Notes, "\n"), "fan_in_fan_out is false") {
		t.Errorf("notes %q do not say that fan_in_fan_out is not used", ck.Notes)
	}
	compareAdapter(t, g, ck)
}

// What merging cannot do is refused by its name.
func TestRefusedAdapter(t *testing.T) {
	from := golden.Dir(t, "formats", "adapter", "plain")
	weights, err := os.ReadFile(filepath.Join(from, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(from, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, model, part string }{
		"dora":    {`"use_dora": false`, `"use_dora": true`, "llama-llama3", "use_dora is true"},
		"kind":    {`"LORA"`, `"LOHA"`, "llama-llama3", `peft_type "LOHA"`},
		"pattern": {`"rank_pattern": {}`, `"rank_pattern": {"q": 2}`, "llama-llama3", "rank_pattern is not read"},
		"another": {"", "", "fla", "do not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			changed := strings.Replace(string(text), c.old, c.new, 1)
			if c.old != "" && changed == string(text) {
				t.Fatalf("no %s in the config", c.old)
			}
			for file, data := range map[string][]byte{"adapter_config.json": []byte(changed), "adapter_model.safetensors": weights} {
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ck, err := checkpoint.Open(golden.Dir(t, "models", c.model), checkpoint.Options{Adapter: dir})
			if err == nil {
				ck.Close()
				t.Fatalf("opened, want an error with %q", c.part)
			}
			if s := err.Error(); !strings.HasPrefix(s, dir) || !strings.Contains(s, c.part) || strings.Contains(s, "\n") {
				t.Errorf("error %q: want one line with %q", s, c.part)
			}
		})
	}
}
