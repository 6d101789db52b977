package spelling

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"arc_easy", "arc_challenge", "piqa", "hellaswag", "limit"}
	for typed, want := range map[string][]string{
		"arc_esy": {"arc_easy"}, "ARC": {"arc_easy", "arc_challenge"}, "pica": {"piqa"}, "limt": {"limit"}, "something else": nil, "": nil,
	} {
		if got := Nearest(typed, names); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
