package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// halfTail is P(X <= k) and P(X = k) for X ~ Binomial(n, 1/2): C(n,k)/2^n as a
// product of k quotients, times 1 + k/(n-k+1) + ... for the terms below it.
func halfTail(n, k int) (tail, at float64) {
	if k < 0 {
		return 0, 0
	}
	mantissa, exponent := 1.0, -n
	for i := 1; i <= k; i++ {
		mantissa *= float64(n-k+i) / float64(i)
		if mantissa > 0x1p500 {
			mantissa, exponent = math.Ldexp(mantissa, -500), exponent+500
		}
	}
	below, term := 1.0, 1.0
	for i := k; i > 0 && term > 0x1p-70; i-- {
		term *= float64(i) / float64(n-i+1)
		below += term
	}
	return min(1, math.Ldexp(mantissa*below, exponent)), math.Ldexp(mantissa, exponent)
}

// McNemar is the exact test of a paired 0/1 difference (McNemar 1947; the
// two-sided binomial test of 1/2): onlyA documents are right in run A alone,
// onlyB in run B alone. p is twice the smaller tail, at most 1; midP counts the
// observed outcome by half, is less conservative and not guaranteed to hold its
// level. Without discordant documents both are 1.
// Equal to statsmodels' mcnemar(exact=True) and SciPy's binomtest(onlyA, onlyA+onlyB).
func McNemar(onlyA, onlyB int) (p, midP float64, err error) {
	if onlyA < 0 || onlyB < 0 {
		return 0, 0, fmt.Errorf("stats: %d and %d discordant documents: counts must not be negative", onlyA, onlyB)
	}
	n, k := onlyA+onlyB, min(onlyA, onlyB)
	if n == 0 || onlyA == onlyB {
		return 1, 1, nil
	}
	tail, at := halfTail(n, k)
	return min(1, 2*tail), 2*tail - at, nil
}

// LeastDiscordant is the smallest number of discordant documents at which the
// exact test can reach p < level, with all of them on one side.
func LeastDiscordant(level float64) int {
	n := 1
	for math.Ldexp(2, -n) >= level {
		n++
	}
	return n
}

// Wilson is the score interval of a share of k successes among n trials (Wilson
// 1927): unlike the normal interval it stays within [0, 1] and keeps a width at
// k = 0 and k = n. Equal to statsmodels' proportion_confint(method="wilson").
func Wilson(k, n int, level float64) (low, high float64, err error) {
	if err := checkShare(k, n, level); err != nil {
		return 0, 0, err
	}
	low, high = wilson(k, n, level)
	return low, high, nil
}

func wilson(k, n int, level float64) (low, high float64) {
	lower := func(k int) float64 {
		if k == 0 {
			return 0
		}
		z := normalQuantile(1 - level/2)
		nf, z2 := float64(n), z*z
		p := float64(k) / nf
		centre := p + z2/(2*nf)
		half := z * math.Sqrt(p*(1-p)/nf+z2/(4*nf*nf))
		return max(0, (centre-half)/(1+z2/nf))
	}
	return lower(k), 1 - lower(n-k)
}

// clopperPearsonLow is the lower end of the exact interval of a share of k successes
// among n trials (Clopper, Pearson 1934): 1/2 is outside the interval exactly where
// McNemar's p < level. Equal to statsmodels' proportion_confint(method="beta").
func clopperPearsonLow(k, n int, level float64) float64 {
	if k == 0 {
		return 0
	}
	return mathext.InvRegIncBeta(float64(k), float64(n-k+1), level/2)
}

func checkShare(k, n int, level float64) error {
	if n <= 0 || k < 0 || k > n {
		return fmt.Errorf("stats: %d of %d is not a share", k, n)
	}
	return checkLevel(level)
}

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("stats: level %v: give one between 0 and 1, such as 0.05", level)
	}
	return nil
}
