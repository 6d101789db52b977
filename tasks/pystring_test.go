package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
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
				row = append(row, pyCapitalize(w))
			}
			for _, w := range words {
				row = append(row, pyLower(w))
			}
			x := s + "x" + s
			row = append(row, pyStrip(x), pyLStrip(x), fmt.Sprint(pyWords(x+s+"y")))
			h.Write([]byte(strings.Join(row, "\t") + "\n"))
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want.Strings {
		t.Errorf("the digest over all code points is %s; Python's is %s", got, want.Strings)
	}
}
