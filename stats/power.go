package stats

import (
	"fmt"
	"math"
)

// Power is the chance of p < level that the minimum detectable effects ask for.
const Power = 0.8

// criticalCounts are, for m = 0..most discordant documents, the greatest count on
// the smaller side at which McNemar's exact p < level; -1 where there is none.
func criticalCounts(most int, level float64) []int {
	out := make([]int, most+1)
	out[0] = -1
	// tail = P(X <= k), at = P(X = k), next = P(X = k+1) for X ~ Binomial(m, 1/2).
	k, tail, at, next := -1, 0.0, 0.0, 1.0
	for m := 1; m <= most; m++ {
		// One more coin: P(X_m = j) = (P(X = j) + P(X = j-1)) / 2.
		tail -= at / 2
		at, next = pascal(m, k, at, next)
		if 2*(tail+next) < level {
			k++
			tail += next
			at, next = next, next*float64(m-k)/float64(k+1)
		}
		out[m] = k
	}
	return out
}

// pascal steps P(X = k) and P(X = k+1) of Binomial(m-1, 1/2) on to m coins.
func pascal(m, k int, at, next float64) (float64, float64) {
	if k < 0 {
		return 0, next / 2 // P(X = 0)
	}
	at *= float64(m) / float64(m-k) / 2
	return at, at * float64(m-k) / float64(k+1)
}

// mcNemarPower is the chance that the exact test over n documents gives p < level
// when each is discordant with probability discordance and the accuracies differ
// by difference: the sum over the binomial number of discordant documents of the
// exact test's power given that number. critical are the criticalCounts up to n.
func mcNemarPower(n int, discordance, difference float64, critical []int) float64 {
	if discordance == 0 {
		return 0
	}
	first, weights := binomialWeights(n, discordance)
	share := (1 + min(1, math.Abs(difference)/discordance)) / 2
	last := first + len(weights) - 1
	few, many := tailsAt(critical[:last+1], share), tailsAt(critical[:last+1], 1-share)
	total := 0.0
	for i, w := range weights {
		total += w * (few[first+i] + many[first+i])
	}
	return total
}

// tailsAt are P(X <= critical[m]) for X ~ Binomial(m, share), for every m.
func tailsAt(critical []int, share float64) []float64 {
	out := make([]float64, len(critical))
	odds := share / (1 - share)
	tail, at := 0.0, 0.0
	none := 1.0 // P(X = 0)
	for m := 1; m < len(critical); m++ {
		none *= 1 - share
		k := critical[m]
		before := critical[m-1]
		if before >= 0 {
			tail -= share * at
			at *= float64(m) / float64(m-before) * (1 - share)
		}
		switch {
		case k > before && k == 0:
			at = none
			tail = none
		case k > before && share < 1:
			at *= float64(m-before) / float64(k) * odds
			tail += at
		}
		out[m] = min(1, max(0, tail))
	}
	return out
}

// mcNemarMDE is the smallest true difference of accuracies that the exact test over
// n documents finds at that level and power, where a share discordance of the
// documents differs. Beyond the discordance itself, differences are taken to come
// with as many discordant documents, all on one side. NaN where not even all
// documents on one side would do.
func mcNemarMDE(n int, discordance, level, power float64) (float64, error) {
	if err := checkBinaryPower(n, discordance, level); err != nil {
		return 0, err
	}
	if err := checkPower(power, level); err != nil {
		return 0, err
	}
	critical := criticalCounts(n, level)
	at := func(d float64) float64 { return mcNemarPower(n, max(discordance, d), d, critical) }
	if at(1) < power {
		return math.NaN(), nil
	}
	low, high := 0.0, 1.0
	for range 40 {
		middle := (low + high) / 2
		if at(middle) < power {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}

// McNemarN is how many documents the exact test needs to find a difference of
// accuracies at that level and power: exact up to 20,000 documents, beyond by the
// normal approximation (Connor 1987), (z sqrt(discordance) + y sqrt(discordance - difference²))²/difference².
func McNemarN(discordance, difference, level, power float64) (int, error) {
	if err := checkBinaryPower(1, discordance, level); err != nil {
		return 0, err
	}
	if err := checkPower(power, level); err != nil {
		return 0, err
	}
	d := math.Abs(difference)
	if !(d > 0 && d <= discordance) {
		return 0, fmt.Errorf("stats: a difference of %v where a share of %v of the documents differs: give one above 0 and not beyond that share", difference, discordance)
	}
	z, y := -normalQuantile(level/2), normalQuantile(power)
	s := z*math.Sqrt(discordance) + y*math.Sqrt(max(0, discordance-d*d))
	n := math.Ceil(s * s / (d * d))
	const most = 20_000
	if n > most/2 {
		if n > math.MaxInt32 {
			return math.MaxInt32, nil
		}
		return int(n), nil
	}
	critical := criticalCounts(most, level)
	low, high := 0, max(1, int(n))
	for mcNemarPower(high, discordance, d, critical) < power && high < most {
		low, high = high, min(2*high, most)
	}
	if high == most {
		return int(n), nil
	}
	for high-low > 1 {
		middle := (low + high) / 2
		if mcNemarPower(middle, discordance, d, critical) < power {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}

func checkBinaryPower(n int, discordance, level float64) error {
	if n < 1 || !(discordance >= 0 && discordance <= 1) {
		return fmt.Errorf("stats: power over %d documents with a share of %v discordant: give at least one document and a share from 0 to 1", n, discordance)
	}
	return checkLevel(level)
}

func checkPower(power, level float64) error {
	if !(power > level && power < 1) {
		return fmt.Errorf("stats: power %v: give one between the level (%v) and 1", power, level)
	}
	return nil
}
