package passkey

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var grid = Grid{Lengths: []int{160, 257, 1000}, Depths: []float64{0, 0.1, 0.5, 0.9, 1}, Trials: 4, Seed: 7}

// A prompt one token too long or too short, text that is not the paper's, an answer that has the BOS
// in it, or an EOS left before the answer fails here, for tokenizers with and without special tokens,
// of whole words, of bytes and between.
func TestBuild(t *testing.T) {
	for _, most := range []int{1, 3, 1000} {
		for _, special := range []struct{ bos, eos bool }{{}, {bos: true}, {bos: true, eos: true}} {
			t.Run(fmt.Sprintf("%d bytes, bos %v, eos %v", most, special.bos, special.eos), func(t *testing.T) {
				tok := newWords(special.bos, special.eos, most)
				g := grid
				if most < 1000 { // the prompt alone has some 300 bytes
					g.Lengths = []int{480, 1001, 2002}
				}
				trials, err := g.Build(tok)
				if err != nil {
					t.Fatal(err)
				}
				if len(trials) != 3*5*4 {
					t.Fatalf("%d trials", len(trials))
				}
				for _, tr := range trials {
					checkTrial(t, tok, tr)
					if bos := tr.Prompt[0] == 0; bos != special.bos {
						t.Errorf("the prompt starts with a BOS: %v; the tokenizer adds one: %v", bos, special.bos)
					}
					if slices.Contains(tr.Answer, 0) || slices.Contains(tr.Answer, 1) || slices.Contains(tr.Prompt, 1) {
						t.Errorf("a special token in the answer %v, or an EOS in the prompt", tr.Answer)
					}
				}
				checkCells(t, g, trials)
			})
		}
	}
}

// checkTrial is what must hold of any trial with any tokenizer.
func checkTrial(t *testing.T, tok Tokenizer, tr Trial) {
	t.Helper()
	if len(tr.Prompt) != tr.Length {
		t.Errorf("%d tokens; want exactly %d", len(tr.Prompt), tr.Length)
	}
	text := Text(tr.Before, tr.Key, tr.After)
	if said := strings.TrimLeft(tok.Decode(tr.Prompt, true), " "); said != text {
		t.Errorf("the prompt decodes to %q; want %q", said, text)
	}
	whole := tok.Encode(text+" "+strconv.Itoa(tr.Key), true)
	if joined := append(slices.Clone(tr.Prompt), tr.Answer...); !slices.Equal(joined, whole[:len(joined)]) {
		t.Errorf("prompt and answer are not the encoding of the whole text")
	}
	if said := strings.TrimSpace(tok.Decode(tr.Answer, true)); said != strconv.Itoa(tr.Key) {
		t.Errorf("the answer decodes to %q; the key is %d", said, tr.Key)
	}
	if tr.Key < 1 || tr.Key > MaxKey {
		t.Errorf("key %d", tr.Key)
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[2] != "The pass key is "+strconv.Itoa(tr.Key)+". Remember it. "+strconv.Itoa(tr.Key)+" is the pass key." {
		t.Errorf("the text's lines are %q", lines)
	}
}

// checkCells is what must hold of a grid: the depth is met, and trials share their prefix.
func checkCells(t *testing.T, g Grid, trials []Trial) {
	t.Helper()
	for i := 0; i < len(trials); i += g.Trials {
		cell := trials[i : i+g.Trials]
		first := cell[0]
		// The tokens before the needle, as a share of what is not needle, instruction or question.
		start := len(instruction) + 1
		total := first.Before + first.After
		if got := float64(first.Before) / float64(max(total, 1)); got < first.Depth-0.1 || got > first.Depth+0.1 {
			t.Errorf("length %d: the key stands at %.2f of the garbage; want %.2f", first.Length, got, first.Depth)
		}
		if first.Depth == 0 && first.Before != 0 {
			t.Errorf("length %d: %d bytes of garbage before a key at depth 0", first.Length, first.Before)
		}
		for _, tr := range cell[1:] {
			if tr.Before != first.Before {
				t.Errorf("length %d depth %v: %d and %d bytes before the key", tr.Length, tr.Depth, first.Before, tr.Before)
			}
			shared := 0
			for shared < first.Length && tr.Prompt[shared] == first.Prompt[shared] {
				shared++
			}
			// All but the seam: at least as many tokens as the shorter of the text's bytes / 8.
			if least := (start + first.Before) / 8; shared < least {
				t.Errorf("length %d depth %v: trials share %d tokens, fewer than %d", tr.Length, tr.Depth, shared, least)
			}
		}
	}
}

// A cell's keys must not depend on the rest of the grid, and must depend on the seed.
func TestKeysAreSeeded(t *testing.T) {
	tok := newWords(true, false, 1000)
	all, err := grid.Build(tok)
	if err != nil {
		t.Fatal(err)
	}
	one := Grid{Lengths: []int{257}, Depths: []float64{0.5}, Trials: 2, Seed: 7}
	few, err := one.Build(tok)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range few {
		found := slices.ContainsFunc(all, func(a Trial) bool {
			return a.Length == 257 && a.Depth == 0.5 && a.Trial == f.Trial && a.Key == f.Key && a.Before == f.Before
		})
		if !found {
			t.Errorf("trial %d has the key %d alone, another in the larger grid", f.Trial, f.Key)
		}
	}
	// The same keys at every length of a depth, others at another depth.
	first := map[float64][]int{}
	for _, a := range all {
		if keys := first[a.Depth]; len(keys) < grid.Trials {
			first[a.Depth] = append(keys, a.Key)
		} else if keys[a.Trial] != a.Key {
			t.Errorf("length %d, depth %v, trial %d: key %d, and %d at the first length", a.Length, a.Depth, a.Trial, a.Key, keys[a.Trial])
		}
	}
	if slices.Equal(first[0], first[0.5]) {
		t.Error("two depths have the same keys")
	}
	one.Seed = 8
	other, err := one.Build(tok)
	if err != nil {
		t.Fatal(err)
	}
	if other[0].Key == few[0].Key && other[1].Key == few[1].Key {
		t.Error("another seed gives the same keys")
	}
	// Uniform in 1..50000: the mean of 2000 keys is within 5 standard errors of 25000.5.
	sum := 0
	for i := range 2000 {
		sum += grid.key(0.5, i)
	}
	if mean := float64(sum) / 2000; mean < 25000-5*323 || mean > 25000+5*323 {
		t.Errorf("2000 keys have the mean %v", mean)
	}
}

func TestScore(t *testing.T) {
	tok := newWords(false, false, 3)
	g := Grid{Lengths: []int{600}, Depths: []float64{0.5}, Trials: 5, Seed: 1}
	trials, err := g.Build(tok)
	if err != nil {
		t.Fatal(err)
	}
	tr := trials[0]
	key := strconv.Itoa(tr.Key)
	// The same digits, cut into other tokens: right as text, not as ids.
	other := []int32{tok.id(" ")}
	for _, d := range key {
		other = append(other, tok.id(string(d)))
	}
	longer := append(slices.Clone(tr.Answer), tok.id("0"))
	for _, c := range []struct {
		name       string
		ids        []int32
		right, txt bool
	}{
		{"the answer", tr.Answer, true, true},
		{"other tokens", other, false, true},
		{"a longer number", longer, false, false},
		{"the key and a stop", append(slices.Clone(tr.Answer), tok.id(".")), false, true},
		{"another key", trials[1].Answer, false, false},
		{"cut off", tr.Answer[:1], false, false},
		{"nothing", nil, false, false},
	} {
		o := tr.Score(tok, c.ids)
		if o.Right != c.right || o.RightText != c.txt {
			t.Errorf("%s: right %v, as text %v; want %v, %v", c.name, o.Right, o.RightText, c.right, c.txt)
		}
	}
}

// Every mistake in a grid, and a tokenizer that cannot serve, is one line that says what to do.
func TestRefuses(t *testing.T) {
	ok := Grid{Lengths: []int{200}, Depths: []float64{0.5}, Trials: 1}
	for _, c := range []struct {
		change func(*Grid)
		want   string
	}{
		{func(g *Grid) { g.Lengths = nil }, "must not be empty"},
		{func(g *Grid) { g.Depths = nil }, "must not be empty"},
		{func(g *Grid) { g.Trials = 0 }, "trials is 0"},
		{func(g *Grid) { g.Lengths = []int{5} }, "length 5"},
		{func(g *Grid) { g.Lengths = []int{200, 200} }, "twice"},
		{func(g *Grid) { g.Depths = []float64{1.5} }, "depth 1.5"},
		{func(g *Grid) { g.Depths = []float64{0, 0} }, "twice"},
		{func(g *Grid) { g.Lengths = []int{20} }, "length 20 is too short; with this tokenizer the prompt has"},
	} {
		g := ok
		c.change(&g)
		_, err := g.Build(newWords(true, false, 1000))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v; want %q", g, err, c.want)
		}
	}
	if _, err := ok.Build(merging{newWords(false, false, 1000)}); err == nil || !strings.Contains(err.Error(), "joins the key") {
		t.Errorf("a tokenizer that joins key and question: %v", err)
	}
	if _, err := ok.Build(nothing{}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a tokenizer without tokens: %v", err)
	}
}

// merging joins the last two tokens into one, so that no prompt is a prefix of prompt and answer.
type merging struct{ *words }

func (m merging) Encode(text string, special bool) []int32 {
	ids := m.words.Encode(text, special)
	if n := len(ids); n > 1 {
		return append(ids[:n-2:n-2], m.id(m.pieces[ids[n-2]]+m.pieces[ids[n-1]]))
	}
	return ids
}

type nothing struct{}

func (nothing) Encode(string, bool) []int32 { return nil }
func (nothing) Decode([]int32, bool) string { return "" }
