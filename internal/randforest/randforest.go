// Package randforest makes forests of requests for tests that hold one way of computing against
// another. It knows the engine's types and nothing of models.
package randforest

import (
	"math/rand/v2"

	"github.com/softbench/softbench/engine"
)

// Two and UpToThree are how many targets a scored row has.
func Two(*rand.Rand) int { return 2 }

// UpToThree draws from none to three.
func UpToThree(r *rand.Rand) int { return r.IntN(4) }

// New makes trees whose nodes begin at any position of a key block and whose paths span several.
// Some rows are scored, and some nodes decode.
func New(r *rand.Rand, nodes, vocab int, targets func(*rand.Rand) int) *engine.Forest {
	f := &engine.Forest{}
	for i := range nodes {
		n := engine.Node{Parent: -1}
		if i > 0 && r.IntN(6) > 0 {
			n.Parent = r.IntN(i)
		}
		length := 1 + r.IntN(12)
		if r.IntN(4) == 0 {
			length += r.IntN(90)
		}
		for row := range length {
			n.Tokens = append(n.Tokens, int32(r.IntN(vocab)))
			if r.IntN(3) == 0 {
				s := engine.Scored{Row: row}
				for range targets(r) {
					s.Targets = append(s.Targets, int32(r.IntN(vocab)))
				}
				n.Scored = append(n.Scored, s)
			}
		}
		if r.IntN(5) == 0 {
			n.Generate = 1 + r.IntN(4)
		}
		f.Nodes = append(f.Nodes, n)
	}
	return f
}
