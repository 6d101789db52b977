package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestScanners is the conformance suite of the hand-written scanners: each gives the general engine's cuts
// for the same pattern. U+017F, which the reference takes for an s and the general engine does not, is left
// to the goldens.
func TestScanners(t *testing.T) {
	texts := randomTexts(3000)
	for _, s := range hardStrings(t) {
		if s = replaceInvalid(s); !strings.Contains(s, "\u017f") {
			texts = append(texts, s)
		}
	}
	for source, scanner := range scanners {
		general, err := compileGeneral(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range texts {
			got, want := spansOf(scanner, s, nil), spansOf(general, s, nil)
			if !slices.Equal(got, want) {
				t.Fatalf("%s\non %q\nscanner %v\ngeneral %v", source, s, got, want)
			}
		}
	}
}

// randomTexts returns texts of up to 24 characters from an alphabet of everything the patterns tell apart.
func randomTexts(n int) []string {
	alphabet := []rune("aZéж中ǅʰ07٣½Ⅷ  \t\n\r\u00a0\u3000\u2028\u0085''’.!-/_$+\u0301\u0903🙂\u200d\U000105c0\U00010d40\U0002ebf0\x00strevmldSTREVMLD")
	source := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, n)
	for i := range texts {
		text := make([]rune, source.IntN(25))
		for j := range text {
			text[j] = alphabet[source.IntN(len(alphabet))]
		}
		texts[i] = string(text)
	}
	return texts
}

// TestRegexRefusals: constructs that have no counterpart in the general engine are refused by name, and so
// is what is not a pattern.
func TestRegexRefusals(t *testing.T) {
	for source, want := range map[string]string{
		`\K`: `escape \K`, `\G`: `escape \G`, `\X`: `escape \X`, `\g<a>`: `escape \g`, `(a)\1`: "back-reference", `(?<n>a)\k<n>`: "back-reference",
		`(?x)a`: "(?x", `(?~a)`: "(?~", `(?(1)a)`: "(?(", `(*FAIL)`: "callouts", `\p{Foo}`: `\p{Foo}`, `\pL`: "without {", `[[:foo:]]`: "[:foo:]",
		`[\R]`: `\R in a class`, `[a-\d]`: "end of a range", `\xFF`: "byte", `a{5,2}`: "wrong order", `a{1000000}`: "more than",
		`a\`: "backslash", `(`: "not closed", `[`: "not closed", `)`: "unmatched", `*a`: "nothing before", `\p{L`: "not closed", `[]a]`: "starts with ]",
		`(?<n`: "not closed", `[z-a]`: "is empty", `(?#a`: "not closed", `(?i)ß`: "without regard to case", `(?i)[\p{Lu}]`: "without regard to case", `(?i)[[:upper:]]`: "without regard to case",
		`[a-`: "not closed",
	} {
		_, err := compilePattern(source)
		if err == nil {
			t.Errorf("%s: compiled", source)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q, want one line with %q", source, err, want)
		}
	}
	if _, err := compilePattern(strings.Repeat(`\b`, 10000)); err == nil || !strings.Contains(err.Error(), "written out") {
		t.Errorf("10,000 boundaries: %v", err)
	}
	if _, err := compilePattern(strings.Repeat("(", 1000) + strings.Repeat("[", 1000)); err == nil {
		t.Error("groups nested 1,000 deep: compiled")
	}
}

// TestRegexMatching pins what is particular about matching: empty matches, Ruby's line anchors, newer
// characters inside and outside of classes.
func TestRegexMatching(t *testing.T) {
	for _, c := range []struct {
		source, text string
		want         []span
	}{
		{`b*`, "abba", []span{{0, 0, true}, {0, 1, false}, {1, 3, true}, {3, 4, false}, {4, 4, true}}},
		{`^a`, "a\na", []span{{0, 1, true}, {1, 2, false}, {2, 3, true}}},
		{`a$`, "a\na", []span{{0, 1, true}, {1, 2, false}, {2, 3, true}}},
		{`\p{L}`, "1\U000105c0", []span{{0, 1, false}, {1, 5, true}}},
		{`[^\p{L}]`, "1\U000105c0", []span{{0, 1, true}, {1, 5, false}}},
		{`\P{L}`, "1\U000105c0", []span{{0, 1, true}, {1, 5, false}}},
		{`\p{^L}`, "1\U000105c0", []span{{0, 1, true}, {1, 5, false}}},
		{`.`, "é\n中", []span{{0, 2, true}, {2, 3, false}, {3, 6, true}}},
		{`a(?=b)`, "abac", []span{{0, 1, true}, {1, 4, false}}},
	} {
		p, err := compilePattern(c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if got := spansOf(p, c.text, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s on %q: got %v, want %v", c.source, c.text, got, c.want)
		}
	}
}
