package lm

import (
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm/answer"
)

// Beside is what another model, computed beside the first one (engine.Beside), says to a
// request: its answer, to the bit what it gives by itself, and how far it is from the first
// one at each scored token, in their order.
type Beside struct {
	Answer answer.Answer
	Tokens []answer.Divergence
}

// LoglikelihoodBeside adds a request to a plan of a model that engine.Beside made. Others are
// as many as it has.
func (p *Plan) LoglikelihoodBeside(r Request, done func(first answer.Answer, others []Beside) error) error {
	p.add(&pending{request: r, done: func(q *pending) error {
		first := q.result()
		return done(first, p.beside.take(q, first))
	}})
	return nil
}

// RollingBeside is Rolling of such a model.
func (p *Plan) RollingBeside(text string, done func(first answer.Answer, others []Beside) error) error {
	p.add(&pending{rolling: true, request: Request{Context: text}, done: func(q *pending) error {
		first := q.whole()
		return done(first, p.beside.take(q, first))
	}})
	return nil
}

// besides are the results of the models beside the first one, of the windows under way.
type besides map[*windowSum][]besideSum

type besideSum struct {
	tally
	tokens []answer.Divergence
}

// add takes target i of a row, with so many tokens seen before it.
func (b besides) add(sum *windowSum, s *engine.Score, i int, target int32, seen, bucket int) {
	all := b[sum]
	if all == nil {
		all = make([]besideSum, len(s.Others))
		for k := range all {
			all[k] = besideSum{tally: tally{greedy: true}, tokens: make([]answer.Divergence, 0, sum.scored())}
		}
		b[sum] = all
	}
	for k := range all {
		o, x := &s.Others[k], &all[k]
		x.tally.add(o.LogProbs[i], o.Argmax == target, bucket)
		x.tokens = append(x.tokens, answer.Divergence{
			Seen: seen, KL: o.KL, First: s.LogProbs[i], Other: o.LogProbs[i], SameTop: o.Argmax == s.Argmax,
		})
	}
}

// take gives what the others say to a finished request and forgets it. Of a request without
// a scored token there is nothing to say: none.
func (b besides) take(q *pending, first answer.Answer) (out []Beside) {
	for i := range q.windows {
		all := b[&q.windows[i]]
		delete(b, &q.windows[i])
		for k := range all {
			if len(out) < len(all) {
				a := first // of which the counts are the same
				a.LogLikelihood, a.Greedy, a.ByPosition = 0, first.ByPosition == nil, nil
				if first.ByPosition != nil {
					a.ByPosition = make([]answer.Position, len(first.ByPosition))
				}
				out = append(out, Beside{Answer: a})
			}
			o := &out[k]
			all[k].addTo(&o.Answer)
			o.Answer.Greedy = o.Answer.Greedy && all[k].greedy
			o.Tokens = append(o.Tokens, all[k].tokens...)
		}
	}
	return out
}
