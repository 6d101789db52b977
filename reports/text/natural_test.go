package text

import (
	"slices"
	"testing"
)

func TestNatural(t *testing.T) {
	want := []string{"", "0", "00", "01", "1", "2", "10", "a", "final", "step", "step-02", "step-2", "step-10", "step-10-b", "step-123456789012345678901234567890", "step-1000000000000000000000000000000", "step10", "step10b2", "step10b10"}
	for range 20 {
		got := slices.Clone(want)
		slices.Reverse(got)
		slices.SortFunc(got, Natural)
		if !slices.Equal(got, want) {
			t.Fatalf("%q", got)
		}
	}
	for _, a := range want {
		for _, b := range want {
			if Natural(a, b) != -Natural(b, a) || (Natural(a, b) == 0) != (a == b) {
				t.Errorf("%q and %q compare as %d and %d", a, b, Natural(a, b), Natural(b, a))
			}
		}
	}
}
