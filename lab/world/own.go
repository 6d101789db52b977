package world

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MaxOwnWords is how many invented words there are.
const MaxOwnWords = 600

// OwnWord is invented word i, from 0. No English word begins like these, so that
// they are the exercises' own beside any text.
func OwnWord(i int) string {
	const consonants, vowels = "bcdfghjklmnpqrstvwxz", "aeiou"
	ends := []string{"", "n", "s", "r", "l", "m"}
	return "z" + consonants[i%20:][:1] + vowels[i/20%5:][:1] + ends[i/100]
}

// AddOwnWords makes the first count invented words, each behind a space, one
// token each of a tokenizer.json that TrainBPE or LettersOnly made. They get the
// ids behind its others.
func AddOwnWords(tokenizer []byte, count int) ([]byte, error) {
	if count < 1 || count > MaxOwnWords {
		return nil, fmt.Errorf("world: %d words of the exercises' own; want 1 to %d", count, MaxOwnWords)
	}
	var file map[string]any
	if err := json.Unmarshal(tokenizer, &file); err != nil {
		return nil, fmt.Errorf("world: tokenizer: %w", err)
	}
	added := file["added_tokens"].([]any)
	first := len(file["model"].(map[string]any)["vocab"].(map[string]any))
	for i := range count {
		added = append(added, map[string]any{"id": first + i, "content": " " + OwnWord(i), "single_word": false, "lstrip": false, "rstrip": false,
			"normalized": false, "special": false})
	}
	file["added_tokens"] = added
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(file)
	return b.Bytes(), err
}

// LettersOnly is the tokenizer.json of a world without text: <s>, white space,
// letters, digits and the full stop, and no merges. What is not among these has
// no token.
func LettersOnly() ([]byte, error) {
	t := &trainer{pieces: []string{BOS}}
	a := byteAlphabet()
	for _, c := range []byte("\n .0123456789abcdefghijklmnopqrstuvwxyz") {
		t.pieces = append(t.pieces, string(a.runes[c]))
	}
	return t.marshal()
}
