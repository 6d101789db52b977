package tokenizer

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxTokenID bounds the ids a file may use, so that tables indexed by id stay small.
const maxTokenID = 1 << 24

// bpe is tokenizers' BPE model: a word's characters, joined by merges in order of their rank.
type bpe struct {
	vocabulary
	table        *mergeTable
	unk          int32 // -1: none
	prefix       string
	suffix       string
	fuseUnk      bool
	byteFallback bool
	ignoreMerges bool
	spell        bool // words come as text, to be spelled byte by byte (byteLevel)

	runeID    [1024]int32 // id of a one-character token, -1 for none
	byteID    [256]int32  // id of <0xNN>, -1 for none
	boundary  string      // no merge crosses from another character to this one; "" for none
	allBytes  bool        // every byte-level character is in the vocabulary
	cache     *wordCache
	scratches sync.Pool
}

// bpeConfig is the model section of tokenizer.json.
type bpeConfig struct {
	vocab        map[string]int32
	merges       [][2]string
	unk          string
	hasUnk       bool
	prefix       string
	suffix       string
	fuseUnk      bool
	byteFallback bool
	ignoreMerges bool
}

func newBPE(c bpeConfig) (*bpe, error) {
	vocab, err := newVocabulary(c.vocab)
	if err != nil {
		return nil, err
	}
	m := &bpe{
		vocabulary: vocab, unk: -1, prefix: c.prefix, suffix: c.suffix,
		fuseUnk: c.fuseUnk, byteFallback: c.byteFallback, ignoreMerges: c.ignoreMerges,
		cache: newWordCache(),
	}
	if err := m.addMerges(c.merges); err != nil {
		return nil, err
	}
	m.index()
	if c.hasUnk {
		if id, ok := m.ids[c.unk]; ok {
			m.unk = id
		} else if !m.allBytes {
			return nil, fmt.Errorf("unk_token %q is not in the vocabulary", c.unk)
		}
	}
	m.findBoundary(c.merges)
	m.scratches.New = func() any { return &bpeScratch{merger: merger{table: m.table}} }
	return m, nil
}

func (m *bpe) addMerges(merges [][2]string) error {
	if len(merges) > math.MaxInt32 {
		return fmt.Errorf("merges: too many (%d)", len(merges))
	}
	m.table = newMergeTable(len(merges))
	for rank, pair := range merges {
		left, ok := m.ids[pair[0]]
		if !ok {
			return fmt.Errorf("merges: merge %d: token %s is not in the vocabulary", rank, quote(pair[0]))
		}
		right, ok := m.ids[pair[1]]
		if !ok {
			return fmt.Errorf("merges: merge %d: token %s is not in the vocabulary", rank, quote(pair[1]))
		}
		if len(pair[1]) < len(m.prefix) {
			return fmt.Errorf("merges: merge %d: token %q is shorter than continuing_subword_prefix %q", rank, pair[1], m.prefix)
		}
		joined := pair[0] + pair[1][len(m.prefix):]
		result, ok := m.ids[joined]
		if !ok {
			return fmt.Errorf("merges: merge %d: result %s is not in the vocabulary", rank, quote(joined))
		}
		m.table.set(left, right, mergeRule{rank: uint32(rank), result: result})
	}
	return nil
}

// index fills the tables that spare map look-ups.
func (m *bpe) index() {
	for i := range m.runeID {
		m.runeID[i] = -1
		if id, ok := m.ids[string(rune(i))]; ok {
			m.runeID[i] = id
		}
	}
	m.allBytes = true
	for i := range m.byteID {
		m.byteID[i] = -1
		if id, ok := m.ids[fmt.Sprintf("<0x%02X>", i)]; ok {
			m.byteID[i] = id
		}
		if _, ok := m.ids[byteChar[i]]; !ok {
			m.allBytes = false
		}
	}
}

// findBoundary looks whether "▁" can begin words of its own: it is a token, and no merge makes a token in
// which it follows another character. A text without spaces to cut at (Metaspace with split false) then
// falls into words exactly as if it had been cut before every such "▁".
func (m *bpe) findBoundary(merges [][2]string) {
	const mark = "▁"
	if m.prefix != "" || m.suffix != "" {
		return
	}
	if _, ok := m.ids[mark]; !ok {
		return
	}
	for _, pair := range merges {
		if boundaryIn(pair[0]+pair[1], mark) >= 0 {
			return
		}
	}
	m.boundary = mark
}

// boundaryIn returns the first place in s after its start where mark follows something that is not mark,
// -1 for none.
func boundaryIn(s, mark string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], mark)
		if i < 0 {
			return -1
		}
		at := from + i
		if at > 0 && !strings.HasSuffix(s[:at], mark) {
			return at
		}
		from = at + len(mark)
	}
}

// bpeScratch is the working space of one encode call.
type bpeScratch struct {
	merger
	word []byte
}

// encode appends the ids of one pre-tokenized word to ids.
func (m *bpe) encode(ids []int32, word string) []int32 {
	if m.boundary == "" {
		return m.encodeWord(ids, word, m.ignoreMerges)
	}
	if m.ignoreMerges {
		if id, ok := m.ids[word]; ok {
			return append(ids, id)
		}
	}
	for word != "" {
		end := boundaryIn(word, m.boundary)
		if end < 0 {
			end = len(word)
		}
		ids = m.encodeWord(ids, word[:end], false)
		word = word[end:]
	}
	return ids
}

func (m *bpe) encodeWord(ids []int32, word string, whole bool) []int32 {
	if known, ok := m.cache.get(word); ok {
		return append(ids, known...)
	}
	s := m.scratches.Get().(*bpeScratch)
	start := len(ids)
	ids = m.mergeWord(ids, word, whole, s)
	m.scratches.Put(s)
	m.cache.put(word, append([]int32(nil), ids[start:]...))
	return ids
}

// mergeWord is encodeWord without the cache.
func (m *bpe) mergeWord(ids []int32, word string, whole bool, s *bpeScratch) []int32 {
	text := word
	if m.spell {
		s.word = appendByteLevel(s.word[:0], word)
		text = string(s.word)
	}
	if id, ok := m.ids[text]; ok && whole {
		return append(ids, id)
	}
	m.symbols(text, s)
	s.run()
	return append(ids, s.ids...)
}

// symbols fills s.ids with the symbols a word starts from: one for each character, bytes for an unknown
// one where the model has them, else the unknown token. A character that fits none is dropped, as the
// reference does.
func (m *bpe) symbols(word string, s *bpeScratch) {
	s.ids = s.ids[:0]
	pending := false // an unknown token waits, to be fused with the next
	for i, r := range word {
		n := utf8.RuneLen(r)
		id, ok := int32(-1), false
		text := word[i : i+n]
		if m.prefix == "" && m.suffix == "" {
			if int(r) < len(m.runeID) {
				id = m.runeID[r]
				ok = id >= 0
			} else {
				id, ok = m.ids[text]
			}
		} else {
			if i > 0 {
				text = m.prefix + text
			}
			if i+n == len(word) {
				text += m.suffix
			}
			id, ok = m.ids[text]
		}
		if ok {
			if pending {
				s.ids = append(s.ids, m.unk)
				pending = false
			}
			s.ids = append(s.ids, id)
			continue
		}
		if m.byteFallback && m.haveBytes(text) {
			// The reference leaves a waiting unknown token where it is.
			for j := range len(text) {
				s.ids = append(s.ids, m.byteID[text[j]])
			}
			continue
		}
		if m.unk >= 0 {
			if pending && !m.fuseUnk {
				s.ids = append(s.ids, m.unk)
			}
			pending = true
		}
	}
	if pending {
		s.ids = append(s.ids, m.unk)
	}
}

func (m *bpe) haveBytes(text string) bool {
	for i := range len(text) {
		if m.byteID[text[i]] < 0 {
			return false
		}
	}
	return true
}
