package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/golden"
)

// A long text is not tokenized whole for its first tokens, and they are those of the whole text.
func TestFirstTokens(t *testing.T) {
	tok, err := tokenizer.LoadContext(t.Context(), golden.TinyCheckpoint(t, "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(strings.Repeat("Das Schöne — the tide comes in, and 東京 goes out with it.\n", 3*calibrationFirst/60))
	whole := tok.Encode(string(text), true)
	const n = 65536
	ids, err := firstTokens(t.Context(), text, tok, n)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids[:n], whole[:n]) {
		t.Error("the first tokens are others than those of the whole text")
	}
	if len(ids) > len(whole)/2 {
		t.Errorf("%d tokens were made, the whole text has %d", len(ids), len(whole))
	}
	// Where the beginning has too few, the whole text is taken.
	if ids, err = firstTokens(t.Context(), text, tok, len(whole)-10); err != nil || !slices.Equal(ids, whole) {
		t.Errorf("%d tokens, %v; want all %d", len(ids), err, len(whole))
	}
	for n, want := range map[int]string{0: "", 1: "a", 2: "a", 3: "a", 4: "a東", 9: "a東"} {
		if got := string(beginning([]byte("a東"), n)); got != want {
			t.Errorf("the first %d bytes: %q, want %q", n, got, want)
		}
	}
}
