package compare

import "testing"

// Definitions of tasks are compared as tokenizers are.
func TestDefinitionsByContent(t *testing.T) {
	for _, c := range []struct {
		a, b map[string]string
		same bool
	}{
		{map[string]string{digestOfAll: "x", contentDigest: "c"}, map[string]string{digestOfAll: "y", contentDigest: "c"}, true},
		{map[string]string{digestOfAll: "x", contentDigest: "c"}, map[string]string{digestOfAll: "x", contentDigest: "d"}, false},
		{map[string]string{digestOfAll: "x"}, map[string]string{digestOfAll: "x", contentDigest: "c"}, true},
		{map[string]string{digestOfAll: "x"}, map[string]string{digestOfAll: "y", contentDigest: "c"}, false},
	} {
		a, b := ByContent(c.a, c.b)
		if got := len(differing("task", a, b)) == 0; got != c.same {
			t.Errorf("%v, %v: the same is %v", c.a, c.b, got)
		}
	}
}

// Tokenizers are compared by what they say where both sides know it, else by their
// files: runs and baselines of earlier versions know those alone.
func TestTokenizers(t *testing.T) {
	const x, y = "x", "y"
	for _, c := range []struct {
		name                             string
		fileA, contentA, fileB, contentB string
		same                             bool
	}{
		{"other bytes, same content", x, x, y, x, true},
		{"same bytes, hashed otherwise by an earlier version", x, x, x, y, true},
		{"other bytes, other content", x, x, y, y, false},
		{"old and old, same file", x, "", x, "", true},
		{"old and old, other file", x, "", y, "", false},
		{"old and new, same file", x, "", x, x, true},
		{"new and old, other file", x, x, y, "", false},
	} {
		side := func(file, content string) *Side {
			s := &Side{MustMatch: map[string]string{tokenizerFile: file}}
			if content != "" {
				s.MustMatch[tokenizerContent] = content
			}
			return s
		}
		a, b := side(c.fileA, c.contentA), side(c.fileB, c.contentB)
		mustA, mustB := ByContent(a.MustMatch, b.MustMatch)
		if got := len(differing("", mustA, mustB)) == 0 && len(mustA) == len(mustB); got != c.same {
			t.Errorf("%s: the same is %v", c.name, got)
		}
		if got, want := tokenizerNote(a, b) != "", c.same && c.fileA != c.fileB; got != want {
			t.Errorf("%s: a note is %v", c.name, got)
		}
	}
}
