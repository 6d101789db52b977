package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Bounds on what a tokenizer's file may hold, far above those in use, so that one
// made to harm costs little memory and time before it is refused.
const (
	maxTokens     = 1 << 22 // of the vocabulary, and as many merges
	maxImplied    = 1 << 21 // merges that a vocabulary implies
	maxAdded      = 1 << 18 // added tokens
	maxAddedToken = 1024    // bytes of one: each is tried at every place of a text
	maxAddedBytes = 8 << 20 // of all: they are kept as a tree
	maxPieceBytes = 1024    // of a SentencePiece piece: every way to cut it is looked up
	maxSection    = 8 << 20 // bytes of the normalizer, pre_tokenizer, post_processor or decoder
	maxNesting    = 64      // of a section
	maxSteps      = 256     // of a section, all its sequences together
)

// errManyMerges: two parts of a token that are tokens make a merge, and a vocabulary of little text
// may hold very many.
var errManyMerges = fmt.Errorf("its tokens imply more than %d merges", maxImplied)

// checkSection refuses a section whose steps are too many or too deep.
func checkSection(raw json.RawMessage) error {
	if len(raw) > maxSection {
		return fmt.Errorf("has %d bytes, more than %d", len(raw), maxSection)
	}
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > maxNesting {
				return fmt.Errorf("is nested more than %d deep", maxNesting)
			}
		case '}', ']':
			depth--
		}
	}
	if n := bytes.Count(raw, []byte(`"type"`)); n > maxSteps {
		return fmt.Errorf("has %d steps, more than %d", n, maxSteps)
	}
	return nil
}

// tokenList is the added_tokens section, read one by one so that it ends at the
// first too many.
type tokenList []jsonToken

func (l *tokenList) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open == nil {
		return err
	} else if open != json.Delim('[') {
		return fmt.Errorf("added_tokens is not a list")
	}
	for d.More() {
		if len(*l) == maxAdded {
			return fmt.Errorf("more than %d added_tokens", maxAdded)
		}
		var t jsonToken
		if err := d.Decode(&t); err != nil {
			return fmt.Errorf("added_tokens[%d]: %s", len(*l), oneLine(err))
		}
		*l = append(*l, t)
	}
	return nil
}

// checkAdded refuses added tokens that are too long, alone or together.
func checkAdded(tokens []addedToken, total int) error {
	for _, t := range tokens {
		if len(t.content) > maxAddedToken {
			return fmt.Errorf("added token %s has more than %d bytes", quote(t.content), maxAddedToken)
		}
		total += len(t.content)
	}
	if total > maxAddedBytes {
		return fmt.Errorf("the added tokens have %d bytes, more than %d", total, maxAddedBytes)
	}
	return nil
}
