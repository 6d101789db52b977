package passkey

import (
	"fmt"
	"slices"
	"strconv"
)

// Tokenizer is what passkey needs of a tokenizer. special asks Encode for the tokens the tokenizer's
// own post-processor adds (a BOS), and Decode to leave special tokens out.
type Tokenizer interface {
	Encode(text string, special bool) []int32
	Decode(ids []int32, special bool) string
}

// Trial is one prompt and the answer that is right.
type Trial struct {
	Length int     // len(Prompt)
	Depth  float64 // as the grid asks for it
	Trial  int     // 0-based number within its cell
	Key    int
	Prompt []int32 // ids of the whole prompt, special tokens at its start included
	// Answer is the ids that continue the prompt with " KEY": the ids of prompt and answer encoded
	// as one text, less the prompt's own, so that a BOS or a joined space makes no difference.
	Answer []int32
	// Before and After are the bytes of garbage around the key: Text(Before, Key, After) is the
	// prompt's text.
	Before, After int
}

// Keys are the grid's trials in Build's order, without prompts and answers: what can be told
// without a tokenizer.
func (g Grid) Keys() []Trial {
	out := make([]Trial, 0, len(g.Lengths)*len(g.Depths)*g.Trials)
	for _, length := range g.Lengths {
		for _, depth := range g.Depths {
			for i := range g.Trials {
				out = append(out, Trial{Length: length, Depth: depth, Trial: i, Key: g.key(depth, i)})
			}
		}
	}
	return out
}

// Name tells the trial from all others: length/depth/trial/key.
func (t Trial) Name() string {
	return fmt.Sprintf("%d/%g/%d/%d", t.Length, t.Depth, t.Trial, t.Key)
}

// Build makes all prompts of the grid, ordered by length, depth, trial as the grid lists them. Every
// prompt has exactly the asked number of tokens, and is the encoding of its text as a whole, not a
// sum of parts encoded alone.
//
// How the length is met: the garbage before the key is cut after a whole word, at the depth's share
// of the room that is left beside the longest needle of its cell; it is the same in all trials of a
// cell, so they share their prefix up to there, as deeper cells and longer prompts do; those of the
// same depth have the same keys (see key). The garbage
// after the key takes up the rest: after a whole word where some word gives the exact count, else
// within one. At depth 1 therefore a few tokens of garbage may follow the key.
//
// It fails where a length has no room for the prompt, and for a tokenizer with which no amount of
// garbage gives the exact length.
func (g Grid) Build(tok Tokenizer) ([]Trial, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	b := newBuilder(tok)
	out := make([]Trial, 0, len(g.Lengths)*len(g.Depths)*g.Trials)
	for _, length := range g.Lengths {
		for _, depth := range g.Depths {
			cell, err := b.cell(g, length, depth)
			if err != nil {
				return nil, err
			}
			out = append(out, cell...)
		}
	}
	return out, nil
}

// head is how many whole periods of garbage stand in for any more of them when tokens are counted on
// a short prompt: enough that what follows does not see where it stopped.
const head = 2

// builder counts tokens for one tokenizer.
type builder struct {
	tok   Tokenizer
	tail  int   // special tokens the tokenizer puts after a text, which a prompt must not have
	per   int   // tokens of one period of garbage amid garbage
	extra []int // extra[c]: tokens that c more bytes add after head periods, c in 0..period
}

func newBuilder(tok Tokenizer) *builder {
	b := &builder{tok: tok}
	b.tail = trailing(tok.Encode(garbage, true), tok.Encode(garbage, false))
	base := b.count(Text(head*period, 1, head*period))
	b.extra = make([]int, period+1)
	for c := range b.extra {
		b.extra[c] = b.count(Text(head*period, 1, head*period+c)) - base
	}
	b.per = b.extra[period]
	return b
}

// trailing is how many tokens with has after the last of without.
func trailing(with, without []int32) int {
	for lead := 0; lead+len(without) <= len(with); lead++ {
		if slices.Equal(with[lead:lead+len(without)], without) {
			return len(with) - lead - len(without)
		}
	}
	return 0
}

// encode is the text's ids with the special tokens before it, without those after it.
func (b *builder) encode(text string) []int32 {
	ids := b.tok.Encode(text, true)
	return ids[:len(ids)-b.tail]
}

func (b *builder) count(text string) int { return len(b.encode(text)) }

// added is the tokens that n bytes of garbage add over head periods of it: negative for fewer.
func (b *builder) added(n int) int {
	n -= head * period
	whole := n / period
	if n%period < 0 {
		whole--
	}
	return whole*b.per + b.extra[n-whole*period]
}

// cell makes one cell's trials.
func (b *builder) cell(g Grid, length int, depth float64) (_ []Trial, err error) {
	trials := make([]Trial, g.Trials)
	// The longest needle, with head periods of garbage on either side.
	longest := 0
	counts := make([]int, g.Trials)
	for i := range trials {
		trials[i] = Trial{Length: length, Depth: depth, Trial: i, Key: g.key(depth, i)}
		counts[i] = b.count(Text(head*period, trials[i].Key, head*period))
		longest = max(longest, counts[i])
	}
	bare := longest + 2*b.added(0)
	if length < bare {
		return nil, fmt.Errorf("passkey: length %d is too short; with this tokenizer the prompt has %d tokens without any garbage", length, bare)
	}
	before := b.beforeBytes(int(depth*float64(length-bare) + 0.5))
	for range wordsTried {
		if err = b.fill(trials, counts, before); err == nil {
			return trials, nil
		}
		before = shorter(before)
	}
	return nil, err
}

// wordsTried is by how many words the garbage before the key may be cut shorter in search of an
// exact length: one period's.
const wordsTried = 20

// beforeBytes is the longest garbage of whole words within a number of tokens.
func (b *builder) beforeBytes(tokens int) int {
	if b.per <= 0 || tokens <= 0 {
		return 0
	}
	n := (tokens/b.per + 1) * period
	for n > 0 && (!wordEnd(n) || b.added(n)-b.added(0) > tokens) {
		n--
	}
	return n
}

// shorter is a garbage's length less its last word.
func shorter(before int) int {
	for before--; before > 0 && !wordEnd(before); before-- {
	}
	return max(before, 0)
}

// fill gives every trial of a cell its garbage after the key, its prompt and its answer.
func (b *builder) fill(trials []Trial, counts []int, before int) error {
	for i := range trials {
		t := &trials[i]
		t.Before = before
		if err := b.prompt(t, t.Length-counts[i]-b.added(before)); err != nil {
			return err
		}
	}
	return nil
}

// prompt finds the garbage after the key that makes the prompt exact. want is the tokens it should
// add over head periods, by the counts of short prompts. The prompt is then encoded whole: only that
// count is believed, and a difference moves want.
func (b *builder) prompt(t *Trial, want int) error {
	var tried []int
	for range 12 {
		after := -1
		for _, n := range b.afterBytes(want) {
			if !slices.Contains(tried, n) {
				after = n
				break
			}
		}
		if after < 0 {
			break
		}
		tried = append(tried, after)
		ids := b.encode(Text(t.Before, t.Key, after))
		if len(ids) == t.Length {
			t.After, t.Prompt = after, ids
			return b.answer(t)
		}
		want += t.Length - len(ids)
	}
	return fmt.Errorf("passkey: no amount of garbage gives exactly %d tokens at depth %v with this tokenizer; ask for another length", t.Length, t.Depth)
}

// afterBytes lists the lengths of garbage that by count add want tokens, whole words first, longest first.
func (b *builder) afterBytes(want int) []int {
	if b.per <= 0 {
		return nil
	}
	middle := (head + want/b.per) * period
	var words, others []int
	for n := middle + 2*period; n >= max(0, middle-2*period); n-- {
		if b.added(n) != want {
			continue
		}
		if wordEnd(n) {
			words = append(words, n)
		} else {
			others = append(others, n)
		}
	}
	return append(words, others...)
}

// answer finds the ids that continue the prompt with the key.
func (b *builder) answer(t *Trial) error {
	// A short prompt of the same end: what follows the question does not depend on the length.
	short := Text(0, t.Key, min(t.After, head*period))
	prefix, whole := b.encode(short), b.encode(short+" "+strconv.Itoa(t.Key))
	if len(whole) <= len(prefix) || !slices.Equal(whole[:len(prefix)], prefix) {
		return fmt.Errorf("passkey: this tokenizer joins the key to the end of the question; its answer cannot be told from the prompt")
	}
	t.Answer = whole[len(prefix):]
	return nil
}
