package harness

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyrandom"
)

// sampler draws worked examples as lm-evaluation-harness does: one generator a task, asked in the order
// of the documents.
type sampler struct {
	pool   []*py.Dict
	keys   []string // of the pool's documents: equal documents have equal keys
	random *pyrandom.Random
	first  bool // the first n, without a draw
	same   bool // the document asked may be in the pool, and is left out
}

func newSampler(pool []*py.Dict, seed int64, first, same bool) (*sampler, error) {
	s := &sampler{pool: pool, random: pyrandom.New(seed), first: first, same: same}
	if same {
		for _, d := range pool {
			k, err := py.Repr(d)
			if err != nil {
				return nil, err
			}
			s.keys = append(s.keys, k)
		}
	}
	return s, nil
}

// draw gives n examples for a document.
func (s *sampler) draw(n int, doc *py.Dict) ([]*py.Dict, error) {
	own := ""
	if s.same {
		var err error
		if own, err = py.Repr(doc); err != nil {
			return nil, err
		}
	}
	var places []int
	if s.first {
		for i := range s.pool {
			places = append(places, i)
		}
		places = s.others(places, own)
	} else {
		more := 0
		if s.same {
			more = 1
		}
		drawn, err := s.random.Sample(len(s.pool), n+more)
		if err != nil {
			return nil, fmt.Errorf("%d few-shot examples are drawn of %d documents: ask for fewer", n+more, len(s.pool))
		}
		if places = s.others(drawn, own); len(places) < n { // copies of the document were drawn
			all := make([]int, len(s.pool))
			for i := range all {
				all[i] = i
			}
			rest := s.others(all, own)
			if drawn, err = s.random.Sample(len(rest), n); err != nil {
				return nil, fmt.Errorf("%d few-shot examples are drawn of %d documents that are not the one asked: ask for fewer", n, len(rest))
			}
			places = places[:0]
			for _, i := range drawn {
				places = append(places, rest[i])
			}
		}
	}
	if len(places) < n {
		return nil, fmt.Errorf("%d few-shot examples asked for, but there are %d; ask for fewer", n, len(places))
	}
	out := make([]*py.Dict, n)
	for i := range out {
		out[i] = s.pool[places[i]]
	}
	return out, nil
}

// others are the places whose documents are not the one asked.
func (s *sampler) others(places []int, own string) []int {
	if !s.same {
		return places
	}
	var out []int
	for _, i := range places {
		if s.keys[i] != own {
			out = append(out, i)
		}
	}
	return out
}
