package pyrandom

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// One draw that is not CPython's gives another example to every document after it.
func TestEqualsCPython(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seed    int64
		Float64 []string
		Bits    []string
		Choice  []int
		Range   []int
		Shuffle []int
		Sample  []struct {
			N, K  int
			Drawn []int
		}
		Many string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 9 {
		t.Fatalf("only %d seeds", len(cases))
	}
	for _, c := range cases {
		r := New(c.Seed)
		for i, want := range c.Float64 {
			if f, err := strconv.ParseFloat(want, 64); err != nil || r.Float64() != f {
				t.Fatalf("seed %d: random() %d is not %s", c.Seed, i, want)
			}
		}
		for i, want := range c.Bits {
			if got := strconv.FormatUint(r.GetRandBits(i+1), 10); got != want {
				t.Fatalf("seed %d: getrandbits(%d) is %s; CPython has %s", c.Seed, i+1, got, want)
			}
		}
		for i, n := range []int{1, 2, 3, 7, 64, 1000} {
			if got := r.Choice(n); got != c.Choice[i] {
				t.Fatalf("seed %d: choice of %d is %d; CPython has %d", c.Seed, n, got, c.Choice[i])
			}
		}
		for i, a := range [][3]int{{0, 10, 1}, {-5, 5, 3}, {10, -10, -7}, {100, 101, 1}, {0, 1 << 40, 3}} {
			if got, err := r.RandRange(a[0], a[1], a[2]); err != nil || got != c.Range[i] {
				t.Fatalf("seed %d: randrange%v is %d (%v); CPython has %d", c.Seed, a, got, err, c.Range[i])
			}
		}
		order := make([]int, 50)
		for i := range order {
			order[i] = i
		}
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if !slices.Equal(order, c.Shuffle) {
			t.Fatalf("seed %d: shuffled %v; CPython has %v", c.Seed, order, c.Shuffle)
		}
		for _, s := range c.Sample {
			if got, err := r.Sample(s.N, s.K); err != nil || !slices.Equal(got, s.Drawn) {
				t.Fatalf("seed %d: sample of %d among %d is %v (%v); CPython has %v", c.Seed, s.K, s.N, got, err, s.Drawn)
			}
		}
		many := make([]string, 5000)
		for i := range many {
			many[i] = strconv.FormatUint(r.GetRandBits(32), 10)
		}
		sum := sha256.Sum256([]byte(strings.Join(many, " ")))
		if got := hex.EncodeToString(sum[:]); got != c.Many {
			t.Fatalf("seed %d: 5000 words hash to %s; CPython's to %s", c.Seed, got, c.Many)
		}
	}
}

func TestWhatCannotBeDrawnIsAnError(t *testing.T) {
	r := New(1)
	if _, err := r.Sample(3, 4); err == nil {
		t.Error("4 were drawn of 3")
	}
	if _, err := r.Sample(3, -1); err == nil {
		t.Error("-1 were drawn of 3")
	}
	for _, a := range [][3]int{{1, 1, 1}, {2, 1, 1}, {1, 2, -1}, {1, 2, 0}} {
		if _, err := r.RandRange(a[0], a[1], a[2]); err == nil {
			t.Errorf("something was drawn of the empty range %v", a)
		}
	}
}
