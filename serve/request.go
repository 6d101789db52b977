package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/jsontext"
	"github.com/softbench/softbench/lm"
)

// Bounds of one request, beside its body's.
const (
	maxPrompts   = 4096
	maxTokens    = 1 << 18 // prompts' and decoded ones, together
	maxNumbers   = 1 << 20 // log-probabilities in an answer
	maxStops     = 16
	maxStopBytes = 1024
)

// completion is the body of a request. What it does not name is refused, and so is a value that
// would be without use: an answer is never to another question than the one asked.
type completion struct {
	Model            *string         `json:"model"`
	Prompt           json.RawMessage `json:"prompt"`
	MaxTokens        *int            `json:"max_tokens"`
	Temperature      *float64        `json:"temperature"`
	TopP             *float64        `json:"top_p"`
	N                *int            `json:"n"`
	BestOf           *int            `json:"best_of"`
	Stream           *bool           `json:"stream"`
	LogProbs         *int            `json:"logprobs"`
	Echo             *bool           `json:"echo"`
	Stop             json.RawMessage `json:"stop"`
	PresencePenalty  *float64        `json:"presence_penalty"`
	FrequencyPenalty *float64        `json:"frequency_penalty"`
	LogitBias        map[string]any  `json:"logit_bias"`
	Suffix           *string         `json:"suffix"`
	Seed             *int64          `json:"seed"` // greedy decoding draws nothing
	User             *string         `json:"user"`
	// AddSpecialTokens is not OpenAI's: whether text gets the tokens that the tokenizer adds by default.
	AddSpecialTokens *bool `json:"add_special_tokens"`
}

// asked is a request that has been read.
type asked struct {
	prompts  []prompt
	echo     bool
	logProbs bool
	top      int
	generate int
	stop     []string
}

// prompt is what is asked to go on from.
type prompt struct {
	text   string // as given, or as its tokens spell it
	tokens []int32
	before int // code points that the tokens spell before the text: a token put in front
}

// parse reads the body of a request.
func parse(body []byte) (*completion, *failure) {
	if !utf8.Valid(body) {
		return nil, bad("", "the body is not valid UTF-8")
	}
	if half := jsontext.HalfSurrogate(string(body)); half != "" {
		return nil, bad("", "%s is half of a surrogate pair, which is not a character", half)
	}
	var c completion
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, badJSON(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, bad("", "the body has more than one JSON value")
	}
	return &c, nil
}

// badJSON says what encoding/json found in the words of the request.
func badJSON(err error) *failure {
	var wrong *json.UnmarshalTypeError
	text := strings.TrimPrefix(err.Error(), "json: ")
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return bad(wrong.Field, "%q is a JSON %s, which it cannot be", wrong.Field, wrong.Value)
	case errors.As(err, &wrong):
		return bad("", "the body is a JSON %s, not an object", wrong.Value)
	case errors.Is(err, io.EOF):
		return bad("", "the body is empty: want a JSON object with a prompt")
	case strings.HasPrefix(text, "unknown field "):
		name := strings.Trim(strings.TrimPrefix(text, "unknown field "), `"`)
		return bad(name, "%q is not a field that this server knows", name)
	}
	return bad("", "the body is not JSON: %s", text)
}

// check reads what is asked and refuses what the server does not do.
func (c *completion) check(model string, most int) (*asked, *failure) {
	if c.Model != nil && *c.Model != model {
		return nil, &failure{404, fmt.Sprintf("the model %q is not here: this server has %q", *c.Model, model), "model", "model_not_found"}
	}
	a := &asked{generate: 16, echo: c.Echo != nil && *c.Echo}
	if c.MaxTokens != nil {
		a.generate = *c.MaxTokens
	}
	if a.generate < 0 || a.generate > maxTokens {
		return nil, bad("max_tokens", "max_tokens is %d: want 0 to %d", a.generate, maxTokens)
	}
	if c.LogProbs != nil {
		a.logProbs, a.top = true, *c.LogProbs
		if a.top < 0 || a.top > most {
			return nil, bad("logprobs", "logprobs is %d: want 0 to %d here", a.top, most)
		}
	}
	if a.generate == 0 && !a.echo {
		return nil, bad("max_tokens", "max_tokens is 0 and echo is not set: nothing is asked")
	}
	for _, f := range []*failure{c.checkSampling(), c.checkStop(a)} {
		if f != nil {
			return nil, f
		}
	}
	return a, nil
}

// checkSampling refuses whatever is not greedy decoding of one answer.
func (c *completion) checkSampling() *failure {
	is := func(v *float64, want float64) bool { return v == nil || *v == want }
	one := func(v *int) bool { return v == nil || *v == 1 }
	switch {
	case !is(c.Temperature, 0):
		return bad("temperature", "temperature is %v: this server decodes greedily, want 0", *c.Temperature)
	case c.TopP != nil && !(*c.TopP > 0 && *c.TopP <= 1): // of the most probable token alone any share is it
		return bad("top_p", "top_p is %v: want more than 0 and at most 1", *c.TopP)
	case !one(c.N):
		return bad("n", "n is %d: greedy decoding has one answer", *c.N)
	case !one(c.BestOf):
		return bad("best_of", "best_of is %d: greedy decoding has one answer", *c.BestOf)
	case c.Stream != nil && *c.Stream:
		return bad("stream", "this server does not stream: leave stream out")
	case !is(c.PresencePenalty, 0):
		return bad("presence_penalty", "presence_penalty is %v: want 0, the model's own probabilities are given", *c.PresencePenalty)
	case !is(c.FrequencyPenalty, 0):
		return bad("frequency_penalty", "frequency_penalty is %v: want 0, the model's own probabilities are given", *c.FrequencyPenalty)
	case len(c.LogitBias) > 0:
		return bad("logit_bias", "logit_bias is not empty: the model's own probabilities are given")
	case c.Suffix != nil && *c.Suffix != "":
		return bad("suffix", "this server does not fill in before a suffix")
	}
	return nil
}

// checkStop reads stop: a text, or a list of some.
func (c *completion) checkStop(a *asked) *failure {
	if len(c.Stop) == 0 || string(c.Stop) == "null" {
		return nil
	}
	var one *string
	var list []*string
	if json.Unmarshal(c.Stop, &one) == nil {
		list = []*string{one}
	} else if err := json.Unmarshal(c.Stop, &list); err != nil {
		return bad("stop", "stop is neither a text nor a list of texts")
	}
	if len(list) > maxStops {
		return bad("stop", "stop has %d texts: want at most %d", len(list), maxStops)
	}
	for i, s := range list {
		switch {
		case s == nil:
			return bad("stop", "stop[%d] is not a text", i)
		case len(*s) > maxStopBytes:
			return bad("stop", "a text of stop has %d bytes: want at most %d", len(*s), maxStopBytes)
		}
		a.stop = append(a.stop, *s)
	}
	return nil
}

// promptForms are all that a prompt may be.
const promptForms = "want a text, a list of texts, a list of token ids, or a list of lists of them"

// readPrompts reads a prompt in any of its forms; add takes each.
func readPrompts(raw json.RawMessage, text func(string) *failure, tokens func([]int32) *failure) *failure {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return bad("prompt", "there is no prompt: %s", promptForms)
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return bad("prompt", "prompt: %v", err)
		}
		return text(s)
	case raw[0] != '[':
		return bad("prompt", "prompt is neither a text nor a list: %s", promptForms)
	}
	var list []json.RawMessage
	if first := bytes.TrimLeft(raw[1:], " \t\r\n"); len(first) > 0 && first[0] != '"' && first[0] != '[' {
		ids, f := readIDs(raw, "prompt")
		if f != nil {
			return f
		}
		return tokens(ids)
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return bad("prompt", "prompt: %v", err)
	}
	if len(list) > maxPrompts {
		return bad("prompt", "prompt is a list of %d: want at most %d", len(list), maxPrompts)
	}
	for i, one := range list {
		var f *failure
		switch one[0] {
		case '"':
			var s string
			if err := json.Unmarshal(one, &s); err != nil {
				return bad("prompt", "prompt[%d]: %v", i, err)
			}
			f = text(s)
		case '[':
			var ids []int32
			if ids, f = readIDs(one, fmt.Sprintf("prompt[%d]", i)); f == nil {
				f = tokens(ids)
			}
		default:
			f = bad("prompt", "prompt[%d] is neither a text nor a list of token ids: %s", i, promptForms)
		}
		if f != nil {
			return f
		}
	}
	return nil
}

// readIDs reads a list of token ids.
func readIDs(raw json.RawMessage, name string) ([]int32, *failure) {
	var ids []int32
	err := json.Unmarshal(raw, &ids)
	if err == nil && bytes.Contains(raw, []byte("null")) { // which is read as 0
		err = errors.New("null is not one")
	}
	if err != nil {
		return nil, bad("prompt", "%s is not a list of token ids: %s", name, strings.TrimPrefix(err.Error(), "json: "))
	}
	if len(ids) == 0 {
		return nil, bad("prompt", "%s is an empty list: %s", name, promptForms)
	}
	return ids, nil
}

// read takes the prompts of a request, encodes what is text and holds all against the bounds.
func (s *Server) read(c *completion, a *asked) *failure {
	special := c.AddSpecialTokens == nil || *c.AddSpecialTokens
	total := 0
	add := func(p prompt) *failure {
		n := len(p.tokens) + a.generate
		if total += n; total > maxTokens {
			return bad("prompt", "the request has more than %d tokens, those to decode with them: split it", maxTokens)
		}
		if a.logProbs && total*(a.top+1) > maxNumbers {
			return bad("logprobs", "the answer would have more than %d log-probabilities: ask for fewer or split the request", maxNumbers)
		}
		if err := s.lm.CheckSequence(a.sequence(p)); err != nil {
			f := bad("prompt", "%s", err)
			if n-1 > s.lm.MaxLength() {
				f.code = "context_length_exceeded"
			}
			return f
		}
		a.prompts = append(a.prompts, p)
		return nil
	}
	f := readPrompts(c.Prompt, func(text string) *failure {
		ids, err := s.lm.EncodePrompt(text, special)
		if err != nil {
			return bad("prompt", "a text cannot be encoded: %v", err)
		}
		return add(prompt{text, ids, s.before(text, ids)})
	}, func(ids []int32) *failure {
		for _, id := range ids {
			if id < 0 || id == math.MaxInt32 { // before the tokenizer sees it
				return bad("prompt", "token id %d is not one", id)
			}
		}
		text, err := s.tok.TryDecode(ids, false)
		if err != nil {
			return bad("prompt", "token ids cannot be decoded: %v", err)
		}
		return add(prompt{text, ids, 0})
	})
	if f != nil {
		return f
	}
	for _, stop := range a.stop { // where the plan encodes it, a failure would stay
		if _, err := s.tok.TryEncode(stop, false); err != nil {
			return bad("stop", "a text of stop cannot be encoded: %v", err)
		}
	}
	return nil
}

// before is how many code points tokens spell before the text that they were made of.
func (s *Server) before(text string, ids []int32) int {
	spelt, err := s.tok.TryDecode(ids, false)
	front, ok := strings.CutSuffix(spelt, text)
	if err != nil || !ok {
		return 0
	}
	return utf8.RuneCountInString(front)
}

// sequence is what the model is asked of a prompt.
func (a *asked) sequence(p prompt) lm.Sequence {
	return lm.Sequence{Tokens: p.tokens, Score: a.echo && a.logProbs, Top: a.top, MaxTokens: a.generate, Until: a.stop}
}
