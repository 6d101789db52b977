package tokenizer

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestNearLinear counts the work of merging: for a text without any place to cut, eight times the length
// may cost eight times the steps and the growth of one heap's depth. A quadratic merge would cost 64 times.
func TestNearLinear(t *testing.T) {
	const short, long = 1 << 14, 1 << 17
	texts := map[string]func(n int) string{
		"one letter": func(n int) string { return strings.Repeat("a", n) },
		"two":        func(n int) string { return strings.Repeat("ab", n/2) },
		"mixed":      nonRepeating,
		"words":      func(n int) string { return strings.Repeat("theharbourandtheboats", n/21) },
	}
	allowed := long / short * math.Log2(long) / math.Log2(short) * 1.15
	for _, name := range []string{"gpt2", "llama3", "llama2", "metaspace-first", "metaspace-cross", "spm"} {
		tok := load(t, filepath.Join("testdata", name))
		for kind, text := range texts {
			few, many := mergeSteps(tok, text(short)), mergeSteps(tok, text(long))
			if few < short/2 {
				t.Fatalf("%s, %s: %d steps for %d letters: the count is not of the work", name, kind, few, short)
			}
			if ratio := float64(many) / float64(few); ratio > allowed {
				t.Errorf("%s, %s: %d letters cost %d steps, %d cost %d: %.1f times, more than %.1f", name, kind, short, few, long, many, ratio, allowed)
			}
		}
	}
}

// mergeSteps returns the work units of merging text as one word.
func mergeSteps(tok *Tokenizer, text string) int {
	if tok.sp != nil {
		m := &merger{table: tok.sp.table}
		tok.sp.encodeWord(nil, text, m)
		return m.steps
	}
	m := tok.model.(*bpe)
	s := &bpeScratch{merger: merger{table: m.table}}
	m.mergeWord(nil, text, false, s)
	return s.steps
}

// TestMegabyte encodes lines of a megabyte that are awkward in other places than the merges; a quadratic
// step anywhere would take minutes and hit the test's time limit.
func TestMegabyte(t *testing.T) {
	if thin() {
		t.Skip("about two seconds a tokenizer; skipped with -short and under the race detector")
	}
	texts := func(n int) []string {
		return []string{
			nonRepeating(n), strings.Repeat(" ", n), strings.Repeat("\n ", n/2), strings.Repeat("<both>  ", n/8), strings.Repeat("  <right>", n/9),
			"a" + strings.Repeat("\u0323\u0301", n/4), strings.Repeat("▁", n/3), strings.Repeat("\xff", n), strings.Repeat("1", n), strings.Repeat("'", n),
		}
	}
	// The general regex engine of tekken takes about a second a megabyte, the others a tenth of that.
	for name, n := range map[string]int{"flags": 1 << 20, "tekken": 1 << 18, "metaspace-cross": 1 << 20, "spm-rules": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tok := load(t, filepath.Join("testdata", name))
			for _, text := range texts(n) {
				ids := tok.Encode(text, true)
				if len(ids) > 3*len(text)+2 { // an invalid byte becomes three
					t.Errorf("%.20q: %d ids for %d bytes", text, len(ids), len(text))
				}
			}
		})
	}
}

// TestHeapEqualsScan: the two merge loops give the same symbols.
func TestHeapEqualsScan(t *testing.T) {
	m := load(t, "testdata/gpt2").model.(*bpe)
	for n := 2; n < 4*shortWord; n++ {
		word := nonRepeating(n * 7)[n*6:]
		s := &bpeScratch{merger: merger{table: m.table}}
		m.symbols(word, s)
		start := append([]int32(nil), s.ids...)
		s.runScan()
		scan := fmt.Sprint(s.ids)
		s.ids = append(s.ids[:0], start...)
		s.runHeap()
		if got := fmt.Sprint(s.ids); got != scan {
			t.Fatalf("%q: heap %s, scan %s", word, got, scan)
		}
	}
}

// TestConcurrent: many goroutines share a tokenizer and get what one alone gets. Run with -race.
func TestConcurrent(t *testing.T) {
	texts := hardStrings(t)
	for _, name := range []string{"gpt2", "tekken", "spm"} {
		want := make([]string, len(texts))
		alone := load(t, filepath.Join("testdata", name))
		for i, s := range texts {
			want[i] = digest(alone.Encode(s, true))
		}
		tok := load(t, filepath.Join("testdata", name))
		var group sync.WaitGroup
		for g := range 4 {
			group.Go(func() {
				for i := range texts {
					i = (i + g*101) % len(texts)
					if got := digest(tok.Encode(texts[i], true)); got != want[i] {
						t.Errorf("%s: %.40q: other ids than alone", name, texts[i])
					}
				}
			})
		}
		group.Wait()
	}
}

// TestWordCache: the cache stays within its bounds and forgets no word in use.
func TestWordCache(t *testing.T) {
	c := newWordCache()
	c.put("kept", []int32{1})
	for i := range cacheShards * cacheShardSize * 4 {
		c.put(fmt.Sprint("word", i), []int32{int32(i)})
		if i%1000 == 0 {
			if ids, ok := c.get("kept"); !ok || ids[0] != 1 {
				t.Fatalf("after %d words the word in use is gone", i)
			}
		}
	}
	total := 0
	for i := range c.shards {
		total += len(c.shards[i].now) + len(c.shards[i].old)
	}
	if limit := cacheShards * (cacheShardSize*2 + 1); total > limit {
		t.Errorf("%d words kept, more than %d", total, limit)
	}
	c.put(strings.Repeat("x", cacheMaxWord+1), []int32{2})
	if _, ok := c.get(strings.Repeat("x", cacheMaxWord+1)); ok {
		t.Error("a word over the length limit is kept")
	}
}
