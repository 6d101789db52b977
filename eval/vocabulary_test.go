package eval

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// A padding token one past the vocabulary, which no text gives, hinders nothing;
// ids that texts give do.
func TestVocabularyBeyondTheModel(t *testing.T) {
	tiny := filepath.Join(golden.Dir(t), "tiny")
	text, err := os.ReadFile(filepath.Join(tiny, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Model struct{ Vocab map[string]int }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, id := range file.Model.Vocab {
		size = max(size, id+1)
	}
	load := func(vocab int, config string) error {
		dir := t.TempDir()
		if err := randmodel.Write(dir, randmodel.Options{Vocab: vocab, Tokenizer: tiny}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := Load(t.Context(), ModelOptions{Model: dir, Device: "cpu"})
		if err != nil {
			return err
		}
		defer m.Close()
		if m.Tokenizer.VocabSize() > vocab && !strings.Contains(strings.Join(m.Checkpoint.Notes, ";"), `added tokens from "<pad>"`) {
			t.Errorf("notes %q", m.Checkpoint.Notes)
		}
		return nil
	}
	var special struct {
		BOS any `json:"bos_token"`
		EOS any `json:"eos_token"`
	}
	config, err := os.ReadFile(filepath.Join(tiny, "tokenizer_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(config, &special); err != nil {
		t.Fatal(err)
	}
	with := func(more map[string]any) string {
		all := map[string]any{"bos_token": special.BOS, "eos_token": special.EOS}
		for k, v := range more {
			all[k] = v
		}
		out, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	tok, err := Inspect(t.Context(), ModelOptions{Model: tiny})
	if err != nil {
		t.Fatal(err)
	}
	size = max(size, tok.TokenizerSize)
	if err := load(size, with(nil)); err != nil {
		t.Fatal(err)
	}
	if err := load(size, with(map[string]any{"pad_token": "<pad>"})); err != nil {
		t.Errorf("a padding token beyond the vocabulary: %v", err)
	}
	for name, err := range map[string]error{
		"eos":       load(size, with(map[string]any{"eos_token": "<end>"})),
		"the model": load(size-200, with(nil)),
	} {
		if err == nil || !strings.Contains(err.Error(), "do not belong together") {
			t.Errorf("%s beyond the vocabulary: %v", name, err)
		}
	}
}
