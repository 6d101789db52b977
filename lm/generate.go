package lm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/lm/answer"
)

// Generation asks for the text that greedy decoding gives after a context.
type Generation struct {
	Context string
	// Until are texts that end it; the first of them to come and what follows are cut off.
	Until []string
	// MaxTokens are decoded at most.
	MaxTokens int
}

// Thinking is how a model marks what it thinks before its answer; the zero value: it does not, or
// nothing is cut off.
type Thinking struct{ Begin, End string }

// untilText is the decoding of a text under way. Every rule of it is HFLM.generate_until's with one
// request a batch: in larger ones a row there goes on until all have what ends them, and with it
// the text after a stop of special tokens alone.
type untilText struct {
	lm    *LM
	ask   Generation
	stops []stop
	why   answer.Ended
}

// stop is a text that ends a generation, and how many of the last tokens are decoded in search of
// it: two more than it has itself, as another division into tokens may spell it
// (MultiTokenEOSCriteria).
type stop struct {
	text string
	last int
}

// GenerateUntil adds a context after which text is decoded.
func (p *Plan) GenerateUntil(g Generation, done func(answer.Answer) error) error {
	l := p.lm
	if g.MaxTokens < 1 {
		return errors.New("a generation needs at least one token to decode")
	}
	if g.MaxTokens >= l.maxLength {
		return fmt.Errorf("%d tokens are to be generated, which leaves no room for a prompt in the model's context of %d: lower max_gen_toks or raise --max-length", g.MaxTokens, l.maxLength)
	}
	u := &untilText{lm: l, ask: g}
	p.add(&pending{prompt: &prompt{generate: g.MaxTokens, until: u}, done: func(q *pending) error { return done(u.answer(q)) }})
	return nil
}

// generationPrompt encodes the context of a generation: with the special tokens that the tokenizer
// adds by default, but for a text that begins with the BOS token's own (HFLM.tok_batch_encode). Of
// a prompt that is too long the last tokens are kept.
func (l *LM) generationPrompt(q *pending) ([]window, error) {
	u := q.prompt.until
	special := true
	if bos, ok := l.enc.tok.BOS(); ok {
		text := l.enc.tok.Decode([]int32{bos}, false)
		special = text == "" || !strings.HasPrefix(u.ask.Context, text)
	}
	ids := l.enc.tok.Encode(u.ask.Context, special)
	if len(ids) == 0 {
		ids = []int32{l.enc.prefix}
	}
	q.contextTokens = int32(len(ids))
	room := l.maxLength - q.prompt.generate
	if cut := len(ids) - room; cut > 0 {
		if l.strict {
			return nil, fmt.Errorf("its prompt has %d tokens, and with %d to generate the model's context of %d has room for %d; --strict-length is set; it begins %q",
				len(ids), q.prompt.generate, l.maxLength, room, clip(u.ask.Context))
		}
		q.truncated = int32(cut)
		ids = ids[cut:]
	}
	u.plan(l)
	q.prompt.tokens = ids
	return []window{{tokens: ids}}, nil
}

// plan lists the texts that are looked for.
func (u *untilText) plan(l *LM) {
	for _, text := range l.until(u.ask.Until) {
		u.stops = append(u.stops, stop{text, len(l.enc.tok.Encode(text, false)) + 2})
	}
}

// until are the texts that end a generation: those asked for and the EOS token's
// (handle_stop_sequences). An empty one ends nothing.
func (l *LM) until(asked []string) []string {
	out := slices.Clone(asked)
	if eos, ok := l.enc.tok.EOS(); ok {
		if text := l.enc.tok.Decode([]int32{eos}, false); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// take looks at what is decoded so far, if the request is not at its end.
func (p *prompt) take(tokens []int32) {
	if p.ended {
		return
	}
	switch {
	case p.until != nil && p.until.ends(tokens):
	case len(tokens) >= p.generate:
		if p.until != nil {
			p.until.why = answer.ByLength
		}
	default:
		return
	}
	p.generated, p.ended = slices.Clone(tokens[:min(len(tokens), p.generate)]), true
}

// ends says whether the last token ends the text.
func (u *untilText) ends(tokens []int32) bool {
	if slices.Contains(u.lm.end, tokens[len(tokens)-1]) {
		u.why = answer.ByEnd
		return true
	}
	thinks := false
	looked := false
	for _, s := range u.stops {
		if !strings.Contains(u.lm.enc.tok.Decode(tokens[max(0, len(tokens)-s.last):], false), s.text) {
			continue
		}
		if !looked {
			thinks, looked = u.thinks(tokens), true
		}
		if !thinks {
			u.why = answer.ByStop
			return true
		}
	}
	return false
}

// thinks says whether the model still thinks: what ends an answer does not end what comes before
// it. Thinking begins with the answer's first word, or with the prompt's last.
func (u *untilText) thinks(tokens []int32) bool {
	marks := u.lm.thinking
	if marks.End == "" {
		return false
	}
	text := u.lm.enc.tok.Decode(tokens, false)
	begun := strings.HasPrefix(strings.TrimLeftFunc(text, pythonSpace), marks.Begin) ||
		strings.HasSuffix(strings.TrimRightFunc(u.ask.Context, pythonSpace), marks.Begin)
	return begun && !strings.Contains(text, marks.End)
}

// spoken is the text of tokens without what was thought before it.
func (u *untilText) spoken(tokens []int32) string {
	decode, end := u.lm.enc.tok.Decode, u.lm.thinking.End
	text := decode(tokens, true)
	if end == "" {
		return text
	}
	if i := strings.LastIndex(text, end); i >= 0 {
		text = text[i+len(end):]
	} else if n := strings.Count(decode(tokens, false), end); n > 0 { // a special token, which text is without
		from := 0
		for strings.Count(decode(tokens[:from], false), end) < n {
			from++
		}
		text = decode(tokens[from:], true)
	}
	return strings.TrimLeftFunc(text, pythonSpace)
}

// answer is what is taken of the text: without thinking, up to the first stop
// (postprocess_generated_text, which looks for one stop after the other).
func (u *untilText) answer(q *pending) answer.Answer {
	tokens := q.prompt.generated
	text := u.spoken(tokens)
	for _, s := range u.stops {
		text, _, _ = strings.Cut(text, s.text)
	}
	return answer.Answer{
		ContextTokens: int(q.contextTokens), ContinuationTokens: len(tokens), Truncated: int(q.truncated),
		Generated: tokens, Text: text, Ended: u.why,
	}
}
