package passkey

import (
	"strings"
)

// words is a small tokenizer for tests: a text is cut before each space and after each line end, and
// each piece is one token, the longer ones cut again every `most` bytes. It can add a BOS and an EOS.
type words struct {
	bos, eos bool
	most     int
	ids      map[string]int32
	pieces   []string
}

func newWords(bos, eos bool, most int) *words {
	return &words{bos: bos, eos: eos, most: most, ids: map[string]int32{}, pieces: []string{"<s>", "</s>"}}
}

func (w *words) id(piece string) int32 {
	id, ok := w.ids[piece]
	if !ok {
		id = int32(len(w.pieces))
		w.ids[piece] = id
		w.pieces = append(w.pieces, piece)
	}
	return id
}

func (w *words) Encode(text string, special bool) []int32 {
	var out []int32
	if special && w.bos {
		out = append(out, 0)
	}
	start := 0
	for i := range len(text) {
		cut := i > start && (text[i] == ' ' || text[i] == '\n' || text[i-1] == '\n' || i-start == w.most)
		if cut {
			out = append(out, w.id(text[start:i]))
			start = i
		}
	}
	if start < len(text) {
		out = append(out, w.id(text[start:]))
	}
	if special && w.eos {
		out = append(out, 1)
	}
	return out
}

func (w *words) Decode(ids []int32, skip bool) string {
	var b strings.Builder
	for _, id := range ids {
		if id < 2 && skip {
			continue
		}
		b.WriteString(w.pieces[id])
	}
	return b.String()
}
