package textmetric

import (
	"encoding/json"
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
