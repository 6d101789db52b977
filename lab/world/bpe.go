package world

import (
	"bytes"
	"container/heap"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// BOS is the token that TrainBPE's tokenizers put in front of every text; its id is 0.
const BOS = "<s>"

// minVocab is BOS and the 256 bytes.
const minVocab = 257

type pair [2]int32

// TrainBPE trains a byte-level BPE tokenizer (Sennrich et al. 2016; GPT-2's pre-tokenizer and byte
// alphabet) on text and returns a tokenizer.json: <s> is id 0 and goes in front of every text, 1..256
// are the bytes, and the merges follow in their order. vocab is how many entries it may have, at least
// 257; a text that has no pair left to merge gives fewer. Each step merges the most frequent pair; of
// equally frequent ones the one with the lower ids, as in the Hugging Face tokenizers library. The same
// text gives the same bytes. Which token is BOS is, as for every checkpoint, said by the
// tokenizer_config.json beside it: {"bos_token": "<s>"}.
func TrainBPE(text []byte, vocab int) ([]byte, error) {
	if vocab < minVocab {
		return nil, fmt.Errorf("world: a vocabulary of %d; want at least %d, <s> and the bytes", vocab, minVocab)
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("world: no text to train a tokenizer on; give it some")
	}
	t := newTrainer(text)
	t.train(vocab)
	return t.marshal()
}

// trainer holds the different pre-tokens of a text as sequences of ids.
type trainer struct {
	words  [][]int32
	counts []int64 // how often each of words occurs
	pieces []string
	ids    map[string]int32
	merges []pair
	pairs  map[pair]int64
	where  map[pair]map[int32]bool // the words that hold, or once held, a pair
	queue  pairQueue
}

func newTrainer(text []byte) *trainer {
	t := &trainer{pairs: map[pair]int64{}, where: map[pair]map[int32]bool{}, pieces: make([]string, minVocab), ids: map[string]int32{BOS: 0}}
	t.pieces[0] = BOS
	a := byteAlphabet()
	var ids [256]int32
	for i, b := range a.order {
		t.pieces[1+i] = string(a.runes[b])
		t.ids[t.pieces[1+i]] = int32(1 + i)
		ids[b] = int32(1 + i)
	}
	index := map[string]int{}
	for len(text) > 0 {
		n := preToken(text)
		i, ok := index[string(text[:n])]
		if !ok {
			i = len(t.words)
			index[string(text[:n])] = i
			word := make([]int32, n)
			for k, b := range text[:n] {
				word[k] = ids[b]
			}
			t.words, t.counts = append(t.words, word), append(t.counts, 0)
		}
		t.counts[i]++
		text = text[n:]
	}
	return t
}

func (t *trainer) train(vocab int) {
	for i, w := range t.words {
		for k := range len(w) - 1 {
			t.count(pair{w[k], w[k+1]}, int32(i), t.counts[i])
		}
	}
	for p, n := range t.pairs {
		t.queue = append(t.queue, queued{p, n})
	}
	heap.Init(&t.queue)
	for len(t.pieces) < vocab && len(t.queue) > 0 {
		top := heap.Pop(&t.queue).(queued)
		switch n := t.pairs[top.pair]; {
		case n <= 0:
		case n != top.count: // counted anew since it was queued
			heap.Push(&t.queue, queued{top.pair, n})
		default:
			t.merge(top.pair)
		}
	}
}

func (t *trainer) count(p pair, word int32, n int64) {
	t.pairs[p] += n
	if n > 0 {
		if t.where[p] == nil {
			t.where[p] = map[int32]bool{}
		}
		t.where[p][word] = true
	}
}

// merge makes a new piece of p in every word that holds it.
func (t *trainer) merge(p pair) {
	piece := t.pieces[p[0]] + t.pieces[p[1]]
	id, ok := t.ids[piece] // two ways may lead to one piece
	if !ok {
		id = int32(len(t.pieces))
		t.pieces, t.ids[piece] = append(t.pieces, piece), id
	}
	t.merges = append(t.merges, p)
	fresh := map[pair]bool{}
	for i := range t.where[p] {
		w, n := t.words[i], t.counts[i]
		for k := range len(w) - 1 {
			t.count(pair{w[k], w[k+1]}, i, -n)
		}
		out := w[:0]
		for k := 0; k < len(w); k++ {
			if k+1 < len(w) && w[k] == p[0] && w[k+1] == p[1] {
				out = append(out, id)
				k++
			} else {
				out = append(out, w[k])
			}
		}
		t.words[i] = out
		for k := range len(out) - 1 {
			q := pair{out[k], out[k+1]}
			t.count(q, i, n)
			if q[0] == id || q[1] == id {
				fresh[q] = true
			}
		}
	}
	delete(t.where, p)
	delete(t.pairs, p)
	for q := range fresh {
		heap.Push(&t.queue, queued{q, t.pairs[q]})
	}
}

type queued struct {
	pair  pair
	count int64
}

// pairQueue has the most frequent pair on top, of equals the one with the lower ids.
type pairQueue []queued

func (q pairQueue) Len() int { return len(q) }
func (q pairQueue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.count != b.count {
		return a.count > b.count
	}
	if a.pair[0] != b.pair[0] {
		return a.pair[0] < b.pair[0]
	}
	return a.pair[1] < b.pair[1]
}
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *pairQueue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *pairQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

type alphabet struct {
	order []byte    // bytes in the order of their runes
	runes [256]rune // the printable rune that stands for a byte
}

// byteAlphabet is GPT-2's: printable Latin-1 stands for itself, every other byte, in order, for the
// runes from U+0100 on.
func byteAlphabet() alphabet {
	var a alphabet
	var rest []byte
	for b := range 256 {
		if b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae {
			a.runes[b] = rune(b)
			a.order = append(a.order, byte(b))
		} else {
			a.runes[b] = rune(0x100 + len(rest))
			rest = append(rest, byte(b))
		}
	}
	a.order = append(a.order, rest...)
	return a
}

// preToken is the length of the first piece of GPT-2's pattern,
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// at the start of text, which is not empty.
func preToken(text []byte) int {
	if text[0] == '\'' {
		for _, s := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
			if bytes.HasPrefix(text, []byte(s)) {
				return len(s)
			}
		}
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if start < len(text) {
		if c := classAt(text[start:]); c != space {
			return start + run(text[start:], c)
		}
	}
	n := run(text, space)
	if n < len(text) {
		if _, last := utf8.DecodeLastRune(text[:n]); last < n {
			return n - last // leaves one white space for what follows
		}
	}
	return n
}

type class int

const (
	space class = iota
	letter
	number
	other
)

func classAt(text []byte) class {
	c, _ := utf8.DecodeRune(text)
	switch {
	case unicode.IsSpace(c):
		return space
	case unicode.IsLetter(c):
		return letter
	case unicode.IsNumber(c):
		return number
	}
	return other
}

func run(text []byte, c class) int {
	n := 0
	for n < len(text) && classAt(text[n:]) == c {
		_, size := utf8.DecodeRune(text[n:])
		n += size
	}
	return n
}

// marshal writes the tokenizer.json.
func (t *trainer) marshal() ([]byte, error) {
	type object = map[string]any
	byteLevel := object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	special := object{"SpecialToken": object{"id": BOS, "type_id": 0}}
	sequence := func(id string, kind int) object { return object{"Sequence": object{"id": id, "type_id": kind}} }
	vocab := make(map[string]int, len(t.pieces))
	for i, p := range t.pieces {
		vocab[p] = i
	}
	merges := make([][2]string, len(t.merges))
	for i, m := range t.merges {
		merges[i] = [2]string{t.pieces[m[0]], t.pieces[m[1]]}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(object{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil,
		"added_tokens": []object{{"id": 0, "content": BOS, "single_word": false, "lstrip": false, "rstrip": false,
			"normalized": false, "special": true}},
		"pre_tokenizer": byteLevel,
		"decoder":       byteLevel,
		"post_processor": object{"type": "TemplateProcessing",
			"single":         []object{special, sequence("A", 0)},
			"pair":           []object{special, sequence("A", 0), sequence("B", 1)},
			"special_tokens": object{BOS: object{"id": BOS, "ids": []int{0}, "tokens": []string{BOS}}}},
		"model": object{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
			"end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
			"vocab": vocab, "merges": merges},
	})
	return b.Bytes(), err
}
