package serve

import (
	"fmt"
	"unicode/utf8"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
)

// answered is the answer to a request, as OpenAI's.
type answered struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"` // seconds since 1970
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   usage    `json:"usage"`
}

type choice struct {
	Text         string    `json:"text"`
	Index        int       `json:"index"`
	LogProbs     *logProbs `json:"logprobs"`
	FinishReason string    `json:"finish_reason"` // "stop" or "length"
}

// logProbs has an entry for each token of the prompt, where echo asks, and each that was decoded,
// what ended the text included. The first of a prompt has none: null.
type logProbs struct {
	Tokens        []string             `json:"tokens"`
	TokenLogProbs []*float64           `json:"token_logprobs"`
	TopLogProbs   []map[string]float64 `json:"top_logprobs"`
	TextOffset    []int                `json:"text_offset"` // in Unicode code points
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// choices puts answers into the form asked for.
func (s *Server) choices(a *asked, answers []lm.SequenceAnswer) ([]choice, usage) {
	out := make([]choice, len(answers))
	var used usage
	for i, got := range answers {
		c := choice{Text: got.Text, Index: i, FinishReason: "length"}
		if got.Ended == answer.ByStop || got.Ended == answer.ByEnd {
			c.FinishReason = "stop"
		}
		if a.echo {
			c.Text = a.prompts[i].text + got.Text
		}
		if a.logProbs {
			c.LogProbs = s.logProbs(a, a.prompts[i], got)
		}
		out[i] = c
		used.PromptTokens += len(a.prompts[i].tokens)
		used.CompletionTokens += len(got.Generated)
	}
	used.TotalTokens = used.PromptTokens + used.CompletionTokens
	return out, used
}

func (s *Server) logProbs(a *asked, p prompt, got lm.SequenceAnswer) *logProbs {
	out := &logProbs{Tokens: []string{}, TokenLogProbs: []*float64{}, TopLogProbs: []map[string]float64{}, TextOffset: []int{}}
	words := speller{decode: func(ids []int32) string { text, _ := s.tok.TryDecode(ids, false); return text }}
	at := -p.before
	add := func(token int32, score *lm.TokenScore) {
		name := words.name(token)
		var number *float64
		var top map[string]float64
		if score != nil {
			v := float64(score.LogProb)
			number, top = &v, words.candidates(score.Best, name, *score)
		}
		text := words.take(token)
		out.Tokens, out.TokenLogProbs = append(out.Tokens, name), append(out.TokenLogProbs, number)
		out.TopLogProbs, out.TextOffset = append(out.TopLogProbs, top), append(out.TextOffset, max(0, at))
		at += utf8.RuneCountInString(text)
	}
	for i, token := range p.tokens {
		switch {
		case !a.echo:
			words.take(token) // for the spelling of what follows
		case i == 0:
			add(token, nil)
		default:
			add(token, &got.Prompt[i-1])
		}
	}
	if !a.echo {
		at = 0
	}
	for i := range got.Generated {
		add(got.Generated[i].Token, &got.Generated[i])
	}
	return out
}

// speller spells tokens one after another: what each adds to the text of those before it. A
// tokenizer may spell a token otherwise at the beginning, and bytes of one character may be
// several tokens.
type speller struct {
	decode func([]int32) string
	ids    []int32
	from   int // text before ids[from] does not change the spelling of what follows
	done   int // ids before it are spelt
}

const replacement = string(utf8.RuneError)

// mostUnspelt bounds the tokens that wait for the rest of their character.
const mostUnspelt = 8

// next is what a token would add; whole: it ends with a whole character.
func (w *speller) next(token int32) (text string, whole bool) {
	before := w.decode(w.ids[w.from:w.done])
	after := w.decode(append(w.ids[w.from:len(w.ids):len(w.ids)], token))
	whole = len(after) < len(replacement) || after[len(after)-len(replacement):] != replacement
	if len(after) < len(before) {
		return "", whole
	}
	return after[len(before):], whole
}

// take adds a token and returns the text that is complete with it, "" for part of a character.
func (w *speller) take(token int32) string {
	text, whole := w.next(token)
	w.ids = append(w.ids, token)
	if !whole && len(w.ids)-w.done < mostUnspelt {
		return ""
	}
	w.from, w.done = w.done, len(w.ids)
	if w.from > 1<<10 { // what lies before is of no more use
		w.ids = append([]int32(nil), w.ids[w.from:]...)
		w.done -= w.from
		w.from = 0
	}
	return text
}

// name is how a token is called in an answer: what it adds to the text, or its id where that
// is not text of its own.
func (w *speller) name(token int32) string {
	if text, whole := w.next(token); whole && text != "" && len(w.ids) == w.done {
		return text
	}
	return fmt.Sprintf("token_id:%d", token)
}

// candidates are the most probable tokens by name, and the one that stands there. Of two with
// one name the less probable is called by its id.
func (w *speller) candidates(best []engine.Candidate, name string, own lm.TokenScore) map[string]float64 {
	out := make(map[string]float64, len(best)+1)
	there := false
	for _, c := range best {
		called := name
		if c.Token != own.Token {
			called = w.name(c.Token)
		} else {
			there = true
		}
		if _, taken := out[called]; taken {
			called = fmt.Sprintf("token_id:%d", c.Token)
		}
		out[called] = float64(c.LogProb)
	}
	if there {
		return out
	}
	if _, taken := out[name]; taken {
		name = fmt.Sprintf("token_id:%d", own.Token)
	}
	out[name] = float64(own.LogProb)
	return out
}
