package forward

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// What of each family and kind the kernels do not compute is refused by name: of the families'
// goldens none but LLaMA's block goes through, and no learned sink, gate or mixture of experts.
func TestFamiliesAreRefusedByName(t *testing.T) {
	through := map[string]bool{}
	for _, name := range golden.Families(t) {
		text, err := os.ReadFile(filepath.Join(golden.Dir(t, "families", name), "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := checkpoint.ParseConfig(text, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(c.BeyondLlama()) == 0 { // what is left is sizes, which the goldens have small
			through[c.ModelType] = true
		}
		err = supported(&c)
		if err == nil {
			continue
		}
		if s := err.Error(); !errors.Is(err, ErrUnsupported) || !strings.Contains(s, "--device cpu") || strings.Contains(s, "\n") {
			t.Errorf("%s: %q: want one line that says what to do", name, s)
		}
	}
	for kind := range through {
		switch kind {
		case "llama", "mistral", "ministral", "qwen2", "qwen3", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text", "seed_oss",
			"phi3", "ernie4_5", "helium": // whose weights lie otherwise, which a View undoes
		default:
			t.Errorf("a %s goes through to the kernels, which compute LLaMA's block", kind)
		}
	}
	for name, part := range map[string]string{
		"sink": "sink attention", "gated": "gated attention", "gated-sink": "gated-sink attention", "gpt_oss": "a mixture of experts",
		"gemma2": "a norm after", "gpt2": "LayerNorm", "olmo2": "a norm after", "granite": "a scale of", "cohere": "LayerNorm", "mixtral": "a mixture of experts",
	} {
		text, err := os.ReadFile(filepath.Join(golden.Dir(t, "families", name), "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := checkpoint.ParseConfig(text, "")
		if err != nil {
			t.Fatal(err)
		}
		if beyond := strings.Join(c.BeyondLlama(), "; "); supported(&c) == nil || !strings.Contains(beyond, part) {
			t.Errorf("%s: %v, beyond LLaMA's block: %s; want %q among them", name, supported(&c), beyond, part)
		}
	}
	t.Logf("through to the kernels: %v", through)
}
