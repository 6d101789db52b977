package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// Of a multimodal model the text part is read, and a note says what is not: in
// each layout of names, and where a head is stored that a default would tie.
func TestTextPart(t *testing.T) {
	for _, c := range []struct {
		golden, of, text string
		others           int
		example          string
		tied             bool
		note             string
	}{
		{"llava", "llava", "llama", 27, "multi_modal_projector.linear_1.bias", false, ""},
		{"llava-new", "llava", "mistral", 27, "model.multi_modal_projector.linear_1.bias", false, ""},
		{"qwen2_vl", "qwen2_vl", "qwen2_vl_text", 19, "visual.blocks.0.attn.proj.bias", false, ""},
		{"smolvlm", "smolvlm", "llama", 22, "model.connector.modality_projection.proj.weight", false, ""},
		{"mistral3", "mistral3", "mistral", 15, "multi_modal_projector.linear_1.weight", true, ""},
		{"mistral3-head", "mistral3", "mistral", 15, "multi_modal_projector.linear_1.weight", false, "the stored head is read"},
	} {
		t.Run(c.golden, func(t *testing.T) {
			ck, err := checkpoint.Open(golden.Family(t, c.golden).Dir, checkpoint.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer ck.Close()
			if ck.Config.TextOf != c.of || ck.Config.ModelType != c.text || ck.Config.TieEmbeddings != c.tied {
				t.Errorf("%s of %s, tied: %t", ck.Config.ModelType, ck.Config.TextOf, ck.Config.TieEmbeddings)
			}
			notes := strings.Join(ck.Notes, "\n")
			for _, want := range []string{fmt.Sprintf("the text part of a %s model is computed: %d tensors of its other parts (such as %q) are not read", c.of, c.others, c.example), c.note} {
				if !strings.Contains(notes, want) {
					t.Errorf("the notes are %q, want %q", notes, want)
				}
			}
		})
	}
}
