package lm

import (
	"context"
	"fmt"
	"math/rand/v2"

	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
	"github.com/softbench/softbench/lm/answer"
)

// sequenceAlone is the answer to a sequence, one prediction at a time; of decoding, without stops.
func sequenceAlone(s Sequence) (out SequenceAnswer) {
	seen := s.Tokens[:1:1]
	take := func(token int32) TokenScore {
		score := TokenScore{token, hashmodel.LogProb(seen, token), hashmodel.Best(seen, 1+s.Top)[:s.Top]}
		seen = append(seen, token)
		return score
	}
	for _, token := range s.Tokens[1:] {
		if score := take(token); s.Score {
			out.Prompt = append(out.Prompt, score)
		}
	}
	for range s.MaxTokens {
		next := hashmodel.Next(seen)
		out.Generated = append(out.Generated, take(next))
		if next == 2 {
			break
		}
	}
	return out
}

// Whatever a sequence shares with others in a plan, however many candidates those want, wherever one
// ends inside another, and whatever the batch: its numbers are those of the sequence alone.
func TestSequencesAsAlone(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		l, b := newLM(t, runes{}, Options{MaxLength: 64})
		base := make([]int32, 40)
		for i := range base {
			base[i] = 3 + int32(r.IntN(hashmodel.Vocab-3))
		}
		p := l.NewPlan()
		var asked []Sequence
		var got []SequenceAnswer
		for i := range 30 {
			s := Sequence{Tokens: slices.Clone(base[:1+r.IntN(len(base))]), Score: r.IntN(3) > 0, Top: r.IntN(4), MaxTokens: r.IntN(5)}
			if r.IntN(2) == 0 {
				s.Tokens = append(s.Tokens, int32(3+r.IntN(5)))
			}
			asked, got = append(asked, s), append(got, SequenceAnswer{})
			if err := p.Sequence(s, func(a SequenceAnswer) error { got[i] = a; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		// Others share the forest.
		answers := 0
		if err := p.GenerateUntil(Generation{Context: "Āābc", MaxTokens: 3}, func(answer.Answer) error { answers++; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(context.Background(), RunOptions{BatchTokens: 1 + r.IntN(30)}); err != nil {
			t.Fatal(err)
		}
		for i, s := range asked {
			want := sequenceAlone(s)
			if fmt.Sprint(got[i].Prompt, got[i].Generated) != fmt.Sprint(want.Prompt, want.Generated) {
				t.Fatalf("seed %d: %+v\ngot  %+v\nwant %+v", seed, s, got[i], want)
			}
			ended := answer.Ended("")
			if s.MaxTokens > 0 {
				ended = answer.ByLength
				if want.Generated[len(want.Generated)-1].Token == 2 {
					ended = answer.ByStop // the end token's text is a stop, as in the harness
				}
			}
			if got[i].Ended != ended {
				t.Fatalf("seed %d: %+v ended by %q, want %q", seed, s, got[i].Ended, ended)
			}
		}
		if answers != 1 || b.Live != 0 {
			t.Fatalf("%d answers, %d positions alive", answers, b.Live)
		}
	}
}

func TestSequenceStops(t *testing.T) {
	l, _ := newLM(t, runes{}, Options{MaxLength: 64})
	prompt := []int32{5, 6, 7}
	all := greedy(prompt, 6)
	stop := runes{}.Decode(all[2:3], false)
	p := l.NewPlan()
	var got SequenceAnswer
	if err := p.Sequence(Sequence{Tokens: prompt, MaxTokens: 6, Until: []string{stop}}, func(a SequenceAnswer) error { got = a; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(context.Background(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := (runes{}).Decode(all[:2], false); got.Text != want || len(got.Generated) != 3 || got.Ended != answer.ByStop {
		t.Errorf("%q with %d tokens, ended by %q; want %q, 3, stop", got.Text, len(got.Generated), got.Ended, want)
	}
}

func TestSequenceRefused(t *testing.T) {
	b := &hashmodel.Backend{}
	l, err := New(engine.New(b, hashmodel.Vocab), runes{}, Options{MaxLength: 8})
	if err != nil {
		t.Fatal(err)
	}
	ids := func(n int) []int32 { return slices.Repeat([]int32{5}, n) }
	for _, c := range []struct {
		s    Sequence
		says string
	}{
		{Sequence{}, "at least one token"},
		{Sequence{Tokens: ids(10), Score: true}, "context is 8 tokens: 10 of the prompt and 0"},
		{Sequence{Tokens: ids(8), MaxTokens: 2}, "context is 8 tokens: 8 of the prompt and 2"},
		{Sequence{Tokens: ids(1), MaxTokens: 1 << 62}, "context is 8 tokens"},
		{Sequence{Tokens: ids(2), MaxTokens: -1}, "-1 tokens to decode"},
		{Sequence{Tokens: ids(2), Top: 21}, "this device gives 20"},
		{Sequence{Tokens: []int32{5, hashmodel.Vocab}}, "token id 1000 is outside the model's vocabulary of 1000"},
		{Sequence{Tokens: []int32{-1}}, "token id -1"},
	} {
		if err := l.NewPlan().Sequence(c.s, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.s, err, c.says)
		}
	}
	for _, s := range []Sequence{{Tokens: ids(9), Score: true}, {Tokens: ids(8), Score: true, MaxTokens: 1}, {Tokens: ids(1)}} {
		p := l.NewPlan()
		done := 0
		if err := p.Sequence(s, func(SequenceAnswer) error { done++; return nil }); err != nil {
			t.Errorf("%+v fits, but: %v", s, err)
			continue
		}
		if _, err := p.Run(context.Background(), RunOptions{}); err != nil || done != 1 {
			t.Errorf("%+v: %d answers, %v", s, done, err)
		}
	}
}
