package study

import (
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// Level is one minus the confidence of the intervals over seeds.
const Level = 0.05

// Result is what a study's trainings say so far. It has no clock in it: the same
// trainings give the same result.
type Result struct {
	Study     *Study
	Trainings []Training
	Measures  []Measure // those that are shown
	Cells     []CellResult
	Verdicts  []Verdict
}

// CellResult is a cell over its seeds, by shown measure.
type CellResult struct {
	Name   string
	Finals []Estimate
	Curves [][]Point
}

// Estimate is the mean over N seeds that have the number, with Student's
// interval where there are two or more.
type Estimate struct {
	Mean, Low, High rundir.Number
	N               int
}

// Point is a curve's mean, least and largest over N seeds at a step.
type Point struct {
	Step           int
	Mean, Min, Max rundir.Number
	N              int
}

// Verdicts.
const (
	Holds     = "holds"       // the interval is on the claim's side
	Fails     = "fails"       // it is on the other
	Undecided = "not decided" // it reaches over the limit
	OneSeed   = "one seed"    // no interval
	Unknown   = "no number"   // no training has it
)

// Verdict is a claim about one cell.
type Verdict struct {
	Claim   *Claim
	Cell    int
	Against int // -1: none
	Estimate
	Verdict string
	Side    bool // the mean is on the claim's side
	Share   bool // the numbers are shares
}

// Words is the verdict for a reader: of one seed, on which side it is.
func (v *Verdict) Words() string {
	switch {
	case v.Verdict != OneSeed:
		return v.Verdict
	case v.Side:
		return "so in one seed"
	}
	return "not so in one seed"
}

// Summarise works out a study's result.
func (s *Study) Summarise(trainings []Training) (*Result, error) {
	r := &Result{Study: s, Trainings: trainings}
	for _, name := range s.Shown {
		m, err := s.findMeasure(name)
		if err != nil {
			return nil, err
		}
		r.Measures = append(r.Measures, m)
	}
	for i := range s.Cells {
		c := CellResult{Name: s.Cells[i].Name}
		for k := range r.Measures {
			e, err := estimate(s.finals(trainings, i, &r.Measures[k]))
			if err != nil {
				return nil, err
			}
			c.Finals = append(c.Finals, e)
			c.Curves = append(c.Curves, s.curve(trainings, i, &r.Measures[k]))
		}
		r.Cells = append(r.Cells, c)
	}
	for i := range s.Claims {
		c := &s.Claims[i]
		for _, cell := range c.cells(s) {
			v, err := s.verdict(trainings, c, cell)
			if err != nil {
				return nil, err
			}
			r.Verdicts = append(r.Verdicts, v)
		}
	}
	return r, nil
}

// finals are a measure's last numbers by seed, NaN where a seed has none.
func (s *Study) finals(all []Training, cell int, m *Measure) []float64 {
	out := make([]float64, len(s.Seeds))
	for i, seed := range s.Seeds {
		k := slices.IndexFunc(all, func(t Training) bool { return t.Cell == cell && t.Seed == seed })
		if out[i] = math.NaN(); all[k].Done && all[k].Stopped == "" {
			out[i] = m.final(&all[k])
		}
	}
	return out
}

func estimate(values []float64) (Estimate, error) {
	known := slices.DeleteFunc(slices.Clone(values), func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	none := rundir.Number(math.NaN())
	switch len(known) {
	case 0:
		return Estimate{none, none, none, 0}, nil
	case 1:
		return Estimate{rundir.Number(known[0]), none, none, 1}, nil
	}
	e, err := stats.Mean(known, nil, Level)
	if err != nil {
		return Estimate{}, err
	}
	return Estimate{rundir.Number(e.Value), rundir.Number(e.Low), rundir.Number(e.High), len(known)}, nil
}

// curve is a measure against steps, over the seeds that were diagnosed there.
func (s *Study) curve(all []Training, cell int, m *Measure) []Point {
	if m.of == nil {
		return nil
	}
	var steps []int
	values := map[int][]float64{}
	for i := range all {
		if all[i].Cell != cell {
			continue
		}
		for k := range all[i].Lines {
			l := &all[i].Lines[k]
			if x := m.of(l); l.Measure != nil && !math.IsNaN(x) {
				if values[l.Step] == nil {
					steps = append(steps, l.Step)
				}
				values[l.Step] = append(values[l.Step], x)
			}
		}
	}
	slices.Sort(steps)
	var out []Point
	for _, step := range steps {
		v := values[step]
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		out = append(out, Point{step, rundir.Number(sum / float64(len(v))), rundir.Number(slices.Min(v)), rundir.Number(slices.Max(v)), len(v)})
	}
	return out
}

// verdict judges a claim about a cell. With another cell against it, seeds are
// paired; a ratio is the mean of its logarithm.
func (s *Study) verdict(all []Training, c *Claim, cell int) (Verdict, error) {
	v := Verdict{Claim: c, Cell: cell, Against: -1}
	m, err := s.findMeasure(c.Measure)
	if err != nil {
		return v, err
	}
	v.Share = m.Share && !c.Ratio
	values := s.finals(all, cell, &m)
	if c.Against != nil {
		v.Against = c.opposite(s, cell)
		for i, other := range s.finals(all, v.Against, &m) {
			if c.Ratio {
				values[i] = math.Log(values[i] / other)
			} else {
				values[i] -= other
			}
		}
	}
	if v.Estimate, err = estimate(values); err != nil {
		return v, err
	}
	if c.Ratio {
		for _, x := range []*rundir.Number{&v.Mean, &v.Low, &v.High} {
			*x = rundir.Number(math.Exp(float64(*x)))
		}
	}
	good := func(x rundir.Number) bool {
		if c.AtLeast {
			return float64(x) >= c.Limit
		}
		return float64(x) <= c.Limit
	}
	v.Side = good(v.Mean)
	switch {
	case v.N == 0:
		v.Verdict = Unknown
	case v.N == 1:
		v.Verdict = OneSeed
	case good(v.Low) && good(v.High):
		v.Verdict = Holds
	case !good(v.Low) && !good(v.High):
		v.Verdict = Fails
	default:
		v.Verdict = Undecided
	}
	return v, nil
}

// Condition is a claim's condition in words.
func (c *Claim) Condition() string {
	what := c.Measure
	if c.Against != nil {
		what += map[bool]string{true: ", ratio", false: ", difference"}[c.Ratio]
	}
	return fmt.Sprintf("%s %s %s", what, map[bool]string{true: "at least", false: "at most"}[c.AtLeast], text(c.Limit))
}
