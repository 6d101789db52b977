// Package answer is what a model says to one request. The language model makes it, a run's
// journal keeps it as it is, tasks judge it and metrics take it: one type on the whole way. It
// imports nothing and knows neither requests nor tasks.
package answer

// Answer is the answer to one request; what the request did not ask for is zero. Its names in JSON
// are those of a run's journal (docs/run-format.md).
type Answer struct {
	// LogLikelihood is the natural log-probability of the continuation, or of the whole text: the
	// sum over its tokens of the log-softmax over the whole vocabulary.
	LogLikelihood float64 `json:"loglikelihood"`
	// Greedy: each of the continuation's tokens is the most probable one.
	Greedy bool `json:"greedy,omitempty"`
	// ContextTokens and ContinuationTokens count what was asked, before truncation; of a whole text
	// the continuation's are all that were scored, special tokens that the tokenizer adds included.
	// Decoding from a prompt of tokens has none: the request has its prompt, the answer its tokens.
	ContextTokens      int      `json:"context_tokens,omitempty"`
	ContinuationTokens int      `json:"continuation_tokens,omitempty"`
	Truncated          int      `json:"truncated,omitempty"` // tokens cut off on the left
	Unscored           Unscored `json:"unscored,omitempty"`  // why there is no loglikelihood; "" where there is one

	// Of a whole text: the windows it was scored in, and the sums by how many tokens the model saw
	// before: bucket b holds (b·max/16, (b+1)·max/16].
	Windows    int        `json:"windows,omitempty"`
	ByPosition []Position `json:"by_position,omitempty"`

	// Of decoding: the tokens; of text until something ends it also what is taken of them, without
	// what ended it, and why it ended.
	Generated []int32 `json:"generated,omitempty"`
	Text      string  `json:"text,omitempty"`
	Ended     Ended   `json:"ended,omitempty"`
}

// Ended is why the decoding of a text ended.
type Ended string

const (
	// ByStop: one of the texts asked for came.
	ByStop Ended = "stop"
	// ByEnd: the model said that it is done, with one of its end tokens.
	ByEnd Ended = "end"
	// ByLength: as many tokens as asked for came without either.
	ByLength Ended = "length"
)

// Position is a sum of loglikelihoods of Tokens tokens at like places in the model's context.
type Position struct {
	LogLikelihood float64 `json:"loglikelihood"`
	Tokens        int     `json:"tokens"`
}

// Unscored is why a continuation has no loglikelihood. lm-evaluation-harness stops at each; here
// it is an error too, unless the run allows them.
type Unscored string

const (
	// Empty: no token is left of the continuation beside its context's own.
	Empty Unscored = "empty"
	// TooLong: the continuation alone has more tokens than the model may see.
	TooLong Unscored = "too_long"
	// NoContext: no token comes before the continuation's first, as the context is white space
	// alone and the tokenizer puts no token in front.
	NoContext Unscored = "no_context"
)
