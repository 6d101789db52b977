package gate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
)

// madeTask says what a made task has: its documents and how well they are answered.
type madeTask struct {
	name    string
	metrics []compare.MetricInfo
	n       int
	weight  bool // documents count differently many words
	cluster int  // documents in a cluster, 0: none
}

var madeTasks = []madeTask{
	{name: "quiz", n: 60, metrics: []compare.MetricInfo{
		{Name: "acc", Formula: compare.Mean, HigherIsBetter: true}, {Name: "acc_norm", Formula: compare.Mean, HigherIsBetter: true}}},
	{name: "last", n: 40, metrics: []compare.MetricInfo{
		{Name: "perplexity", Formula: compare.Perplexity}, {Name: "acc", Formula: compare.Mean, HigherIsBetter: true}}},
	{name: "pages", n: 25, weight: true, metrics: []compare.MetricInfo{
		{Name: "word_perplexity", Formula: compare.Perplexity}, {Name: "bits_per_byte", Formula: compare.Bits}}},
	{name: "passkey", n: 48, cluster: 4, metrics: []compare.MetricInfo{
		{Name: "acc", Formula: compare.Mean, HigherIsBetter: true}}},
}

// madeSide is a run of made results: of the same documents whatever the seed, which
// is that of the answers. skill is the share of right ones, and a token's likelihood.
func madeSide(seed uint64, skill float64, tasks ...madeTask) *compare.Side {
	if tasks == nil {
		tasks = madeTasks
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	s := &compare.Side{
		Name: "run", Format: compare.Softbench,
		MustMatch: map[string]string{"tokenizer_sha256": strings.Repeat("ab", 32), "max_length": "256"},
		MayDiffer: map[string]string{"model_sha256": fmt.Sprintf("%064x", seed), "engine": "1", "device": "cpu", "isa": "avx2",
			"dtype": "float32", "strict_length": "false", "attention": "softmax"},
	}
	for _, m := range tasks {
		t := compare.Task{Name: m.name, MustMatch: map[string]string{"digest": m.name, "fewshot": "0"}, Metrics: m.metrics}
		for d := range m.n {
			doc := compare.Document{ID: d}
			doc.Keys[0], doc.Keys[len(doc.Keys)-1] = fmt.Sprintf("%s document %03d", m.name, d), fmt.Sprintf("%s prompt %03d", m.name, d)
			if m.cluster > 0 {
				doc.Cluster = fmt.Sprint(d / m.cluster)
			}
			for _, x := range m.metrics {
				v := compare.Value{Weight: 1, Scored: true}
				switch {
				case x.Formula == compare.Mean && rng.Float64() < skill:
					v.Value = 1
				case x.Formula == compare.Mean:
				default:
					if m.weight {
						v.Weight = float64(1 + d*d%17)
					}
					v.Value = v.Weight * (math.Log(skill) + 0.3*rng.NormFloat64())
				}
				doc.Values = append(doc.Values, v)
			}
			doc.Answer = fmt.Sprint(seed, doc.Values)
			t.Documents = append(t.Documents, doc)
		}
		s.Tasks = append(s.Tasks, t)
	}
	return s
}

// baselineOf is a run's baseline as a later process reads it.
func baselineOf(t testing.TB, s *compare.Side, p *Policy) *Baseline {
	t.Helper()
	b, err := Make(s, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.encode()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = Parse(text); err != nil {
		t.Fatal(err)
	}
	return b
}

func policyOf(t testing.TB, lines ...string) *Policy {
	t.Helper()
	p, err := ParsePolicy([]byte("version: 1\n"+strings.Join(lines, "\n")+"\n"), "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// find returns the decision on one metric.
func (r *Result) find(t testing.TB, task, metric string) *Metric {
	t.Helper()
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Task == task && m.Metric == metric {
			return m
		}
	}
	t.Fatalf("no %s %s in the result", task, metric)
	return nil
}
