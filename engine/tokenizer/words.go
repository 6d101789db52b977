package tokenizer

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// wordPiece is tokenizers' WordPiece: the longest token the word starts with, then the longest with a prefix
// that the rest starts with, and so on; a word that cannot be cut so is one unknown token.
type wordPiece struct {
	vocabulary
	unk      string
	maxChars int
	first    *pieceTrie
	further  *pieceTrie // without the prefix
	cache    *wordCache
}

func newWordPiece(ids map[string]int32, unk, prefix string, maxChars int) (*wordPiece, error) {
	vocab, err := newVocabulary(ids)
	if err != nil {
		return nil, err
	}
	m := &wordPiece{vocabulary: vocab, unk: unk, maxChars: maxChars, cache: newWordCache()}
	var first, further []string
	var firstID, furtherID []int32
	for token, id := range ids {
		first, firstID = append(first, token), append(firstID, id)
		if rest, ok := strings.CutPrefix(token, prefix); ok {
			further, furtherID = append(further, rest), append(furtherID, id)
		}
	}
	if m.first, err = newPieceTrie(first, firstID); err != nil {
		return nil, err
	}
	m.further, err = newPieceTrie(further, furtherID)
	return m, err
}

func (m *wordPiece) encode(ids []int32, word string) []int32 {
	if known, ok := m.cache.get(word); ok {
		return append(ids, known...)
	}
	start := len(ids)
	if utf8.RuneCountInString(word) > m.maxChars {
		ids = append(ids, unknownToken(&m.vocabulary, m.unk, word))
	} else {
		trie := m.first
		for at := 0; at < len(word); trie = m.further {
			n, id := trie.longest(word[at:])
			if n == 0 {
				ids = append(ids[:start], unknownToken(&m.vocabulary, m.unk, word))
				break
			}
			ids = append(ids, id)
			at += n
		}
	}
	m.cache.put(word, append([]int32(nil), ids[start:]...))
	return ids
}

// wordLevel is tokenizers' WordLevel: a word is a token or unknown.
type wordLevel struct {
	vocabulary
	unk string
}

func (m *wordLevel) encode(ids []int32, word string) []int32 {
	if id, ok := m.ids[word]; ok {
		return append(ids, id)
	}
	return append(ids, unknownToken(&m.vocabulary, m.unk, word))
}

// unknownToken is the id of the unknown token. The reference too fails only at a word that needs it.
func unknownToken(v *vocabulary, unk, word string) int32 {
	id, ok := v.ids[unk]
	if !ok {
		panic(&failure{fmt.Errorf("unk_token %s is not in the vocabulary, and %s is not either", quote(unk), quote(word))})
	}
	return id
}
