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
}

// pending is a request on its way: first text, then windows, then sums.
type pending struct {
	index    int                           // in the plan
	encode   func(*memo) ([]window, error) // text to windows; called once, concurrently with others
	windows  []window
	generate int
	sums     []sum
	left     int // windows not complete
	done     func(*pending) error
	info     answer.Answer // of a loglikelihood
}

// sum is the running result of a window.
type sum struct {
	logLikelihood float64
	greedy        bool
	left          int
	byPosition    []answer.Position // rolling only
}

// add takes a request with its number.
func (p *Plan) add(q *pending) {
	q.index = len(p.requests)
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
func (l *LM) NewPlan() *Plan { return &Plan{lm: l} }

// Len is the number of requests added.
func (p *Plan) Len() int { return len(p.requests) }

// Loglikelihood adds a request.
func (p *Plan) Loglikelihood(r Request, done func(answer.Answer) error) error {
	q := &pending{}
	q.encode = func(m *memo) ([]window, error) {
		ids, from := p.lm.enc.pair(m, r.Context, r.Continuation)
		q.info = answer.Answer{ContextTokens: from, ContinuationTokens: len(ids) - from}
		if err := p.lm.scorable(r, &q.info); err != nil {
			return nil, err
		}
		if q.info.Unscored != "" {
			return nil, nil
		}
		if cut := len(ids) - (p.lm.maxLength + 1); cut > 0 {
			if p.lm.strict {
				return nil, fmt.Errorf("it has %d tokens, which exceeds the model's %d, and --strict-length is set; it begins %q",
					len(ids)-1, p.lm.maxLength, clip(r.Context))
			}
			q.info.Truncated = cut
			ids, from = ids[cut:], from-cut
		}
		return []window{{ids, from}}, nil
	}
	q.done = func(q *pending) error {
		res := q.info
		if res.Unscored == "" {
			res.LogLikelihood, res.Greedy = q.sums[0].logLikelihood, q.sums[0].greedy
		}
		return done(res)
	}
	p.add(q)
	return nil
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
	q := &pending{}
	q.encode = func(*memo) ([]window, error) {
		return rollingWindows(p.lm.enc.encode(text), p.lm.enc.prefix, p.lm.maxLength), nil
	}
	q.done = func(q *pending) error {
		res := answer.Answer{Windows: len(q.windows), ByPosition: make([]answer.Position, PositionBuckets)}
		for i, s := range q.sums {
			res.LogLikelihood += s.logLikelihood
			res.ContinuationTokens += len(q.windows[i].tokens) - q.windows[i].from
			for b, v := range s.byPosition {
				res.ByPosition[b].LogLikelihood += v.LogLikelihood
				res.ByPosition[b].Tokens += v.Tokens
			}
		}
		return done(res)
	}
	q.left = rolling
	p.add(q)
	return nil
}

// rolling marks a pending request, until it is encoded, as a rolling one.
const rolling = -1

// Generate adds a prompt after which exactly n tokens are decoded greedily.
func (p *Plan) Generate(prompt []int32, n int, done func(answer.Answer) error) error {
	if len(prompt) == 0 || n < 1 {
		return errors.New("decoding needs a prompt of at least one token and at least one token to decode")
	}
	if len(prompt)+n > p.lm.maxLength+1 {
		return fmt.Errorf("a prompt of %d tokens and %d to decode exceed the model's %d", len(prompt), n, p.lm.maxLength)
	}
	q := &pending{generate: n}
	q.encode = func(*memo) ([]window, error) { return []window{{tokens: prompt}}, nil }
	q.done = func(q *pending) error { return done(answer.Answer{Generated: q.windows[0].tokens}) }
	p.add(q)
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

// Prepare encodes all text and builds the forest.
func (p *Plan) Prepare(ctx context.Context) (*Prepared, error) {
	if err := p.encodeAll(ctx); err != nil {
		return nil, err
	}
	out := &Prepared{lm: p.lm, name: p.name, trie: newTrie()}
	for _, q := range p.requests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		isRolling := q.left == rolling
		q.left = len(q.windows)
		q.sums = make([]sum, len(q.windows))
		for i, w := range q.windows {
			s := &q.sums[i]
			s.greedy, s.left = true, len(w.tokens)-w.from
			if isRolling {
				s.byPosition = make([]answer.Position, PositionBuckets)
			}
			if q.generate > 0 {
				out.stats.Requested += int64(len(w.tokens) + q.generate - 1)
				out.trie.insert(w.tokens)
				continue
			}
			out.stats.Scored += int64(s.left)
			if s.left == 0 {
				q.left--
				continue
			}
			out.stats.Requested += int64(len(w.tokens) - 1)
			out.trie.insert(w.tokens[:len(w.tokens)-1])
		}
		if q.left == 0 {
			out.empty = append(out.empty, q)
		}
	}
	for _, q := range p.requests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, w := range q.windows {
			switch {
			case q.generate > 0:
				out.trie.generate(w.tokens, q)
			case q.sums[i].left > 0:
				out.trie.score(w, q, i)
			}
		}
	}
	out.forest = out.trie.forest()
	return out, nil
}

// Cost says what the plan's requests cost; its engine part is still zero.
func (p *Prepared) Cost() Stats { return p.stats }

// Run computes the forest and calls every request's callback.
func (p *Prepared) Run(ctx context.Context, o RunOptions) (Stats, error) {
	for _, q := range p.empty {
		if err := ctx.Err(); err != nil {
			return p.stats, err
		}
		if err := q.done(q); err != nil {
			return p.stats, err
		}
	}
	stats, err := p.lm.model.Run(ctx, p.forest, engine.RunOptions{
		BatchTokens: o.BatchTokens, Memory: o.Memory, Observer: o.Observer, Progress: o.Progress,
		Score:     func(node, scored int, s engine.Score) error { return p.trie.deliver(node, scored, s, p.lm.maxLength) },
		Generated: p.trie.generated,
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

// encodeAll turns every request's text into windows, on all threads.
func (p *Plan) encodeAll(ctx context.Context) error {
	var wg rescue.Group
	errs := make([]error, len(p.requests))
	// Neighbours share contexts: a worker takes some at a time.
	const some = 32
	var next atomic.Int64
	for range max(1, min(p.lm.threads, len(p.requests)/(2*some))) {
		wg.Go(func() {
			var m memo
			for at := int(next.Add(some)) - some; at < len(p.requests); at = int(next.Add(some)) - some {
				for i := at; i < min(at+some, len(p.requests)) && ctx.Err() == nil; i++ {
					p.requests[i].windows, errs[i] = p.requests[i].encode(&m)
				}
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w", p.name(i), err)
		}
	}
	return nil
}

func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
