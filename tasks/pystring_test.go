package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// A code point whose case, whose being white space, or whose effect on a final sigma differs from
// Python's would change a prompt. The digest is Python's own, from testdata/make_golden.py.
func TestStringsEqualPython(t *testing.T) {
	b, err := os.ReadFile("testdata/golden/own.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Strings string }
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, r := range [][2]rune{{0, 0x600}, {0x10A0, 0x1100}, {0x13A0, 0x1400}, {0x1680, 0x1681}, {0x1D00, 0x2C00}, {0x3000, 0x3001}, {0xFB00, 0xFB20}, {0xFE00, 0xFF00}, {0xFF00, 0xFFF0}, {0x10400, 0x10500}} {
		for c := r[0]; c < r[1]; c++ {
			s := string(c)
			words := []string{s, "a" + s + "b", "aΣ" + s, s + "Σ", "a" + s + "Σ" + s}
			var row []string
			for _, w := range words {
				row = append(row, py.Capitalize(w))
			}
			for _, w := range words {
				row = append(row, py.Lower(w))
			}
			x := s + "x" + s
			row = append(row, py.Strip(x), py.LStrip(x), fmt.Sprint(py.Words(x+s+"y")))
			h.Write([]byte(strings.Join(row, "\t") + "\n"))
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want.Strings {
		t.Errorf("the digest over all code points is %s; Python's is %s", got, want.Strings)
	}
}

// Every code point of Python's Unicode, alone and beside letters, through every method that templates
// have. The digest is Python's own, from testdata/make_pystrings.py.
func TestEveryCodePointEqualsPython(t *testing.T) {
	b, err := os.ReadFile("testdata/golden/pystrings.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		SHA256 string
		Ranges [][2]rune
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	methods := []func(string) string{py.Upper, py.Lower, py.Capitalize, py.Title, py.Strip, py.LStrip, py.RStrip}
	h := sha256.New()
	for _, r := range want.Ranges {
		for c := r[0]; c < r[1]; c++ {
			s := string(c)
			words := []string{s, "a" + s + "b", "aΣ" + s, s + "Σ", s + "Σ" + s + "a", "a" + s + "Σ", s + s + " " + s + "x"}
			if c >= 0x3400 && c < 0xA000 || c >= 0xAC00 && c < 0xD7B0 || c >= 0xE000 && c < 0xF900 || c >= 0x17000 && c < 0x1B300 || c >= 0x20000 {
				words = words[:1] // ideographs, Hangul and private use: the letters that are most, and have no case
			}
			for _, w := range words {
				for _, f := range methods {
					h.Write([]byte(f(w) + "\t"))
				}
			}
			h.Write([]byte("\n"))
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want.SHA256 {
		t.Errorf("the digest over all code points is %s; Python's is %s", got, want.SHA256)
	}
}

// The cases that are known to go wrong.
func TestCaseEqualsPython(t *testing.T) {
	for _, c := range []struct {
		f        func(string) string
		in, want string
	}{
		{py.Upper, "straße", "STRASSE"}, {py.Upper, "ﬁn ŉ ΐ", "FIN ʼN \u0399\u0308\u0301"}, {py.Upper, "ǆ", "Ǆ"}, {py.Upper, "ıi", "II"},
		{py.Title, "they're ǆungla ﬁne ΟΔΟΣ 3rd", "They'Re ǅungla Fine Οδος 3Rd"}, {py.Title, "ßa", "Ssa"},
		{py.Capitalize, "ßA", "Ssa"}, {py.Lower, "ΟΔΟΣ İ", "οδος i̇"}, {py.Title, "ΣΣ Σ", "Σς Σ"},
	} {
		if got := c.f(c.in); got != c.want {
			t.Errorf("%q becomes %q; Python's is %q", c.in, got, c.want)
		}
	}
	text, err := parseText("{{.a | upper}} {{.a | title}}")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := text.render(data.Row{Values: map[string]any{"a": "straße"}}); err != nil || got != "STRASSE Straße" {
		t.Errorf("a template makes %q, %v", got, err)
	}
}
