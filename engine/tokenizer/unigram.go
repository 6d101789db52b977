package tokenizer

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// unigram is a Unigram language model: of all ways to cut a word into pieces, the one whose scores have the
// largest sum (Viterbi). Behavior: EncodeOptimized of sentencepiece's unigram::Model, and
// Unigram::encode_optimized of tokenizers, which is made after it but sums in double precision.
type unigram struct {
	pieces       []string
	ids          map[string]int32
	scores       []float64
	trie         *pieceTrie
	unk          int32 // -1: none
	unkScore     float64
	single       bool // sentencepiece: a sum that is kept is rounded to float32
	byteFallback bool
	byteID       [256]int32
	cache        *wordCache
	scratches    sync.Pool
}

// unkPenalty is how much less than the worst piece an unknown character scores.
const unkPenalty = 10

// bestPath is the best way to cut the text up to one place.
type bestPath struct {
	score float64
	from  int32 // where the last piece starts; -1: no way known
	id    int32
}

type unigramScratch struct{ best, path []bestPath }

// newUnigram builds tokenizer.json's model. The last of equal tokens counts.
func newUnigram(pieces []string, scores []float64, unk int32, byteFallback bool) (*unigram, error) {
	m := &unigram{pieces: pieces, scores: scores, unk: unk, byteFallback: byteFallback, ids: make(map[string]int32, len(pieces))}
	worst := math.Inf(1)
	values := make([]int32, len(pieces))
	for i, p := range pieces {
		m.ids[p] = int32(i)
		values[i] = int32(i)
		worst = min(worst, scores[i])
	}
	for i, p := range pieces {
		values[i] = m.ids[p]
	}
	m.unkScore = worst - unkPenalty
	return m, m.index(pieces, values)
}

// newSPUnigram builds a tokenizer.model's: only normal and user-defined pieces are found in a text, and the
// latter nearly always win.
func newSPUnigram(proto *protoModel, unk int32) (*unigram, error) {
	m := &unigram{single: true, unk: unk, byteFallback: proto.byteFallback, ids: map[string]int32{}}
	worst, best := float32(math.MaxFloat32), float32(0x1p-126)
	for _, p := range proto.pieces {
		if p.kind == pieceNormal {
			worst, best = min(worst, p.score), max(best, p.score)
		}
	}
	var found []string
	var values []int32
	for i, p := range proto.pieces {
		m.pieces = append(m.pieces, p.text)
		m.scores = append(m.scores, float64(p.score))
		switch p.kind {
		case pieceUserDefined:
			m.scores[i] = float64(float32(len(p.text))*best) - 0.1
		case pieceNormal:
		case pieceByte:
			m.ids[p.text] = int32(i)
			continue
		default:
			continue
		}
		found, values = append(found, p.text), append(values, int32(i))
	}
	m.unkScore = float64(worst - unkPenalty)
	return m, m.index(found, values)
}

// index builds what look-ups need.
func (m *unigram) index(found []string, values []int32) (err error) {
	m.cache = newWordCache()
	m.scratches.New = func() any { return &unigramScratch{} }
	for b := range m.byteID {
		m.byteID[b] = -1
		if id, ok := m.ids[fmt.Sprintf("<0x%02X>", b)]; ok {
			m.byteID[b] = id
		}
	}
	m.trie, err = newPieceTrie(found, values)
	return err
}

func (m *unigram) encode(ids []int32, word string) []int32 {
	if known, ok := m.cache.get(word); ok {
		return append(ids, known...)
	}
	s := m.scratches.Get().(*unigramScratch)
	defer m.scratches.Put(s)
	start := len(ids)
	for i, n := 0, m.search(word, s); i < n; {
		p := s.path[i]
		end := i + 1
		to := s.end(i, len(word))
		if p.id == m.unk {
			// Unknown characters in a row are one unknown piece.
			for end < n && s.path[end].id == m.unk {
				to = s.end(end, len(word))
				end++
			}
			ids = m.unknown(ids, word[p.from:to])
		} else {
			ids = append(ids, p.id)
		}
		i = end
	}
	m.cache.put(word, slices.Clone(ids[start:]))
	return ids
}

// end is where piece i of the path ends.
func (s *unigramScratch) end(i, whole int) int32 {
	if i+1 < len(s.path) {
		return s.path[i+1].from
	}
	return int32(whole)
}

// search leaves the best path in s.path, first piece first, and returns its length.
func (m *unigram) search(word string, s *unigramScratch) int {
	s.best = slices.Grow(s.best[:0], len(word)+1)[:len(word)+1]
	for i := range s.best {
		s.best[i] = bestPath{from: -1}
	}
	for at := 0; at < len(word); {
		_, size := utf8.DecodeRuneInString(word[at:])
		so := s.best[at].score
		known := false
		node := int32(0)
		for i := at; i < len(word); {
			if node = m.trie.step(node, word[i]); node == 0 {
				break
			}
			i++
			id := m.trie.value[node]
			if id < 0 {
				continue
			}
			known = known || i-at == size
			m.offer(&s.best[i], m.scores[id]+so, at, id)
		}
		if !known {
			score := m.unkScore + so
			if m.single {
				score = float64(float32(score))
			}
			if m.unk < 0 {
				panic(&failure{fmt.Errorf("the model has no unknown token, and %s has characters that are none of its tokens", quote(word))})
			}
			m.offer(&s.best[at+size], score, at, m.unk)
		}
		at += size
	}
	s.path = s.path[:0]
	for end := int32(len(word)); end > 0; end = s.best[end].from {
		s.path = append(s.path, s.best[end])
	}
	slices.Reverse(s.path)
	return len(s.path)
}

// offer takes a way to a place if it is the first or better than the best so far.
func (m *unigram) offer(best *bestPath, score float64, from int, id int32) {
	if best.from >= 0 && !(score > best.score) {
		return
	}
	if m.single {
		score = float64(float32(score))
	}
	*best = bestPath{score, int32(from), id}
}

// unknown appends what stands for characters that no piece covers.
func (m *unigram) unknown(ids []int32, text string) []int32 {
	if !m.single {
		// tokenizers looks up what it has joined: it may be a token after all.
		if id, ok := m.ids[text]; ok {
			return append(ids, id)
		}
	}
	if m.byteFallback {
		start := len(ids)
		for i := range len(text) {
			if m.byteID[text[i]] < 0 {
				return append(ids[:start], m.unk)
			}
			ids = append(ids, m.byteID[text[i]])
		}
		return ids
	}
	return append(ids, m.unk)
}

func (m *unigram) id(token string) (int32, bool) {
	id, ok := m.ids[token]
	return id, ok
}

func (m *unigram) piece(id int32) (string, bool) {
	if id < 0 || int(id) >= len(m.pieces) {
		return "", false
	}
	return m.pieces[id], true
}

func (m *unigram) count() int { return len(m.pieces) }
func (m *unigram) top() int   { return len(m.pieces) }
