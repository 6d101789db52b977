package lm

import (
	"slices"
	"strings"
	"unicode"
)

// Tokenizer is what lm needs of a tokenizer.
type Tokenizer interface {
	Encode(text string, addSpecial bool) []int32
	Decode(ids []int32, skipSpecial bool) string
	BOS() (int32, bool)
	EOS() (int32, bool)
}

// encoder turns text into ids as HFLM does.
type encoder struct {
	tok    Tokenizer
	prefix int32  // BOS, else EOS
	text   string // the prefix as text
}

// encode adds the special tokens that the tokenizer adds by default, but for a
// text that already begins with the prefix token's text (HFLM.tok_encode).
func (e *encoder) encode(text string) []int32 {
	special := e.text == "" || !strings.HasPrefix(text, e.text)
	return e.tok.Encode(text, special)
}

// pair encodes a context and its continuation; what is scored is ids[from:]. White
// space at the context's end belongs to the continuation. The continuation's ids
// are those of both texts encoded as one, past as many as the context alone has
// (TemplateLM._encode_pair); what is fed is the context's own ids and then those
// (HFLM._loglikelihood_tokens). The two differ from the one text's ids where a
// token merges across the join, and then the merged token is neither fed nor
// scored. An empty context is one prefix token (TemplateLM.loglikelihood); one that
// becomes empty only as its white space moves has no token but what the tokenizer
// adds, and from is 0 where it adds none.
//
// The context's own ids are kept for the next continuation after it. The one text's
// are not put together from parts: where that gives the same ids is different for
// every normalizer, pre-tokenizer and model.
func (e *encoder) pair(m *memo, context, continuation string) (ids []int32, from int) {
	if context == "" {
		ids = e.tok.Encode(continuation, false)
		if len(ids) > 0 && ids[0] == e.prefix {
			return ids, 1
		}
		return append([]int32{e.prefix}, ids...), 1
	}
	if trimmed := strings.TrimRightFunc(context, pythonSpace); trimmed != context {
		continuation = context[len(trimmed):] + continuation
		context = trimmed
	}
	if m.ids == nil || m.context != context {
		*m = memo{context, e.encode(context)}
	}
	own := m.ids[:len(m.ids):len(m.ids)]
	whole := e.encode(context + continuation)
	switch from = len(own); {
	case from >= len(whole): // nothing is left of the continuation
		return own, from
	case slices.Equal(own, whole[:from]):
		return whole, from
	}
	return append(own[:from:from], whole[from:]...), from
}

// memo is the context encoded last.
type memo struct {
	context string
	ids     []int32
}

// pythonSpace reports what Python's str.rstrip removes: Unicode white space and
// the four information separators.
func pythonSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// window is a token sequence of which the tokens from index From on are scored.
type window struct {
	tokens []int32
	from   int
}

// rollingWindows cuts ids so that each is scored exactly once, in windows of at
// most max inputs: the first is prefix and the first max ids; each later one
// scores the next max ids with one token of context, and the last one fills its
// inputs up with earlier tokens (get_rolling_token_windows with context_len 1,
// make_disjoint_window).
func rollingWindows(ids []int32, prefix int32, max int) []window {
	if len(ids) == 0 {
		return nil
	}
	first := min(max, len(ids))
	ws := []window{{append([]int32{prefix}, ids[:first]...), 1}}
	for done := first; done < len(ids); {
		n := min(max, len(ids)-done)
		end := done + n
		tokens := ids[end-max-1 : end]
		ws = append(ws, window{tokens, len(tokens) - n})
		done = end
	}
	return ws
}
