package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
)

// tekkenSpecial are the special tokens of files that list none, in the order of their ids.
var tekkenSpecial = []string{
	"<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]",
	"[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
}

// tekkenFile is Mistral's tekken.json.
type tekkenFile struct {
	Config struct {
		Pattern *string
		Size    *int `json:"default_vocab_size"`
		Special *int `json:"default_num_special_tokens"`
	}
	Vocab []struct {
		Bytes *string `json:"token_bytes"`
	}
	Special []struct {
		Rank *int
		Text *string `json:"token_str"`
	} `json:"special_tokens"`
}

// parseTekken builds a tokenizer from the text of a tekken.json, as transformers' MistralConverter does:
// special tokens first, then the byte strings in order of their rank, any pair of which that makes a third
// is a merge.
func parseTekken(data []byte) (*Tokenizer, error) {
	if n := bytes.Count(data, []byte("{")); n > maxTokens+maxAdded {
		return nil, fmt.Errorf("%d objects, more than %d tokens", n, maxTokens+maxAdded)
	}
	var file tekkenFile
	if err := unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Config.Pattern == nil || len(file.Vocab) == 0 {
		return nil, fmt.Errorf("has no config.pattern or no vocab; is it a tekken.json?")
	}
	if len(file.Vocab) > maxTokens {
		return nil, fmt.Errorf("vocab: %d tokens, more than %d", len(file.Vocab), maxTokens)
	}
	cut, err := compilePattern(*file.Config.Pattern)
	if err != nil {
		return nil, fmt.Errorf("config.pattern: %w", err)
	}
	special, err := file.special()
	if err != nil {
		return nil, err
	}
	if size := file.Config.Size; size != nil {
		if *size < len(special) {
			return nil, fmt.Errorf("config: default_vocab_size %d is less than the %d special tokens", *size, len(special))
		}
		file.Vocab = file.Vocab[:min(len(file.Vocab), *size-len(special))]
	}
	tokens := make([]string, len(file.Vocab))
	for i, v := range file.Vocab {
		if v.Bytes == nil {
			return nil, fmt.Errorf("vocab[%d]: needs token_bytes", i)
		}
		b, err := base64.StdEncoding.DecodeString(*v.Bytes)
		if err != nil || len(b) == 0 || len(b) > maxPieceBytes {
			return nil, fmt.Errorf("vocab[%d]: token_bytes is not base64 of 1 to %d bytes", i, maxPieceBytes)
		}
		tokens[i] = string(b)
	}
	c, err := byteMerges(tokens)
	if err != nil {
		return nil, err
	}
	for token, id := range c.vocab {
		c.vocab[token] = id + int32(len(special))
	}
	added := make([]addedToken, len(special))
	for i, text := range special {
		c.vocab[text] = int32(i)
		added[i] = addedToken{content: text, special: true}
	}
	m, err := newBPE(c)
	if err != nil {
		return nil, err
	}
	t := newByteLevel(m, layout{pattern: cut}, settings{})
	return t, t.addTokens(added)
}

// special lists the special tokens by id, with a name for each that has none.
func (f *tekkenFile) special() ([]string, error) {
	names := slices.Clone(tekkenSpecial)
	if f.Special != nil {
		names = make([]string, len(f.Special))
		for i, s := range f.Special {
			if s.Rank == nil || s.Text == nil || *s.Text == "" {
				return nil, fmt.Errorf("special_tokens[%d]: needs rank and token_str", i)
			}
			if *s.Rank < 0 || *s.Rank >= len(names) || names[*s.Rank] != "" {
				return nil, fmt.Errorf("special_tokens[%d]: rank %d: the ranks are not 0 to %d, each once", i, *s.Rank, len(names)-1)
			}
			names[*s.Rank] = *s.Text
		}
	}
	if n := f.Config.Special; n != nil {
		if *n < len(names) || *n > maxAdded {
			return nil, fmt.Errorf("config: default_num_special_tokens is %d, and there are %d special tokens", *n, len(names))
		}
		for i := len(names); i < *n; i++ {
			names = append(names, fmt.Sprintf("<SPECIAL_%d>", i))
		}
	}
	return names, nil
}

// byteMerges makes a byte-level model of byte strings in order of their rank (the last of equals counts).
func byteMerges(tokens []string) (bpeConfig, error) {
	ranks := make(map[string]int, len(tokens))
	for i, t := range tokens {
		ranks[t] = i
	}
	spelled := make([]string, len(tokens)) // once each: merges share them
	for i, t := range tokens {
		spelled[i] = toByteLevel(t)
	}
	c := bpeConfig{vocab: make(map[string]int32, len(tokens)), ignoreMerges: true}
	for i, t := range tokens {
		if ranks[t] != i {
			continue
		}
		c.vocab[spelled[i]] = int32(i)
		type pair struct{ left, right int }
		var pairs []pair
		for cut := 1; cut < len(t); cut++ {
			left, ok1 := ranks[t[:cut]]
			right, ok2 := ranks[t[cut:]]
			if ok1 && ok2 {
				pairs = append(pairs, pair{left, right})
			}
		}
		slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) })
		if len(c.merges)+len(pairs) > maxImplied {
			return c, errManyMerges
		}
		for _, p := range pairs {
			c.merges = append(c.merges, [2]string{spelled[p.left], spelled[p.right]})
		}
	}
	return c, nil
}

// tekkenDefaults are the special tokens that settings need not name.
var tekkenDefaults = map[string]string{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}

// nameTekken names those that the file has.
func (t *Tokenizer) nameTekken(_ *settings, _, named map[string]json.RawMessage) error {
	have := map[string]string{}
	for name, token := range tekkenDefaults {
		if _, ok := t.ID(token); ok {
			have[name] = token
		}
	}
	nameUnless(named, have)
	return nil
}
