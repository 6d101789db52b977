// Package chat puts messages into a model's chat template, as transformers' apply_chat_template and
// lm-evaluation-harness' use of it do. It knows a checkpoint's files of tokens and templates, and no
// weights, tokenizers or tasks.
package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/jinja"
	"github.com/softbench/softbench/tasks/py"
)

// maxFile bounds a file that is read, in bytes.
const maxFile = 64 << 20

// Message is what a role says.
type Message struct{ Role, Content string }

// Template is a model's chat template.
type Template struct {
	Path   string // of the file that it stands in
	source string
	parsed *jinja.Template
	tokens map[string]string // bos_token and its like
}

// Read finds a checkpoint's chat template: chat_template.jinja, else chat_template.json, else
// tokenizer_config.json's, of several the one called default.
func Read(ctx context.Context, dir string) (*Template, error) {
	t := &Template{tokens: map[string]string{}}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: a chat template is read from a checkpoint's directory, and this is one file", dir)
	}
	config, err := object(ctx, filepath.Join(dir, "tokenizer_config.json"))
	if err != nil {
		return nil, err
	}
	special, err := object(ctx, filepath.Join(dir, "special_tokens_map.json"))
	if err != nil {
		return nil, err
	}
	for _, from := range []map[string]json.RawMessage{special, config} { // the second wins
		for name, raw := range from {
			if text, ok := tokenText(raw); ok && strings.HasSuffix(name, "_token") {
				t.tokens[name] = text
			}
		}
	}
	if err := t.find(ctx, dir, config); err != nil {
		return nil, err
	}
	if t.source == "" {
		return nil, fmt.Errorf("%s: the checkpoint has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json)", dir)
	}
	if t.parsed, err = jinja.Parse(t.source, jinja.ForChat); err != nil {
		return nil, fmt.Errorf("%s: the chat template: %s", t.Path, oneLine(err))
	}
	return t, nil
}

// find sets the template's text.
func (t *Template) find(ctx context.Context, dir string, config map[string]json.RawMessage) error {
	t.Path = filepath.Join(dir, "chat_template.jinja")
	text, err := regularfile.ReadAll(ctx, t.Path, maxFile)
	if err == nil {
		t.source = string(text)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	t.Path = filepath.Join(dir, "chat_template.json")
	alone, err := object(ctx, t.Path)
	if err != nil {
		return err
	}
	raw := alone["chat_template"]
	if raw == nil {
		t.Path, raw = filepath.Join(dir, "tokenizer_config.json"), config["chat_template"]
	}
	if raw == nil || string(raw) == "null" || json.Unmarshal(raw, &t.source) == nil {
		return nil
	}
	var several []struct{ Name, Template string }
	if err := json.Unmarshal(raw, &several); err != nil {
		return fmt.Errorf("%s: chat_template is neither a text nor a list of templates with names", t.Path)
	}
	for _, s := range several {
		if s.Name == "default" {
			t.source = s.Template
			return nil
		}
	}
	return fmt.Errorf("%s: of the %d chat templates none is called default", t.Path, len(several))
}

// object reads a JSON object; none where the file is not there.
func object(ctx context.Context, path string) (map[string]json.RawMessage, error) {
	text, err := regularfile.ReadAll(ctx, path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("%s: not a JSON object: %s", path, oneLine(jsonplace.Plain(err)))
	}
	return out, nil
}

// tokenText is a token's text: itself, or its content.
func tokenText(raw json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil && string(raw) != "null" {
		return text, true
	}
	var token struct{ Content *string }
	if json.Unmarshal(raw, &token) != nil || token.Content == nil {
		return "", false
	}
	return *token.Content, true
}

// SHA256 is the hash of the template's text, as lm-evaluation-harness gives it.
func (t *Template) SHA256() string {
	sum := sha256.Sum256([]byte(t.source))
	return hex.EncodeToString(sum[:])
}

// Dated: the template asks for the day's date, which it is not given, so that a prompt is the same on
// every day. transformers gives it.
func (t *Template) Dated() bool { return strings.Contains(t.source, "strftime_now") }

// marks are how families mark what a model thinks before it answers.
var marks = [][2]string{{"<think>", "</think>"}, {"[THINK]", "[/THINK]"}, {"<|START_THINKING|>", "<|END_THINKING|>"}, {"<seed:think>", "</seed:think>"}}

// Thinking is how the template marks thinking; false where it does not.
func (t *Template) Thinking() (begin, end string, ok bool) {
	for _, m := range marks {
		if strings.Contains(t.source, m[1]) {
			return m[0], m[1], true
		}
	}
	return "", "", false
}

// continued marks the end of a message that is to be gone on with.
const continued = "CONTINUE_FINAL_MESSAGE_TAG "

// Apply is the prompt of messages: with generationPrompt the model is about to answer, else it goes on
// with the last message. A template that refuses a system's message gets the rest without it, as
// lm-evaluation-harness does.
func (t *Template) Apply(messages []Message, generationPrompt bool) (string, error) {
	text, err := t.render(messages, generationPrompt)
	if err == nil {
		return text, nil
	}
	var others []Message
	for _, m := range messages {
		if m.Role != "system" {
			others = append(others, m)
		}
	}
	if len(others) < len(messages) {
		if text, again := t.render(others, generationPrompt); again == nil {
			return text, nil
		}
	}
	return "", fmt.Errorf("%s: the chat template: %s", t.Path, oneLine(err))
}

func (t *Template) render(messages []Message, generationPrompt bool) (string, error) {
	list := py.NewList()
	for i, m := range messages {
		if !generationPrompt && i == len(messages)-1 {
			m.Content += continued
		}
		message := py.NewDict()
		message.Set("role", m.Role)
		message.Set("content", m.Content)
		list.Items = append(list.Items, message)
	}
	text, err := t.parsed.Render(func(name string) (py.Value, bool) {
		switch name {
		case "messages":
			return list, true
		case "add_generation_prompt":
			return generationPrompt, true
		case "tools", "documents":
			return nil, true
		}
		token, ok := t.tokens[name]
		return token, ok
	})
	if err != nil || generationPrompt {
		return text, err
	}
	at := strings.LastIndex(text, strings.TrimSpace(continued))
	switch {
	case at < 0:
		return "", errors.New("it leaves out the message that is to be gone on with")
	case strings.HasPrefix(text[at:], continued):
		return text[:at], nil
	}
	return py.RStrip(text[:at]), nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
