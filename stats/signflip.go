package stats

import (
	"fmt"
	"math"
)

// exactFlips is the most nonzero differences whose 2^n signs are all tried.
const exactFlips = 20

// A SignFlipTest is the outcome of SignFlip.
type SignFlipTest struct {
	P     float64
	Exact bool // every sign was tried; else Draws of them were drawn
	Draws int
}

// SignFlip is the two-sided permutation test of paired differences: were A and B
// exchangeable within each document (or cluster), every sign of every difference
// would be as likely. p is the share of sign patterns with a sum at least as far
// from 0 as observed: of all 2^n patterns up to 20 nonzero differences, else
// (1+hits)/(1+draws) of seeded random ones, which holds its level too. Sums within
// 1e-12 of the total magnitude count as equal. All differences 0: p = 1.
// Equal to SciPy's permutation_test(permutation_type="samples").
func SignFlip(differences []float64, draws int, seed uint64) (SignFlipTest, error) {
	if draws < 1 {
		return SignFlipTest{}, fmt.Errorf("stats: %d draws: give at least 1", draws)
	}
	var d []float64
	observed, magnitude := 0.0, 0.0
	for i, x := range differences {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return SignFlipTest{}, fmt.Errorf("stats: difference %d is %v: not a finite number", i, x)
		}
		observed += x
		magnitude += math.Abs(x)
		if x != 0 {
			d = append(d, x)
		}
	}
	if math.IsInf(magnitude, 0) {
		return SignFlipTest{}, fmt.Errorf("stats: the differences add up to more than a float64 holds")
	}
	if len(d) == 0 {
		return SignFlipTest{P: 1, Exact: true}, nil
	}
	limit := math.Abs(observed) - float64(1e-12*magnitude)
	if len(d) <= exactFlips {
		return SignFlipTest{P: allFlips(d, limit), Exact: true}, nil
	}
	return SignFlipTest{P: someFlips(d, limit, draws, seed), Draws: draws}, nil
}

// signedSums are the sums of the values under each of the 2^n patterns of signs;
// bit i set turns value i.
func signedSums(values []float64) []float64 {
	sums := make([]float64, 1, 1<<len(values))
	for _, v := range values {
		n := len(sums)
		for _, s := range sums[:n] {
			sums = append(sums, s-v)
		}
		for k := range sums[:n] {
			sums[k] += v
		}
	}
	return sums
}

// sortedSums are the signedSums in ascending order: each value makes two sorted
// lists of one, that are merged.
func sortedSums(values []float64) []float64 {
	sums, next := make([]float64, 1, 1<<len(values)), make([]float64, 0, 1<<len(values))
	for _, v := range values {
		v = math.Abs(v)
		next = next[:0]
		j := 0 // of the list that v is added to, which is the later one
		for _, s := range sums {
			for j < len(sums) && sums[j]+v < s-v {
				next = append(next, sums[j]+v)
				j++
			}
			next = append(next, s-v)
		}
		for ; j < len(sums); j++ {
			next = append(next, sums[j]+v)
		}
		sums, next = next, sums
	}
	return sums
}

// allFlips is the share of all 2^n patterns whose sum is at least limit from 0.
// Each sum is one of the first half's plus one of the second's. With both sorted,
// as the second's grows the places in the first's where their sum crosses the two
// limits only move down: a rounded sum of two numbers never falls as one grows.
func allFlips(d []float64, limit float64) float64 {
	if limit <= 0 {
		return 1
	}
	half := len(d) / 2
	low, high := sortedSums(d[:half]), sortedSums(d[half:])
	hits, below, above := 0, len(low), len(low)
	for _, h := range high {
		for below > 0 && h+low[below-1] > -limit {
			below--
		}
		for above > 0 && h+low[above-1] >= limit {
			above--
		}
		hits += below + len(low) - above
	}
	return math.Ldexp(float64(hits), -len(d))
}

// someFlips turns eight values at a time by a table of their 256 signed sums.
func someFlips(d []float64, limit float64, draws int, seed uint64) float64 {
	rng := stream(seed, forSignFlips, 0)
	sums := make([]float64, draws)
	for len(d) > 0 {
		k := min(8, len(d))
		table := signedSums(d[:k])
		d = d[k:]
		for len(table) < 256 { // the last few values: the other bits do nothing
			table = append(table, table...)
		}
		t := (*[256]float64)(table)
		for i := 0; i < draws; {
			bits := rng.Uint64()
			for j := 0; j < 8 && i < draws; j++ {
				sums[i] += t[bits&255]
				bits >>= 8
				i++
			}
		}
	}
	hits := 0
	for _, s := range sums {
		if math.Abs(s) >= limit {
			hits++
		}
	}
	return float64(1+hits) / float64(1+draws)
}
