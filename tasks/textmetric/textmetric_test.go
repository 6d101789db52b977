package textmetric

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// The numbers are those of the packages that they are taken from.
func TestEqualsPackages(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Pairs   [][2]string
		Metrics []struct {
			Metric  string
			Options map[string]any
			Scores  []float64
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, c := range g.Metrics {
		tested[c.Metric] = true
		s, err := New(c.Metric, c.Options)
		if err != nil {
			t.Errorf("%s: %v", c.Metric, err)
			continue
		}
		for i, p := range g.Pairs {
			if got, err := s.Score(p[0], []string{p[1]}); err != nil || got != c.Scores[i] {
				t.Errorf("%s %v of %q against %q is %v (%v); the package has %v", c.Metric, c.Options, p[0], p[1], got, err, c.Scores[i])
			}
		}
	}
	for _, name := range Names() {
		if !tested[name] {
			t.Errorf("no golden has the metric %s", name)
		}
	}
}

// Of all answers together, and of each, bleu, chrf and ter are sacrebleu's.
func TestCorporaEqualSacrebleu(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		More    [][2]string
		Corpora []struct {
			Metric string
			Each   []float64
			All    float64
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(1, math.Abs(b)) }
	if len(g.Corpora) != len(corpora) {
		t.Errorf("the golden has %d metrics, of %d", len(g.Corpora), len(corpora))
	}
	for _, c := range g.Corpora {
		m, err := NewCorpus(c.Metric, nil)
		if err != nil || m == nil {
			t.Fatalf("%s: %v", c.Metric, err)
		}
		var counts [][]float64
		for i, p := range g.More {
			counts = append(counts, m.Counts(p[0], p[1]))
			if got := m.Of(counts[i : i+1]); !near(got, c.Each[i]) {
				t.Errorf("%s of %q against %q is %v; sacrebleu has %v", c.Metric, p[0], p[1], got, c.Each[i])
			}
		}
		if got := m.Of(counts); !near(got, c.All) {
			t.Errorf("%s of all is %v; sacrebleu has %v", c.Metric, got, c.All)
		}
	}
	if _, err := NewCorpus("bleu", map[string]any{"lowercase": true}); err == nil {
		t.Error("an option of bleu is taken, and not used")
	}
}

// Any of several right answers counts, the nearest one.
func TestTheNearestTarget(t *testing.T) {
	s, err := New("f1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, targets := range map[float64][]string{1: {"dog", "the cat"}, 0.5: {"cat dog mouse", "dog"}, 0: nil} {
		if got, err := s.Score("cat", targets); err != nil || got != want {
			t.Errorf("against %q: %v (%v); want %v", targets, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for want, c := range map[string]struct {
		name    string
		options map[string]any
	}{
		`"bleurt" is not one`:             {"bleurt", nil},
		`no option "stem"`:                {"rouge1", map[string]any{"stem": true}},
		`ignore_case is not true or`:      {"exact_match", map[string]any{"ignore_case": "yes"}},
		`regexes_to_ignore is not a list`: {"exact_match", map[string]any{"regexes_to_ignore": []any{1}}},
		`regular expression "["`:          {"exact_match", map[string]any{"regexes_to_ignore": []any{"["}}},
	} {
		if _, err := New(c.name, c.options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %v: %v; want %q", c.name, c.options, err, want)
		}
	}
}
