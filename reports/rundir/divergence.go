package rundir

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/lm/answer"
)

// DivergenceRecord is how far two models are from each other on the tokens of one request. Lists
// have an element for each scored token, in order.
type DivergenceRecord struct {
	Task    string `json:"task"`
	Doc     int    `json:"doc"`
	Request int    `json:"request"`
	// Windows are, of each, the tokens seen before its first scored one and how many are scored.
	Windows [][2]int  `json:"windows"`
	KL      []float64 `json:"kl"`    // nats
	First   []float32 `json:"first"` // log-probabilities of the tokens that stand there
	Other   []float32 `json:"other"`
	SameTop string    `json:"same_top"` // 1 or 0 for each token
}

// DivergenceToken is one of its tokens.
type DivergenceToken = answer.Divergence

// NewDivergenceRecord packs tokens.
func NewDivergenceRecord(task string, doc, request int, tokens []DivergenceToken) DivergenceRecord {
	r := DivergenceRecord{Task: task, Doc: doc, Request: request, Windows: [][2]int{}, KL: []float64{}, First: []float32{}, Other: []float32{}}
	same := make([]byte, 0, len(tokens))
	for i, t := range tokens {
		if i == 0 || t.Seen != tokens[i-1].Seen+1 {
			r.Windows = append(r.Windows, [2]int{t.Seen, 0})
		}
		r.Windows[len(r.Windows)-1][1]++
		r.KL, r.First, r.Other = append(r.KL, t.KL), append(r.First, t.First), append(r.Other, t.Other)
		if t.SameTop {
			same = append(same, '1')
		} else {
			same = append(same, '0')
		}
	}
	r.SameTop = string(same)
	return r
}

// Tokens are the record's tokens again; starts are where windows begin among them.
func (r *DivergenceRecord) Tokens() (tokens []DivergenceToken, starts []int) {
	tokens = make([]DivergenceToken, 0, len(r.KL))
	for _, w := range r.Windows {
		starts = append(starts, len(tokens))
		for k := range w[1] {
			i := len(tokens)
			tokens = append(tokens, DivergenceToken{Seen: w[0] + k, KL: r.KL[i], First: r.First[i], Other: r.Other[i], SameTop: r.SameTop[i] == '1'})
		}
	}
	return tokens, starts
}

func (r *DivergenceRecord) key() key { return key{r.Task, r.Doc, r.Request} }

// check says what keeps a record from being one.
func (r *DivergenceRecord) check() error {
	n := 0
	for _, w := range r.Windows {
		if w[0] < 0 || w[1] < 1 || w[1] > len(r.KL) {
			return fmt.Errorf("%v: a window of %d tokens after %d", r.key(), w[1], w[0])
		}
		n += w[1]
	}
	if r.Task == "" || min(r.Doc, r.Request) < 0 || max(r.Doc, r.Request) > math.MaxInt32 {
		return fmt.Errorf("%v: no such request", r.key())
	}
	if len(r.KL) != n || len(r.First) != n || len(r.Other) != n || len(r.SameTop) != n {
		return fmt.Errorf("%v: %d tokens in windows, %d divergences", r.key(), n, len(r.KL))
	}
	for i, kl := range r.KL {
		if math.IsNaN(kl) || math.IsInf(kl, 0) || kl < 0 {
			return fmt.Errorf("%v: a divergence of %v", r.key(), kl)
		}
		for _, lp := range []float32{r.First[i], r.Other[i]} {
			if err := checkLogLikelihood(float64(lp), 1); err != nil {
				return fmt.Errorf("%v: %w", r.key(), err)
			}
		}
		if c := r.SameTop[i]; c != '0' && c != '1' {
			return fmt.Errorf("%v: same_top has %q", r.key(), c)
		}
	}
	return nil
}
