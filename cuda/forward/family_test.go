package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randforest"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestEveryFamilyHasAVerdict: a model of each family's golden, at sizes that the kernels
// have, either gives the CPU's log-probabilities on the simulated device or is refused by
// name, whatever its sizes. A model type that goes through must be among those that are
// LLaMA's block, whose weights may lie otherwise, and each of those goes through once at least.
func TestEveryFamilyHasAVerdict(t *testing.T) {
	through := map[string]bool{
		"ernie4_5": false, "helium": false, "llama": false, "ministral": false, "mistral": false, "phi3": false, "qwen2": false,
		"qwen2_5_vl_text": false, "qwen2_vl_text": false, "qwen3": false, "qwen3_vl_text": false, "seed_oss": false,
	}
	parts := map[string]string{
		"sink": "sink attention", "gated": "gated attention", "gated-sink": "gated-sink attention", "gpt_oss": "a mixture of experts", "softcap": "a soft cap",
		"gemma2": "a norm after", "gpt2": "LayerNorm", "olmo2": "a norm after", "granite": "a scale of", "cohere": "LayerNorm", "mixtral": "a mixture of experts",
	}
	verdict := func(name string, config map[string]any) {
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := checkpoint.ParseConfig(text, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Run(name, func(t *testing.T) {
			beyond := c.BeyondLlama()
			if len(beyond) > 0 {
				refused(t, golden.Family(t, name).Dir, beyond[0])
				t.Logf("%s: refused: %s", c.ModelType, beyond[0])
			} else {
				t.Logf("%s: max |Δ log-probability| %.1e", c.ModelType, equalsCPU(t, config))
				if _, known := through[c.ModelType]; !known {
					t.Errorf("a %s goes through to the kernels, which compute LLaMA's block", c.ModelType)
				}
				through[c.ModelType] = true
			}
			if all := strings.Join(beyond, "; "); !strings.Contains(all, parts[name]) {
				t.Errorf("beyond LLaMA's block: %q; want %q among it", all, parts[name])
			}
		})
	}
	for _, name := range golden.Families(t) {
		verdict(name, goldenConfig(t, name))
	}
	plain := goldenConfig(t, "qwen2_5_vl") // whose golden has yarn
	delete(plain["text_config"].(map[string]any), "rope_scaling")
	verdict("qwen2_5_vl without yarn", plain)
	for kind, went := range through {
		if !went {
			t.Errorf("no %s went through to the kernels", kind)
		}
	}
}

// refused checks that the checkpoint in dir is refused in one line that names part and
// says what to do.
func refused(t *testing.T, dir, part string) {
	t.Helper()
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	_, err = forward.New(context.Background(), sim.New(reserve+memory), ck, forward.Options{})
	if !errors.Is(err, forward.ErrUnsupported) || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "--device cpu") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v: want one line that names %s", err, part)
	}
}

// equalsCPU compares the device with the CPU on a random model of a config, its sizes
// changed to the kernels'.
func equalsCPU(t *testing.T, config map[string]any) float64 {
	t.Helper()
	sizes := config
	if of, ok := config["text_config"].(map[string]any); ok {
		sizes = of
	}
	sizes["hidden_size"] = int(sizes["num_attention_heads"].(float64)) * abi.HeadSizes[0]
	sizes["head_dim"], sizes["intermediate_size"] = abi.HeadSizes[0], 6*abi.Multiple
	dir := t.TempDir()
	if err := randmodel.WriteConfig(dir, config, randmodel.Options{Seed: 5, ScoreGain: 3}); err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	cpu, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Threads: 1, Set: kernel.Generic{}})
	if err != nil {
		t.Fatal(err)
	}
	defer cpu.Close()
	f := randforest.New(rand.New(rand.NewPCG(5, 11)), 8, ck.Config.Vocab, randforest.UpToThree)
	device, _ := simulate(t, ck, forward.Options{})
	return equalResults(t, run(t, device, f, engine.RunOptions{}), run(t, engine.New(cpu, ck.Config.Vocab), f, engine.RunOptions{}))
}

// goldenConfig is the config.json of a family's golden.
func goldenConfig(t *testing.T, name string) (config map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden.Dir(t, "families", name), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return config
}
