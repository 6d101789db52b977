package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Classified is a document's right class and the one taken for the answer.
type Classified struct{ Gold, Taken int }

// Classes counts, for the classes that come at all, in ascending order, how often each is right, taken, and both.
type Classes struct {
	Label              []int
	Right, Taken, Both []float64
}

// CountClasses counts.
func CountClasses(docs []Classified) *Classes {
	c := &Classes{}
	at := map[int]int{}
	for _, d := range docs {
		for _, l := range []int{d.Gold, d.Taken} {
			if _, ok := at[l]; !ok {
				at[l] = 0
				c.Label = append(c.Label, l)
			}
		}
	}
	slices.SortFunc(c.Label, cmp.Compare[int])
	for i, l := range c.Label {
		at[l] = i
	}
	n := len(c.Label)
	c.Right, c.Taken, c.Both = make([]float64, n), make([]float64, n), make([]float64, n)
	for _, d := range docs {
		c.Right[at[d.Gold]]++
		c.Taken[at[d.Taken]]++
		if d.Gold == d.Taken {
			c.Both[at[d.Gold]]++
		}
	}
	return c
}

// f1 is 2 · both / (right + taken), 0 where neither comes.
func f1(both, right, taken float64) float64 {
	if right+taken == 0 {
		return 0
	}
	return 2 * both / (right + taken)
}

// F1 is the classes' F1 scores: "binary" that of class 1, of two; "micro" of all together, "macro" their mean, "weighted"
// their mean by how often each is right. Its equal: sklearn.metrics.f1_score.
func (c *Classes) F1(average string) (float64, error) {
	sum := func(v []float64) (s float64) {
		for _, x := range v {
			s += x
		}
		return s
	}
	switch average {
	case "binary":
		i := slices.Index(c.Label, 1)
		if len(c.Label) > 2 || len(c.Label) == 2 && i < 0 {
			return math.NaN(), fmt.Errorf("f1 is of two classes, one of them 1, and here are %v", c.Label)
		}
		if i < 0 {
			return 0, nil
		}
		return f1(c.Both[i], c.Right[i], c.Taken[i]), nil
	case "micro":
		return f1(sum(c.Both), sum(c.Right), sum(c.Taken)), nil
	case "macro", "weighted":
		total, weight := 0.0, 0.0
		for i := range c.Label {
			w := 1.0
			if average == "weighted" {
				w = c.Right[i]
			}
			total += w * f1(c.Both[i], c.Right[i], c.Taken[i])
			weight += w
		}
		return total / weight, nil
	}
	return math.NaN(), fmt.Errorf("f1 averaged as %q is not understood", average)
}

// Matthews is the correlation of right and taken classes (R_K), 0 where one side is always the same.
// Its equal: sklearn.metrics.matthews_corrcoef.
func (c *Classes) Matthews() float64 {
	n, same, both, right, taken := 0.0, 0.0, 0.0, 0.0, 0.0
	for i := range c.Label {
		n += c.Right[i]
		same += c.Both[i]
		both += c.Right[i] * c.Taken[i]
		right += c.Right[i] * c.Right[i]
		taken += c.Taken[i] * c.Taken[i]
	}
	variances := (n*n - right) * (n*n - taken)
	if variances == 0 {
		return 0
	}
	return (same*n - both) / math.Sqrt(variances)
}
