package lm

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm/answer"
)

// LM scores text with a model and its tokenizer.
type LM struct {
	model     *engine.Model
	enc       encoder
	maxLength int
	strict    bool
	threads   int
	unscored  bool
	end       []int32
	thinking  Thinking
}

// Options for New.
type Options struct {
	// MaxLength is the number of tokens the model may see at once.
	MaxLength int
	// StrictLength makes a request that would be truncated an error.
	StrictLength bool
	// Threads is how many encode texts at once; 0: one per processor.
	Threads int
	// AllowUnscored gives a request that cannot be scored an answer that says so,
	// in place of an error.
	AllowUnscored bool
	// End are the tokens by which the model says that a text is at its end.
	End []int32
	// Thinking is left out of generated texts where it is marked.
	Thinking Thinking
}

// New makes a language model. A tokenizer with neither BOS nor EOS is refused:
// there would be nothing to condition an empty context on.
func New(m *engine.Model, tok Tokenizer, o Options) (*LM, error) {
	prefix, ok := tok.BOS()
	if !ok {
		prefix, ok = tok.EOS()
	}
	if !ok {
		return nil, errors.New("the tokenizer names neither a BOS nor an EOS token: add bos_token or eos_token to tokenizer_config.json")
	}
	if o.MaxLength < 1 {
		return nil, fmt.Errorf("maximum length %d: want at least 1", o.MaxLength)
	}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return &LM{
		model: m, maxLength: o.MaxLength, strict: o.StrictLength, unscored: o.AllowUnscored, threads: o.Threads, end: o.End, thinking: o.Thinking,
		enc: encoder{tok: tok, prefix: prefix, text: tok.Decode([]int32{prefix}, false)},
	}, nil
}

// MaxLength is the number of tokens the model may see at once.
func (l *LM) MaxLength() int { return l.maxLength }

// Encode returns the ids of a request's context and continuation together, as
// they are scored but for truncation, and where the continuation begins.
func (l *LM) Encode(r Request) (ids []int32, from int) {
	return l.enc.pair(new(memo), r.Context, r.Continuation)
}

// Windows returns the windows in which a rolling text is scored, and from which
// of its ids on each is scored.
func (l *LM) Windows(text string) (ids [][]int32, from []int) {
	for _, w := range rollingWindows(l.enc.encode(text), l.enc.prefix, l.maxLength) {
		ids, from = append(ids, w.tokens), append(from, w.from)
	}
	return ids, from
}

// Request asks for the loglikelihood of Continuation after Context.
type Request struct {
	Context, Continuation string
}

// PositionBuckets is the number of buckets of a whole text's answer.ByPosition.
const PositionBuckets = 16

// RunOptions shape how a plan is run; none changes a result.
type RunOptions struct {
	BatchTokens int
	Memory      int64
	Observer    engine.Observer
	// Progress is told what is done, after each batch; its error stops the run.
	Progress func(done engine.Stats) error
}

// Stats says what a plan cost.
type Stats struct {
	engine.Stats
	// Requested is the number of tokens the requests would have cost one by one.
	Requested int64
	// Decoded is how many of these are of generated answers as long as they may get.
	Decoded int64
	// Scored is the number of tokens whose loglikelihood was asked for.
	Scored int64
}

// Score computes requests in one forest; results are in the order asked. Errors
// call request i name(i); name may be nil.
func (l *LM) Score(ctx context.Context, requests []Request, name func(i int) string, o RunOptions) ([]answer.Answer, Stats, error) {
	results := make([]answer.Answer, len(requests))
	p := l.NewPlan()
	p.Name = name
	for i, r := range requests {
		if err := p.Loglikelihood(r, func(res answer.Answer) error { results[i] = res; return nil }); err != nil {
			return nil, Stats{}, err
		}
	}
	stats, err := p.Run(ctx, o)
	if t, ok := l.enc.tok.(interface{ Err() error }); ok && err == nil {
		err = t.Err() // a text that could not be encoded
	}
	return results, stats, err
}
