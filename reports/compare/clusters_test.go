package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/stats"
)

// What either side knows joins documents; copies are joined though neither says so.
func TestClustersOfBothSides(t *testing.T) {
	doc := func(cluster, source, prompt string) Document {
		return Document{Cluster: cluster, Keys: [keyKinds]string{bySource: source, byPrompt: prompt}}
	}
	a := []Document{doc("x", "1", ""), doc("", "2", ""), doc("x", "3", ""), doc("", "4", "p"), doc("", "5", "q"), doc("", "6", "p"), doc("", "7", ""), doc("", "7", "")}
	b := []Document{doc("y", "1", ""), doc("y", "2", ""), doc("z", "3", ""), doc("", "4", "p"), doc("u", "5", "q"), doc("", "6", "p"), doc("", "7", ""), doc("", "7", "")}
	got := Clusters(a, b)
	groups := func(labels []string) (out []int) {
		seen := map[string]int{"": 0}
		for _, l := range labels {
			if _, ok := seen[l]; !ok {
				seen[l] = len(seen)
			}
			out = append(out, seen[l])
		}
		return out
	}
	if want := []int{1, 1, 1, 2, 0, 2, 3, 3}; !slices.Equal(groups(got), want) {
		t.Errorf("clusters %v of %q, want %v", groups(got), got, want)
	}
	if back := Clusters(b, a); !slices.Equal(back, got) {
		t.Errorf("the other way round %q, and %q", back, got)
	}
	if alone := Clusters(a); !slices.Equal(groups(alone), []int{1, 0, 1, 2, 0, 2, 3, 3}) {
		t.Errorf("of one side: %q", alone)
	}
	slices.Reverse(a)
	slices.Reverse(b)
	turned := Clusters(a, b)
	slices.Reverse(turned)
	if !slices.Equal(turned, got) {
		t.Errorf("in another order %q, and %q", turned, got)
	}
}

// TestCopiesAreOneDocument: where three documents of ten have a copy, equal models
// are told apart in about 5% of comparisons, not in 7.4% as when copies count as
// documents of their own.
func TestCopiesAreOneDocument(t *testing.T) {
	sims := 600
	if os.Getenv("SOFTBENCH_LONG") != "" {
		sims = 10_000
	}
	alarms, apart := 0, 0
	for s := range sims {
		r := rand.New(rand.NewPCG(uint64(s), 21))
		var a, b []Value
		var docs []Document
		for i := range 100 {
			x, y := r.NormFloat64(), r.NormFloat64()
			n := 1
			if i < 30 {
				n = 2
			}
			for range n {
				a, b = append(a, Value{x, 1, true}), append(b, Value{y, 1, true})
				docs = append(docs, Document{ID: len(docs), Keys: [keyKinds]string{bySource: string(rune('a' + i))}})
			}
		}
		p := func(clusters []string) float64 {
			d, err := Difference(MetricInfo{Name: "x", Formula: Mean}, a, b, clusters, false, stats.Options{Draws: 400, Seed: uint64(s)})
			if err != nil {
				t.Fatal(err)
			}
			return d.P
		}
		if p(Clusters(docs)) < 0.05 {
			alarms++
		}
		if p(make([]string, len(docs))) < 0.05 {
			apart++
		}
	}
	rate, before := float64(alarms)/float64(sims), float64(apart)/float64(sims)
	t.Logf("alarms %.3f with copies as one, %.3f as documents of their own", rate, before)
	if most := 0.05 + 4*math.Sqrt(0.05*0.95/float64(sims)); rate > most {
		t.Errorf("alarms %.3f where there is no difference", rate)
	}
}

// Metrics of one task with the same p and the same difference have one verdict:
// that of the task's first metric, which is in the smaller family.
func TestSamePSameVerdict(t *testing.T) {
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.62)
	for _, s := range []*Side{a, b} {
		quiz := s.Task("quiz")
		for k := range quiz.Documents {
			quiz.Documents[k].Values[1] = quiz.Documents[k].Values[0]
		}
	}
	c := compared(t, a, b, Options{})
	first, second := c.Metrics[0], c.Metrics[1]
	if first.Task != "quiz" || second.Task != "quiz" || first.P != second.P || first.P == 1 {
		t.Fatalf("%+v\n%+v: not the metrics that the test is about", first, second)
	}
	if first.Adjusted != second.Adjusted || first.Verdict != second.Verdict {
		t.Errorf("p %v and %v, %s and %s", first.Adjusted, second.Adjusted, first.Verdict, second.Verdict)
	}
}

// The harness's results say of no cluster, but hold the documents: questions that
// quote one passage are one, by the label that our own runs have; a text that all
// documents quote is part of the prompt.
func TestHarnessPassages(t *testing.T) {
	side := func(passages ...string) *Side {
		r := &lmeval.Results{Model: "m"}
		task := lmeval.Task{Name: "quiz", Metrics: []lmeval.Metric{{Name: "acc", Filter: "none", HigherIsBetter: true, Value: 1}}}
		for i, p := range passages {
			q := fmt.Sprint("question ", i)
			task.Samples = append(task.Samples, lmeval.Sample{
				DocID: i, Filter: "none", Doc: map[string]any{"passage": p, "question": q},
				Requests: []lmeval.Request{{Context: p + "\n" + q, Continuation: " yes"}}, Values: []lmeval.Value{{Metric: "acc", Value: 1, Weight: 1}},
			})
		}
		r.Tasks = append(r.Tasks, task)
		s, err := FromHarness("results", r)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	clusters := func(s *Side) int {
		seen := map[string]bool{}
		for _, c := range stats.Shared(Clusters(s.Tasks[0].Documents)) {
			seen[c] = true
		}
		return len(seen)
	}
	if s := side("one", "two", "one", "three"); clusters(s) != 3 || s.Tasks[0].ClusteredBy != "passage" {
		t.Errorf("%d clusters by %q, want 3 by passage", clusters(s), s.Tasks[0].ClusteredBy)
	}
	if s := side("read this", "read this", "read this"); clusters(s) != 0 || s.Tasks[0].ClusteredBy != "" {
		t.Errorf("%d clusters by %q of one text that all quote", clusters(s), s.Tasks[0].ClusteredBy)
	}
}
