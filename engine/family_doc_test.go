package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// Every model type that loads, as a whole or by its text part, has a golden of its own and stands in
// docs/models.md, and so does every attention kind.
func TestEveryFamilyIsHeldAndDocumented(t *testing.T) {
	held := map[string]bool{}
	types := func(dirs ...string) {
		for _, dir := range dirs {
			text, err := os.ReadFile(filepath.Join(dir, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			var c struct {
				Type string `json:"model_type"`
				Text struct {
					Type string `json:"model_type"`
				} `json:"text_config"`
			}
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			held[c.Type], held[c.Text.Type] = true, true
			if slices.Contains(checkpoint.Wrappers(), c.Type) && c.Text.Type == "" { // its text's settings beside its own
				held[c.Type+"_text"] = true
			}
		}
	}
	for _, name := range golden.Families(t) {
		types(golden.Dir(t, "families", name))
	}
	for _, m := range golden.Models(t) {
		types(m.Dir)
	}
	doc, err := os.ReadFile("../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(checkpoint.Families(), checkpoint.Wrappers()) {
		if !held[name] {
			t.Errorf("no golden has model_type %q", name)
		}
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/models.md does not name %q", name)
		}
	}
	for _, k := range attention.Kinds() {
		if !strings.Contains(string(doc), k.String()) {
			t.Errorf("docs/models.md does not name the kind %q", k)
		}
	}
}
