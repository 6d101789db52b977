package tokenizer

import "fmt"

// model maps words to ids: the last step of tokenizer.json's way from text to ids.
type model interface {
	// encode appends the ids of one pre-tokenized word.
	encode(ids []int32, word string) []int32
	id(token string) (int32, bool)
	piece(id int32) (string, bool)
	// count is the number of tokens, which is the first id that an added token may get.
	count() int
	// top is the highest id plus one.
	top() int
}

// vocabulary is a set of tokens with ids.
type vocabulary struct {
	ids    map[string]int32
	pieces map[int32]string // by id
	size   int              // highest id plus one
}

func newVocabulary(ids map[string]int32) (vocabulary, error) {
	v := vocabulary{ids: ids, pieces: make(map[int32]string, len(ids))}
	for token, id := range ids {
		if id < 0 || id >= maxTokenID {
			return v, fmt.Errorf("vocab: token %s has id %d, outside 0..%d", quote(token), id, maxTokenID-1)
		}
		if other, ok := v.pieces[id]; ok {
			return v, fmt.Errorf("vocab: tokens %s and %s share id %d", quote(min(other, token)), quote(max(other, token)), id)
		}
		v.pieces[id] = token
		v.size = max(v.size, int(id)+1)
	}
	return v, nil
}

func (v *vocabulary) id(token string) (int32, bool) {
	id, ok := v.ids[token]
	return id, ok
}

func (v *vocabulary) piece(id int32) (string, bool) {
	text, ok := v.pieces[id]
	return text, ok
}

func (v *vocabulary) count() int { return len(v.ids) }
func (v *vocabulary) top() int   { return v.size }
