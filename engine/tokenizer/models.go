package tokenizer

import (
	"encoding/json"
	"fmt"
	"math"
)

// Readers of tokenizer.json's model section.

// parseModel reads the model section.
func parseModel(raw json.RawMessage) (model, error) {
	var kind struct {
		Type   *string
		Merges json.RawMessage
		Prefix *string `json:"continuing_subword_prefix"`
		Unk    *string `json:"unk_token"`
		Vocab  json.RawMessage
	}
	if err := unmarshal(raw, &kind); err != nil {
		return nil, err
	}
	name := "BPE"
	switch {
	case kind.Type != nil:
		name = *kind.Type
	// Older files say no type: the reference takes the first that fits.
	case !isNull(kind.Merges) || isNull(kind.Vocab):
	case kind.Vocab[0] == '[':
		name = "Unigram"
	case kind.Prefix != nil:
		name = "WordPiece"
	case kind.Unk != nil:
		name = "WordLevel"
	}
	switch name {
	case "BPE":
		return parseBPE(raw)
	case "Unigram":
		return parseUnigram(raw)
	case "WordPiece":
		return parseWordPiece(raw)
	case "WordLevel":
		if kind.Unk == nil {
			return nil, fmt.Errorf("type WordLevel: needs unk_token")
		}
		ids, err := parseVocab(kind.Vocab)
		if err != nil {
			return nil, fmt.Errorf("vocab: %w", err)
		}
		vocab, err := newVocabulary(ids)
		return &wordLevel{vocab, *kind.Unk}, err
	}
	return nil, fmt.Errorf("type %q is not supported (known: BPE, Unigram, WordPiece, WordLevel)", name)
}

func parseBPE(raw json.RawMessage) (*bpe, error) {
	var file struct {
		Dropout      *float64
		Unk          *string `json:"unk_token"`
		Prefix       *string `json:"continuing_subword_prefix"`
		Suffix       *string `json:"end_of_word_suffix"`
		FuseUnk      bool    `json:"fuse_unk"`
		ByteFallback bool    `json:"byte_fallback"`
		IgnoreMerges bool    `json:"ignore_merges"`
		Vocab        json.RawMessage
		Merges       json.RawMessage
	}
	if err := unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Dropout != nil && *file.Dropout != 0 {
		return nil, fmt.Errorf("dropout %v is not supported: ids would be random", *file.Dropout)
	}
	if isNull(file.Vocab) || isNull(file.Merges) {
		return nil, fmt.Errorf("has no vocab or no merges")
	}
	c := bpeConfig{fuseUnk: file.FuseUnk, byteFallback: file.ByteFallback, ignoreMerges: file.IgnoreMerges}
	if file.Unk != nil {
		c.unk, c.hasUnk = *file.Unk, true
	}
	if file.Prefix != nil {
		c.prefix = *file.Prefix
	}
	if file.Suffix != nil {
		c.suffix = *file.Suffix
	}
	var err error
	if c.vocab, err = parseVocab(file.Vocab); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	if c.merges, err = parseMerges(file.Merges); err != nil {
		return nil, fmt.Errorf("merges: %w", err)
	}
	return newBPE(c)
}

// parseUnigram reads a Unigram model; its vocab is a list of pairs, token and score, in the order of ids.
func parseUnigram(raw json.RawMessage) (*unigram, error) {
	var file struct {
		Unk          *int64 `json:"unk_id"`
		ByteFallback bool   `json:"byte_fallback"`
		Vocab        json.RawMessage
	}
	if err := unmarshal(raw, &file); err != nil {
		return nil, err
	}
	pieces, scores, err := parseScores(file.Vocab)
	if err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	unk := int32(-1)
	if file.Unk != nil {
		if *file.Unk < 0 || *file.Unk >= int64(len(pieces)) {
			return nil, fmt.Errorf("unk_id %d is not the id of one of the %d tokens", *file.Unk, len(pieces))
		}
		unk = int32(*file.Unk)
	}
	m, err := newUnigram(pieces, scores, unk, file.ByteFallback)
	if err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	return m, nil
}

func parseScores(raw json.RawMessage) (pieces []string, scores []float64, err error) {
	j := jsonScan{s: string(raw)}
	if !j.take('[') {
		return nil, nil, fmt.Errorf("is not a list of tokens and scores")
	}
	for j.peek() == '[' {
		j.i++
		if len(pieces) == maxTokens {
			return nil, nil, fmt.Errorf("more than %d tokens", maxTokens)
		}
		token, ok := j.str()
		score, err := j.float()
		if !ok || err != nil || !j.take(']') || math.IsNaN(score) || math.IsInf(score, 0) {
			return nil, nil, fmt.Errorf("entry %d is not a token and a score", len(pieces))
		}
		pieces, scores = append(pieces, token), append(scores, score)
	}
	if !j.take(']') {
		return nil, nil, fmt.Errorf("entry %d is not a token and a score", len(pieces))
	}
	return pieces, scores, nil
}

func parseWordPiece(raw json.RawMessage) (*wordPiece, error) {
	var file struct {
		Unk      *string `json:"unk_token"`
		Prefix   *string `json:"continuing_subword_prefix"`
		MaxChars *uint32 `json:"max_input_chars_per_word"`
		Vocab    json.RawMessage
	}
	if err := unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Unk == nil || file.Prefix == nil || file.MaxChars == nil {
		return nil, fmt.Errorf("type WordPiece: needs unk_token, continuing_subword_prefix and max_input_chars_per_word")
	}
	ids, err := parseVocab(file.Vocab)
	if err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	return newWordPiece(ids, *file.Unk, *file.Prefix, int(*file.MaxChars))
}

// kindName describes the tokenizer in a few words.
func kindName(t *Tokenizer) string {
	fallback := false
	how := "BPE"
	switch m := t.model.(type) {
	case *bpe:
		fallback = m.byteFallback
	case *unigram:
		how, fallback = "Unigram", m.byteFallback
	case *wordPiece:
		how = "WordPiece"
	case *wordLevel:
		how = "WordLevel"
	}
	switch {
	case usesByteLevel(t):
		how += " (byte-level)"
	case fallback:
		how += " (byte fallback)"
	}
	return how
}
