package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
)

// generationFile is where a checkpoint says how it is to generate.
const generationFile = "generation_config.json"

// Generation is what a checkpoint says of decoding text.
type Generation struct {
	End []int32 // tokens by which a text is at its end
	// Ignored are settings that change what transformers takes for the most probable token, and that
	// are not followed here: each with its value.
	Ignored []string
}

// changing are such settings, with what makes each do nothing.
var changing = []struct{ name, nothing string }{
	{"repetition_penalty", "1"}, {"encoder_repetition_penalty", "1"}, {"no_repeat_ngram_size", "0"}, {"encoder_no_repeat_ngram_size", "0"},
	{"num_beams", "1"}, {"min_length", "0"}, {"min_new_tokens", ""}, {"bad_words_ids", ""}, {"suppress_tokens", ""}, {"begin_suppress_tokens", ""},
	{"sequence_bias", ""}, {"forced_bos_token_id", ""}, {"forced_eos_token_id", ""}, {"exponential_decay_length_penalty", ""}, {"guidance_scale", "1"},
	{"penalty_alpha", ""}, {"dola_layers", ""},
}

// Generation reads generation_config.json, where there is one; as in transformers its end tokens
// count and not config.json's. A sampling it asks for has no part in greedy decoding.
func (k *Checkpoint) Generation(ctx context.Context) (Generation, error) {
	g := Generation{End: endOf(k.ConfigText)}
	if len(g.End) == 0 && k.Config.EOS >= 0 {
		g.End = []int32{k.Config.EOS}
	}
	if info, err := os.Stat(k.Dir); err == nil && !info.IsDir() {
		return g, nil // a file that says it all itself
	}
	path := filepath.Join(k.Dir, generationFile)
	text, err := regularfile.ReadAll(ctx, path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return g, nil
	}
	if err != nil {
		return g, err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return g, fmt.Errorf("%s: not a JSON object: %w", path, jsonplace.Plain(err))
	}
	f := &fields{values: values}
	if ids := f.ids("eos_token_id"); len(ids) > 0 {
		g.End = ids
	}
	if f.err != nil {
		return g, fmt.Errorf("%s: %w", path, f.err)
	}
	for _, c := range changing {
		if v := string(values[c.name]); v != "" && v != "null" && v != c.nothing && v != c.nothing+".0" {
			g.Ignored = append(g.Ignored, c.name+" "+strings.Join(strings.Fields(v), " "))
		}
	}
	return g, nil
}

// endOf is config.json's list of end tokens; none where it cannot be read as one, of which errors
// are reported elsewhere.
func endOf(config []byte) []int32 {
	var values map[string]json.RawMessage
	if json.Unmarshal(config, &values) != nil {
		return nil
	}
	f := &fields{values: values}
	if ids := f.ids("eos_token_id"); f.err == nil && len(ids) > 0 {
		return ids
	}
	var inner struct {
		Text map[string]json.RawMessage `json:"text_config"`
	}
	if json.Unmarshal(config, &inner) != nil {
		return nil
	}
	f = &fields{values: inner.Text}
	if ids := f.ids("eos_token_id"); f.err == nil {
		return ids
	}
	return nil
}

// ids reads a token id, or a list of them, without those that repeat.
func (f *fields) ids(key string) (out []int32) {
	if f.isNull(key) || !f.has(key) {
		return nil
	}
	text := f.values[key]
	var list []json.RawMessage
	if text[0] != '[' {
		list = []json.RawMessage{text}
	} else if !f.read(key, &list, "a token id or a list of them") {
		return nil
	}
	for _, one := range list {
		var id int32
		if err := json.Unmarshal(one, &id); err != nil || id < 0 {
			f.fail("%s: %s is not a token id", key, one)
			return nil
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
