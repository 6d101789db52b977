package tokenizer

import (
	"fmt"
	"sync/atomic"
)

// Tokenizer maps text to token ids and back. It does not change after Load, but for Err, and is safe for concurrent use.
type Tokenizer struct {
	normalizers   []normalizer
	preTokenizers []preTokenizer
	model         model
	sp            *sentencePiece // instead of model, for a tokenizer.model
	added         *addedVocab
	template      template
	decode        decoder // nil: tokens joined by spaces
	padToken      string  // the padding section's, which transformers makes a special token
	splitSpecial  bool    // tokenizer_config's split_special_tokens

	vocabSize int
	bos, eos  int32 // -1: none
	maxLength int
	sha       string
	content   func() string // ContentSHA256
	path      string        // of the tokenizer's file
	files     []seenFile
	failed    atomic.Pointer[error]
	kind      string
	form      form
}

// Encode returns the ids of text. With addSpecial it adds what the tokenizer's post-processor adds by
// default to a single text (for Llama and Mistral checkpoints, BOS in front); without, nothing. The
// template applies to empty text too. Text that is not valid UTF-8 has each maximal invalid part replaced
// by U+FFFD first. Equals Tokenizer.encode(text, add_special_tokens=addSpecial).ids of the tokenizers
// library. Time is near-linear in the length of text.
//
// Where a pattern of the tokenizer takes too long for text, Err says so from then on and the ids are those
// of an empty text.
func (t *Tokenizer) Encode(text string, addSpecial bool) []int32 {
	ids, err := t.TryEncode(text, addSpecial)
	if err != nil {
		t.failed.CompareAndSwap(nil, &err)
		return t.template.apply([]int32{}, addSpecial)
	}
	return ids
}

// TryEncode is Encode whose failure is returned, and not kept for Err.
func (t *Tokenizer) TryEncode(text string, addSpecial bool) ([]int32, error) {
	var ids []int32
	if err := intoError(func() error { ids = t.encodeText(replaceInvalid(text)); return nil }); err != nil {
		return nil, err
	}
	if ids == nil {
		ids = []int32{}
	}
	return t.template.apply(ids, addSpecial), nil
}

// Err is the first failure of Encode or Decode, nil where all was well. Ask before ids are used.
func (t *Tokenizer) Err() error {
	if err := t.failed.Load(); err != nil {
		return fmt.Errorf("%s: %w", t.path, *err)
	}
	return nil
}

func (t *Tokenizer) encodeText(text string) []int32 {
	var ids []int32
	appendID := func(id int32) { ids = append(ids, id) }
	if t.sp != nil {
		t.added.split(&t.added.plain, text, t.splitSpecial, func(start, end int) {
			ids = t.sp.encode(ids, text[start:end])
		}, appendID)
		return ids
	}
	encodeWord := func(p piece) { ids = t.model.encode(ids, p.text) }
	t.added.split(&t.added.plain, text, t.splitSpecial, func(start, end int) {
		p := piece{text: text[start:end]}
		if start == 0 {
			p.zero = firstRuneLen(p.text)
		}
		p = t.normalize(p)
		t.added.split(&t.added.normalized, p.text, t.splitSpecial, func(start, end int) {
			preTokenize(t.preTokenizers, p.slice(start, end), encodeWord)
		}, appendID)
	}, appendID)
	return ids
}

func (t *Tokenizer) normalize(p piece) piece {
	for _, n := range t.normalizers {
		p = n.normalize(p)
	}
	return p
}

// Decode returns the text that ids spell, through the decoder section of the file. With skipSpecial,
// special tokens are left out. Ids outside the vocabulary are left out. Equals
// Tokenizer.decode(ids, skip_special_tokens=skipSpecial) of the tokenizers library; transformers adds no
// clean-up for BPE tokenizers, whatever clean_up_tokenization_spaces says.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	text, err := t.TryDecode(ids, skipSpecial)
	if err != nil {
		t.failed.CompareAndSwap(nil, &err)
	}
	return text
}

// TryDecode is Decode whose failure is returned, and not kept for Err.
func (t *Tokenizer) TryDecode(ids []int32, skipSpecial bool) (string, error) {
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		token, ok := t.token(id)
		if !ok || skipSpecial && t.added.special[token] {
			continue
		}
		tokens = append(tokens, token)
	}
	separator := ""
	if t.decode != nil {
		if err := intoError(func() error { tokens = t.decode(tokens); return nil }); err != nil {
			return "", err
		}
	} else {
		separator = " "
	}
	return join(tokens, separator), nil
}

func join(tokens []string, separator string) string {
	n := 0
	for _, s := range tokens {
		n += len(s) + len(separator)
	}
	b := make([]byte, 0, n)
	for i, s := range tokens {
		if i > 0 {
			b = append(b, separator...)
		}
		b = append(b, s...)
	}
	return string(b)
}

// token returns the spelling Decode starts from.
func (t *Tokenizer) token(id int32) (string, bool) {
	if a, ok := t.added.tokens[id]; ok {
		return t.added.decoded(id, a), true
	}
	if t.sp != nil {
		return t.sp.piece(id)
	}
	return t.model.piece(id)
}

// Piece returns the vocabulary's own spelling of an id ("Ġthe", "▁the", "<0x0A>"), "" for an id outside it.
func (t *Tokenizer) Piece(id int32) string {
	if a, ok := t.added.tokens[id]; ok {
		return a.content
	}
	s, _ := t.token(id)
	return s
}

// ID returns the id of a vocabulary spelling, an added token's content included.
func (t *Tokenizer) ID(piece string) (int32, bool) {
	if id, ok := t.added.ids[piece]; ok {
		return id, true
	}
	return t.modelID(piece)
}

func (t *Tokenizer) modelID(piece string) (int32, bool) {
	if t.sp != nil {
		id, ok := t.sp.ids[piece]
		return id, ok
	}
	return t.model.id(piece)
}

// VocabSize returns the highest id plus one, added tokens included.
func (t *Tokenizer) VocabSize() int { return t.vocabSize }

// ModelSize returns the highest id of the model's own vocabulary plus one: added tokens that the model
// does not know lie beyond.
func (t *Tokenizer) ModelSize() int {
	if t.sp != nil {
		return len(t.sp.pieces)
	}
	return t.model.top()
}

// BOS returns the id of the token that begins a text, and whether there is one.
func (t *Tokenizer) BOS() (int32, bool) { return t.bos, t.bos >= 0 }

// EOS returns the id of the token that ends a text, and whether there is one.
func (t *Tokenizer) EOS() (int32, bool) { return t.eos, t.eos >= 0 }

// MaxLength returns tokenizer_config.json's model_max_length in tokens, 0 where it is absent or the
// placeholder 1e30 of transformers.
func (t *Tokenizer) MaxLength() int { return t.maxLength }

// SHA256 returns, in hex, the SHA-256 over what decides the ids: the bytes of tokenizer.json or
// tokenizer.model, and the settings read from the files beside it.
func (t *Tokenizer) SHA256() string { return t.sha }

// Kind describes the tokenizer in a few words, such as "BPE (byte-level), 50277 tokens".
func (t *Tokenizer) Kind() string { return fmt.Sprintf("%s, %d tokens", t.kind, t.vocabSize) }

// addTokens adds tokens to the added vocabulary.
func (t *Tokenizer) addTokens(tokens []addedToken) error {
	total := 0
	for _, a := range t.added.tokens {
		total += len(a.content)
	}
	if err := checkAdded(tokens, total); err != nil {
		return err
	}
	size := 0
	if t.sp != nil {
		size = len(t.sp.pieces)
	} else {
		size = t.model.count()
	}
	err := t.added.add(tokens, t.modelID, size, func(s string) string {
		return t.normalize(piece{text: s}).text
	})
	t.vocabSize = max(t.vocabSize, int(t.added.maxID)+1)
	return err
}
