package tokenizer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/internal/rescue"
)

// Load is LoadContext without a context.
func Load(dir string) (*Tokenizer, error) { return LoadContext(context.Background(), dir) }

// LoadContext reads the tokenizer of a GGUF file, or of a checkpoint directory: tokenizer.json, else tokenizer.model
// (or tokenizer.model.v3 and the like), tekken.json, or vocab.json with merges.txt; and, where present, tokenizer_config.json, special_tokens_map.json
// and added_tokens.json. The error is one line that names the file, the place in it and what is wrong. It returns the context's error as soon as the context ends.
func LoadContext(ctx context.Context, dir string) (*Tokenizer, error) {
	type result struct {
		t   *Tokenizer
		err error
	}
	// A large file takes seconds to parse, which nothing interrupts: whoever is told to stop does not wait.
	done := make(chan result, 1)
	go func() {
		var r result
		r.err = rescue.Try(func() (err error) { r.t, err = loadFiles(ctx, dir); return err })
		done <- r
	}()
	select {
	case r := <-done:
		return r.t, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func loadFiles(ctx context.Context, dir string) (*Tokenizer, error) {
	r := &reader{ctx: ctx}
	if gguf.Is(dir) {
		return loadGGUF(r, dir)
	}
	return loadDir(r, dir)
}

// loadDir reads the tokenizer in a directory.
func loadDir(r *reader, dir string) (*Tokenizer, error) {
	t, data, s, err := loadTokenizer(r, dir)
	if err != nil {
		return nil, err
	}
	if err := intoError(func() error { return t.configure(s) }); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	s.Rebuilt = t.form == formJSON && t.prefixSpace(s)
	t.files = r.seen
	return t, t.identify(data, s)
}

// identify computes the tokenizer's hash from its file and settings, and makes that of its content ready.
func (t *Tokenizer) identify(data []byte, s settings) error {
	encoded, err := s.encode()
	if err != nil {
		return err
	}
	file := sha256.Sum256(data)
	sum := sha256.Sum256(append(file[:], encoded...))
	t.sha = hex.EncodeToString(sum[:])
	t.content = sync.OnceValue(contentOf(data, encoded, t.form == formJSON))
	return nil
}

// form is which files a tokenizer was read from, where settings apply otherwise.
type form uint8

const (
	formJSON  form = iota // tokenizer.json
	formModel             // tokenizer.model
	formTekken
	formPlain // vocab.json and merges.txt
)

// loadTokenizer reads the first of the tokenizer's files that is there, and the settings.
func loadTokenizer(r *reader, dir string) (*Tokenizer, []byte, settings, error) {
	for _, f := range []struct {
		name  string
		form  form
		parse func([]byte) (*Tokenizer, error)
	}{{"tokenizer.json", formJSON, parseJSON}, {"tokenizer.model", formModel, parseSentencePiece}, {versioned(dir), formModel, parseSentencePiece}, {"tekken.json", formTekken, parseTekken}} {
		if f.name == "" {
			continue
		}
		path := filepath.Join(dir, f.name)
		data, err := r.read(path, maxTokenizer)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, settings{}, err
		}
		var t *Tokenizer
		if err := intoError(func() (err error) { t, err = f.parse(data); return err }); err != nil {
			return nil, nil, settings{}, fmt.Errorf("%s: %w", path, err)
		}
		t.path, t.form = path, f.form
		var own defaults
		if f.form == formTekken {
			own = t.nameTekken
		}
		s, err := readSettings(r, dir, own)
		return t, data, s, err
	}
	return loadPlain(r, dir)
}

// versioned is the name of a tokenizer.model as Mistral's repositories have it, tokenizer.model.v3 and the
// like; "" for none.
func versioned(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "" // said where the first file is read
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "tokenizer.model.v") {
			return e.Name()
		}
	}
	return ""
}

// Settled returns an error where a file of the tokenizer has changed since it was read, so that the
// checkpoint around it may have too.
func (t *Tokenizer) Settled() error {
	for _, f := range t.files {
		if err := f.unchanged(); err != nil {
			return err
		}
	}
	return nil
}

// configure applies settings as transformers' tokenizer classes do when they load a directory.
func (t *Tokenizer) configure(s settings) error {
	// Tokens the file lacks, or has with other flags, are added in the order of their config ids.
	var tokens []addedToken
	have := make(map[addedToken]bool, len(t.added.tokens))
	for _, token := range t.added.tokens {
		have[token] = true
	}
	for _, id := range slices.Sorted(maps.Keys(s.Added)) {
		if _, known := t.added.ids[s.Added[id].content]; known && s.Legacies {
			continue // the file's own flags count, not those made for added_tokens.json
		}
		if !have[s.Added[id]] {
			tokens = append(tokens, s.Added[id])
		}
	}
	tokens = append(tokens, s.Special...)
	if t.padToken != "" && !s.HasPad {
		tokens = append(tokens, addedToken{content: t.padToken, special: true})
	}
	tokens = append(tokens, s.Extra...)
	if len(tokens) > 0 {
		if err := t.addTokens(tokens); err != nil {
			return err
		}
	}
	t.bos, t.eos = t.named(s.BOS), t.named(s.EOS)
	t.splitSpecial = s.SplitSpecial
	t.maxLength = s.MaxLength
	switch t.form {
	case formModel:
		return t.configureSP(s)
	case formTekken:
		t.template = t.ends(s, true)
	case formPlain:
		t.template = t.ends(s, false)
	}
	return nil
}

// ends is the template of files that have none of their own: BOS and EOS as the settings say.
func (t *Tokenizer) ends(s settings, bos bool) (out template) {
	if t.bos >= 0 && (s.AddBOS == nil && bos || s.AddBOS != nil && *s.AddBOS) {
		out = append(out, templateItem{ids: []int32{t.bos}})
	}
	out = append(out, templateItem{sequence: true})
	if t.eos >= 0 && s.AddEOS != nil && *s.AddEOS {
		out = append(out, templateItem{ids: []int32{t.eos}})
	}
	return out
}

// byteLevelClasses are the classes of transformers that make their ByteLevel step anew, with their own
// add_prefix_space, whatever tokenizer.json says of it.
var byteLevelClasses = map[string]bool{"GPT2Tokenizer": true, "GPTNeoXTokenizer": true, "Qwen2Tokenizer": true}

// prefixSpace applies add_prefix_space to a tokenizer.json, where the class that is named does, and reports
// whether that changed anything.
func (t *Tokenizer) prefixSpace(s settings) (changed bool) {
	for i, step := range t.preTokenizers {
		switch step := step.(type) {
		case byteLevel:
			if byteLevelClasses[s.Class] {
				want := s.PrefixSpace != nil && *s.PrefixSpace
				changed = changed || want != step.prefixSpace
				step.prefixSpace = want
				t.preTokenizers[i] = step
			}
		case metaspace:
			if s.Class == "LlamaTokenizer" && s.PrefixSpace != nil && !*s.PrefixSpace {
				changed = changed || step.scheme != prependNever
				step.scheme = prependNever
				t.preTokenizers[i] = step
			}
		}
	}
	return changed
}

// named returns the id of a special token, -1 for none.
func (t *Tokenizer) named(token *addedToken) int32 {
	if token != nil {
		if id, ok := t.ID(token.content); ok {
			return id
		}
	}
	return -1
}

// encode is what of the settings decides ids, as the hashes take it.
func (s settings) encode() ([]byte, error) {
	type token struct {
		ID                                              int32
		Content                                         string
		SingleWord, LStrip, RStrip, Normalized, Special bool
	}
	plain := func(id int32, t addedToken) token {
		return token{id, t.content, t.singleWord, t.lstrip, t.rstrip, t.normalized, t.special}
	}
	form := struct {
		Settings settings
		BOS, EOS string
		Special  []token
		Added    []token
	}{Settings: s}
	if s.BOS != nil {
		form.BOS = s.BOS.content
	}
	if s.EOS != nil {
		form.EOS = s.EOS.content
	}
	for _, t := range slices.Concat(s.Special, s.Extra) {
		form.Special = append(form.Special, plain(-1, t))
	}
	for id, t := range s.Added {
		form.Added = append(form.Added, plain(id, t))
	}
	slices.SortFunc(form.Added, func(a, b token) int { return int(a.ID) - int(b.ID) })
	return json.Marshal(form)
}
