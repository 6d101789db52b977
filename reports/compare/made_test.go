package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// madeTask is a made task: how many documents, in clusters of how many (0: none).
type madeTask struct {
	name       string
	n, cluster int
	metrics    []MetricInfo
}

var madeTasks = []madeTask{
	{"quiz", 120, 0, []MetricInfo{{Name: "acc", Formula: Mean, HigherIsBetter: true}, {Name: "acc_norm", Formula: Mean, HigherIsBetter: true}}},
	{"last", 70, 0, []MetricInfo{{Name: "perplexity", Formula: Perplexity}, {Name: "acc", Formula: Mean, HigherIsBetter: true}}},
	{"pages", 30, 3, []MetricInfo{{Name: "word_perplexity", Formula: Perplexity}, {Name: "bits_per_byte", Formula: Bits}}},
	{"passkey", 48, 4, []MetricInfo{{Name: "acc", Formula: Mean, HigherIsBetter: true}}},
}

// madeSide answers the same documents whatever the seed, which is that of the
// answers; skill is the share of right ones and the likelihood of a token.
func madeSide(name string, seed uint64, skill float64) *Side {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &Side{
		Name: name, Format: Softbench,
		MustMatch: map[string]string{"tokenizer_sha256": strings.Repeat("ab", 32), "max_length": "256"},
		MayDiffer: map[string]string{"attention": name},
	}
	for _, m := range madeTasks {
		t := Task{Name: m.name, MustMatch: map[string]string{"digest": m.name, "fewshot": "0"}, Metrics: m.metrics}
		var said []string
		for d := range m.n {
			doc := Document{ID: d, Keys: [keyKinds]string{
				bySource: fmt.Sprintf("%s document %03d", m.name, d), byPrompt: fmt.Sprintf("%s prompt %03d", m.name, (d*29)%m.n)}}
			if m.cluster > 0 {
				doc.Cluster = fmt.Sprint(d / m.cluster)
			}
			for _, x := range m.metrics {
				v := Value{Weight: 1, Scored: true}
				switch {
				case x.Formula != Mean:
					v.Weight = float64(1 + d*d%17)
					v.Value = v.Weight * (math.Log(skill) + 0.3*rng.NormFloat64())
				case rng.Float64() < skill:
					v.Value = 1
				}
				doc.Values = append(doc.Values, v)
			}
			doc.Answer = fmt.Sprint(seed, doc.Values)
			t.Documents = append(t.Documents, doc)
			said = append(said, fmt.Sprint(doc.Values))
		}
		t.finish(said)
		s.Tasks = append(s.Tasks, t)
	}
	return s
}

// shuffled is the side with its documents read in another order.
func (s *Side) shuffled(seed uint64) *Side {
	rng := rand.New(rand.NewPCG(seed, 8))
	out := *s
	out.Tasks = nil
	for _, t := range s.Tasks {
		t.Documents = slices.Clone(t.Documents)
		for k := range t.Documents {
			t.Documents[k].Values = slices.Clone(t.Documents[k].Values)
		}
		rng.Shuffle(len(t.Documents), func(i, j int) { t.Documents[i], t.Documents[j] = t.Documents[j], t.Documents[i] })
		said := make([]string, len(t.Documents))
		for i, d := range t.Documents {
			said[i] = fmt.Sprint(d.Values)
		}
		t.finish(said)
		out.Tasks = append(out.Tasks, t)
	}
	return &out
}

func compared(t testing.TB, a, b *Side, o Options) *Comparison {
	t.Helper()
	if o.Draws == 0 {
		o.Draws = 2000
	}
	c, err := Compare(a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
