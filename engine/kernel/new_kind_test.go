package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine/attention"
)

// An attention kind whose rule there is already is one row of attention.Definitions: here one whose
// weights sum to a little less than one. Every kernel set computes it and its gradient, by the row
// alone. docs/extending.md says so.
func TestANewKindIsOneRow(t *testing.T) {
	toy := attention.Kind(len(attention.Definitions))
	if _, err := attention.Parse("toy"); err == nil {
		t.Fatal("the toy is there already")
	}
	attention.Definitions = append(slices.Clone(attention.Definitions), attention.Definition{Name: "toy", Rule: attention.Exponential, FromZero: true, Epsilon: 0.25})
	t.Cleanup(func() { attention.Definitions = attention.Definitions[:toy] })
	if s, err := attention.Parse("scaled-toy"); err != nil || s != (attention.Spec{Kind: toy, Scaled: true}) || toy.String() != "toy" {
		t.Fatalf("scaled-toy is read as %+v: %v", s, err)
	}
	for _, name := range Available() {
		t.Run(name, func(t *testing.T) {
			s, err := ByName(name)
			if err != nil {
				t.Fatal(err)
			}
			conformWeigh(t, s)
			rng := rand.New(rand.NewPCG(1, 3))
			for n := 1; n < 70; n += 3 {
				weighGradOnce(t, s.(Gradients), rng, n)
			}
		})
	}
}
