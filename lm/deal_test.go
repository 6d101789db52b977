package lm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

// TestDeal: what begins alike stays together, the parts are even in tokens and not in
// requests, and groups of no request fill the last ones.
func TestDeal(t *testing.T) {
	l, _ := newLM(t, letters{}, Options{MaxLength: 2000})
	nothing := func(answer.Answer) error { return nil }
	deal := func(contexts []string, alone []int, parts int) []int {
		p := l.NewPlan()
		of := make([]int, len(contexts))
		for i, c := range contexts {
			of[i] = i
			if err := p.Loglikelihood(Request{Context: c, Continuation: " x"}, nothing); err != nil {
				t.Fatal(err)
			}
		}
		part, err := p.Deal(t.Context(), of, len(contexts), alone, parts)
		if err != nil {
			t.Fatal(err)
		}
		return part
	}
	// Two long beginnings by turns: one part each.
	var contexts []string
	for i := range 12 {
		contexts = append(contexts, strings.Repeat(string(rune('a'+i%2)), 200)+fmt.Sprintf(" %c", 'p'+i))
	}
	for i, part := range deal(contexts, nil, 2) {
		if part != i%2 {
			t.Errorf("document %d, with beginning %d, is in part %d", i, i%2, part)
		}
	}
	// One long document and many short ones, which no turns make even.
	contexts = []string{strings.Repeat("z", 500)}
	for i := range 30 {
		contexts = append(contexts, fmt.Sprintf("%c%s", 'a'+i%26, strings.Repeat(string(rune('b'+i/26)), 10+i)))
	}
	got := deal(contexts, nil, 3)
	count := map[int]int{}
	for _, part := range got {
		count[part]++
	}
	if count[got[0]] != 1 || len(count) != 3 {
		t.Errorf("the long document is in part %d, parts have %v documents", got[0], count)
	}
	// What shares nothing and has no request is dealt by turns; what has some evens it out.
	if got := deal([]string{"ab", "cd", "ef"}, []int{50, 50, 50, 50, 50}, 3); !slices.Equal(got, []int{2, 2, 2, 0, 1, 2, 0, 1}) {
		t.Errorf("parts %v", got)
	}
	// More parts than documents: the others are empty.
	if got := deal([]string{"ab", "cd"}, nil, 9); got[0] == got[1] {
		t.Errorf("parts %v", got)
	}
	if got := deal(nil, nil, 3); len(got) != 0 {
		t.Errorf("parts of nothing: %v", got)
	}
}
