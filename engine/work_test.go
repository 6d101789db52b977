package engine_test

import (
	"math/rand/v2"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
)

// TestForesee: what is foreseen is what Run does, batch for batch, whatever the shape, the memory
// and the rows of a batch; and of texts that end early, what they might have taken.
func TestForesee(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	m := New(&hashmodel.Backend{}, hashmodel.Vocab)
	for try := range 60 {
		f := &Forest{}
		for i := range 1 + random.IntN(30) {
			n := Node{Parent: -1, Tokens: make([]int32, 1+random.IntN(9)), Generate: max(0, random.IntN(12)-6)}
			if i > 0 && random.IntN(3) > 0 {
				n.Parent = random.IntN(i)
			}
			if random.IntN(2) == 0 {
				n.Scored = []Scored{{Row: random.IntN(len(n.Tokens)), Targets: []int32{1}}}
			}
			f.Nodes = append(f.Nodes, n)
		}
		o := RunOptions{BatchTokens: 1 + random.IntN(40)}
		foreseen, err := m.Foresee(t.Context(), f, o)
		if err != nil {
			t.Fatal(err)
		}
		did, err := m.Run(t.Context(), f, o)
		if err != nil {
			t.Fatal(err)
		}
		if foreseen != did {
			t.Fatalf("try %d: foreseen %+v, done %+v", try, foreseen, did)
		}
		o.Enough = func(int, []int32) bool { return true }
		early, err := m.Run(t.Context(), f, o)
		if err != nil {
			t.Fatal(err)
		}
		if early.EndedOf != did.EndedOf || early.Ended != 0 || early.Decoded.Rows != 0 || early.Tokens+did.Decoded.Rows != did.Tokens {
			t.Errorf("try %d: ended at once %+v, at their longest %+v", try, early, did)
		}
	}
}
