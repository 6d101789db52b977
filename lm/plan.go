package lm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm/answer"
)

// Plan gathers requests of all kinds, of one task or many, to be computed as
// one forest: what any two have in common is computed once. Callbacks come from
// one goroutine, each once, as soon as its request is complete; an error from
// one stops the run.
type Plan struct {
	// Name says in errors what request i is, counted in the order added; nil
	// numbers them.
	Name func(i int) string

	lm       *LM
	requests []*pending
	beside   besides
}

// pending is a request on its way: first text, then windows, then sums. There may be
// millions: it holds no more than it must.
type pending struct {
	request  Request // of a rolling text, its Context; of a prompt to go on from, nothing
	prompt   *prompt
	sequence *sequence
	done     func(*pending) error
	windows  []windowSum
	unscored *answer.Unscored // nil where there is a loglikelihood
	index    int32            // in the plan
	left     int32            // windows not complete
	// Of a loglikelihood, as in its answer.
	contextTokens, continuationTokens, truncated int32
	rolling                                      bool
}

// why is why a request has no loglikelihood, "" where it has one.
func (q *pending) why() answer.Unscored {
	if q.unscored == nil {
		return ""
	}
	return *q.unscored
}

// prompt is a request to decode.
type prompt struct {
	tokens    []int32
	generate  int
	generated []int32
	ended     bool
	until     *untilText // nil: exactly as many tokens
}

// windowSum is where a window lies, and the running result of it.
type windowSum struct {
	place
	left int32 // tokens not scored
	tally
}

// tally is the running result of what one model says to a window.
type tally struct {
	greedy        bool
	logLikelihood float64
	byPosition    []answer.Position // rolling only
}

// add takes the loglikelihood of one token; bucket is its place in a rolling text, else -1.
func (t *tally) add(logProb float32, top bool, bucket int) {
	t.logLikelihood += float64(logProb)
	t.greedy = t.greedy && top
	if bucket < 0 {
		return
	}
	if t.byPosition == nil {
		t.byPosition = make([]answer.Position, PositionBuckets)
	}
	t.byPosition[bucket].LogLikelihood += float64(logProb)
	t.byPosition[bucket].Tokens++
}

// scored is the number of tokens that the window scores.
func (w *windowSum) scored() int { return int(w.inputs + 1 - w.from) }

// finish hands the result on.
func (q *pending) finish() error {
	err := q.done(q)
	q.windows = nil
	return err
}

// add takes a request with its number.
func (p *Plan) add(q *pending) {
	q.index = int32(len(p.requests))
	p.requests = append(p.requests, q)
}

// name of a request, for errors.
func (p *Plan) name(i int) string {
	if p.Name == nil {
		return fmt.Sprintf("request %d", i)
	}
	return p.Name(i)
}

// NewPlan returns an empty plan.
func (l *LM) NewPlan() *Plan { return &Plan{lm: l, beside: besides{}} }

// Len is the number of requests added.
func (p *Plan) Len() int { return len(p.requests) }

// Loglikelihood adds a request.
func (p *Plan) Loglikelihood(r Request, done func(answer.Answer) error) error {
	p.add(&pending{request: r, done: func(q *pending) error { return done(q.result()) }})
	return nil
}

func (q *pending) result() answer.Answer {
	res := answer.Answer{
		ContextTokens: int(q.contextTokens), ContinuationTokens: int(q.continuationTokens), Truncated: int(q.truncated), Unscored: q.why(),
	}
	if res.Unscored == "" {
		res.LogLikelihood, res.Greedy = q.windows[0].logLikelihood, q.windows[0].greedy
	}
	return res
}

// windows turns a request's text into windows; concurrently with others.
func (l *LM) windows(q *pending, m *memo) ([]window, error) {
	switch {
	case q.sequence != nil:
		return q.sequence.windows(l, q), nil
	case q.prompt != nil && q.prompt.until != nil:
		return l.generationPrompt(q)
	case q.prompt != nil:
		return []window{{tokens: q.prompt.tokens}}, nil
	case q.rolling:
		return rollingWindows(l.enc.encode(q.request.Context), l.enc.prefix, l.maxLength), nil
	}
	r := q.request
	ids, from := l.enc.pair(m, r.Context, r.Continuation)
	info := answer.Answer{ContextTokens: from, ContinuationTokens: len(ids) - from}
	if err := l.scorable(r, &info); err != nil {
		return nil, err
	}
	q.contextTokens, q.continuationTokens = int32(info.ContextTokens), int32(info.ContinuationTokens)
	if why := info.Unscored; why != "" {
		q.unscored = &why
		return nil, nil
	}
	if cut := len(ids) - (l.maxLength + 1); cut > 0 {
		if l.strict {
			return nil, fmt.Errorf("it has %d tokens, which exceeds the model's %d, and --strict-length is set; it begins %q",
				len(ids)-1, l.maxLength, clip(r.Context))
		}
		q.truncated = int32(cut)
		ids, from = ids[cut:], from-cut
	}
	return []window{{ids, from}}, nil
}

// scorable finds what keeps a continuation from having a loglikelihood: that none
// of its tokens is left, that none comes before them, or that they do not fit the
// model's context by themselves. The harness asserts all three
// (HFLM._loglikelihood_tokens).
func (l *LM) scorable(r Request, info *answer.Answer) error {
	const advice = "; --allow-unscored counts such requests instead of failing"
	switch n := info.ContinuationTokens; {
	case n <= 0:
		info.ContinuationTokens, info.Unscored = 0, answer.Empty
		if l.unscored {
			return nil
		}
		if r.Continuation == "" {
			return errors.New("its continuation is empty: there is nothing to score" + advice)
		}
		return fmt.Errorf("no token is left of its continuation %q beside those of its context: the tokenizer joins the two%s", clip(r.Continuation), advice)
	case info.ContextTokens == 0:
		info.Unscored = answer.NoContext
		if l.unscored {
			return nil
		}
		return fmt.Errorf("its context %q is white space alone, which goes to the continuation, and this tokenizer puts no token in front: nothing is left to score after%s", clip(r.Context), advice)
	case n > l.maxLength:
		info.Unscored = answer.TooLong
		if l.unscored {
			return nil
		}
		return fmt.Errorf("its continuation alone has %d tokens, more than the model's context of %d%s", n, l.maxLength, advice)
	}
	return nil
}

// Rolling adds a text whose every token is scored once.
func (p *Plan) Rolling(text string, done func(answer.Answer) error) error {
	p.add(&pending{rolling: true, request: Request{Context: text}, done: func(q *pending) error { return done(q.whole()) }})
	return nil
}

// whole is the answer to a rolling text.
func (q *pending) whole() answer.Answer {
	res := answer.Answer{Windows: len(q.windows), ByPosition: make([]answer.Position, PositionBuckets)}
	for i := range q.windows {
		res.ContinuationTokens += q.windows[i].scored()
		q.windows[i].addTo(&res)
	}
	return res
}

// addTo adds a window's sums to the answer to its text.
func (t *tally) addTo(res *answer.Answer) {
	res.LogLikelihood += t.logLikelihood
	for b, v := range t.byPosition {
		res.ByPosition[b].LogLikelihood += v.LogLikelihood
		res.ByPosition[b].Tokens += v.Tokens
	}
}

// Generate adds a prompt after which exactly n tokens are decoded greedily.
func (p *Plan) Generate(tokens []int32, n int, done func(answer.Answer) error) error {
	if len(tokens) == 0 || n < 1 {
		return errors.New("decoding needs a prompt of at least one token and at least one token to decode")
	}
	if len(tokens)+n > p.lm.maxLength+1 {
		return fmt.Errorf("a prompt of %d tokens and %d to decode exceed the model's %d", len(tokens), n, p.lm.maxLength)
	}
	p.add(&pending{prompt: &prompt{tokens: tokens, generate: n}, done: func(q *pending) error { return done(answer.Answer{Generated: q.prompt.generated}) }})
	return nil
}

// Run computes the plan.
func (p *Plan) Run(ctx context.Context, o RunOptions) (Stats, error) {
	prepared, err := p.Prepare(ctx)
	if err != nil {
		return Stats{}, err
	}
	return prepared.Run(ctx, o)
}

// Prepared is a plan whose text is encoded and whose forest is built.
type Prepared struct {
	lm     *LM
	name   func(i int) string
	trie   *trie
	empty  []*pending // nothing to compute
	stats  Stats
	forest *engine.Forest
}

// Tokens is the number of tokens that Run will compute, decoding apart.
func (p *Prepared) Tokens() int64 { return p.forest.Tokens() }

// Prepare encodes all text and builds the forest. Of a request's tokens the forest
// alone keeps what others do not share, so that a plan takes little more memory than
// its texts.
func (p *Plan) Prepare(ctx context.Context) (*Prepared, error) {
	out := &Prepared{lm: p.lm, name: p.name, trie: newTrie()}
	out.trie.beside = p.beside
	const some = 4096 // are encoded before their tokens go into the forest
	for from := 0; from < len(p.requests); from += some {
		part := p.requests[from:min(from+some, len(p.requests))]
		windows, err := p.encodeAll(ctx, part)
		if err != nil {
			return nil, err
		}
		for i, q := range part {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			out.insert(q, windows[i])
			windows[i] = nil
		}
	}
	for _, q := range p.requests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if q.prompt != nil {
			out.trie.generate(q)
		}
		for i := range q.windows {
			if q.windows[i].left > 0 {
				out.trie.score(q, i)
			}
		}
		if q.left == 0 {
			out.empty = append(out.empty, q)
		}
	}
	out.forest = out.trie.forest()
	return out, nil
}

// insert puts a request's windows into the forest.
func (p *Prepared) insert(q *pending, windows []window) {
	q.left = int32(len(windows))
	q.windows = make([]windowSum, len(windows))
	for i, w := range windows {
		if q.prompt != nil && i == len(windows)-1 {
			p.stats.Requested += int64(len(w.tokens)) + int64(q.prompt.generate) - 1
			p.stats.Decoded += int64(q.prompt.generate) - 1
			q.windows[i].leaf = p.trie.insert(w.tokens)
			continue
		}
		s := &q.windows[i]
		s.greedy, s.left = true, int32(len(w.tokens)-w.from)
		p.stats.Scored += int64(s.left)
		if s.left == 0 {
			q.left--
			continue
		}
		inputs := w.tokens[:len(w.tokens)-1]
		p.stats.Requested += int64(len(inputs))
		s.place = place{leaf: p.trie.insert(inputs), inputs: int32(len(inputs)), from: int32(w.from), target: w.tokens[len(inputs)]}
	}
}

// Cost says what the plan's requests cost; its engine part is still zero.
func (p *Prepared) Cost() Stats { return p.stats }

// Run computes the forest and calls every request's callback.
func (p *Prepared) Run(ctx context.Context, o RunOptions) (Stats, error) {
	for _, q := range p.empty {
		if err := ctx.Err(); err != nil {
			return p.stats, err
		}
		if err := q.finish(); err != nil {
			return p.stats, err
		}
	}
	stats, err := p.lm.model.Run(ctx, p.forest, engine.RunOptions{
		BatchTokens: o.BatchTokens, Memory: o.Memory, Observer: o.Observer, Progress: o.Progress,
		Score:     func(node, scored int, s engine.Score) error { return p.trie.deliver(node, scored, s, p.lm.maxLength) },
		Generated: p.trie.generated, Decoded: p.trie.decoded, Enough: p.trie.enough,
	})
	p.stats.Stats = stats
	var overflow *engine.NotFinite
	if errors.As(err, &overflow) {
		if i, ok := p.trie.asks(overflow.Node, p.forest, overflow.Position); ok {
			err = fmt.Errorf("%s: %w", p.name(i), err)
		}
	}
	return p.stats, err
}

// encodeAll turns the text of requests into windows, on all threads.
func (p *Plan) encodeAll(ctx context.Context, requests []*pending) ([][]window, error) {
	var wg rescue.Group
	windows, errs := make([][]window, len(requests)), make([]error, len(requests))
	// Neighbours share contexts: a worker takes some at a time.
	const some = 32
	var next atomic.Int64
	for range max(1, min(p.lm.threads, len(requests)/(2*some))) {
		wg.Go(func() {
			var m memo
			for at := int(next.Add(some)) - some; at < len(requests); at = int(next.Add(some)) - some {
				for i := at; i < min(at+some, len(requests)) && ctx.Err() == nil; i++ {
					windows[i], errs[i] = p.lm.windows(requests[i], &m)
				}
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name(int(requests[i].index)), err)
		}
	}
	return windows, nil
}

func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
