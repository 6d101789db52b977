package compare

import (
	"cmp"
	"strings"
)

// Arithmetic is by how much loglikelihoods may be off by their arithmetic alone: those
// of a document's request, and of a token of it, where it has many. The bounds of
// requests are those that are declared and tested, in float32 against transformers
// and against lm-evaluation-harness, and in bfloat16 the spread measured between
// instruction sets. Of tokens that all err to one side it is a tenth of a position's
// bound: the harness's sums of float32 were measured 4e-6 a token above float64's.
type Arithmetic struct{ Request, Token float64 }

var (
	inFloat32  = Arithmetic{1e-4, 1e-5}
	ofHarness  = Arithmetic{1e-3, 1e-5}
	inBFloat16 = Arithmetic{5e-3, 5e-4}
)

// ArithmeticOf is that of what computed a side, in its number format.
func ArithmeticOf(f Format, dtype string) Arithmetic {
	switch {
	case strings.Contains(dtype, "float16"): // bfloat16 too
		return inBFloat16
	case f == Harness:
		return ofHarness
	}
	return inFloat32
}

func (s *Side) rounding() Arithmetic { return ArithmeticOf(s.Format, s.MayDiffer["dtype"]) }

// or is the larger one.
func (a Arithmetic) or(b Arithmetic) Arithmetic {
	return Arithmetic{max(a.Request, b.Request), max(a.Token, b.Token)}
}

// Of is by how much a document's value may be off, in the mean over the scored ones.
// Where a document's tokens are not known (0), its words or bytes stand for them.
func (a Arithmetic) Of(values []Value, tokens []int) float64 {
	total, n := 0.0, 0
	for i, v := range values {
		if !v.Scored {
			continue
		}
		n++
		many := float64(tokens[i])
		many = cmp.Or(many, v.Weight)
		total += max(a.Request, a.Token*many)
	}
	return total / float64(max(1, n))
}
