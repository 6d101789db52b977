package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestConfig compares ids, BOS, EOS and vocabulary size with what transformers gives for a directory whose
// tokenizer_config.json and special_tokens_map.json add tokens, change flags or ask for BOS and EOS.
func TestConfig(t *testing.T) {
	data, err := os.ReadFile("testdata/golden/config.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Texts []string
		Cases []struct {
			Base            string
			Config, Special json.RawMessage
			Sections        map[string]json.RawMessage
			Skip            []string
			IDs             [][]int32
			BOS, EOS        *int32
			Vocab           int
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for i, c := range golden.Cases {
		dir := t.TempDir()
		copyTokenizer(t, filepath.Join("testdata", c.Base), dir, c.Sections)
		writeUnlessNull(t, filepath.Join(dir, "tokenizer_config.json"), c.Config)
		writeUnlessNull(t, filepath.Join(dir, "special_tokens_map.json"), c.Special)
		tok, err := Load(dir)
		if err != nil {
			t.Errorf("case %d (%s %s): %v", i, c.Base, c.Config, err)
			continue
		}
		for j, text := range golden.Texts {
			got := tok.Encode(text, true)
			if !slices.Equal(got, c.IDs[j]) {
				t.Errorf("case %d (%s %s %s): %q gives %v, want %v", i, c.Base, c.Config, c.Special, text, got, c.IDs[j])
			}
			if got := tok.Decode(c.IDs[j], true); got != c.Skip[j] {
				t.Errorf("case %d (%s %s %s): %v decodes to %q, want %q", i, c.Base, c.Config, c.Special, c.IDs[j], got, c.Skip[j])
			}
		}
		checkID := func(name string, id int32, ok bool, want *int32) {
			if ok != (want != nil) || ok && id != *want {
				t.Errorf("case %d (%s %s %s): %s is %d (%v), want %v", i, c.Base, c.Config, c.Special, name, id, ok, want)
			}
		}
		bos, ok := tok.BOS()
		checkID("BOS", bos, ok, c.BOS)
		eos, ok := tok.EOS()
		checkID("EOS", eos, ok, c.EOS)
		if tok.VocabSize() != c.Vocab {
			t.Errorf("case %d (%s %s): vocabulary size %d, want %d", i, c.Base, c.Config, tok.VocabSize(), c.Vocab)
		}
	}
}

// copyTokenizer copies the tokenizer of one folder to another, with some top-level sections replaced.
func copyTokenizer(t testing.TB, from, to string, sections map[string]json.RawMessage) {
	t.Helper()
	name := "tokenizer.json"
	data, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		name = "tokenizer.model"
		data, err = os.ReadFile(filepath.Join(from, name))
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(sections) > 0 {
		var file map[string]json.RawMessage
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		for k, v := range sections {
			file[k] = v
		}
		if data, err = json.Marshal(file); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(to, name), data)
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeUnlessNull(t testing.TB, path string, data []byte) {
	t.Helper()
	if !isNull(data) {
		write(t, path, data)
	}
}

func TestMaxLength(t *testing.T) {
	for config, want := range map[string]int{
		`{}`: 0, `{"model_max_length": null}`: 0, `{"model_max_length": 2048}`: 2048, `{"model_max_length": 512.0}`: 512,
		`{"model_max_length": 1000000000000000019884624838656}`: 0, `{"model_max_length": 1e30}`: 0,
	} {
		dir := t.TempDir()
		copyTokenizer(t, "testdata/gpt2", dir, nil)
		write(t, filepath.Join(dir, "tokenizer_config.json"), []byte(config))
		if got := load(t, dir).MaxLength(); got != want {
			t.Errorf("%s: max length %d, want %d", config, got, want)
		}
	}
}

// TestSHA256 holds the fingerprint to its purpose: it follows what decides ids and nothing else.
func TestSHA256(t *testing.T) {
	sum := func(config string, sections map[string]json.RawMessage) string {
		dir := t.TempDir()
		copyTokenizer(t, "testdata/gpt2", dir, sections)
		write(t, filepath.Join(dir, "tokenizer_config.json"), []byte(config))
		return load(t, dir).SHA256()
	}
	base := sum(`{"eos_token": "</s>", "model_max_length": 5}`, nil)
	if len(base) != 64 {
		t.Fatalf("fingerprint %q is not 64 hex digits", base)
	}
	if got := sum(`{"model_max_length": 7, "eos_token": "</s>", "chat_template": "x", "tokenizer_class": "Y"}`, nil); got != base {
		t.Error("settings that change no id change the fingerprint")
	}
	for _, config := range []string{`{}`, `{"eos_token": "<s>"}`, `{"eos_token": "</s>", "split_special_tokens": true}`,
		`{"eos_token": "</s>", "bos_token": "<s>"}`, `{"eos_token": "</s>", "additional_special_tokens": ["x"]}`,
		`{"eos_token": "</s>", "added_tokens_decoder": {"5000": {"content": "y"}}}`} {
		if sum(config, nil) == base {
			t.Errorf("%s has the fingerprint of other settings", config)
		}
	}
	if sum(`{"eos_token": "</s>"}`, map[string]json.RawMessage{"normalizer": json.RawMessage(`{"type":"NFC"}`)}) == base {
		t.Error("another normalizer has the same fingerprint")
	}
}

// Mistral's repositories number their tokenizer.model: it is the same one.
func TestVersionedModel(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "spm-plain", "tokenizer.model"))
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{}
	for _, name := range []string{"tokenizer.model", "tokenizer.model.v3"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, name), data)
		tok, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		hashes[name] = tok.SHA256()
	}
	if hashes["tokenizer.model"] != hashes["tokenizer.model.v3"] {
		t.Errorf("hashes %v differ", hashes)
	}
}
