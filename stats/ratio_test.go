package stats

import (
	"math"
	"testing"
)

// TestRatio: with equal weights it is the mean with Student's interval, and clusters count once.
func TestRatio(t *testing.T) {
	values := []float64{0.5, 2, 1, 4, 0.25}
	want, err := Mean(values, nil, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Ratio(List{Values: values, Weights: []float64{1, 1, 1, 1, 1}}, 0.05)
	if err != nil || math.Abs(got.Low-want.Low) > 1e-12 || math.Abs(got.High-want.High) > 1e-12 || got.Value != want.Value {
		t.Errorf("%+v, want %+v, %v", got, want, err)
	}
	twice, err := Ratio(List{Values: append(values, values...), Weights: []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, Clusters: []string{"a", "b", "c", "d", "e", "a", "b", "c", "d", "e"}}, 0.05)
	if err != nil || math.Abs(twice.High-got.High) > 1e-12 || twice.Clusters != 5 {
		t.Errorf("copies in clusters: %+v, want %+v, %v", twice, got, err)
	}
	one, err := Ratio(List{Values: []float64{3}, Weights: []float64{2}}, 0.05)
	if err != nil || one.Value != 1.5 || !math.IsNaN(one.Low) {
		t.Errorf("of one document: %+v, %v", one, err)
	}
}

// numpy.quantile([1, 2, 4, 8], q)
func TestQuantile(t *testing.T) {
	sorted := []float64{1, 2, 4, 8}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 3, 0.9: 6.8, 1: 8} {
		if got := Quantile(sorted, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("of none")
	}
}
