package stats

import (
	"math"
)

// power fills in what so many documents could have shown, and how many would show
// the effect that was named.
func (c *Comparison) power(binary bool, o Options) (err error) {
	level := o.Level / float64(o.Family)
	discordance := float64(c.AHigher+c.BHigher) / float64(c.N)
	if binary {
		if c.MDE, err = mcNemarMDE(c.N, discordance, level, Power); err != nil {
			return err
		}
		if o.Effect > 0 && o.Effect <= 1 && c.Clusters == 0 {
			if c.NeededN, err = McNemarN(max(discordance, o.Effect), o.Effect, level, Power); err != nil {
				return err
			}
		}
	}
	if !binary || c.Clusters > 0 {
		c.powerOfUnits(binary, level, o)
	}
	if math.IsNaN(c.MDE) {
		least := LeastDiscordant(level)
		switch n := c.u.n(); {
		case n < least:
			c.Warnings = append(c.Warnings, warn(NoMDE, "%s could not have shown any difference: fewer than %d cannot reach p < %.2g", count(n, c.u.noun(c.Clusters)), least, level))
		default:
			c.Warnings = append(c.Warnings, warn(NoMDE, "no telling what difference %s could have shown", count(c.N, "document")))
		}
	}
	return nil
}

// powerOfUnits is power where the sign-flip test decides. Shares in clusters have at
// least the error of as many independent documents.
func (c *Comparison) powerOfUnits(binary bool, level float64, o Options) {
	alone := c.MDE
	c.MDE = math.NaN()
	n := c.u.n()
	// Rounding leaves a trace of a spread where there is none.
	spread := c.SE > 1e-12*(math.Abs(c.A)+math.Abs(c.B))
	switch {
	case n < 2 || math.IsNaN(c.SE):
		return
	case !spread && c.sign != 0:
		c.Warnings = append(c.Warnings, warn(NoSpread, "every document differs by the same amount: no spread to judge by"))
		return
	case !spread && binary: // clusters without a difference: taken as wholes
		c.MDE, _ = mcNemarMDE(n, 0, level, Power) // n and level were found in order
		return
	case !spread:
		return
	}
	found := c.u.detectable(level, Power, o.Seed)
	c.MDE = o.Transform.size(found, c.A, c.B)
	if binary {
		c.MDE = max(c.MDE, alone) // NaN where one is
	}
	if o.Transform == Share && c.MDE > 1 && binary {
		c.MDE = math.NaN()
	}
	if o.Effect > 0 {
		units := c.u.unitsFor(o.Transform.effect(o.Effect, c.u), level, Power, o.Seed)
		c.NeededN = units
		if c.Clusters > 0 {
			c.NeededClusters, c.NeededN = units, int(min(math.MaxInt32, math.Ceil(float64(units)*float64(c.N)/float64(n))))
		}
	}
}
