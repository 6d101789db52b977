package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/jsonplace"
)

// Reader of tokenizer.json. Errors name the section.

// parseJSON builds a tokenizer from the text of a tokenizer.json.
func parseJSON(data []byte) (*Tokenizer, error) {
	var file struct {
		Version *string
		Padding *struct {
			PadToken string `json:"pad_token"`
		}
		AddedTokens   tokenList       `json:"added_tokens"`
		Normalizer    json.RawMessage `json:"normalizer"`
		PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
		PostProcessor json.RawMessage `json:"post_processor"`
		Decoder       json.RawMessage `json:"decoder"`
		Model         json.RawMessage `json:"model"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		if syntax := jsonplace.Syntax(data, err); syntax != nil {
			return nil, syntax
		}
		return nil, unmarshal(data, &file)
	}
	if file.Version != nil && *file.Version != "1.0" {
		return nil, fmt.Errorf("version %q is not supported (known: 1.0)", *file.Version)
	}
	if isNull(file.Model) {
		return nil, fmt.Errorf("has no model section; is it a tokenizer.json of the tokenizers library?")
	}
	t := &Tokenizer{added: newAddedVocab(), bos: -1, eos: -1}
	if file.Padding != nil {
		t.padToken = file.Padding.PadToken
	}
	for _, section := range []struct {
		name string
		raw  json.RawMessage
	}{
		{"normalizer", file.Normalizer}, {"pre_tokenizer", file.PreTokenizer},
		{"post_processor", file.PostProcessor}, {"decoder", file.Decoder},
	} {
		if err := checkSection(section.raw); err != nil {
			return nil, fmt.Errorf("%s: %w", section.name, err)
		}
	}
	var err error
	if t.normalizers, err = parseNormalizer(file.Normalizer); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if t.preTokenizers, err = parsePreTokenizer(file.PreTokenizer); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	if err := checkFirst(t.normalizers, t.preTokenizers); err != nil {
		return nil, err
	}
	if t.template, err = parsePost(file.PostProcessor); err != nil {
		return nil, fmt.Errorf("post_processor: %w", err)
	}
	if t.decode, err = parseDecoder(file.Decoder); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	m, err := parseModel(file.Model)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if b, ok := m.(*bpe); ok {
		if b.spell = lastSpells(t.preTokenizers); b.spell {
			b.boundary = ""
		}
	}
	t.model = m
	t.vocabSize = m.top()
	tokens := make([]addedToken, len(file.AddedTokens))
	for i, a := range file.AddedTokens {
		if tokens[i], err = a.token(true); err != nil {
			return nil, fmt.Errorf("added_tokens[%d]: %w", i, err)
		}
	}
	if err := t.addTokens(tokens); err != nil {
		return nil, err
	}
	t.kind = kindName(t)
	return t, nil
}

// checkFirst refuses the one combination in which piece.zero does not tell what "first" means: characters
// that normalization took apart or put in order may be cut from each other before Metaspace sees them.
func checkFirst(normalizers []normalizer, steps []preTokenizer) error {
	for i, s := range steps {
		m, ok := s.(metaspace)
		if i == 0 || !ok || m.scheme != prependFirst {
			continue
		}
		for _, n := range normalizers {
			switch n.(type) {
			case unicodeForm, precompiled:
				return fmt.Errorf(`pre_tokenizer: Metaspace with prepend_scheme "first" after another step and a Unicode normalizer is not supported`)
			}
		}
	}
	return nil
}

// lastSpells takes the byte-level spelling off the last step, so that the model does it per word.
func lastSpells(steps []preTokenizer) bool {
	if len(steps) == 0 {
		return false
	}
	level, ok := steps[len(steps)-1].(byteLevel)
	if !ok {
		return false
	}
	level.respell = false
	steps[len(steps)-1] = level
	return true
}

func usesByteLevel(t *Tokenizer) bool {
	return slices.ContainsFunc(t.preTokenizers, func(p preTokenizer) bool { _, ok := p.(byteLevel); return ok }) ||
		slices.ContainsFunc(t.normalizers, func(n normalizer) bool { _, ok := n.(spellBytes); return ok })
}

// jsonToken is an added token, in tokenizer.json, tokenizer_config.json or special_tokens_map.json.
type jsonToken struct {
	Content    *string
	SingleWord bool  `json:"single_word"`
	LStrip     bool  `json:"lstrip"`
	RStrip     bool  `json:"rstrip"`
	Normalized *bool `json:"normalized"`
	Special    bool  `json:"special"`
}

// token converts; a missing normalized is true for tokens that are not special.
func (a jsonToken) token(strict bool) (addedToken, error) {
	if a.Content == nil || strict && a.Normalized == nil {
		return addedToken{}, fmt.Errorf("needs content and normalized")
	}
	normalized := !a.Special
	if a.Normalized != nil {
		normalized = *a.Normalized
	}
	return addedToken{
		content: *a.Content, singleWord: a.SingleWord, lstrip: a.LStrip, rstrip: a.RStrip,
		normalized: normalized, special: a.Special,
	}, nil
}

// jsonScan walks JSON that encoding/json has already accepted; the vocabulary and the merges are most of a
// file of many megabytes, and this reads them several times faster.
type jsonScan struct {
	s string
	i int
}

// peek returns the next character that is not white space or a comma, 0 at the end.
func (j *jsonScan) peek() byte {
	for ; j.i < len(j.s); j.i++ {
		switch c := j.s[j.i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return c
		}
	}
	return 0
}

// take skips the next character, which must be c.
func (j *jsonScan) take(c byte) bool {
	if j.peek() != c {
		return false
	}
	j.i++
	return true
}

// str reads a string.
func (j *jsonScan) str() (string, bool) {
	if !j.take('"') {
		return "", false
	}
	start := j.i
	escaped := false
	for j.i < len(j.s) && j.s[j.i] != '"' {
		if j.s[j.i] == '\\' {
			escaped = true
			j.i++
		}
		j.i++
	}
	if j.i >= len(j.s) {
		return "", false
	}
	text := j.s[start:j.i]
	j.i++
	if escaped {
		var full string
		if json.Unmarshal([]byte(`"`+text+`"`), &full) != nil {
			return "", false
		}
		return full, true
	}
	return replaceInvalid(text), true
}

// word reads up to what may follow a number.
func (j *jsonScan) word() string {
	j.peek()
	start := j.i
	for j.i < len(j.s) && !strings.ContainsRune(",}] \t\r\n", rune(j.s[j.i])) {
		j.i++
	}
	return j.s[start:j.i]
}

// number reads a token id.
func (j *jsonScan) number() (int32, error) {
	text := j.word()
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a token id", text)
	}
	return int32(n), nil
}

// float reads a score.
func (j *jsonScan) float() (float64, error) { return strconv.ParseFloat(j.word(), 64) }

func parseVocab(raw json.RawMessage) (map[string]int32, error) {
	j := jsonScan{s: string(raw)}
	if !j.take('{') {
		return nil, fmt.Errorf("is not an object of token to id")
	}
	vocab := make(map[string]int32, len(raw)/16)
	for j.peek() == '"' {
		token, ok := j.str()
		if !ok {
			return nil, fmt.Errorf("has a malformed token")
		}
		id, err := j.number()
		if err != nil {
			return nil, fmt.Errorf("token %s: %w", quote(token), err)
		}
		if _, ok := vocab[token]; ok {
			return nil, fmt.Errorf("token %s occurs twice", quote(token))
		}
		if len(vocab) == maxTokens {
			return nil, fmt.Errorf("more than %d tokens", maxTokens)
		}
		vocab[token] = id
	}
	return vocab, nil
}

// parseMerges reads ["a b", ...] or [["a", "b"], ...].
func parseMerges(raw json.RawMessage) ([][2]string, error) {
	j := jsonScan{s: string(raw)}
	if !j.take('[') {
		return nil, fmt.Errorf("is not a list")
	}
	merges := make([][2]string, 0, len(raw)/16)
	pairs := j.peek() == '['
	for {
		if len(merges) > maxTokens {
			return nil, fmt.Errorf("more than %d merges", maxTokens)
		}
		switch c := j.peek(); {
		case c == ']' || c == 0:
			return merges, nil
		case pairs && j.take('['):
			left, ok1 := j.str()
			right, ok2 := j.str()
			if !ok1 || !ok2 || !j.take(']') {
				return nil, fmt.Errorf("merge %d is not a pair of strings", len(merges))
			}
			merges = append(merges, [2]string{left, right})
		case !pairs && c == '"':
			line, ok := j.str()
			if strings.HasPrefix(line, "#version") {
				continue // as a line of a merges.txt
			}
			left, right, found := strings.Cut(line, " ")
			if !ok || !found || strings.Contains(right, " ") {
				return nil, fmt.Errorf("merge %d, %s, is not two tokens and one space", len(merges), quote(line))
			}
			merges = append(merges, [2]string{left, right})
		default:
			return nil, fmt.Errorf("merge %d is neither a string nor a pair like the first", len(merges))
		}
	}
}
