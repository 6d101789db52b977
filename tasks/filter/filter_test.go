package filter

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// The filters take what lm-evaluation-harness' own take of the same texts.
func TestEqualsHarness(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Texts, Choices []string
		Pipelines      []struct {
			Name  string
			Steps [][2]any
			Taken []string
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{"strip": true} // remove_whitespace by another name
	for _, c := range g.Pipelines {
		var steps []Step
		for _, s := range c.Steps {
			steps = append(steps, Step{Function: s[0].(string), Options: s[1].(map[string]any)})
			tested[s[0].(string)] = true
		}
		p, err := New(c.Name, steps)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		for i, text := range g.Texts {
			if got, err := p.Apply(text, g.Choices, nil); err != nil || got != c.Taken[i] {
				t.Errorf("%s takes %q of %q (%v); the harness takes %q", c.Name, got, text, err, c.Taken[i])
			}
		}
	}
	for _, name := range Names() {
		if !tested[name] {
			t.Errorf("no golden has the filter %s", name)
		}
	}
}

func TestRefused(t *testing.T) {
	for want, steps := range map[string][]Step{
		`"custom" is not known`:           {{Function: "custom"}},
		`put take_first last`:             {{Function: "take_first"}, {Function: "lowercase"}},
		`it has no option "pattern"`:      {{Function: "regex", Options: map[string]any{"pattern": "x"}}},
		`it has no option "k"; it has no`: {{Function: "lowercase", Options: map[string]any{"k": 1}}},
		`regular expression "("`:          {{Function: "regex", Options: map[string]any{"regex_pattern": "("}}},
		`group_select is not a whole`:     {{Function: "regex", Options: map[string]any{"group_select": "first"}}},
		`fallback is not a text`:          {{Function: "regex", Options: map[string]any{"fallback": 1.5}}},
		`it needs default_value`:          {{Function: "map", Options: map[string]any{"mapping_dict": map[string]any{"a": 1}}}},
		`mapping_dict is not a mapping`:   {{Function: "map", Options: map[string]any{"mapping_dict": []any{}, "default_value": ""}}},
		`k is 3; a document has one`:      {{Function: "take_first_k", Options: map[string]any{"k": 3}}},
		`regexes_to_ignore is not a list`: {{Function: "multi_choice_regex", Options: map[string]any{"regexes_to_ignore": "x"}}},
		`ignore_case is not true or`:      {{Function: "multi_choice_regex", Options: map[string]any{"ignore_case": 1}}},
	} {
		if _, err := New("f", steps); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; want %q", steps, err, want)
		}
	}
	if _, err := New("a,b", nil); err == nil {
		t.Error("a name with a comma is taken")
	}
	p, err := New("f", []Step{{Function: "multi_choice_regex"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply("x", nil, nil); err == nil || !strings.Contains(err.Error(), "choices") {
		t.Errorf("a document without choices: %v", err)
	}
}
