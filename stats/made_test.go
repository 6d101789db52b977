package stats

import (
	"math"
	"math/rand/v2"
)

// Made data with known truths; every generator is seeded by its caller.

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eed)) }

// madeBinary are n documents, each right in A alone with probability onlyA, in B
// alone with onlyB, in both half the time else.
func madeBinary(r *rand.Rand, n int, onlyA, onlyB float64) Pairs {
	p := Pairs{A: make([]float64, n), B: make([]float64, n)}
	for i := range p.A {
		switch x := r.Float64(); {
		case x < onlyA:
			p.A[i] = 1
		case x < onlyA+onlyB:
			p.B[i] = 1
		case r.Float64() < 0.5:
			p.A[i], p.B[i] = 1, 1
		}
	}
	return p
}

func counts(p Pairs) (onlyA, onlyB int) {
	for i := range p.A {
		switch {
		case p.A[i] > p.B[i]:
			onlyA++
		case p.B[i] > p.A[i]:
			onlyB++
		}
	}
	return
}

// madePages are n pages of loglikelihoods over words: a page has a loglikelihood
// per word of about -3 that both runs share, B's with shift more of it, and
// page-wise noise.
func madePages(r *rand.Rand, n int, shift float64) Pairs {
	p := Pairs{A: make([]float64, n), B: make([]float64, n), Weights: make([]float64, n)}
	for i := range p.A {
		words := math.Floor(math.Exp(5 + 0.6*r.NormFloat64()))
		rate := -3 + 0.3*r.NormFloat64()
		p.Weights[i] = words
		p.A[i] = words * (rate + 0.05*r.NormFloat64())
		p.B[i] = words * (rate + shift + 0.05*r.NormFloat64())
	}
	return p
}

func mirrored(p Pairs) Pairs { return Pairs{p.B, p.A, p.Weights, p.Clusters, p.Unchanged} }

// labels puts documents in turn into clusters.
func labels(n, clusters int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(rune('A'+i%clusters/26)) + string(rune('a'+i%clusters%26))
	}
	return out
}
