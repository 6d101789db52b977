package chat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkpoint makes a directory with a chat template.
func checkpoint(t *testing.T, files map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	for name, v := range files {
		text, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Templates of ten kinds give transformers' prompts, with and without a system's message, with turns
// before, and going on with an answer.
func TestEqualsTransformers(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		BOS       string `json:"bos_token"`
		EOS       string `json:"eos_token"`
		Templates []struct {
			Name, Template string
			Cases          []struct {
				Messages   []Message
				Generation bool
				Text       *string
			}
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Templates) < 10 {
		t.Fatalf("only %d templates", len(g.Templates))
	}
	for _, c := range g.Templates {
		dir := checkpoint(t, map[string]any{"tokenizer_config.json": map[string]any{"bos_token": map[string]any{"content": g.BOS}, "eos_token": g.EOS, "pad_token": nil, "chat_template": c.Template}})
		chat, err := Read(t.Context(), dir)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		for i, k := range c.Cases {
			got, err := chat.Apply(k.Messages, k.Generation)
			switch {
			case k.Text == nil && err == nil:
				t.Errorf("%s, chat %d: %q; transformers refuses it", c.Name, i, got)
			case k.Text != nil && (err != nil || got != *k.Text):
				t.Errorf("%s, chat %d: %q (%v); transformers has %q", c.Name, i, got, err, *k.Text)
			}
		}
	}
}

// Where a template is looked for, and what is said where there is none that can be used.
func TestRead(t *testing.T) {
	one, two := "{{ messages[0].content }}1", "{{ messages[0].content }}2"
	for name, c := range map[string]struct {
		files map[string]any
		want  string // of the prompt of "x", or of the error
	}{
		"its own file":    {map[string]any{"chat_template.jinja": one, "tokenizer_config.json": map[string]any{"chat_template": two}}, "x1"},
		"an older file":   {map[string]any{"chat_template.json": map[string]any{"chat_template": one}, "tokenizer_config.json": map[string]any{"chat_template": two}}, "x1"},
		"a default":       {map[string]any{"tokenizer_config.json": map[string]any{"chat_template": []any{map[string]any{"name": "rag", "template": one}, map[string]any{"name": "default", "template": two}}}}, "x2"},
		"no default":      {map[string]any{"tokenizer_config.json": map[string]any{"chat_template": []any{map[string]any{"name": "rag", "template": one}}}}, "none is called default"},
		"none":            {map[string]any{"tokenizer_config.json": map[string]any{}}, "the checkpoint has no chat template"},
		"not a text":      {map[string]any{"tokenizer_config.json": map[string]any{"chat_template": 3}}, "neither a text nor a list"},
		"not a template":  {map[string]any{"chat_template.jinja": "{% if %}"}, "the chat template: "},
		"a broken config": {map[string]any{"tokenizer_config.json": "{"}, "not a JSON object"},
		"it raises":       {map[string]any{"chat_template.jinja": "{{ raise_exception('no') }}"}, "no"},
	} {
		dir := checkpoint(t, c.files)
		chat, err := Read(t.Context(), dir)
		got := ""
		if err == nil {
			got, err = chat.Apply([]Message{{"user", "x"}}, true)
		}
		if err != nil {
			if got = err.Error(); !strings.Contains(got, dir) || strings.Contains(got, "\n") {
				t.Errorf("%s: the error %q is not one line that names the place", name, got)
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}

// TestDate: a template that asks for the day's date uses its own, and says that it asks.
func TestDate(t *testing.T) {
	for source, want := range map[string]bool{"{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}26 Jul 2024{% endif %}": true, "26 Jul 2024": false} {
		chat, err := Read(t.Context(), checkpoint(t, map[string]any{"chat_template.jinja": source}))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := chat.Apply([]Message{{"user", "x"}}, true); got != "26 Jul 2024" || err != nil || chat.Dated() != want {
			t.Errorf("%s: %q, %v, dated %v", source, got, err, chat.Dated())
		}
	}
}

func TestThinking(t *testing.T) {
	for source, want := range map[string]string{"{{ '<think>' }}{{ '</think>' }}": "</think>", "[/THINK]": "[/THINK]", "plain": ""} {
		chat, err := Read(t.Context(), checkpoint(t, map[string]any{"chat_template.jinja": source}))
		if err != nil {
			t.Fatal(err)
		}
		if _, end, ok := chat.Thinking(); end != want || ok != (want != "") {
			t.Errorf("%q: %q", source, end)
		}
	}
}
