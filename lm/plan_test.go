package lm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
	"github.com/softbench/softbench/lm/answer"
)

// letters is a tokenizer with an id for each rune below hashmodel.Vocab, and
// BOS 1. Two equal letters in a row are one token (letter + 500), so that the
// boundary of context and continuation can fall inside a token.
type letters struct{ noBOS bool }

func (l letters) Encode(text string, special bool) []int32 {
	var ids []int32
	if special && !l.noBOS {
		ids = append(ids, 1)
	}
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		if i+1 < len(runes) && runes[i] == runes[i+1] && runes[i] != ' ' {
			ids = append(ids, runes[i]+500)
			i++
			continue
		}
		ids = append(ids, runes[i])
	}
	return ids
}

func (letters) Decode(ids []int32, _ bool) string { return fmt.Sprintf("<%d>", ids[0]) }
func (l letters) BOS() (int32, bool)              { return 1, !l.noBOS }
func (letters) EOS() (int32, bool)                { return 2, true }

func newLM(t *testing.T, tok Tokenizer, o Options) (*LM, *hashmodel.Backend) {
	t.Helper()
	b := &hashmodel.Backend{}
	l, err := New(engine.New(b, hashmodel.Vocab), tok, o)
	if err != nil {
		t.Fatal(err)
	}
	return l, b
}

// reference scores a token sequence one prediction at a time.
func reference(whole []int32, from int) (sum float64, greedy bool) {
	greedy = true
	for i := from; i < len(whole); i++ {
		sum += float64(hashmodel.LogProb(whole[:i], whole[i]))
		greedy = greedy && hashmodel.Next(whole[:i]) == whole[i]
	}
	return sum, greedy
}

func TestPairFollowsHFLM(t *testing.T) {
	for _, c := range []struct {
		name, context, continuation string
		noBOS                       bool
		whole                       []int32
		from                        int
	}{
		{"plain", "ab", " c", false, []int32{1, 'a', 'b', ' ', 'c'}, 3},
		{"space moves to the continuation", "ab ", "c", false, []int32{1, 'a', 'b', ' ', 'c'}, 3},
		{"so does any white space", "a\n\t", "c", false, []int32{1, 'a', '\n', '\t', 'c'}, 2},
		// The context's own last token is fed, not the one it merges into.
		{"a token merges across the join", "ab", "bc", false, []int32{1, 'a', 'b', 'c'}, 3},
		{"nothing is left of the continuation", "ab", "b", false, []int32{1, 'a', 'b'}, 3},
		{"less than nothing is left", "aba", "", true, []int32{'a', 'b', 'a'}, 3},
		{"empty context", "", "cd", false, []int32{1, 'c', 'd'}, 1},
		{"empty context, EOS for BOS", "", "cd", true, []int32{2, 'c', 'd'}, 1},
		{"white space alone, no BOS", " ", "c", true, []int32{' ', 'c'}, 0},
		{"text that begins with the BOS text", "<1>a", "b", false, []int32{'<', '1', '>', 'a', 'b'}, 4},
		{"empty continuation", "a", "", false, []int32{1, 'a'}, 2},
	} {
		l, _ := newLM(t, letters{c.noBOS}, Options{MaxLength: 100})
		whole, from := l.enc.pair(new(memo), c.context, c.continuation)
		if !slices.Equal(whole, c.whole) || from != c.from {
			t.Errorf("%s: got %v from %d, want %v from %d", c.name, whole, from, c.whole, c.from)
		}
	}
}

// TestRollingWindows checks the definition, not the code: every id is predicted
// once, in order, from at least one token and at most max, and no window could
// have seen more.
func TestRollingWindows(t *testing.T) {
	for n := range 40 {
		for most := 1; most < 12; most++ {
			ids := make([]int32, n)
			for i := range ids {
				ids[i] = int32(100 + i)
			}
			ws := rollingWindows(ids, 1, most)
			next := int32(100)
			for k, w := range ws {
				if inputs := len(w.tokens) - 1; inputs > most || k > 0 && inputs != most {
					t.Fatalf("n %d max %d: window %d has %d inputs", n, most, k, inputs)
				}
				for _, id := range w.tokens[w.from:] {
					if id != next {
						t.Fatalf("n %d max %d: id %d scored where %d is due", n, most, id, next)
					}
					next++
				}
				if w.from < 1 || (w.tokens[0] == 1) != (k == 0) {
					t.Fatalf("n %d max %d: window %d from %d begins with %d", n, most, k, w.from, w.tokens[0])
				}
			}
			if int(next) != 100+n {
				t.Fatalf("n %d max %d: %d ids scored", n, most, next-100)
			}
		}
	}
}

func randomText(r *rand.Rand, n int) string {
	var s strings.Builder
	for range r.IntN(n) {
		s.WriteByte("aabc d"[r.IntN(6)])
	}
	return s.String()
}

func TestPlanEqualsOneByOne(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		l, b := newLM(t, letters{}, Options{MaxLength: 12, AllowUnscored: true})
		p := l.NewPlan()
		calls := 0
		for i := range 40 {
			switch r.IntN(8) {
			case 0:
				text := randomText(r, 60)
				if err := p.Rolling(text, func(res answer.Answer) error {
					calls++
					var sum float64
					tokens := 0
					for _, w := range rollingWindows(letters{}.Encode(text, true), 1, 12) {
						s, _ := reference(w.tokens, w.from)
						sum += s
						tokens += len(w.tokens) - w.from
					}
					var byPosition answer.Position
					for _, b := range res.ByPosition {
						byPosition.LogLikelihood += b.LogLikelihood
						byPosition.Tokens += b.Tokens
					}
					if res.LogLikelihood != sum || res.ContinuationTokens != tokens || byPosition != (answer.Position{LogLikelihood: sum, Tokens: tokens}) {
						t.Errorf("seed %d: rolling %q: %+v, want %v over %d", seed, text, res, sum, tokens)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			case 1:
				prompt := letters{}.Encode(randomText(r, 7)+"x", true)
				n := 1 + r.IntN(4)
				if err := p.Generate(prompt, n, func(got answer.Answer) error {
					calls++
					seen := slices.Clone(prompt)
					for range n {
						seen = append(seen, hashmodel.Next(seen))
					}
					if !slices.Equal(got.Generated, seen[len(prompt):]) {
						t.Errorf("seed %d: decoded %v, want %v", seed, got.Generated, seen[len(prompt):])
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			default:
				q := Request{randomText(r, 16), randomText(r, 9)}
				if err := p.Loglikelihood(q, func(res answer.Answer) error {
					calls++
					whole, from := l.enc.pair(new(memo), q.Context, q.Continuation)
					if n := len(whole) - from; n == 0 || n > 12 {
						if want := map[bool]answer.Unscored{true: answer.Empty, false: answer.TooLong}[n == 0]; !reflect.DeepEqual(res, answer.Answer{ContextTokens: from, ContinuationTokens: n, Unscored: want}) {
							t.Errorf("seed %d request %d %+v: %+v, want %s", seed, i, q, res, want)
						}
						return nil
					}
					cut := max(0, len(whole)-13)
					sum, greedy := reference(whole[cut:], max(1, from-cut))
					if res.LogLikelihood != sum || res.Greedy != greedy || res.Truncated != cut || res.ContextTokens != from || res.ContinuationTokens != len(whole)-from {
						t.Errorf("seed %d request %d %+v: %+v, want %v %v, %d cut", seed, i, q, res, sum, greedy, cut)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		stats, err := p.Run(context.Background(), RunOptions{BatchTokens: 1 + r.IntN(50)})
		if err != nil {
			t.Fatal(err)
		}
		if calls != 40 {
			t.Errorf("seed %d: %d callbacks for 40 requests", seed, calls)
		}
		if b.Live != 0 || stats.Tokens != int64(b.Rows) {
			t.Errorf("seed %d: %d positions leaked, %d rows for %d reported", seed, b.Live, b.Rows, stats.Tokens)
		}
	}
}

// TestForestSharesPrefixes counts: four choices of a question cost the question
// once, an identical request nothing.
func TestForestSharesPrefixes(t *testing.T) {
	l, b := newLM(t, letters{}, Options{MaxLength: 100})
	q := "abcabcabc"
	requests := []Request{{q, " xy"}, {q, " z"}, {q, " xw"}, {q, " xy"}, {q + " xy", "q"}}
	results, stats, err := l.Score(context.Background(), requests, nil, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// BOS, nine letters, " ", "x", and for the last request "y".
	if b.Rows != 1+9+1+1+1 {
		t.Errorf("computed %d rows, want 13", b.Rows)
	}
	if !reflect.DeepEqual(results[0], results[3]) {
		t.Errorf("equal requests differ: %+v and %+v", results[0], results[3])
	}
	if want := int64(12 + 11 + 12 + 12 + 13); stats.Requested != want {
		t.Errorf("requested %d tokens, want %d", stats.Requested, want)
	}
	if stats.Scored != 3+2+3+3+1 {
		t.Errorf("scored %d tokens, want 12", stats.Scored)
	}
}

// TestUnscored: what has no token to score, or more than the context holds, stops
// before anything is computed, with the request's name; or it is marked, and never
// given a loglikelihood. It makes no difference whether others are left to compute.
func TestUnscored(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("line %d", 10+i) }
	for _, c := range []struct {
		name    string
		request Request
		want    answer.Unscored
		err     string
	}{
		{"empty", Request{"a", ""}, answer.Empty, "its continuation is empty"},
		{"empty after nothing", Request{"", ""}, answer.Empty, "its continuation is empty"},
		{"the prefix token alone", Request{"", "\x01"}, answer.Empty, "no token is left"},
		{"merged", Request{"ab", "b"}, answer.Empty, `no token is left of its continuation "b"`},
		{"too long", Request{"ab", "cdefgh"}, answer.TooLong, "its continuation alone has 6 tokens, more than the model's context of 5"},
		{"too long after nothing", Request{"", "cdefgh"}, answer.TooLong, "more than the model's context of 5"},
	} {
		for _, others := range [][]Request{nil, {{"x", "yz"}}} {
			l, b := newLM(t, letters{}, Options{MaxLength: 5})
			_, _, err := l.Score(context.Background(), append(others, c.request), name, RunOptions{})
			if err == nil || b.Rows != 0 || !strings.HasPrefix(err.Error(), name(len(others))+": ") || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "--allow-unscored") {
				t.Errorf("%s: error %v after %d rows", c.name, err, b.Rows)
			}
			l, _ = newLM(t, letters{}, Options{MaxLength: 5, AllowUnscored: true})
			res, stats, err := l.Score(context.Background(), append(others, c.request), name, RunOptions{})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got := res[len(others)]
			if got.Unscored != c.want || got.LogLikelihood != 0 || got.Greedy || stats.Scored != int64(2*len(others)) {
				t.Errorf("%s: %+v, %d tokens scored", c.name, got, stats.Scored)
			}
			if len(others) > 0 && (res[0].Unscored != "" || res[0].LogLikelihood == 0) {
				t.Errorf("%s: beside it %+v", c.name, res[0])
			}
		}
	}
	// As long as the context is not too long.
	l, _ := newLM(t, letters{}, Options{MaxLength: 5})
	res, _, err := l.Score(context.Background(), []Request{{"ab", "cdefg"}}, nil, RunOptions{})
	if want, _ := reference([]int32{'b', 'c', 'd', 'e', 'f', 'g'}, 1); err != nil || res[0].LogLikelihood != want || res[0].Truncated != 2 {
		t.Errorf("got %+v, %v, want %v", res, err, want)
	}
}

func TestStrictLength(t *testing.T) {
	l, b := newLM(t, letters{}, Options{MaxLength: 5, StrictLength: true})
	_, _, err := l.Score(context.Background(), []Request{{"ab", "cd"}, {"abcd", "abd"}}, nil, RunOptions{})
	if err == nil || !strings.Contains(err.Error(), "--strict-length") || b.Rows != 0 {
		t.Errorf("error %v after %d rows", err, b.Rows)
	}
}

func TestCallbackErrorStopsPlan(t *testing.T) {
	l, _ := newLM(t, letters{}, Options{MaxLength: 50})
	p := l.NewPlan()
	stop := errors.New("disk full")
	if err := p.Loglikelihood(Request{"a", "b"}, func(answer.Answer) error { return stop }); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(context.Background(), RunOptions{}); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	l, _ := newLM(t, letters{}, Options{MaxLength: 5})
	p := l.NewPlan()
	for name, err := range map[string]error{
		"empty prompt": p.Generate(nil, 1, nil),
		"no tokens":    p.Generate([]int32{1}, 0, nil),
		"too long":     p.Generate([]int32{1, 2, 3, 4, 5}, 2, nil),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if p.Generate([]int32{1, 2, 3, 4, 5}, 1, nil) != nil {
		t.Error("the last token decoded needs no place in the context")
	}
}
