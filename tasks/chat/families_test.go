package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/golden"
)

// families is what testdata/golden/make_chat_families.py wrote.
type families struct {
	BOS   string `json:"bos_token"`
	EOS   string `json:"eos_token"`
	Chats []struct {
		Messages   []Message
		Generation bool
	}
	Templates []family
}

type family struct {
	Name    string
	SHA256  string            `json:"template_sha256"`
	Prompts []*string         // of each chat, the prompt's hash; nil where transformers refuses it
	IDs     map[string]string // of each tokenizer, the hash of the ids of all prompts, a line each
}

// TestRealFamilies: the chat templates of real families, which are not kept here, give transformers'
// prompts to the byte: with and without a system's text, after worked turns, and going on with an answer.
// SOFTBENCH_CHAT_TEMPLATES names a directory of NAME.jinja files, as
// testdata/golden/make_chat_families.py takes it. Beside real tokenizers the prompts' ids are
// apply_chat_template's too.
func TestRealFamilies(t *testing.T) {
	dir := os.Getenv("SOFTBENCH_CHAT_TEMPLATES")
	if dir == "" {
		t.Skip("SOFTBENCH_CHAT_TEMPLATES names no directory of chat templates")
	}
	text, err := os.ReadFile("testdata/families.json")
	if err != nil {
		t.Fatal(err)
	}
	var g families
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	prompts := map[string][]*string{}
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
		prompts[c.Name] = g.compare(t, c, string(source))
	}
	if len(prompts) < 20 {
		t.Errorf("%d of %d templates are in %s, want at least 20", len(prompts), len(g.Templates), dir)
	}
	for _, name := range []string{"gpt-neox", "llama2", "mistral-v0.3"} {
		t.Run(name, func(t *testing.T) { g.compareIDs(t, name, prompts) })
	}
}

// compare renders a template's chats and returns the prompts.
func (g *families) compare(t *testing.T, c family, source string) []*string {
	chat, err := Read(t.Context(), checkpoint(t, map[string]any{
		"chat_template.jinja": source, "tokenizer_config.json": map[string]any{"bos_token": g.BOS, "eos_token": g.EOS},
	}))
	prompts := make([]*string, len(g.Chats))
	for i, k := range g.Chats {
		got := ""
		err := err // a template that Jinja refuses too, or asks at the wrong place for what it lacks
		if err == nil {
			got, err = chat.render(k.Messages, k.Generation)
		}
		switch want := c.Prompts[i]; {
		case want == nil && err == nil:
			t.Errorf("%s, chat %d: %q; transformers refuses it", c.Name, i, got)
		case want != nil && (err != nil || hashed(got) != *want):
			t.Errorf("%s, chat %d: %q (%v) is not transformers' prompt", c.Name, i, got, err)
		case err == nil:
			prompts[i] = &got
		}
	}
	return prompts
}

// compareIDs compares the prompts' ids by a real tokenizer.
func (g *families) compareIDs(t *testing.T, name string, prompts map[string][]*string) {
	k, err := tokenizer.Load(golden.Shared(t, "tokenizers", name))
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, c := range g.Templates {
		want, ok := c.IDs[name]
		if !ok || prompts[c.Name] == nil {
			continue
		}
		compared++
		var lines []string
		for _, p := range prompts[c.Name] {
			if p == nil {
				lines = append(lines, "-")
				continue
			}
			lines = append(lines, strings.Trim(fmt.Sprint(k.Encode(*p, false)), "[]"))
		}
		if hashed(strings.Join(lines, "\n")) != want {
			t.Errorf("%s: the ids are not transformers'", c.Name)
		}
	}
	t.Logf("%d templates by %s", compared, name)
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
