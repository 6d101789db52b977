package lm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

// TestPlansAreSmall: a plan of very much text takes little more memory than its texts:
// four bytes for a token of a text that is scored as a whole, and what a request is for
// each of millions of short ones, not rows with lists and maps for each scored token.
func TestPlansAreSmall(t *testing.T) {
	l, _ := newLM(t, letters{}, Options{MaxLength: 512})
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for _, c := range []struct {
		name   string
		units  int
		most   int64 // bytes beyond the texts
		asking func(p *Plan) error
	}{
		{"a token of a text", 1 << 21, 7, func(p *Plan) error {
			return p.Rolling(random(1<<21), func(answer.Answer) error { return nil })
		}},
		{"a request", 4 * 20_000, 520, func(p *Plan) error {
			for range 20_000 {
				context := random(60)
				for i := range 4 {
					if err := p.Loglikelihood(Request{context, fmt.Sprint(" ", i, strings.Repeat("x", i))}, func(answer.Answer) error { return nil }); err != nil {
						return err
					}
				}
			}
			return nil
		}},
	} {
		before := heap()
		p := l.NewPlan()
		if err := c.asking(p); err != nil {
			t.Fatal(err)
		}
		prepared, err := p.Prepare(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		took := (heap() - before) / int64(c.units)
		t.Logf("%d bytes for %s", took, c.name)
		if took > c.most {
			t.Errorf("%d bytes for %s, want at most %d", took, c.name, c.most)
		}
		runtime.KeepAlive(prepared)
		runtime.KeepAlive(p)
	}
}
