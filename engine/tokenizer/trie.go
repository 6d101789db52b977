package tokenizer

import (
	"fmt"
	"slices"
	"strings"
)

// pieceTrie finds every piece that a text starts with. The children of node n are the nodes first[n] up to
// first[n+1], in the order of their bytes.
type pieceTrie struct {
	root  [256]int32 // the root's child for a byte, 0 for none
	first []int32
	label []byte
	value []int32 // -1: no piece ends here
}

// maxTrieBytes bounds the pieces of a trie: it may have a node for each of their bytes.
const maxTrieBytes = 16 << 20

// newPieceTrie builds a trie of the pieces, each with its value; the last of equal pieces counts and an empty
// one does not.
func newPieceTrie(pieces []string, values []int32) (*pieceTrie, error) {
	order := make([]int32, 0, len(pieces))
	total := 0
	for i, p := range pieces {
		if len(p) > maxPieceBytes {
			return nil, fmt.Errorf("token %s has more than %d bytes", quote(p), maxPieceBytes)
		}
		if total += len(p); total > maxTrieBytes {
			return nil, fmt.Errorf("the tokens have more than %d bytes together", maxTrieBytes)
		}
		if p != "" {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return strings.Compare(pieces[a], pieces[b])
	})
	t := &pieceTrie{label: []byte{0}, value: []int32{-1}}
	// A node stands for the pieces order[lo:hi], which share their first depth bytes.
	type part struct{ lo, hi, depth int32 }
	parts := []part{{0, int32(len(order)), 0}}
	for n := 0; n < len(parts); n++ {
		t.first = append(t.first, int32(len(parts)))
		at := parts[n]
		for lo := at.lo; lo < at.hi; {
			p := pieces[order[lo]]
			if len(p) == int(at.depth) {
				t.value[n] = values[order[lo]]
				lo++
				continue
			}
			c := p[at.depth]
			hi := lo + 1
			for hi < at.hi && pieces[order[hi]][at.depth] == c {
				hi++
			}
			if n == 0 {
				t.root[c] = int32(len(parts))
			}
			parts = append(parts, part{lo, hi, at.depth + 1})
			t.label, t.value = append(t.label, c), append(t.value, -1)
			lo = hi
		}
	}
	t.first = append(t.first, int32(len(parts)))
	return t, nil
}

// step returns the child of node for a byte, 0 for none.
func (t *pieceTrie) step(node int32, c byte) int32 {
	if node == 0 {
		return t.root[c]
	}
	lo, hi := t.first[node], t.first[node+1]
	for hi-lo > 8 {
		if mid := (lo + hi) / 2; t.label[mid] <= c {
			lo = mid
		} else {
			hi = mid
		}
	}
	for ; lo < hi; lo++ {
		if t.label[lo] == c {
			return lo
		}
	}
	return 0
}

// longest returns the length and the value of the longest piece that s starts with, 0 for none.
func (t *pieceTrie) longest(s string) (length int, value int32) {
	node := int32(0)
	for i := range len(s) {
		if node = t.step(node, s[i]); node == 0 {
			break
		}
		if v := t.value[node]; v >= 0 {
			length, value = i+1, v
		}
	}
	return length, value
}
