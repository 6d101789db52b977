package stats

import (
	"fmt"
	"math"
)

// BinaryInterval is the interval of the difference onlyB/n - onlyA/n of two paired
// accuracies: onlyA of n documents are right in run A alone, onlyB in run B alone.
//
// It is the paired bootstrap's, without its noise: a resample of n documents
// matters only through how many of each kind it holds, which is multinomial, so
// the distribution that draws would approach is summed exactly. Two others stand
// where they are wider on a side. The exact conditional interval that belongs to
// McNemar's test (Clopper-Pearson on onlyB/(onlyA+onlyB), times the share of
// discordant documents): with few discordant documents the bootstrap alone would
// leave out 0 too often (4 to 0 has p = 0.125), so 0 is outside only where p < level.
// And Tango's score interval, a little wider than at the level (see cautious): a bootstrap
// cannot draw what the documents do not show, and without discordant ones would be
// sure of a difference of 0.
func BinaryInterval(n, onlyA, onlyB int, level float64, method Method) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	if n <= 0 || onlyA < 0 || onlyB < 0 || onlyA+onlyB > n {
		return Interval{}, fmt.Errorf("stats: %d and %d discordant of %d documents: counts do not fit", onlyA, onlyB, n)
	}
	if err := method.check(); err != nil {
		return Interval{}, err
	}
	if onlyB < onlyA {
		i := binaryInterval(n, onlyB, onlyA, level, method)
		i.Low, i.High = negate(i.High), negate(i.Low)
		return i, nil
	}
	return binaryInterval(n, onlyA, onlyB, level, method), nil
}

// negate turns the sign, and leaves 0 positive.
func negate(x float64) float64 { return 0 - x }

// binaryInterval has onlyA <= onlyB.
func binaryInterval(n, onlyA, onlyB int, level float64, method Method) Interval {
	out := Interval{Method: Percentile}
	discordant := onlyA + onlyB
	nf := float64(n)
	scoreLow, scoreHigh := tango(nf, float64(onlyA), float64(onlyB), cautious*level)
	if discordant == 0 {
		out.Low, out.High = scoreLow, scoreHigh
		return out
	}
	if n > 1 {
		d := netDistribution(n, onlyA, onlyB)
		low, high := expandedTails(n, level)
		if method == BCa {
			out.Method = BCa
			z0 := d.bias(onlyB - onlyA)
			var ok bool
			if low, high, ok = bcaTails(z0, binaryAcceleration(n, onlyA, onlyB), low); !ok {
				low, high = expandedTails(n, level)
				out.Method = Percentile
				out.Warnings = append(out.Warnings, warn(NoBCa, "BCa is undefined for these counts: percentile interval"))
			}
		}
		out.Low, out.High = float64(d.fromBelow(low))/nf, float64(d.fromAbove(high))/nf
	} else {
		out.Low, out.High = float64(onlyB), float64(onlyB)
	}
	// The exact conditional bounds of the net share 2π-1 among discordant documents.
	share := float64(discordant) / nf
	pLow := clopperPearsonLow(onlyB, discordant, level)
	pHigh := 1 - clopperPearsonLow(onlyA, discordant, level)
	out.Low = min(out.Low, (2*pLow-1)*share, scoreLow)
	out.High = max(out.High, (2*pHigh-1)*share, scoreHigh)
	if onlyA == onlyB {
		out.High = max(out.High, -out.Low)
		out.Low = -out.High
	}
	return out
}

// net is the distribution of (documents that B alone gets) - (that A alone gets)
// in a resample: weights[i] is the probability of first + i.
type net struct {
	first   int
	weights []float64
}

// netDistribution is the net count of n documents drawn with replacement of which
// onlyA count -1, onlyB +1 and the rest 0: the number of discordant documents is
// binomial, and given it the number of +1 is.
func netDistribution(n, onlyA, onlyB int) net {
	discordant := onlyA + onlyB
	firstM, ms := binomialWeights(n, float64(discordant)/float64(n))
	share := float64(onlyB) / float64(discordant)
	lastM := firstM + len(ms) - 1
	all := make([]float64, 2*lastM+1) // index: net + lastM
	for i, pm := range ms {
		m := firstM + i
		firstK, ks := binomialWeights(m, share)
		for j, pk := range ks {
			all[2*(firstK+j)-m+lastM] += float64(pm * pk)
		}
	}
	return net{-lastM, all}
}

// fromBelow is the least k with P(net <= k) >= p.
func (d net) fromBelow(p float64) int {
	s := 0.0
	for i, w := range d.weights {
		if s += w; s >= p {
			return d.first + i
		}
	}
	return d.first + len(d.weights) - 1
}

// fromAbove is the greatest k with P(net >= k) >= p.
func (d net) fromAbove(p float64) int {
	s := 0.0
	for i := len(d.weights) - 1; i >= 0; i-- {
		if s += d.weights[i]; s >= p {
			return d.first + i
		}
	}
	return d.first
}

// bias is BCa's z0: the normal quantile of the share of resamples below the
// observed value, those equal to it counted by half.
func (d net) bias(observed int) float64 {
	below, above := 0.0, 0.0
	for i, w := range d.weights {
		switch k := d.first + i; {
		case k < observed:
			below += w
		case k == observed:
			below += w / 2
			above += w / 2
		default:
			above += w
		}
	}
	if below < above {
		return normalQuantile(below)
	}
	return -normalQuantile(above)
}

// binaryAcceleration is BCa's acceleration of a mean of n values, onlyA of them
// -1, onlyB +1, the rest 0: Σ(d-mean)³ / (6 (Σ(d-mean)²)^1.5).
func binaryAcceleration(n, onlyA, onlyB int) float64 {
	mean := float64(onlyB-onlyA) / float64(n)
	var second, third float64
	for _, c := range []struct {
		count int
		value float64
	}{{onlyA, -1}, {onlyB, 1}, {n - onlyA - onlyB, 0}} {
		d := c.value - mean
		second += float64(float64(c.count) * d * d)
		third += float64(float64(c.count) * d * d * d)
	}
	if second == 0 {
		return 0
	}
	return third / (6 * second * math.Sqrt(second))
}
