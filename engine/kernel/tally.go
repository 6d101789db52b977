package kernel

import (
	"math"

	"github.com/softbench/softbench/engine/attention"
)

// Tally is what the final weights of one query over some keys give.
type Tally struct {
	Sum          float64
	Zeros, Small int // weights of exactly 0, and those of at most a limit, zeros among them
}

// Tally implements Set.
func (Generic) Tally(kind attention.Kind, s []float32, m int, lo, hi []int, st []State, norm []float32, small float32, t []Tally) {
	for i := range m {
		row := s[i*KeyBlock:][:KeyBlock]
		from, until := lo[i], hi[i]
		if from >= until {
			from, until = 0, 0
		}
		clear(row[:from])
		clear(row[until:])
		sum := 0.0
		for j, x := range row[from:until] {
			w := FinalWeight(kind, x, st[i].Max) * norm[i]
			row[from+j] = w
			sum += float64(w)
			if w == 0 {
				t[i].Zeros++
			}
			if w <= small {
				t[i].Small++
			}
		}
		t[i].Sum += sum
	}
}

// Moments are what is kept of some numbers: how many, their mean, the sums of the second to
// fourth powers of their distances from it, and the extremes.
type Moments struct {
	N, Mean, M2, M3, M4 float64
	Min, Max            float32
}

// Moments implements Set: once for the mean, once for the distances from it.
func (Generic) Moments(x []float32) Moments {
	var sum float64
	low, high := x[0], x[0]
	for _, v := range x {
		sum += float64(v)
		low, high = min(low, v), max(high, v)
	}
	m := Moments{N: float64(len(x)), Min: low, Max: high}
	m.Mean = sum / m.N
	m.addPowers(x)
	return m
}

// addPowers adds powers of the distances from the mean.
func (m *Moments) addPowers(x []float32) {
	for _, v := range x {
		d := float64(v) - m.Mean
		square := d * d
		m.M2 += square
		m.M3 += square * d
		m.M4 += square * square
	}
}

// Merge adds other numbers' moments (Pébay, SAND2008-6212).
func (m *Moments) Merge(o Moments) {
	if o.N == 0 {
		return
	}
	if m.N == 0 {
		*m = o
		return
	}
	n, a, b := m.N+o.N, m.N, o.N
	d := o.Mean - m.Mean
	d2 := d * d
	m4 := m.M4 + o.M4 + d2*d2*a*b*(a*a-a*b+b*b)/(n*n*n) +
		6*d2*(a*a*o.M2+b*b*m.M2)/(n*n) + 4*d*(a*o.M3-b*m.M3)/n
	m3 := m.M3 + o.M3 + d*d2*a*b*(a-b)/(n*n) + 3*d*(a*o.M2-b*m.M2)/n
	m.M2 += o.M2 + d2*a*b/n
	m.Mean += d * b / n
	m.N, m.M3, m.M4 = n, m3, m4
	m.Min, m.Max = min(m.Min, o.Min), max(m.Max, o.Max)
}

// Kurtosis is Pearson's, E[(x-mean)^4]/sigma^4 with the population's sigma: 3 for a Gaussian. NaN
// where all numbers are equal.
func (m *Moments) Kurtosis() float64 {
	if m.M2 == 0 {
		return math.NaN()
	}
	return m.N * m.M4 / (m.M2 * m.M2)
}
