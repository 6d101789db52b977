package tokenizer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// addedToken is a token matched in the text before the model sees it (tokenizers' AddedToken).
type addedToken struct {
	content    string
	singleWord bool // only where no word character touches it
	lstrip     bool // takes the white space on its left
	rstrip     bool // takes the white space on its right
	normalized bool // looked for in the normalized text, as the normalizer spells it
	special    bool // left out by Decode with skipSpecial
}

// addedVocab holds the added tokens and finds them in a text.
type addedVocab struct {
	ids        map[string]int32
	tokens     map[int32]addedToken
	spelling   map[int32]string // normalized form, where it differs from the content
	special    map[string]bool
	plain      matcher // tokens matched in the raw text
	normalized matcher // tokens matched in the normalized text
	maxID      int32
}

func newAddedVocab() *addedVocab {
	return &addedVocab{
		ids: map[string]int32{}, tokens: map[int32]addedToken{},
		spelling: map[int32]string{}, special: map[string]bool{}, maxID: -1,
	}
}

// add puts tokens in, as AddedVocabulary::add_tokens does: a known token keeps its id, a new one gets the
// next free id. modelID looks a token up in the model's vocabulary, which holds modelSize tokens.
func (a *addedVocab) add(tokens []addedToken, modelID func(string) (int32, bool), modelSize int, normalize func(string) string) error {
	next := int32(modelSize)
	if a.maxID >= next {
		next = a.maxID + 1
	}
	for _, t := range tokens {
		if t.content == "" {
			continue
		}
		id, known := a.ids[t.content]
		if known && a.tokens[id] == t {
			continue
		}
		if !known {
			if id, known = modelID(t.content); !known {
				id = next
				next++
			}
		}
		delete(a.spelling, id)
		if t.normalized {
			switch form := normalize(t.content); form {
			case "":
				return fmt.Errorf("added token %q is empty once normalized", t.content)
			case t.content:
			default:
				a.spelling[id] = form
			}
		}
		a.ids[t.content] = id
		a.tokens[id] = t
		a.maxID = max(a.maxID, id)
		if t.special {
			a.special[t.content] = true
		}
	}
	a.rebuild()
	return nil
}

func (a *addedVocab) rebuild() {
	a.plain, a.normalized = matcher{}, matcher{}
	for _, id := range slices.Sorted(maps.Keys(a.tokens)) {
		t := a.tokens[id]
		if t.normalized {
			a.normalized.add(a.decoded(id, t), id)
		} else {
			a.plain.add(t.content, id)
		}
	}
}

// decoded returns how Decode spells an added token.
func (a *addedVocab) decoded(id int32, t addedToken) string {
	if s, ok := a.spelling[id]; ok {
		return s
	}
	return t.content
}

// split cuts text at the tokens m finds. It calls emitText for the stretches between them and emitID for
// each token. encodeSpecial leaves special tokens unmatched.
func (a *addedVocab) split(m *matcher, text string, encodeSpecial bool, emitText func(start, end int), emitID func(int32)) {
	from := 0 // end of what has been emitted
	m.find(text, func(start, end int, id int32) {
		t := a.tokens[id]
		if encodeSpecial && a.special[t.content] {
			return
		}
		if t.singleWord && (wordEndsAt(text[:start]) || wordStartsAt(text[end:])) {
			return
		}
		if t.lstrip {
			if start > from {
				start = from + len(strings.TrimRightFunc(text[from:start], isSpace))
			} else {
				start = from
			}
		}
		if t.rstrip {
			if end < from {
				end = from // inside the white space that the previous match took
			} else {
				end += len(text[end:]) - len(strings.TrimLeftFunc(text[end:], isSpace))
			}
		}
		if from < start {
			emitText(from, start)
		}
		emitID(id)
		from = end
	})
	if from < len(text) {
		emitText(from, len(text))
	}
}

func wordEndsAt(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && isWord(r)
}

func wordStartsAt(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && isWord(r)
}

// matcher finds the leftmost-longest matches of a set of strings: a trie over bytes, tried at each place
// where some string's first byte stands. Work is bounded by text length times the longest string.
type matcher struct {
	first [256]bool
	nodes []trieNode
	edges map[trieEdge]int32
}

type trieNode struct {
	id  int32
	end bool
}

type trieEdge struct {
	node int32
	c    byte
}

func (m *matcher) add(s string, id int32) {
	if len(m.nodes) == 0 {
		m.nodes = append(m.nodes, trieNode{})
		m.edges = map[trieEdge]int32{}
	}
	m.first[s[0]] = true
	node := int32(0)
	for i := range len(s) {
		edge := trieEdge{node, s[i]}
		next, ok := m.edges[edge]
		if !ok {
			next = int32(len(m.nodes))
			m.nodes = append(m.nodes, trieNode{})
			m.edges[edge] = next
		}
		node = next
	}
	if !m.nodes[node].end {
		m.nodes[node] = trieNode{id: id, end: true}
	}
}

// longest returns the length and id of the longest string that s starts with, 0 for none.
func (m *matcher) longest(s string) (length int, id int32) {
	node := int32(0)
	for i := range len(s) {
		next, ok := m.edges[trieEdge{node, s[i]}]
		if !ok {
			break
		}
		node = next
		if m.nodes[node].end {
			length, id = i+1, m.nodes[node].id
		}
	}
	return length, id
}

func (m *matcher) find(s string, yield func(start, end int, id int32)) {
	if len(m.nodes) == 0 {
		return
	}
	for i := 0; i < len(s); {
		if m.first[s[i]] {
			if n, id := m.longest(s[i:]); n > 0 {
				yield(i, i+n, id)
				i += n
				continue
			}
		}
		i++
	}
}
