package tokenizer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/pythonjson"
	"github.com/softbench/softbench/internal/rescue"
)

// Load is LoadContext without a context.
func Load(dir string) (*Tokenizer, error) { return LoadContext(context.Background(), dir) }

// LoadContext reads the tokenizer of a GGUF file, or of a checkpoint directory: tokenizer.json, else tokenizer.model; and,
// where present, tokenizer_config.json and special_tokens_map.json. The error is one line that names the
// file, the place in it and what is wrong. It returns the context's error as soon as the context ends.
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
	path := filepath.Join(dir, "tokenizer.json")
	parse := parseJSON
	data, err := r.read(path, maxTokenizer)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Join(dir, "tokenizer.model")
		parse = parseSentencePiece
		data, err = r.read(path, maxTokenizer)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: neither tokenizer.json nor tokenizer.model in it; copy the tokenizer's files beside the weights", dir)
	}
	if err != nil {
		return nil, err
	}
	var t *Tokenizer
	if err := intoError(func() (err error) { t, err = parse(data); return err }); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t.path = path
	settings, err := readSettings(r, dir)
	if err != nil {
		return nil, err
	}
	if err := intoError(func() error { return t.configure(settings) }); err != nil {
		return nil, fmt.Errorf("%s: %w", settings.path, err)
	}
	settings.Rebuilt = t.sp == nil && t.prefixSpace(settings)
	t.files = r.seen
	return t, t.identify(data, settings)
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
	t.content = sync.OnceValue(contentOf(data, encoded, t.sp == nil))
	return nil
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

// settings is what tokenizer_config.json and special_tokens_map.json say that changes ids or limits. Its
// JSON form is part of the fingerprint.
type settings struct {
	path         string
	BOS          *addedToken          `json:"-"`
	EOS          *addedToken          `json:"-"`
	Special      []addedToken         `json:"-"` // every *_token, BOS and EOS included, in a fixed order
	Extra        []addedToken         `json:"-"` // additional special tokens
	HasPad       bool                 `json:"-"` // pad_token is there, if only as null
	Added        map[int32]addedToken `json:"-"`
	HasAdded     bool                 `json:"-"`
	AddBOS       *bool                `json:"add_bos_token,omitempty"`
	AddEOS       *bool                `json:"add_eos_token,omitempty"`
	Class        string               `json:"-"`                 // tokenizer_class, without Fast at its end
	Rebuilt      bool                 `json:"rebuilt,omitempty"` // the class changed what tokenizer.json says
	PrefixSpace  *bool                `json:"add_prefix_space,omitempty"`
	Legacy       *bool                `json:"legacy,omitempty"`
	SplitSpecial bool                 `json:"split_special_tokens,omitempty"`
	MaxLength    int                  `json:"-"`
}

// namedTokens are transformers' special token attributes, in its order.
var namedTokens = []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

func readSettings(r *reader, dir string) (settings, error) {
	s := settings{path: filepath.Join(dir, "tokenizer_config.json"), Added: map[int32]addedToken{}}
	config, err := readObject(r, s.path)
	if err != nil {
		return s, err
	}
	named := map[string]json.RawMessage{}
	extra, err := furtherTokens(config)
	if err != nil {
		return s, fmt.Errorf("%s: %w", s.path, err)
	}
	for _, name := range namedTokens {
		if raw, ok := config[name]; ok {
			named[name] = raw
		}
	}
	if err := s.readConfig(config); err != nil {
		return s, fmt.Errorf("%s: %w", s.path, err)
	}
	// transformers reads special_tokens_map.json only where the config lists no added tokens.
	if !s.HasAdded {
		path := filepath.Join(dir, "special_tokens_map.json")
		special, err := readObject(r, path)
		if err != nil {
			return s, err
		}
		for _, name := range namedTokens {
			if raw, ok := special[name]; ok {
				named[name] = raw
			}
		}
		for _, name := range []string{"extra_special_tokens", "additional_special_tokens"} {
			if raw, ok := special[name]; ok {
				list, err := tokenItems(raw)
				if err != nil {
					return s, fmt.Errorf("%s: %s: %w", path, name, err)
				}
				if list != nil {
					extra.list = list
				}
			}
		}
		if len(special) > 1 && len(config) <= 1 {
			s.path = path
		}
	}
	if err := s.readSpecial(named, extra); err != nil {
		return s, fmt.Errorf("%s: %w", s.path, err)
	}
	return s, nil
}

// readObject reads a JSON object; a file that does not exist is an empty one.
func readObject(r *reader, path string) (map[string]json.RawMessage, error) {
	data, err := r.read(path, maxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data = pythonjson.Plain(data)
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		if syntax, ok := err.(*json.SyntaxError); ok {
			line, column := jsonplace.Position(data, syntax.Offset)
			return nil, fmt.Errorf("%s: line %d, column %d: %s", path, line, column, oneLine(err))
		}
		return nil, fmt.Errorf("%s: is not a JSON object", path)
	}
	if object != nil {
		object[wholeObject] = data
	}
	return object, nil
}

func (s *settings) readConfig(config map[string]json.RawMessage) error {
	fields := []struct {
		name string
		into any
	}{
		{"add_bos_token", &s.AddBOS}, {"add_eos_token", &s.AddEOS}, {"add_prefix_space", &s.PrefixSpace},
		{"legacy", &s.Legacy}, {"split_special_tokens", &s.SplitSpecial},
	}
	for _, f := range fields {
		if raw := config[f.name]; !isNull(raw) {
			if err := unmarshal(raw, f.into); err != nil {
				return fmt.Errorf("%s: want true or false", f.name)
			}
		}
	}
	if raw := config["model_max_length"]; !isNull(raw) {
		var length float64
		if err := unmarshal(raw, &length); err != nil {
			return fmt.Errorf("model_max_length: want a number")
		}
		if length >= 1 && length <= 1<<40 {
			s.MaxLength = int(length)
		}
	}
	if raw := config["tokenizer_class"]; !isNull(raw) {
		var class string
		if unmarshal(raw, &class) == nil {
			s.Class = strings.TrimSuffix(class, "Fast")
		}
	}
	raw := config["added_tokens_decoder"]
	if isNull(raw) {
		return nil
	}
	var added map[string]jsonToken
	if err := unmarshal(raw, &added); err != nil {
		return fmt.Errorf("added_tokens_decoder: %w", err)
	}
	s.HasAdded = true
	for key, a := range added {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || id < 0 {
			return fmt.Errorf("added_tokens_decoder: %q is not a token id", key)
		}
		token, err := a.token(false)
		if err != nil {
			return fmt.Errorf("added_tokens_decoder: %s: %w", key, err)
		}
		s.Added[int32(id)] = token
	}
	return nil
}

func (s *settings) readSpecial(named map[string]json.RawMessage, extra further) error {
	byContent := map[string]addedToken{}
	for _, t := range s.Added {
		byContent[t.content] = t
	}
	resolve := func(raw json.RawMessage) (*addedToken, error) {
		t, err := specialToken(raw)
		if err != nil || t == nil {
			return t, err
		}
		if known, ok := byContent[t.content]; ok {
			return &known, nil
		}
		return t, nil
	}
	_, s.HasPad = named["pad_token"]
	for _, name := range namedTokens {
		t, err := resolve(named[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if t == nil {
			continue
		}
		switch name {
		case "bos_token":
			s.BOS = t
		case "eos_token":
			s.EOS = t
		}
		s.Special = append(s.Special, *t)
	}
	for _, own := range extra.named {
		t, err := resolve(own)
		if err != nil {
			return fmt.Errorf("a special token of the model's own: %w", err)
		}
		if t != nil {
			s.Special = append(s.Special, *t)
		}
	}
	for i, raw := range extra.list {
		t, err := specialToken(raw)
		if err != nil {
			return fmt.Errorf("additional_special_tokens[%d]: %w", i, err)
		}
		if t != nil {
			s.Extra = append(s.Extra, *t)
		}
	}
	return nil
}

// specialToken reads a special token given as a string or an object; nil for null.
func specialToken(raw json.RawMessage) (*addedToken, error) {
	if isNull(raw) {
		return nil, nil
	}
	var content string
	if json.Unmarshal(raw, &content) == nil {
		if content == "" {
			return nil, nil
		}
		return &addedToken{content: content, special: true}, nil
	}
	var object jsonToken
	if err := unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("want a string or an object with content")
	}
	t, err := object.token(false)
	t.special = true
	return &t, err
}

// configure applies settings as transformers' tokenizer classes do when they load a directory.
func (t *Tokenizer) configure(s settings) error {
	// Tokens the file lacks, or has with other flags, are added in the order of their config ids.
	ids := make([]int32, 0, len(s.Added))
	for id := range s.Added {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var tokens []addedToken
	have := make(map[addedToken]bool, len(t.added.tokens))
	for _, token := range t.added.tokens {
		have[token] = true
	}
	for _, id := range ids {
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
	if t.sp != nil {
		return t.configureSP(s)
	}
	return nil
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
