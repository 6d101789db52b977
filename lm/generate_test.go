package lm

import (
	"context"
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

// runes is a tokenizer whose ids are runes from 'Ā' on; 1 is BOS and 2 is EOS, both special.
type runes struct{ letters }

func (runes) Encode(text string, special bool) []int32 {
	var ids []int32
	if special {
		ids = append(ids, 1)
	}
	for _, r := range text {
		ids = append(ids, (r-'Ā'+hashmodel.Vocab)%hashmodel.Vocab)
	}
	return ids
}

func (runes) Decode(ids []int32, skip bool) string {
	var b strings.Builder
	for _, id := range ids {
		if special := map[int32]string{1: "<s>", 2: "</s>"}[id]; special != "" {
			if !skip {
				b.WriteString(special)
			}
			continue
		}
		b.WriteRune('Ā' + id)
	}
	return b.String()
}

// greedy is what the model says after a prompt.
func greedy(prompt []int32, n int) []int32 {
	seen := slices.Clone(prompt)
	for range n {
		seen = append(seen, hashmodel.Next(seen))
	}
	return seen[len(prompt):]
}

// generateAll runs generations in one plan, in the order asked.
func generateAll(t *testing.T, o Options, run RunOptions, all []Generation) ([]answer.Answer, Stats, int) {
	t.Helper()
	b := &hashmodel.Backend{}
	l, err := New(engine.New(b, hashmodel.Vocab), runes{}, o)
	if err != nil {
		t.Fatal(err)
	}
	p := l.NewPlan()
	out := make([]answer.Answer, len(all))
	for i, g := range all {
		if err := p.GenerateUntil(g, func(a answer.Answer) error { out[i] = a; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := p.Run(context.Background(), run)
	if err != nil {
		t.Fatal(err)
	}
	if b.Live != 0 {
		t.Errorf("%d positions were never released", b.Live)
	}
	return out, stats, b.Rows
}

// A row leaves as it stops: what it would have said after is not computed, whoever shares its
// prompt. No batch, bound of memory or neighbour changes an answer.
func TestGenerateUntil(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 9))
		var all []Generation
		var want []answer.Answer
		for range 12 {
			context := "ĀāĂ"
			for range r.IntN(6) {
				context += string('Ā' + rune(10+r.IntN(900)))
			}
			const most = 20
			prompt := runes{}.Encode(context, true)
			says := greedy(prompt, most)
			at := r.IntN(most + 6)
			g := Generation{Context: context, MaxTokens: most, Until: []string{"never"}}
			a := answer.Answer{ContextTokens: len(prompt), Ended: answer.ByLength, ContinuationTokens: most, Generated: says, Text: runes{}.Decode(says, true)}
			if at < most-1 {
				g.Until = append(g.Until, runes{}.Decode(says[at:at+2], false))
				if strings.Contains(runes{}.Decode(says[:at+1], false), g.Until[1]) || slices.Contains(says[:at+2], 2) {
					continue // it comes earlier
				}
				a.Ended, a.Generated, a.ContinuationTokens, a.Text = answer.ByStop, says[:at+2], at+2, runes{}.Decode(says[:at], true)
			}
			all, want = append(all, g), append(want, a)
		}
		for _, o := range []RunOptions{{}, {BatchTokens: 1}, {BatchTokens: 7}, {BatchTokens: 64, Memory: 60}} {
			got, _, rows := generateAll(t, Options{MaxLength: 48}, o, all)
			for i := range got {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("seed %d, %+v: %q gives %+v; want %+v", seed, o, all[i].Context, got[i], want[i])
				}
			}
			if most := 12 * (9 + 19); rows >= most {
				t.Errorf("seed %d: %d rows computed, as many as if nothing stopped", seed, rows)
			}
		}
	}
}

// Two that ask after one prompt each get theirs: the longer one goes on.
func TestGenerationsShareAPrompt(t *testing.T) {
	says := greedy(runes{}.Encode("Āā", true), 9)
	stop := runes{}.Decode(says[2:3], false)
	got, _, rows := generateAll(t, Options{MaxLength: 48}, RunOptions{}, []Generation{
		{Context: "Āā", MaxTokens: 9}, {Context: "Āā", MaxTokens: 9, Until: []string{stop}}, {Context: "Āā", MaxTokens: 2},
	})
	if len(got[0].Generated) != 9 || len(got[1].Generated) != 3 || len(got[2].Generated) != 2 || got[2].Ended != answer.ByLength {
		t.Errorf("generated %v, %v and %v", got[0].Generated, got[1].Generated, got[2].Generated)
	}
	if rows != 3+8 {
		t.Errorf("%d rows computed; want the prompt's 3 and 8 decoded", rows)
	}
}

// The model's own end tokens end a text wherever they are, and a prompt that is too long keeps its end.
func TestGenerationEnds(t *testing.T) {
	context := "ĀāĂăĄą"
	prompt := runes{}.Encode(context, true)
	says := greedy(prompt[len(prompt)-5:], 4)
	got, _, _ := generateAll(t, Options{MaxLength: 9, End: []int32{says[2]}}, RunOptions{}, []Generation{{Context: context, MaxTokens: 4}})
	want := answer.Answer{ContextTokens: 7, Truncated: 2, ContinuationTokens: 3, Generated: says[:3], Text: runes{}.Decode(says[:3], true), Ended: answer.ByEnd}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("generated %+v; want %+v", got[0], want)
	}
	l, _ := newLM(t, runes{}, Options{MaxLength: 9, StrictLength: true})
	p := l.NewPlan()
	if err := p.GenerateUntil(Generation{Context: "ā", MaxTokens: 9}, nil); err == nil || !strings.Contains(err.Error(), "leaves no room") {
		t.Errorf("9 tokens to generate in a context of 9: %v", err)
	}
	if err := p.GenerateUntil(Generation{Context: context, MaxTokens: 4}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "--strict-length") {
		t.Errorf("a prompt that is too long: %v", err)
	}
}

// What is thought is not answered, and what ends an answer does not end thinking.
func TestThinkingIsCut(t *testing.T) {
	says := greedy(runes{}.Encode("Āāè", true), 12)
	text := func(from, to int) string { return runes{}.Decode(says[from:to], true) }
	for name, c := range map[string]struct {
		begin, context string
		text           string
		tokens         int
	}{
		"begun by the prompt": {"è", "Āāè", text(6, 9), 10},
		"begun by the answer": {text(0, 1), "Āāè", text(6, 9), 10},
		"not begun":           {"#", "Āāè", text(0, 2), 3},
	} {
		got, _, _ := generateAll(t, Options{MaxLength: 48, Thinking: Thinking{c.begin, text(5, 6)}}, RunOptions{},
			[]Generation{{Context: c.context, MaxTokens: 12, Until: []string{text(2, 3), text(9, 10)}}})
		if got[0].Text != c.text || len(got[0].Generated) != c.tokens {
			t.Errorf("%s: %q of %d tokens; want %q of %d (of %q)", name, got[0].Text, len(got[0].Generated), c.text, c.tokens, fmt.Sprint(text(0, 12)))
		}
	}
}
