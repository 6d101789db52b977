package eval

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/reports/rundir"
)

// talking is the tiny checkpoint with a chat template that begins with its BOS token.
func talking(t *testing.T, template string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} {
		text, err := os.ReadFile(golden.Dir(t, "tiny", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "chat_template.jinja"), []byte(template), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

const brackets = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"

// TestChatPrompts: the system's text, examples as turns and as part of the question, and what follows
// a question, are as lm-evaluation-harness has them with a chat template.
func TestChatPrompts(t *testing.T) {
	choices := filepath.Join(t.TempDir(), "mc.yaml")
	yaml := "name: mc\nkind: multiple_choice\ndataset: {files: {test: " + golden.Dir(t, "generate", "test.jsonl") + ", train: " + golden.Dir(t, "generate", "train.jsonl") + "}, train: train}\n" +
		"context: \"Q: {{.question}}\"\nchoices: choices\ngold: 0\n"
	if err := os.WriteFile(choices, []byte(yaml), 0o666); err != nil {
		t.Fatal(err)
	}
	var train, test map[string]any
	for name, into := range map[string]*map[string]any{"train.jsonl": &train, "test.jsonl": &test} {
		text, err := os.ReadFile(golden.Dir(t, "generate", name))
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		if err := json.Unmarshal([]byte(line), into); err != nil {
			t.Fatal(err)
		}
	}
	q, a := train["question"].(string), train["choices"].([]any)[0].(string)
	asked := test["question"].(string)
	for multiturn, want := range map[bool]string{
		true:  "<s>[system]Be brief.\n[user]Q: " + q + "\n[assistant]" + a + "\n[user]Q: " + asked + "\n[assistant]",
		false: "<s>[system]Be brief.\n[user]Q: " + q + " " + a + "\n\nQ: " + asked + "\n[assistant]",
	} {
		o := RunOptions{
			Suites: []string{choices}, FewShot: 1, Limit: 1, Prompts: Prompts{System: "Be brief.", Multiturn: multiturn},
			Model: ModelOptions{Model: talking(t, brackets), DType: "float32", Chat: true}, Out: filepath.Join(t.TempDir(), "run"), Note: func(string) {},
		}
		run := mustRun(t, o)
		_, rows, err := rundir.Open(t.Context(), o.Out)
		if err != nil {
			t.Fatal(err)
		}
		if *rows[0].Context != want {
			t.Errorf("multiturn %v: the prompt is %q; want %q", multiturn, *rows[0].Context, want)
		}
		if first := test["choices"].([]any)[0].(string); *rows[0].Continuation != first {
			t.Errorf("after a question %q is scored; want %q, without a delimiter", *rows[0].Continuation, first)
		}
		p := run.Settings.Prompts
		if p == nil || len(p.ChatTemplate) != 64 || p.System != "Be brief." || p.Multiturn != multiturn {
			t.Errorf("the run keeps %+v", p)
		}
	}
}

// TestChatIDs: the ids of a chat's prompt are transformers' own, and a template that begins with the
// BOS token's text gives one BOS, not two.
func TestChatIDs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "tasks", "chat", "testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		BOS       string `json:"bos_token"`
		Templates []struct {
			Name  string
			Cases []struct {
				Text *string
				IDs  []int32
			}
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	m, err := Load(t.Context(), ModelOptions{Model: golden.TinyCheckpoint(t, "tiny"), DType: "float32"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	bos, _ := m.Tokenizer.BOS()
	twice, n := 0, 0
	for _, c := range g.Templates {
		for i, k := range c.Cases {
			if k.Text == nil {
				continue
			}
			want := k.IDs
			if !strings.HasPrefix(*k.Text, g.BOS) {
				want = append([]int32{bos}, want...) // lm-evaluation-harness encodes with what the tokenizer adds
			} else {
				twice++
			}
			prompt := strings.TrimRight(*k.Text, " \n") // white space at the end goes to the continuation
			if prompt != *k.Text {
				continue
			}
			n++
			ids, from := m.LM.Encode(lm.Request{Context: *k.Text, Continuation: " x"})
			if !slices.Equal(ids[:from], want) {
				t.Errorf("%s, chat %d: ids %v; transformers has %v", c.Name, i, ids[:from], want)
			}
		}
	}
	if twice < 5 || n < 10 {
		t.Fatalf("only %d prompts with a BOS of their own, %d compared: the test proves nothing", twice, n)
	}
}

// TestStripThinking: what a template marks as thinking is cut off where it is applied, unless the
// user says otherwise, and by its usual marks where the user asks for it.
func TestStripThinking(t *testing.T) {
	yes, no := true, false
	for name, c := range map[string]struct {
		template string
		chat     bool
		strip    *bool
		want     string
	}{
		"a template that marks it":     {brackets + "{# </think> #}", true, nil, "</think>"},
		"the same, unwanted":           {brackets + "{# </think> #}", true, &no, ""},
		"the same, not applied":        {brackets + "{# </think> #}", false, nil, ""},
		"a template that does not":     {brackets, true, nil, ""},
		"asked for without a template": {brackets, false, &yes, "</think>"},
	} {
		m, err := open(t.Context(), ModelOptions{Model: talking(t, c.template), Chat: c.chat, StripThinking: c.strip})
		if err != nil {
			t.Fatal(err)
		}
		if m.thinking.End != c.want {
			t.Errorf("%s: thinking ends with %q; want %q", name, m.thinking.End, c.want)
		}
		m.Close()
	}
}
