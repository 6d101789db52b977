package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/internal/regularfile"
)

// The tokenizer of a GGUF file: its metadata, put as the tokenizer.json that
// transformers makes of them (integrations/gguf/gguf_tokenizer_mapping.py), and
// split by the rule that llama.cpp has for the name in tokenizer.ggml.pre.

// loadGGUF reads the tokenizer of a GGUF file: the one beside it where there is
// one, else the one in it.
func loadGGUF(r *reader, path string) (*Tokenizer, error) {
	path = gguf.First(path)
	dir := filepath.Dir(path)
	for _, name := range []string{"tokenizer.json", "tokenizer.model"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return loadDir(r, dir)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, regularfile.PathError(path, err)
	}
	r.seen = append(r.seen, seenFile{path, info})
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g := &ggufTokenizer{File: f}
	data, config, err := g.files()
	if err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	var t *Tokenizer
	if err := intoError(func() (err error) { t, err = parseJSON(data); return err }); err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	t.path = path
	s := settings{path: path, Added: map[int32]addedToken{}}
	if err := s.readSpecial(config, further{}); err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	if err := intoError(func() error { return t.configure(s) }); err != nil {
		return nil, fmt.Errorf("%s: its tokenizer: %w", path, err)
	}
	t.kind += ", from GGUF metadata"
	t.files = r.seen
	return t, t.identify(data, s)
}

type ggufTokenizer struct {
	*gguf.File
	tokens []string
	types  []float64 // of the tokens; nil where the file does not say
}

// Types of tokens, by llama.cpp's numbers.
const (
	ggufControl     = 3
	ggufUserDefined = 4
)

// files returns a tokenizer.json and the special tokens that a
// tokenizer_config.json would name.
func (g *ggufTokenizer) files() (data []byte, special map[string]json.RawMessage, err error) {
	if g.tokens, err = g.Texts("tokenizer.ggml.tokens"); err != nil {
		return nil, nil, errors.New("the metadata have none (tokenizer.ggml.tokens): put the model's tokenizer.json beside the file")
	}
	if len(g.tokens) > maxTokens {
		return nil, nil, fmt.Errorf("%d tokens, more than %d", len(g.tokens), maxTokens)
	}
	if g.Has("tokenizer.ggml.token_type") {
		if g.types, err = g.Numbers("tokenizer.ggml.token_type"); err != nil || len(g.types) != len(g.tokens) {
			return nil, nil, fmt.Errorf("tokenizer.ggml.token_type does not have one number for each of %d tokens", len(g.tokens))
		}
	}
	if special, err = g.special(); err != nil {
		return nil, nil, err
	}
	var file map[string]any
	model, _ := g.Text("tokenizer.ggml.model")
	switch model {
	case "gpt2":
		file, err = g.byteLevel()
	case "llama":
		file, err = g.sentencePiece()
	default:
		return nil, nil, fmt.Errorf("tokenizer.ggml.model %q is not supported (known: gpt2, llama): put the model's tokenizer.json beside the file", model)
	}
	if err != nil {
		return nil, nil, err
	}
	file["version"] = "1.0"
	file["added_tokens"] = g.added()
	if file["post_processor"], err = g.template(model); err != nil {
		return nil, nil, err
	}
	data, err = json.Marshal(file)
	return data, special, err
}

// special names the tokens that the metadata give ids of.
func (g *ggufTokenizer) special() (map[string]json.RawMessage, error) {
	named := map[string]json.RawMessage{"pad_token": json.RawMessage("null")}
	for name, key := range map[string]string{"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"} {
		token, ok, err := g.named(key)
		if err != nil {
			return nil, err
		}
		if ok {
			named[name], _ = json.Marshal(token) // a string is never refused
		}
	}
	return named, nil
}

func (g *ggufTokenizer) named(key string) (token string, ok bool, err error) {
	id, ok := g.Integer("tokenizer.ggml." + key + "_token_id")
	if !ok {
		return "", false, nil
	}
	if id < 0 || id >= int64(len(g.tokens)) {
		return "", false, fmt.Errorf("tokenizer.ggml.%s_token_id is %d of %d tokens", key, id, len(g.tokens))
	}
	return g.tokens[id], true, nil
}

// kind is a token's type; 0 where the file does not say.
func (g *ggufTokenizer) kind(id int) int {
	if g.types == nil {
		return 0
	}
	return int(g.types[id])
}

// added lists the control tokens, which are special, and the user-defined ones.
func (g *ggufTokenizer) added() []any {
	all := []any{}
	for _, kind := range []int{ggufControl, ggufUserDefined} {
		for id, token := range g.tokens {
			if g.kind(id) == kind && token != "" {
				all = append(all, map[string]any{
					"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": kind == ggufControl,
				})
			}
		}
	}
	return all
}

// template is what is put around every text.
func (g *ggufTokenizer) template(model string) (any, error) {
	pre, _ := g.Text("tokenizer.ggml.pre")
	bos, said := g.Flag("tokenizer.ggml.add_bos_token")
	if !said { // what llama.cpp does with files that do not say
		bos = model == "llama" || slices.Contains(llama3Names, pre)
	}
	eos, _ := g.Flag("tokenizer.ggml.add_eos_token")
	single := []any{map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}}}
	tokens := map[string]any{}
	put := func(key string) (any, bool, error) {
		id, _ := g.Integer("tokenizer.ggml." + key + "_token_id")
		token, ok, err := g.named(key)
		tokens[token] = map[string]any{"id": token, "ids": []int64{id}, "tokens": []string{token}}
		return map[string]any{"SpecialToken": map[string]any{"id": token, "type_id": 0}}, ok, err
	}
	if bos {
		item, ok, err := put("bos")
		if err != nil {
			return nil, err
		}
		if ok {
			single = slices.Insert(single, 0, item)
		}
	}
	if eos {
		item, ok, err := put("eos")
		if err != nil {
			return nil, err
		}
		if ok {
			single = append(single, item)
		}
	}
	return map[string]any{"type": "TemplateProcessing", "single": single, "pair": []any{}, "special_tokens": tokens}, nil
}
