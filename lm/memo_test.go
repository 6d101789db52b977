package lm

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

// counting is a tokenizer that counts the bytes it is given.
type counting struct {
	letters
	bytes *atomic.Int64
}

func (c counting) Encode(text string, special bool) []int32 {
	c.bytes.Add(int64(len(text)))
	return c.letters.Encode(text, special)
}

// TestContextIsEncodedOnce: the context of many choices is encoded for itself once for
// each block of requests, not once for each choice, and every request has the ids it
// has alone.
func TestContextIsEncodedOnce(t *testing.T) {
	const choices, length = 640, 60
	var bytes atomic.Int64
	l, _ := newLM(t, counting{bytes: &bytes}, Options{MaxLength: 100, Threads: 2})
	p := l.NewPlan()
	question := fmt.Sprintf("%0*d", length, 7)
	for i := range choices {
		if err := p.Loglikelihood(Request{question, fmt.Sprint("7", i)}, func(answer.Answer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	windows, err := p.encodeAll(context.Background(), p.requests)
	if err != nil {
		t.Fatal(err)
	}
	if whole, got := int64(choices*(length+4)), bytes.Load(); got > whole+choices/32*length+100 {
		t.Errorf("%d bytes were encoded, want the %d of contexts with their choices and one context a block", got, whole)
	}
	for i := range p.requests {
		ids, from := l.Encode(Request{question, fmt.Sprint("7", i)})
		if w := windows[i][0]; fmt.Sprint(w.tokens, w.from) != fmt.Sprint(ids, from) {
			t.Errorf("request %d: %v from %d, alone %v from %d", i, w.tokens, w.from, ids, from)
		}
	}
}
