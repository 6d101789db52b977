package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestRealFamilies: the chat templates of real families, which are not kept here, give transformers'
// prompts to the byte, and so its ids: with and without a system's text, after worked turns, and going on
// with an answer. SOFTBENCH_CHAT_TEMPLATES names a directory of NAME.jinja files, as
// testdata/golden/make_chat_families.py takes it.
func TestRealFamilies(t *testing.T) {
	dir := os.Getenv("SOFTBENCH_CHAT_TEMPLATES")
	if dir == "" {
		t.Skip("SOFTBENCH_CHAT_TEMPLATES names no directory of chat templates")
	}
	text, err := os.ReadFile("testdata/families.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		BOS   string `json:"bos_token"`
		EOS   string `json:"eos_token"`
		Chats []struct {
			Messages   []Message
			Generation bool
		}
		Templates []struct {
			Name    string
			SHA256  string `json:"template_sha256"`
			Prompts []*string
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, c := range g.Templates {
		source, err := os.ReadFile(filepath.Join(dir, c.Name+".jinja"))
		if err != nil {
			t.Logf("%s: %v", c.Name, err)
			continue
		}
		if hashed(string(source)) != c.SHA256 {
			t.Logf("%s: another template of this name", c.Name)
			continue
		}
		compared++
		chat, err := Read(t.Context(), checkpoint(t, map[string]any{
			"chat_template.jinja": string(source), "tokenizer_config.json": map[string]any{"bos_token": g.BOS, "eos_token": g.EOS},
		}))
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		for i, k := range g.Chats {
			got, err := chat.render(k.Messages, k.Generation)
			switch want := c.Prompts[i]; {
			case want == nil && err == nil:
				t.Errorf("%s, chat %d: %q; transformers refuses it", c.Name, i, got)
			case want != nil && (err != nil || hashed(got) != *want):
				t.Errorf("%s, chat %d: %q (%v) is not transformers' prompt", c.Name, i, got, err)
			}
		}
	}
	if compared < 20 {
		t.Errorf("%d of %d templates are in %s, want at least 20", compared, len(g.Templates), dir)
	}
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
