package lm

import (
	"context"
	"strings"
	"testing"
)

// TestGrowingContexts: 1,600 requests, each a letter longer than the one before,
// cost what the longest of them costs: one segment, and the batches of its tokens.
func TestGrowingContexts(t *testing.T) {
	const n = 1600
	text := strings.Repeat("abcdefghij", n/10+1)
	var requests []Request
	for i := range n {
		requests = append(requests, Request{text[:i+1], text[i+1 : i+2]})
	}
	l, b := newLM(t, letters{}, Options{MaxLength: 2 * n})
	_, stats, err := l.Score(context.Background(), requests, nil, RunOptions{BatchTokens: 64})
	if err != nil {
		t.Fatal(err)
	}
	if b.Segments != 1 || b.Rows != n+1 || stats.Batches != (n+64)/64 || int64(b.Spans) != stats.Batches {
		t.Errorf("%d segments, %d rows, %d spans, %d batches; want 1, %d, %d, %d", b.Segments, b.Rows, b.Spans, stats.Batches, n+1, (n+64)/64, (n+64)/64)
	}
}

// TestTrieIsBuiltInLinearTime counts the links that are made, whatever the order:
// a node with very many children may be cut again and again.
func TestTrieIsBuiltInLinearTime(t *testing.T) {
	const children, cuts = 5000, 900
	long := make([]int32, 1000)
	tr := newTrie()
	for i := range children {
		tr.insert(append(long[:len(long):len(long)], int32(1+i)))
	}
	for i := range cuts { // ever shorter prefixes of what they share
		tr.insert(append(long[:len(long)-2-i:len(long)-2-i], 1))
	}
	if most := 2*(children+2*cuts) + 2; tr.links > most {
		t.Errorf("%d links for %d paths, want at most %d", tr.links, children+cuts, most)
	}
}

// TestVeryManyChoices: ten thousand choices of one token after one context are one
// row, whose targets are found without a search through all of them.
func TestVeryManyChoices(t *testing.T) {
	r := &scoredRow{}
	for range 2 {
		for target := range int32(10_000) {
			if at := r.find(target); at != int(target) {
				t.Fatalf("target %d is at %d", target, at)
			} else if len(r.asked) != len(r.targets) {
				t.Fatal("a target without requests")
			}
		}
	}
	if len(r.targets) != 10_000 || r.place == nil {
		t.Errorf("%d targets, index %v", len(r.targets), r.place != nil)
	}
}
