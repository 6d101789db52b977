package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/pythonjson"
)

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
	Legacies     bool                 `json:"-"` // Added is of added_tokens.json
	Layout       string               `json:"layout,omitempty"`
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

// defaults puts into named the special tokens that a format has where nothing names them; config is
// tokenizer_config.json.
type defaults func(s *settings, config, named map[string]json.RawMessage) error

func readSettings(r *reader, dir string, own defaults) (settings, error) {
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
	if own != nil {
		if err := own(&s, config, named); err != nil {
			return s, err
		}
	}
	known := extra.list // what added_tokens.json takes for special
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
				if list != nil && name == "extra_special_tokens" {
					known = list
				}
			}
		}
		if len(special) > 1 && len(config) <= 1 {
			s.path = path
		}
	}
	if !s.HasAdded {
		if err := s.readLegacyAdded(r, dir, named, known); err != nil {
			return s, err
		}
	}
	if err := s.readSpecial(named, extra); err != nil {
		return s, fmt.Errorf("%s: %w", s.path, err)
	}
	return s, nil
}

// readLegacyAdded reads added_tokens.json, a map of token to id, which says nothing but which are special:
// those that are named so elsewhere.
func (s *settings) readLegacyAdded(r *reader, dir string, named map[string]json.RawMessage, known []json.RawMessage) error {
	path := filepath.Join(dir, "added_tokens.json")
	object, err := readObject(r, path)
	if err != nil {
		return err
	}
	special := map[string]bool{}
	for _, raw := range slices.Concat(slices.Collect(maps.Values(named)), known) {
		if t, err := specialToken(raw); err == nil && t != nil {
			special[t.content] = true
		}
	}
	for content, raw := range object {
		if content == wholeObject || content == "" {
			continue
		}
		var id int32
		if err := unmarshal(raw, &id); err != nil || id < 0 || id >= maxTokenID {
			return fmt.Errorf("%s: token %s has no id of 0..%d", path, quote(content), maxTokenID-1)
		}
		if other, ok := s.Added[id]; ok {
			return fmt.Errorf("%s: tokens %s and %s share id %d", path, quote(min(other.content, content)), quote(max(other.content, content)), id)
		}
		s.Added[id] = addedToken{content: content, normalized: !special[content], special: special[content]}
		s.Legacies = true
	}
	return nil
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
		if syntax := jsonplace.Syntax(data, err); syntax != nil {
			return nil, fmt.Errorf("%s: %w", path, syntax)
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
		if t == nil {
			continue
		}
		if known, ok := byContent[t.content]; ok && s.Legacies {
			t = &known
		}
		s.Extra = append(s.Extra, *t)
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
