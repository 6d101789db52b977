package stats

import "math"

// cautious is the part of a level at which Tango's interval stands in for others. Where
// counts are large it is nearly exact, and so, at the level itself, short of it half the
// time: with it the union of intervals covers .9509 to .957 where a tenth or more of the
// documents are discordant, and lets a drop of just the allowed one pass in up to .030.
// At .0425 of .05 the union covers .957 and passes .022 at most, n 20 to 2000, 0.5 to
// 30 % discordant. An interval that covers .957 is 3 % wider than one that covers .95.
const cautious = 0.85

// tangoQuantile is the normal quantile of such an interval.
func tangoQuantile(level float64) float64 { return -normalQuantile(cautious * level / 2) }

// tango is Tango's score interval of the difference onlyB/n - onlyA/n of two paired
// shares (Tango, Statistics in Medicine 17, 1998): the differences δ at which
//
//	|onlyB - onlyA - nδ| <= z sqrt(n (2p + δ - δ²)),
//
// p being the likeliest probability of a document that A alone has right, given δ:
// the upper root of 2n p² + B p - onlyA δ(1-δ) = 0 with B = (2n + onlyA - onlyB)δ -
// (onlyA + onlyB). Unlike the bootstrap it knows that shares not seen to differ in n
// documents may differ in the next: without discordant documents it is ± z²/(n + z²).
//
// Counts may be fractions: those of documents in clusters, over their design effect.
func tango(n, onlyA, onlyB, level float64) (low, high float64) {
	return negate(tangoHigh(n, onlyB, onlyA, level)), tangoHigh(n, onlyA, onlyB, level)
}

func tangoHigh(n, onlyA, onlyB, level float64) float64 {
	z := -normalQuantile(level / 2)
	low, high := (onlyB-onlyA)/n, 1.0
	for range 60 {
		if d := (low + high) / 2; tangoScore(n, onlyA, onlyB, d) > -z {
			low = d
		} else {
			high = d
		}
	}
	return high
}

// tangoScore is the score statistic of a difference d: how many standard errors under
// d the observed difference is above it.
func tangoScore(n, onlyA, onlyB, d float64) float64 {
	b := float64((2*n+onlyA-onlyB)*d) - (onlyA + onlyB)
	root := math.Sqrt(max(0, float64(b*b)+8*n*onlyA*d*(1-d)))
	p := (root - b) / (4 * n)
	if b > 0 { // the same root without a difference of near numbers
		p = 2 * onlyA * d * (1 - d) / (root + b)
	}
	p = max(p, 0, -d)
	above := onlyB - onlyA - n*d
	if above == 0 {
		return 0
	}
	return above / math.Sqrt(n*max(0, 2*p+d-float64(d*d)))
}

// wholeClusters is how many clusters that change as a whole are added to those that
// differ, for the design effect: as Agresti and Coull (1998) add two documents that
// are right to a share.
const wholeClusters = 2

// clusteredTango is Tango's interval of shares whose documents come in clusters, or
// that are not just right and wrong: counts and documents over the design effect, by
// how much the clusters widen the error. Where too few clusters differ to measure
// it, the documents of a cluster are taken to change together: what the clusters do
// not show, the next may. unseen is the same interval with a design effect to which
// wholeClusters are added, for the side on which they may be missing.
func (u *units) clusteredTango(p *Pairs) (measured, unseen func(level float64) (low, high float64)) {
	var onlyA, onlyB, squares float64
	labels := map[string]bool{}
	differing := 0
	for i := range p.A {
		d := p.B[i] - p.A[i]
		onlyA += max(0, -d)
		onlyB += max(0, d)
		squares += d * d
		if d == 0 {
			continue
		}
		if p.Clusters == nil {
			differing++
		} else if !labels[p.Clusters[i]] {
			labels[p.Clusters[i]] = true
			differing++
		}
	}
	n, whole := u.total, 0.0
	for _, w := range u.w {
		whole += w * w / n
	}
	net := onlyB - onlyA
	alone := (squares - net*net/n) / (n * n) // the squared error of independent documents
	effect := 1.0
	if alone > 0 {
		effect = max(1, sumOfSquares(u.influence())/alone)
	}
	if effect = min(whole, effect); differing < fewDiscordant {
		effect = whole
	}
	d := float64(differing)
	with := (d*effect + wholeClusters*whole) / (d + wholeClusters)
	at := func(effect float64) func(level float64) (low, high float64) {
		return func(level float64) (low, high float64) {
			return tango(n/effect, onlyA/effect, onlyB/effect, cautious*level)
		}
	}
	return at(effect), at(with)
}
