package engine_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randforest"
)

// A kind that is one row of attention.Definitions, here another name for the formula of
// softmax-plus-one, is computed through a whole model, asked for by its name alone.
func TestANewKindIsOneRow(t *testing.T) {
	toy := attention.SoftmaxPlusOne.Definition()
	n := len(attention.Definitions)
	attention.Definitions = append(slices.Clone(attention.Definitions), *toy)
	attention.Definitions[n].Name = "toy"
	t.Cleanup(func() { attention.Definitions = attention.Definitions[:n] })
	g := golden.ReadModel(t, "llama-mha")
	scores := func(kind string) bits {
		m, ck := open(t, g.Dir, kind, CPUOptions{Threads: 2, Formats: kernel.FormatsOf(kernel.BFloat16)})
		got, _ := runBits(t, m, randforest.New(rand.New(rand.NewPCG(1, 1)), 12, ck.Config.Vocab, randforest.Two), RunOptions{})
		return got
	}
	want := scores("softmax-plus-one")
	if !maps.Equal(scores("toy"), want) {
		t.Error("the toy is not its formula")
	}
	if maps.Equal(scores("softmax"), want) {
		t.Error("softmax is the same: the toy shows nothing")
	}
}
