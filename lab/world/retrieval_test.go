package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestRetrieval: the last word of every document stands behind the same words
// further back, at the depth that is said, and cannot be had by the chain; the same
// numbers give the same bytes.
func TestRetrieval(t *testing.T) {
	for _, form := range Retrieval {
		for _, length := range []int{LeastRetrieval, 33, 64, 128, 256} {
			for _, words := range []int{LeastWords, 122} {
				var a, b bytes.Buffer
				for _, w := range []io.Writer{&a, &b} {
					if err := WriteRetrieval(w, 7, form, words, 50, length); err != nil {
						t.Fatal(err)
					}
				}
				if !bytes.Equal(a.Bytes(), b.Bytes()) {
					t.Fatal("the same numbers give other bytes")
				}
				lines := strings.Split(strings.TrimSuffix(a.String(), "\n"), "\n")
				if len(lines) != 50 {
					t.Fatalf("%d documents", len(lines))
				}
				for i, line := range lines {
					if err := checkRetrieval(form, line, length, RetrievalDepths[i%5]); err != nil {
						t.Fatalf("%s of %d tokens, %d words, document %d: %v\n%s", form, length, words, i, err, line)
					}
				}
			}
		}
	}
	if err := WriteRetrieval(io.Discard, 1, Chain, 122, 1, 64); err == nil {
		t.Error("a chain has nothing to retrieve")
	}
	if err := WriteRetrieval(io.Discard, 1, Span, 122, 1, LeastRetrieval-1); err == nil {
		t.Error("a document too short for its span")
	}
}

func checkRetrieval(form Exercise, line string, length int, depth float64) error {
	var doc struct {
		Text  string
		Depth float64
	}
	if err := json.Unmarshal([]byte(line), &doc); err != nil {
		return err
	}
	words := strings.Split(doc.Text, " ")
	if len(words) != length || words[0] != BOS || doc.Depth != depth {
		return fmt.Errorf("%d tokens, depth %v", len(words), doc.Depth)
	}
	words = words[1:]
	n, asked := len(words), 8
	if form == Pairs {
		asked = 2 // key and value, behind the mark
		if words[n-3] != OwnWord(1) {
			return fmt.Errorf("no question at the end")
		}
	}
	end := words[n-asked:]
	for at := range n - asked {
		if !slices.Equal(words[at:at+asked], end) || form == Pairs && (at == 0 || words[at-1] != OwnWord(0)) {
			continue
		}
		last := n - 2*asked
		if form == Pairs {
			at, last = at-1, (n-3)/3*3-3
		}
		if got := float64(at) / float64(last); math.Abs(got-depth) > 2/float64(last) {
			return fmt.Errorf("at depth %v of %v", got, depth)
		}
		return nil
	}
	return fmt.Errorf("what is asked for does not stand further back")
}
