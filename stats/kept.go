package stats

import (
	"fmt"
	"math"
	"slices"
)

// Change is one task's documents before and after something was done to a model: right (1) or
// wrong (0), and how often chance alone is right.
type Change struct {
	Before, After, Chance []float64
	Clusters              []string // as of a List
}

// Kept estimates how much of a score above chance is left, Σ (after - chance) / Σ (before -
// chance), the sums over tasks of the means over their documents. Documents, or clusters, of each
// task are drawn anew in pairs, and the interval is that of the percentiles of the draws, with
// tails expanded for few. Where draws have a score before that is not above chance, what share of
// it is kept cannot be told: there is no interval.
func Kept(tasks []Change, o Options) (Estimate, error) {
	r, err := resample(tasks, nil, o)
	if err != nil {
		return Estimate{}, err
	}
	return r.estimate(func(s []float64) float64 { return s[1] / s[0] }, func(s []float64) bool { return s[0] > 0 })
}

// KeptDifference estimates how much more of its score above chance a second model keeps than a
// first: documents are the same for both, and drawn for both at once.
func KeptDifference(first, second []Change, o Options) (Estimate, error) {
	r, err := resample(first, second, o)
	if err != nil {
		return Estimate{}, err
	}
	return r.estimate(func(s []float64) float64 { return s[3]/s[2] - s[1]/s[0] }, func(s []float64) bool { return s[0] > 0 && s[2] > 0 })
}

// resampled are the sums over tasks of mean scores above chance: before and after, of a first
// and perhaps a second model; as they are, and of every draw.
type resampled struct {
	observed []float64
	draws    [][]float64
	o        Options
	n        int // documents
	least    int // units of the task that has fewest
	clusters int
}

// resample draws the documents of all tasks.
func resample(first, second []Change, o Options) (*resampled, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if len(first) == 0 || second != nil && len(second) != len(first) {
		return nil, fmt.Errorf("stats: %d tasks and %d: give the same", len(first), len(second))
	}
	sums := 2
	if second != nil {
		sums = 4
	}
	r := &resampled{observed: make([]float64, sums), draws: make([][]float64, o.Draws), o: o, least: math.MaxInt}
	for k := range r.draws {
		r.draws[k] = make([]float64, sums)
	}
	for t := range first {
		models := []*Change{&first[t]}
		if second != nil {
			models = append(models, &second[t])
		}
		if err := r.task(uint64(t), models); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// task adds one task's means to what is observed and to every draw.
func (r *resampled) task(t uint64, models []*Change) error {
	labels := Shared(models[0].Clusters)
	n := len(models[0].Before)
	place, units := map[string]int{}, [][]float64(nil) // of each, the sums and the number of documents
	for i := range n {
		at := len(units)
		if labels != nil {
			if known, ok := place[labels[i]]; ok {
				at = known
			} else {
				place[labels[i]] = at
			}
		}
		if at == len(units) {
			units = append(units, make([]float64, len(r.observed)+1))
		}
		units[at][len(r.observed)]++
		for m, c := range models {
			if len(c.Before) != n || len(c.After) != n || len(c.Chance) != n {
				return fmt.Errorf("stats: %d, %d, %d and %d documents: compare the same", n, len(c.Before), len(c.After), len(c.Chance))
			}
			for k, v := range []float64{c.Before[i] - c.Chance[i], c.After[i] - c.Chance[i]} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("stats: document %d is not a finite number", i)
				}
				units[at][2*m+k] += v
			}
		}
	}
	if n == 0 {
		return fmt.Errorf("stats: a task without documents")
	}
	r.n += n
	if r.least = min(r.least, len(units)); labels != nil {
		r.clusters += len(units)
	}
	add := func(to []float64, draw func(i int) int) {
		total := make([]float64, len(to)+1)
		for i := range units {
			for k, v := range units[draw(i)] {
				total[k] += v
			}
		}
		for k := range to {
			to[k] += total[k] / total[len(to)]
		}
	}
	add(r.observed, func(i int) int { return i })
	rng := indices{pcg: stream(r.o.Seed, forBootstrap, t)}
	rng.over(len(units))
	for _, draw := range r.draws {
		add(draw, func(int) int { return rng.next() })
	}
	return nil
}

// estimate reads a statistic off the draws; ok says where it can be told.
func (r *resampled) estimate(of func([]float64) float64, ok func([]float64) bool) (Estimate, error) {
	e := Estimate{Value: math.NaN(), SE: math.NaN(), ClusteredSE: math.NaN(), Low: math.NaN(), High: math.NaN(), N: r.n, Clusters: r.clusters}
	e.Warnings = sizeWarnings(r.n, r.clusters)
	if !ok(r.observed) {
		e.Warnings = append(e.Warnings, warn(NoInterval, "the score is not above chance: what share of it is kept cannot be told"))
		return e, nil
	}
	e.Value = of(r.observed)
	values := make([]float64, len(r.draws))
	for k, draw := range r.draws {
		if !ok(draw) {
			e.Warnings = append(e.Warnings, warn(NoInterval, "the score is hardly above chance: what share of it is kept has no interval"))
			return e, nil
		}
		values[k] = of(draw)
	}
	if r.least < 2 {
		e.Warnings = append(e.Warnings, warn(NoInterval, "a task has a single document or cluster: no interval"))
		return e, nil
	}
	slices.Sort(values)
	e.SE = stdDev(values)
	below, above := expandedTails(r.least, r.o.Level)
	e.Low, e.High = quantiles(values, below, above)
	return e, nil
}
