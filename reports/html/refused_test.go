package html

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// A page about runs that are not comparable, or of which no document is right or
// wrong in both, says nothing of documents that they share.
func TestNothingIsPairedUnasked(t *testing.T) {
	refused := twoRuns(t)
	refused.Comparison, refused.NotCompared = nil, "the runs cannot be compared: max_length is 2048 in A and 4096 in B"
	same := refused
	same.Runs = []Run{refused.Runs[0], refused.Runs[0]}
	foreign := Page{Runs: []Run{{Name: "harness", Stated: &Stated{Format: compare.Harness}}, refused.Runs[1]}, Comparison: twoRuns(t).Comparison}
	var texts Page
	for _, name := range []string{"one", "two"} {
		r := Run{Name: name, Manifest: &rundir.Run{}}
		addRolling(&r, 8, 18, rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(2, 2)))
		texts.Runs = append(texts.Runs, r)
	}
	for name, p := range map[string]Page{"refused": refused, "refused and equal": same, "results of another program": foreign, "perplexities": texts} {
		page := write(t, p)
		for _, claim := range []string{"on the same documents", "Documents that flipped", `"flips":{`, "passkey_difference"} {
			if strings.Contains(page, claim) {
				t.Errorf("%s: the page says %q", name, claim)
			}
		}
	}
	if page := write(t, twoRuns(t)); !strings.Contains(page, "Documents that flipped") {
		t.Error("the page of runs that are comparable does not list what flipped")
	}
}
