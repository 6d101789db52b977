package lm

import "github.com/softbench/softbench/lm/answer"

// Fed is what a model is given of one request.
type Fed struct {
	// Windows are the token sequences: one, but for a rolling text, which may have many, and a
	// request that cannot be scored, which has none.
	Windows []Window
	// Until are the texts that end a generation, the EOS token's own included.
	Until     []string
	Truncated int             // tokens cut off on the left
	Unscored  answer.Unscored // why it cannot be scored
}

// Window is a token sequence. Those from From on are scored; where From is its length none is, and
// the model goes on from it.
type Window struct {
	Tokens []int32
	From   int
}

// Fed is what the model would be given of the i-th request added, just as Run gives it. The plan
// cannot be run afterwards.
func (p *Plan) Fed(i int) (Fed, error) {
	q := p.requests[i]
	windows, err := p.lm.windows(q, new(memo))
	if err != nil {
		return Fed{}, err
	}
	f := Fed{Truncated: int(q.truncated), Unscored: q.why()}
	for _, w := range windows {
		if q.prompt != nil {
			w.from = len(w.tokens)
		}
		f.Windows = append(f.Windows, Window{w.tokens, w.from})
	}
	if q.prompt != nil && q.prompt.until != nil {
		for _, s := range q.prompt.until.stops {
			f.Until = append(f.Until, s.text)
		}
	}
	return f, nil
}
