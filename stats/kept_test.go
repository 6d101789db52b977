package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// answers are right so often, before and after.
func answers(r *rand.Rand, n int, before, after float64) (c Change) {
	for range n {
		u := r.Float64()
		c.Before, c.After, c.Chance = append(c.Before, truth(u < before)), append(c.After, truth(u < after)), append(c.Chance, 0.25)
	}
	return c
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// TestKept: the value is the formula's, and copies in clusters change nothing.
func TestKept(t *testing.T) {
	a := Change{Before: []float64{1, 1, 1, 0}, After: []float64{1, 1, 0, 0}, Chance: []float64{0.25, 0.25, 0.25, 0.25}}
	b := Change{Before: []float64{1, 1}, After: []float64{1, 0}, Chance: []float64{0, 0}}
	e, err := Kept([]Change{a, b}, Options{})
	if want := (0.25 + 0.5) / (0.5 + 1.0); err != nil || e.Value != want || e.N != 6 {
		t.Errorf("%+v, %v, want %v", e, err, want)
	}
	r := rand.New(rand.NewPCG(1, 2))
	c := answers(r, 200, 0.8, 0.6)
	one, err := Kept([]Change{c}, Options{})
	if err != nil || !(one.Low < one.Value && one.Value < one.High) {
		t.Fatal(one, err)
	}
	twice := Change{Before: append(c.Before, c.Before...), After: append(c.After, c.After...), Chance: append(c.Chance, c.Chance...)}
	for i := range 400 {
		twice.Clusters = append(twice.Clusters, string(rune('a'+i%200)))
	}
	if two, err := Kept([]Change{twice}, Options{}); err != nil || two.Low != one.Low || two.High != one.High {
		t.Errorf("copies: %+v, want %+v, %v", two, one, err)
	}
	same, err := Kept([]Change{{Before: c.Before, After: c.Before, Chance: c.Chance}}, Options{})
	if err != nil || same.Low != 1 || same.High != 1 {
		t.Errorf("unchanged: %+v, %v", same, err)
	}
	none, err := Kept([]Change{answers(r, 200, 0.2, 0.2)}, Options{})
	if err != nil || !math.IsNaN(none.Low) || !Has(none.Warnings, NoInterval) {
		t.Errorf("at chance: %+v, %v", none, err)
	}
	if _, err := Kept([]Change{{Before: []float64{1}, After: []float64{1}}}, Options{}); err == nil {
		t.Error("lists of different lengths pass")
	}
}

// TestKeptCoverage: intervals hold the truth about as often as they say, and a difference
// between two models alike is hardly ever shown.
func TestKeptCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many samples")
	}
	r := rand.New(rand.NewPCG(3, 4))
	const trials = 400
	inside, shown := 0, 0
	for range trials {
		a, b := answers(r, 150, 0.7, 0.5), answers(r, 150, 0.7, 0.5)
		e, err := Kept([]Change{a}, Options{Draws: 400})
		if err != nil {
			t.Fatal(err)
		}
		inside += int(truth(e.Low <= 0.25/0.45 && 0.25/0.45 <= e.High))
		d, err := KeptDifference([]Change{a}, []Change{b}, Options{Draws: 400})
		if err != nil {
			t.Fatal(err)
		}
		shown += int(truth(d.Low > 0 || d.High < 0))
	}
	t.Logf("%d of %d intervals hold the truth, %d show a difference that is not there", inside, trials, shown)
	if inside < trials*92/100 || shown > trials*8/100 {
		t.Errorf("%d of %d intervals hold the truth, %d show a difference that is not there", inside, trials, shown)
	}
}
