package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Phase is a mix that is drawn from until a training has Until steps; the last
// phase's, 0, until its end.
type Phase struct {
	Until int
	Mix   Mix
}

// Curriculum is mixes in their order: at least one phase, each but the last until a
// step, and every one longer than the one before.
type Curriculum []Phase

// ParseCurriculum reads phases, as "until 4000: text=50,chain=50; text=50,repeat=50":
// a mix alone is a curriculum of one.
func ParseCurriculum(s string) (Curriculum, error) {
	var c Curriculum
	phases := strings.Split(s, ";")
	for i, phase := range phases {
		p, err := parsePhase(phase, i == len(phases)-1)
		if err != nil {
			return nil, fmt.Errorf("mix %q: %w", s, err)
		}
		if i > 0 && p.Until != 0 && p.Until <= c[i-1].Until {
			return nil, fmt.Errorf("mix %q: a phase until step %d behind one until step %d: want a later step", s, p.Until, c[i-1].Until)
		}
		c = append(c, p)
	}
	return c, nil
}

func parsePhase(s string, last bool) (Phase, error) {
	s = strings.TrimSpace(s)
	until, mix, some := strings.Cut(s, ":")
	switch {
	case last && some:
		return Phase{}, fmt.Errorf("%q: the last phase goes on to the end: leave out until", s)
	case !last && !some:
		return Phase{}, fmt.Errorf("%q: want until STEP: SOURCE=PART,... for every phase but the last", s)
	case last:
		m, err := ParseMix(s)
		return Phase{Mix: m}, err
	}
	number, ok := strings.CutPrefix(strings.TrimSpace(until), "until ")
	step, err := strconv.Atoi(strings.TrimSpace(number))
	if !ok || err != nil || step < 1 {
		return Phase{}, fmt.Errorf("%q: want until STEP: with a step of at least 1", s)
	}
	m, err := ParseMix(strings.TrimSpace(mix))
	return Phase{step, m}, err
}

// Check refuses a curriculum whose last phase a training of steps does not reach.
func (c Curriculum) Check(steps int) error {
	if n := len(c); n > 1 && c[n-2].Until >= steps {
		return fmt.Errorf("a phase of the mix until step %d of a training of %d steps: its last phase would never begin", c[n-2].Until, steps)
	}
	return nil
}

// At is the mix of the step that follows done others.
func (c Curriculum) At(done int) Mix {
	i := slices.IndexFunc(c, func(p Phase) bool { return done < p.Until })
	if i < 0 {
		return c.Last()
	}
	return c[i].Mix
}

// Last is the last phase's mix.
func (c Curriculum) Last() Mix { return c[len(c)-1].Mix }

// Any says whether any phase's mix is so.
func (c Curriculum) Any(so func(Mix) bool) bool {
	return slices.ContainsFunc(c, func(p Phase) bool { return so(p.Mix) })
}
