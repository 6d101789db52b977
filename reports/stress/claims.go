package stress

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// claims judges the sentence about two models at every setting that both have.
func (r *Result) claims(a, b Runs, o Options) error {
	for i := 1; i < len(a.Settings); i++ {
		setting := a.Settings[i].Setting
		k := slices.IndexFunc(b.Settings, func(run Run) bool { return run.Setting == setting })
		if k < 0 {
			continue
		}
		x, y := changes(a.Settings[0].Side, a.Settings[i].Side), changes(b.Settings[0].Side, b.Settings[k].Side)
		if len(x) == 0 || len(x) != len(y) {
			continue
		}
		about := a.Settings[i].Side.Manifest.Model.Quantised
		c := Claim{Setting: setting, Method: about.Method, Bits: about.Bits, First: a.Name, Second: b.Name}
		options := stats.Options{Draws: o.Draws, Seed: o.Seed, Level: o.Level / float64(r.alike(a, about.Bits))}
		for _, want := range []struct {
			to   *compare.Average
			from func() (stats.Estimate, error)
		}{
			{&c.FirstKept, func() (stats.Estimate, error) { return stats.Kept(x, options) }},
			{&c.SecondKept, func() (stats.Estimate, error) { return stats.Kept(y, options) }},
			{&c.Difference, func() (stats.Estimate, error) { return stats.KeptDifference(x, y, options) }},
		} {
			e, err := want.from()
			if err != nil {
				return fmt.Errorf("%s and %s, %s: %w", a.Name, b.Name, setting, err)
			}
			*want.to = averageOf(e)
		}
		c.judge()
		r.Claims = append(r.Claims, c)
	}
	return nil
}

// alike is how many settings have so many bits: as many claims are made at once.
func (r *Result) alike(m Runs, bits int) (n int) {
	for _, run := range m.Settings[1:] {
		if run.Side.Manifest.Model.Quantised.Bits == bits {
			n++
		}
	}
	return max(n, 1)
}

// half is what an interval says of half.
func half(a compare.Average) Half {
	switch {
	case a.Low > 0.5:
		return More
	case a.High < 0.5:
		return Less
	}
	return CannotSay // without an interval too
}

func (c *Claim) judge() {
	c.FirstHalf, c.SecondHalf = half(c.FirstKept), half(c.SecondKept)
	c.Real = c.Difference.Low > 0 || c.Difference.High < 0
	switch {
	case c.SecondHalf == More && c.FirstHalf == Less && c.Difference.Low > 0:
		c.Verdict = Holds
	case c.SecondHalf == Less || c.FirstHalf == More || c.Difference.High < 0:
		c.Verdict = DoesNot
	default:
		c.Verdict = CannotTell
	}
}

// sentence is the claim's in words.
func (c *Claim) sentence() string {
	keeps := func(name string, h Half, a compare.Average) string {
		value := ""
		if text.Finite(float64(a.Value)) {
			value = fmt.Sprintf(" (%s)", text.Percent(float64(a.Value)))
		}
		if h == CannotSay {
			return fmt.Sprintf("whether %s keeps half%s cannot be told", text.Visible(name), value)
		}
		return fmt.Sprintf("%s keeps %s%s", text.Visible(name), h, value)
	}
	difference := "the difference may be chance"
	if c.Real {
		difference = "the difference is real"
	}
	if !text.Finite(float64(c.Difference.Low)) {
		difference = "whether they differ cannot be told"
	}
	return fmt.Sprintf("%s: %s, %s; %s", c.Setting, keeps(c.First, c.FirstHalf, c.FirstKept), keeps(c.Second, c.SecondHalf, c.SecondKept), difference)
}

// Answer is what becomes of the sentence at the fewest bits: words before "that at ... bits", and
// which claims are about those bits.
func (r *Result) Answer() (words string, claims []int) {
	least := slices.MinFunc(r.Claims, func(a, b Claim) int { return a.Bits - b.Bits }).Bits
	counts := map[Verdict]int{}
	for i := range r.Claims {
		if r.Claims[i].Bits == least {
			claims = append(claims, i)
			counts[r.Claims[i].Verdict]++
		}
	}
	switch n := len(claims); {
	case counts[Holds] == n:
		return "It holds", claims
	case counts[Holds] > 0:
		return "It holds for some settings and not for others", claims
	case counts[DoesNot] == n:
		return "It does not hold", claims
	case counts[DoesNot] > 0:
		return "It does not hold for some settings, and cannot be told for the others,", claims
	}
	return "These documents cannot tell", claims
}

// Pair names the two models that claims are about; of more than two the second is any other.
func (r *Result) Pair() (first, second string) {
	if len(r.Models) > 2 {
		return r.Models[0].Name, "another model"
	}
	return r.Models[0].Name, r.Models[1].Name
}

// headline answers the sentence at the fewest bits.
func (r *Result) headline() string {
	if len(r.Models) < 2 {
		return "What few bits cost " + text.Visible(r.Models[0].Name)
	}
	if len(r.Claims) == 0 {
		return "No task of the suite has a score: divergences alone are measured"
	}
	words, claims := r.Answer()
	var said []string
	for _, i := range claims {
		said = append(said, r.Claims[i].sentence())
	}
	first, second := r.Pair()
	return fmt.Sprintf("%s that at %d bits %s keeps more than half of its score above chance where %s does not. %s.",
		words, r.Claims[claims[0]].Bits, text.Visible(second), text.Visible(first), strings.Join(said, ". "))
}
