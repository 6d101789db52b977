package stats

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// Kinds of comparison that the properties must hold for.
func kinds(seed uint64) map[string]struct {
	p Pairs
	o Options
} {
	r := source(seed)
	type kind = struct {
		p Pairs
		o Options
	}
	clustered := madeBinary(r, 120, 0.2, 0.25)
	clustered.Clusters = labels(120, 15)
	pages := madePages(r, 40, 0.01)
	clusteredPages := madePages(r, 60, -0.02)
	clusteredPages.Clusters = labels(60, 12)
	few := madePages(r, 7, 0.02)
	mean := madePages(r, 50, 0.01)
	mean.Weights = nil
	return map[string]kind{
		"accuracy":               {madeBinary(r, 300, 0.1, 0.13), Options{}},
		"accuracy, even":         {madeBinary(r, 300, 0.1, 0.1), Options{Method: BCa}},
		"accuracy, few":          {madeBinary(r, 300, 0.01, 0.005), Options{}},
		"accuracy, clusters":     {clustered, Options{}},
		"perplexity":             {pages, Options{Transform: Perplexity, LowerIsBetter: true}},
		"perplexity, percentile": {pages, Options{Transform: Perplexity, LowerIsBetter: true, Method: Percentile}},
		"perplexity, clusters":   {clusteredPages, Options{Transform: Perplexity, LowerIsBetter: true}},
		"perplexity, few":        {few, Options{Transform: Perplexity, LowerIsBetter: true}},
		"bits":                   {pages, Options{Transform: Bits, LowerIsBetter: true}},
		"mean":                   {mean, Options{}},
		"mean, level 0.01":       {mean, Options{Level: 0.01, Family: 12}},
	}
}

func compare(t *testing.T, p Pairs, o Options) Comparison {
	t.Helper()
	if o.Draws == 0 {
		o.Draws = 2000
	}
	c, err := Compare(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Compare(B, A) is Compare(A, B) with the signs turned, to the bit.
func TestMirror(t *testing.T) {
	for seed := range uint64(5) {
		for name, k := range kinds(seed) {
			ab, ba := compare(t, k.p, k.o), compare(t, mirrored(k.p), k.o)
			if ba.Diff != -ab.Diff || ba.Low != -ab.High || ba.High != -ab.Low || ba.P != ab.P || ba.SE != ab.SE ||
				!same(ba.MDE, ab.MDE) || ba.NeededN != ab.NeededN || ba.A != ab.B || ba.B != ab.A ||
				ba.AHigher != ab.BHigher || ba.BHigher != ab.AHigher || ba.Method != ab.Method || ba.Test != ab.Test {
				t.Errorf("%s, seed %d: mirror\n%+v\n%+v", name, seed, ab, ba)
			}
			if ab.Diff == 0 {
				continue
			}
			turned := map[Verdict]Verdict{Better: Worse, Worse: Better, Noise: Noise}
			if ba.Verdict() != turned[ab.Verdict()] {
				t.Errorf("%s: %s one way, %s the other", name, ab.Verdict(), ba.Verdict())
			}
		}
	}
}

func same(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }

// A run beside itself: p = 1, difference and interval exactly 0, and a gate passes.
func TestIdentical(t *testing.T) {
	for name, k := range kinds(1) {
		p := k.p
		p.B = slices.Clone(p.A)
		p.Unchanged = true
		c := compare(t, p, k.o)
		if c.P != 1 || c.PAdjusted != 1 || c.Diff != 0 || c.Low != 0 || c.High != 0 || c.SE != 0 || c.A != c.B {
			t.Errorf("%s: %+v", name, c)
		}
		if c.Verdict() != Noise || !Has(c.Warnings, Identical) || c.NeededN != 0 || c.LowAdjusted != 0 || c.HighAdjusted != 0 {
			t.Errorf("%s: %+v", name, c)
		}
		for _, allowed := range []float64{0, 0.01} {
			if g, err := Gate(&c, allowed, BeyondAllowed); err != nil || g.Decision != Pass {
				t.Errorf("%s, allowed %v: %+v, %v", name, allowed, g, err)
			}
		}
	}
	// One document is enough to be the same.
	c := compare(t, Pairs{A: []float64{-3}, B: []float64{-3}}, Options{Transform: Perplexity})
	if g, err := Gate(&c, 0, ""); err != nil || g.Decision != Pass {
		t.Errorf("one document: %+v, %v", g, err)
	}
}

// Accuracies of independent documents do not depend on their order at all; with
// clusters, not on the order of the clusters; all else not once the documents are
// sorted by what names them, which is what callers promise.
func TestOrder(t *testing.T) {
	for name, k := range kinds(2) {
		n := len(k.p.A)
		order := source(3).Perm(n)
		shuffled := take(k.p, order)
		want := compare(t, k.p, k.o)
		if name == "accuracy" || name == "accuracy, few" || name == "accuracy, even" || name == "accuracy, clusters" {
			if got := compare(t, shuffled, k.o); !equal(got, want) {
				t.Errorf("%s: another order gives\n%+v\nnot\n%+v", name, got, want)
			}
			continue
		}
		sorted := make([]int, n)
		for i, o := range order {
			sorted[o] = i
		}
		if got := compare(t, take(shuffled, sorted), k.o); !equal(got, want) {
			t.Errorf("%s: shuffled and sorted again gives\n%+v\nnot\n%+v", name, got, want)
		}
		// Unsorted it is another draw: the same difference, an interval close by.
		got := compare(t, shuffled, k.o)
		width := want.High - want.Low
		if math.Abs(got.Diff-want.Diff) > 1e-9*math.Abs(want.A) || math.Abs(got.Low-want.Low) > 0.15*width || math.Abs(got.High-want.High) > 0.15*width {
			t.Errorf("%s: unsorted gives\n%+v\nfar from\n%+v", name, got, want)
		}
	}
}

func take(p Pairs, order []int) Pairs {
	var out Pairs
	for _, i := range order {
		out.A, out.B = append(out.A, p.A[i]), append(out.B, p.B[i])
		if p.Weights != nil {
			out.Weights = append(out.Weights, p.Weights[i])
		}
		if p.Clusters != nil {
			out.Clusters = append(out.Clusters, p.Clusters[i])
		}
	}
	return out
}

func equal(x, y Comparison) bool {
	return x.N == y.N && x.Diff == y.Diff && x.Low == y.Low && x.High == y.High && x.P == y.P && x.SE == y.SE &&
		same(x.MDE, y.MDE) && x.A == y.A && x.B == y.B && slices.Equal(x.Warnings, y.Warnings)
}

// bootstrapOf is the bootstrap's interval alone.
func bootstrapOf(t *testing.T, p Pairs, o Options) (low, high float64, method Method) {
	t.Helper()
	o, err := o.filled()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.units(o.Transform).interval(o)
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	low, high = b.at(o.Level)
	return low, high, b.method
}

// The same seed gives the same bits, another seed others, the number of draws any.
func TestSeed(t *testing.T) {
	p := madePages(source(4), 80, 0.003)
	o := Options{Transform: Perplexity, Draws: 3000}
	one, again := compare(t, p, o), compare(t, p, o)
	if !equal(one, again) {
		t.Error("the same seed gives other numbers")
	}
	firstLow, firstHigh, _ := bootstrapOf(t, p, o)
	o.Seed = 1
	secondLow, secondHigh, _ := bootstrapOf(t, p, o)
	if other := compare(t, p, o); other.P == one.P || firstLow == secondLow || firstHigh == secondHigh {
		t.Error("another seed gives the same draws")
	}
}

// With clusters of one document each, the clustered path is the plain one.
func TestClustersOfOne(t *testing.T) {
	p := madePages(source(5), 40, 0.01)
	plain := compare(t, p, Options{Transform: Perplexity})
	p.Clusters = labels(40, 40)
	clustered := compare(t, p, Options{Transform: Perplexity})
	if clustered.Clusters != 40 {
		t.Fatalf("%d clusters", clustered.Clusters)
	}
	if plain.Low != clustered.Low || plain.High != clustered.High || plain.P != clustered.P || plain.SE != clustered.SE {
		t.Errorf("plain %+v\nclustered %+v", plain, clustered)
	}
}

// Documents copied within their cluster add nothing: the error with clusters stays
// that of one copy, the plain one believes in more.
func TestCopiesAddNothing(t *testing.T) {
	one := madePages(source(6), 30, 0.01)
	var five Pairs
	for i := range one.A {
		for range 5 {
			five.A, five.B = append(five.A, one.A[i]), append(five.B, one.B[i])
			five.Weights = append(five.Weights, one.Weights[i])
			five.Clusters = append(five.Clusters, labels(30, 30)[i])
		}
	}
	o := Options{Transform: Perplexity}
	c1, c5 := compare(t, one, o), compare(t, five, o)
	near(t, "standard error", c5.SE, c1.SE, 1e-9)
	near(t, "low", c5.Low, c1.Low, 1e-9)
	near(t, "high", c5.High, c1.High, 1e-9)
	five.Clusters = nil
	if plain := compare(t, five, o); plain.SE > 0.5*c5.SE {
		t.Errorf("copies taken for independent documents: standard error %v beside %v", plain.SE, c5.SE)
	}
}

// No two shares differ by more than 1, and no interval of few clusters says so.
func TestSharesEndAtOne(t *testing.T) {
	p := Pairs{A: make([]float64, 60), B: make([]float64, 60), Clusters: labels(60, 6)}
	for i := range p.B {
		if i%6 > 0 { // a cluster of the six has no difference
			p.B[i] = 1
		}
	}
	for _, c := range []Comparison{compare(t, p, Options{}), compare(t, mirrored(p), Options{})} {
		if c.Low < -1 || c.High > 1 || math.Max(-c.Low, c.High) != 1 {
			t.Errorf("difference %v: interval [%v, %v]", c.Diff, c.Low, c.High)
		}
	}
}

func TestWarnings(t *testing.T) {
	ones := func(n, k int) []float64 {
		v := make([]float64, n)
		for i := range k {
			v[i] = 1
		}
		return v
	}
	spike := madePages(source(8), 40, 0)
	spike.B[7] += 500
	even := madePages(source(9), 40, 0)
	for name, c := range map[string]struct {
		p    Pairs
		o    Options
		want []Code
	}{
		"few documents":      {Pairs{A: []float64{0.1, 0.2, 0.3}, B: []float64{0.2, 0.2, 0.5}}, Options{}, []Code{SmallN, NoMDE}},
		"few discordant":     {Pairs{A: ones(100, 50), B: ones(100, 53)}, Options{}, []Code{FewDiscordant}},
		"nine discordant":    {Pairs{A: ones(100, 50), B: ones(100, 59)}, Options{}, []Code{FewDiscordant}},
		"ten discordant":     {Pairs{A: ones(100, 50), B: ones(100, 60)}, Options{}, nil},
		"ceiling":            {Pairs{A: ones(200, 180), B: ones(200, 199)}, Options{}, []Code{Ceiling}},
		"floor":              {Pairs{A: ones(200, 1), B: ones(200, 30)}, Options{}, []Code{Floor}},
		"few clusters":       {Pairs{A: ones(100, 50), B: ones(100, 73), Clusters: labels(100, 9)}, Options{}, []Code{FewClusters}},
		"one cluster":        {Pairs{A: ones(100, 50), B: ones(100, 70), Clusters: labels(100, 1)}, Options{}, []Code{FewClusters, NoInterval, NoMDE}},
		"one heavy document": {spike, Options{Transform: Perplexity}, []Code{Dominated}},
		"even pages":         {even, Options{Transform: Perplexity}, nil},
		"same answers":       {Pairs{A: ones(100, 50), B: ones(100, 50)}, Options{}, []Code{SameOutcomes}},
		"five clusters":      {Pairs{A: ones(100, 50), B: ones(100, 73), Clusters: labels(100, 5)}, Options{}, []Code{FewClusters, NoMDE}},
		"five of a family":   {Pairs{A: ones(100, 50), B: ones(100, 73), Clusters: labels(100, 7)}, Options{Family: 6}, []Code{FewClusters, NoMDE}},
		"overflow":           {Pairs{A: []float64{-1, -2, -1e6}, B: []float64{-2, -2, -1e6}}, Options{Transform: Perplexity}, []Code{SmallN, Overflow, NoMDE}},
		"no spread":          {Pairs{A: make([]float64, 40), B: ones(40, 40), Weights: ones(40, 40)}, Options{}, []Code{NoSpread, NoMDE}},
	} {
		got := compare(t, c.p, c.o)
		var codes []Code
		for _, w := range got.Warnings {
			codes = append(codes, w.Code)
			if w.Text == "" || strings.Contains(w.Text, "%!") {
				t.Errorf("%s: warning %q", name, w.Text)
			}
		}
		if !slices.Equal(codes, c.want) {
			t.Errorf("%s: warnings %v; want %v", name, got.Warnings, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	ok := []float64{1, 2, 3}
	nan, inf := []float64{1, math.NaN(), 3}, []float64{1, 2, math.Inf(-1)}
	for name, c := range map[string]struct {
		p    Pairs
		o    Options
		want string
	}{
		"nothing":        {Pairs{}, Options{}, "no documents"},
		"lengths":        {Pairs{A: ok, B: ok[:2]}, Options{}, "A has 3 documents, B 2"},
		"NaN":            {Pairs{A: ok, B: nan}, Options{}, "document 1 of B is NaN"},
		"infinite":       {Pairs{A: inf, B: ok}, Options{}, "document 2 of A is -Inf"},
		"weights":        {Pairs{A: ok, B: ok, Weights: ok[:1]}, Options{}, "1 weights for 3 documents"},
		"negative":       {Pairs{A: ok, B: ok, Weights: []float64{1, -1, 1}}, Options{}, "document 1 has weight -1"},
		"zero weights":   {Pairs{A: ok, B: ok, Weights: make([]float64, 3)}, Options{}, "all weights are 0"},
		"cluster labels": {Pairs{A: ok, B: ok, Clusters: []string{"a"}}, Options{}, "1 cluster labels for 3 documents"},
		"level":          {Pairs{A: ok, B: ok}, Options{Level: 1.5}, "level 1.5"},
		"draws":          {Pairs{A: ok, B: ok}, Options{Draws: 7}, "7 bootstrap draws"},
		"method":         {Pairs{A: ok, B: ok}, Options{Method: "bca"}, `no interval method "bca"`},
		"transform":      {Pairs{A: ok, B: ok}, Options{Transform: 9}, "transform 9 is not one"},
		"too large":      {Pairs{A: []float64{1e308, 1e308}, B: ok[:2]}, Options{}, "more than a float64 holds"},
	} {
		_, err := Compare(c.p, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v; want one line with %q", name, err, c.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	up := compare(t, madeBinary(source(9), 500, 0.02, 0.2), Options{})
	for _, c := range []struct {
		lower   bool
		p       float64
		verdict Verdict
	}{
		{false, up.P, Better},
		{true, up.P, Worse},
		{false, 0.06, Noise},
		{true, 0.06, Noise},
		{false, 0.05, Noise},
		{false, math.NaN(), Noise},
	} {
		x := up
		x.LowerIsBetter, x.PAdjusted = c.lower, c.p
		if x.Verdict() != c.verdict {
			t.Errorf("%+v: %s", c, x.Verdict())
		}
	}
}

// A raw p below the level stands for nothing where the family is large.
func TestAdjust(t *testing.T) {
	made := func(p float64) *Comparison {
		return &Comparison{P: p, Diff: 1, sign: 1, Level: 0.05, LowAdjusted: 0.5, HighAdjusted: 1.5}
	}
	family := []*Comparison{made(0.03), made(0.2), made(math.NaN()), made(0.001)}
	if err := Adjust(family); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.06, 0.2, math.NaN(), 0.003} {
		if !same(family[i].PAdjusted, want) {
			t.Errorf("comparison %d: adjusted p %v; want %v", i, family[i].PAdjusted, want)
		}
	}
	if family[0].Significant() || !family[3].Significant() || family[2].Significant() {
		t.Error("significance does not follow the adjusted p")
	}
	if err := Adjust([]*Comparison{{P: -0.1}}); err == nil {
		t.Error("a negative p was accepted")
	}
}

// Whatever the numbers, Compare returns an error or numbers in order; it does not panic.
func FuzzCompare(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, uint8(0), uint8(0))
	f.Add([]byte{0, 1, 1, 0, 1, 1, 0, 0, 1, 0}, uint8(3), uint8(1))
	f.Add([]byte{200, 100, 255, 3, 0, 0, 128, 127, 9, 9, 9, 9}, uint8(1), uint8(5))
	f.Add([]byte{255, 255, 7, 254, 254, 7}, uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, transform, shape uint8) {
		values := []float64{0, 1, 0.5, -1, 1e-300, -700, 1e150, math.NaN(), math.Inf(1), -2.5}
		at := func(b byte) float64 {
			if int(b) < len(values) {
				return values[b]
			}
			return float64(b)/16 - 8
		}
		var p Pairs
		for ; len(data) >= 3; data = data[3:] {
			p.A, p.B = append(p.A, at(data[0])), append(p.B, at(data[1]))
			if shape&1 != 0 {
				p.Weights = append(p.Weights, float64(data[2]))
			}
			if shape&2 != 0 {
				p.Clusters = append(p.Clusters, string(rune('a'+data[2]%5)))
			}
		}
		o := Options{Transform: Transform(transform % 4), Draws: 100, Effect: 0.02, Rounding: 1e-4, Method: []Method{Auto, Percentile, BCa}[shape/4%3]}
		c, err := Compare(p, o)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %v", err)
			}
			return
		}
		if math.IsNaN(c.Diff) && !Has(c.Warnings, Overflow) || !(c.P > 0 && c.P <= 1) || c.Low > c.High || c.MDE < 0 || c.NeededN < 0 || transform%4 == 0 && c.MDE > 1 && c.Test == ExactMcNemar {
			t.Errorf("%+v of %+v", c, p)
		}
		if _, err := Gate(&c, 0.01, BeyondAllowed); err != nil {
			t.Errorf("%v of %+v", err, c)
		}
		if back, err := Compare(mirrored(p), o); err != nil || !same(back.Diff, -c.Diff) || !same(back.Low, -c.High) || back.P != c.P {
			t.Errorf("mirror: %+v, %v; not %+v", back, err, c)
		}
	})
}
