package compare

import (
	"math"
	"slices"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// TestDivergenceSide: sums and tokens by document, whatever the order of the records; tasks without a
// scored token are left out, and an only document is in its windows.
func TestDivergenceSide(t *testing.T) {
	tokens := func(seen int, kl ...float64) (out []rundir.DivergenceToken) {
		for i, x := range kl {
			out = append(out, rundir.DivergenceToken{Seen: seen + i, KL: x})
		}
		return out
	}
	records := []rundir.DivergenceRecord{
		rundir.NewDivergenceRecord("q", 1, 0, tokens(3, 0.4)),
		rundir.NewDivergenceRecord("q", 0, 1, tokens(2, 0.1, 0.3)),
		rundir.NewDivergenceRecord("q", 0, 0, tokens(2, 0.2)),
		rundir.NewDivergenceRecord("text", 0, 0, append(tokens(1, 0.5, 1), tokens(1, 2, 4, 8)...)),
	}
	side := sideOf(map[string]int{"q": 3, "text": 1, "none": 2}, "q", "text", "none")
	side.MustMatch = map[string]string{"max_length": "64"}
	for _, s := range side.Tasks {
		for i := range s.Documents {
			s.Documents[i].Values = []Value{{1, 1, true}}
		}
	}
	first := rundir.Settings{ModelSHA256: "abc", Attention: "softpick"}
	for range 2 {
		s, err := DivergenceSide(side, first, records)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Tasks) != 2 || s.MustMatch[KLFrom] != "abc softpick" || s.MustMatch["max_length"] != "64" || side.MustMatch[KLFrom] != "" {
			t.Fatalf("%d tasks, %v", len(s.Tasks), s.MustMatch)
		}
		var got []Value
		for _, task := range s.Tasks {
			for _, d := range task.Documents {
				got = append(got, d.Values...)
			}
		}
		want := []Value{{0.6, 3, true}, {0.4, 1, true}, {}, {1.5, 2, true}, {14, 3, true}}
		if !slices.EqualFunc(got, want, func(a, b Value) bool {
			return math.Abs(a.Value-b.Value) < 1e-12 && a.Weight == b.Weight && a.Scored == b.Scored
		}) {
			t.Errorf("%v, want %v", got, want)
		}
		if w := s.Tasks[1].Documents; w[0].Keys[0] == w[1].Keys[0] || side.Tasks[0].Documents[0].Values[0].Value != 1 {
			t.Error("windows of one name, or the run itself was changed")
		}
		slices.Reverse(records)
	}
	if _, err := DivergenceSide(side, first, nil); err == nil {
		t.Error("no token gives a side")
	}
}
