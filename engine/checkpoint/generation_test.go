package checkpoint_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/randmodel"
)

// The tokens that end a text are generation_config.json's, else config.json's; what would change
// the tokens of greedy decoding is named, what is of sampling is not.
func TestGeneration(t *testing.T) {
	for _, c := range []struct {
		config  any // eos_token_id
		file    string
		end     []int32
		ignored []string
		wrong   string
	}{
		{config: 2, end: []int32{2}},
		{config: []int{5, 3, 5}, end: []int32{5, 3}},
		{config: nil, end: nil},
		{config: 2, file: `{"eos_token_id": [7, 2], "do_sample": true, "temperature": 0.6, "top_p": 0.9}`, end: []int32{7, 2}},
		{config: []int{4, 2}, file: `{"eos_token_id": 9, "repetition_penalty": 1.0, "num_beams": 1, "no_repeat_ngram_size": 0}`, end: []int32{9}},
		{config: []int{4, 2}, file: `{"repetition_penalty": 1.1, "suppress_tokens": [1, 2], "bad_words_ids": null}`, end: []int32{4, 2}, ignored: []string{"repetition_penalty 1.1", "suppress_tokens [1, 2]"}},
		{config: 2, file: `[]`, wrong: "not a JSON object"},
		{config: 2, file: `{"eos_token_id": ["x"]}`, wrong: "not a token id"},
		{config: 2, file: `{"eos_token_id": -3}`, wrong: "not a token id"},
	} {
		m := build(t, randmodel.Options{})
		m.config["eos_token_id"] = c.config
		dir := m.write(t)
		if c.file != "" {
			if err := os.WriteFile(filepath.Join(dir, "generation_config.json"), []byte(c.file), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		g, err := mustOpen(t, dir, Options{}).Generation(t.Context())
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || !strings.Contains(err.Error(), "generation_config.json") {
				t.Errorf("%s: %v; want %q", c.file, err, c.wrong)
			}
			continue
		}
		if err != nil || !slices.Equal(g.End, c.end) || !slices.Equal(g.Ignored, c.ignored) {
			t.Errorf("config %v, %s: %+v (%v); want %v and %q", c.config, c.file, g, err, c.end, c.ignored)
		}
	}
}
