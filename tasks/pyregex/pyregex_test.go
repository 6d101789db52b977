package pyregex

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

type goldenFile struct {
	Texts    []string
	Patterns []struct {
		Pattern string
		Found   [][][]string
		Rest    []string
	}
	Wrong   []string
	Escaped map[string]string
}

func readGolden(t testing.TB) (g goldenFile) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// A filter takes an answer by its expression: another match is another score.
func TestEqualsPython(t *testing.T) {
	g := readGolden(t)
	if len(g.Patterns) < 90 {
		t.Fatalf("only %d patterns", len(g.Patterns))
	}
	for _, c := range g.Patterns {
		re, err := Compile(c.Pattern)
		if err != nil {
			t.Errorf("%s: %v", c.Pattern, err)
			continue
		}
		for i, text := range g.Texts {
			found, err := re.FindAll(text)
			if err != nil {
				t.Fatal(err)
			}
			if len(found)+len(c.Found[i]) > 0 && !reflect.DeepEqual(found, c.Found[i]) {
				t.Errorf("%s finds %q in %q; Python finds %q", c.Pattern, found, text, c.Found[i])
			}
			rest, err := re.Remove(text)
			if err != nil {
				t.Fatal(err)
			}
			if rest != c.Rest[i] {
				t.Errorf("%s leaves %q of %q; Python leaves %q", c.Pattern, rest, text, c.Rest[i])
			}
		}
	}
	for text, want := range g.Escaped {
		if got := Escape(text); got != want {
			t.Errorf("%q is escaped as %q; Python has %q", text, got, want)
		}
	}
}

// What Python refuses, and what it has and this has not, is refused when it is compiled.
func TestRefused(t *testing.T) {
	g := readGolden(t)
	for _, p := range append(g.Wrong, `a++`, `a?+`, `a{2}+`, `(?x)a # b`, `(?a)\w`, "\xff", strings.Repeat("a", maxPattern+1)) {
		if re, err := Compile(p); err == nil {
			t.Errorf("%q compiles to %s", shorten(p), re.re)
		}
	}
}

// An expression that backtracks without end does not hold a run up.
func TestATimeout(t *testing.T) {
	re, err := Compile(`(a+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = re.FindAll(strings.Repeat("a", 60) + "b")
	if err == nil || !strings.Contains(err.Error(), "backtracks") {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, c := range readGolden(f).Patterns {
		f.Add(c.Pattern, "aba 12 (B)")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := Compile(pattern)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		re.re.MatchTimeout = 20 * time.Millisecond
		_, _ = re.FindAll(text)
	})
}
