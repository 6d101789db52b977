package metric

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// F1 in its four averages and the correlation of classes are scikit-learn's.
func TestClassesEqualScikitLearn(t *testing.T) {
	text, err := os.ReadFile("../textmetric/testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Classes []struct {
			Docs [][2]int
			MCC  float64
			F1   map[string]float64
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Classes) == 0 {
		t.Fatal("the golden has no classes")
	}
	for _, c := range g.Classes {
		docs := make([]Classified, len(c.Docs))
		for i, d := range c.Docs {
			docs[i] = Classified{d[0], d[1]}
		}
		counts := CountClasses(docs)
		if got := counts.Matthews(); math.Abs(got-c.MCC) > 1e-15 {
			t.Errorf("mcc is %v; scikit-learn has %v", got, c.MCC)
		}
		for average, want := range c.F1 {
			if got, err := counts.F1(average); err != nil || math.Abs(got-want) > 1e-15 {
				t.Errorf("f1 averaged as %s is %v (%v); scikit-learn has %v", average, got, err, want)
			}
		}
	}
	if v, err := CountClasses([]Classified{{0, 2}, {1, 1}}).F1("binary"); err == nil {
		t.Errorf("the binary f1 of three classes is %v", v)
	}
	if got := CountClasses([]Classified{{1, 1}, {1, 1}}).Matthews(); got != 0 {
		t.Errorf("mcc of one class is %v; it is 0", got)
	}
}
