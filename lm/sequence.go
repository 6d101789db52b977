package lm

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm/answer"
)

// Sequence asks about tokens: how probable each is after those before it, and which follow.
type Sequence struct {
	// Tokens are fed as they are, without a token in front.
	Tokens []int32
	// Score asks for the log-probability of each of Tokens but the first, which nothing precedes.
	Score bool
	// Top is how many of the most probable tokens are given beside each token.
	Top int
	// MaxTokens are decoded at most after Tokens, greedily; 0: none.
	MaxTokens int
	// Until are texts that end what is decoded, as the model's own end does.
	Until []string
}

// TokenScore is a token with its natural log-probability, and the most probable ones of its place.
type TokenScore struct {
	Token   int32
	LogProb float32
	// Best are Sequence.Top tokens, the most probable first.
	Best []engine.Candidate
}

// SequenceAnswer is the answer to a Sequence.
type SequenceAnswer struct {
	Prompt    []TokenScore // of Tokens[1:], where Score asks
	Generated []TokenScore // to what ended them, which is with them
	Text      string       // of what was decoded, up to the first text that ends it
	Ended     answer.Ended // "" where nothing was decoded
}

// sequence is a Sequence under way.
type sequence struct {
	ask       Sequence
	prompt    []TokenScore
	generated []TokenScore
}

// Sequence adds a sequence of tokens.
func (p *Plan) Sequence(s Sequence, done func(SequenceAnswer) error) error {
	if err := p.lm.CheckSequence(s); err != nil {
		return err
	}
	q := &pending{sequence: &sequence{ask: s}}
	if s.MaxTokens > 0 {
		q.prompt = &prompt{tokens: s.Tokens, generate: s.MaxTokens, until: &untilText{lm: p.lm, ask: Generation{Until: s.Until, MaxTokens: s.MaxTokens}}}
	}
	q.done = func(q *pending) error {
		out := SequenceAnswer{Prompt: q.sequence.prompt, Generated: q.sequence.generated}
		if q.prompt != nil {
			a := q.prompt.until.answer(q)
			out.Text, out.Ended = a.Text, a.Ended
		}
		return done(out)
	}
	p.add(q)
	return nil
}

// CheckSequence refuses what the model cannot be asked.
func (l *LM) CheckSequence(s Sequence) error {
	if len(s.Tokens) == 0 {
		return fmt.Errorf("a sequence needs at least one token")
	}
	if s.MaxTokens < 0 {
		return fmt.Errorf("%d tokens to decode: want 0 or more", s.MaxTokens)
	}
	if n := len(s.Tokens) + s.MaxTokens; n-1 > l.maxLength || n < 0 {
		return fmt.Errorf("the model's context is %d tokens: %d of the prompt and %d to decode are more (the last one is not fed)", l.maxLength, len(s.Tokens), s.MaxTokens)
	}
	if most := l.model.Describe().Top; s.Top < 0 || s.Top > most {
		return fmt.Errorf("the %d most probable tokens are asked for: this device gives %d", s.Top, most)
	}
	vocab := l.model.Vocab()
	for _, id := range s.Tokens {
		if id < 0 || int(id) >= vocab {
			return fmt.Errorf("token id %d is outside the model's vocabulary of %d", id, vocab)
		}
	}
	return nil
}

// tryTokenizer is a Tokenizer that says of each text whether it could be encoded.
type tryTokenizer interface {
	TryEncode(text string, addSpecial bool) ([]int32, error)
}

// EncodePrompt gives the ids of a text as a prompt to go on from: with the special tokens that the
// tokenizer adds by default, where they are asked for, but for a text that begins with the prefix
// token's own; a text without any token is the prefix token.
func (l *LM) EncodePrompt(text string, special bool) (ids []int32, err error) {
	special = special && (l.enc.text == "" || !strings.HasPrefix(text, l.enc.text))
	if t, ok := l.enc.tok.(tryTokenizer); ok {
		ids, err = t.TryEncode(text, special)
	} else {
		ids = l.enc.tok.Encode(text, special)
	}
	if len(ids) == 0 && err == nil {
		ids = []int32{l.enc.prefix}
	}
	return ids, err
}

// windows are where a sequence is scored and, last, what is decoded after.
func (s *sequence) windows(l *LM, q *pending) (ws []window) {
	tokens := s.ask.Tokens
	if s.ask.Score && len(tokens) > 1 {
		ws = append(ws, window{tokens, 1})
	}
	if q.prompt != nil {
		q.prompt.until.plan(l)
		ws = append(ws, window{tokens: tokens})
	}
	return ws
}

// top is how many candidates a request wants at each place that it scores.
func (q *pending) top() int {
	if q.sequence == nil {
		return 0
	}
	return q.sequence.ask.Top
}

// add takes the score of the next token of the prompt.
func (s *sequence) add(token int32, logProb float32, best []engine.Candidate) {
	if s.prompt == nil {
		s.prompt = make([]TokenScore, 0, len(s.ask.Tokens)-1)
	}
	s.prompt = append(s.prompt, TokenScore{token, logProb, best[:min(len(best), s.ask.Top)]})
}

// decoded takes the candidates of each decoded token, of which the request has the first ones.
func (s *sequence) decoded(tokens []int32, best [][]engine.Candidate) {
	for i, token := range tokens {
		s.generated = append(s.generated, TokenScore{token, best[i][0].LogProb, best[i][:min(len(best[i]), s.ask.Top)]})
	}
}
