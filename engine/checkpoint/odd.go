package checkpoint

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/engine/safetensors"
)

// enormous is a magnitude that no trained weight has: products of two rows of such
// leave float32.
const enormous = 1e15

// oddWeights leaves a note on matrices that hold nothing but zeros, and on those
// whose first numbers are enormous: the scores of such a model mean nothing, and
// may look like another's.
func (k *Checkpoint) oddWeights(ctx context.Context) error {
	var zeros, huge left
	var firstZero, firstHuge string
	for _, t := range k.used {
		if len(t.Shape) < 2 {
			continue // norms and biases may well be zero
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case onlyZeros(t):
			if zeros.add("zeros"); firstZero == "" {
				firstZero = t.Name
			}
		case isHuge(t):
			if huge.add("huge"); firstHuge == "" {
				firstHuge = t.Name
			}
		}
	}
	if n := zeros.counts["zeros"]; n > 0 {
		k.Notes = append(k.Notes, fmt.Sprintf("%d of the weights' matrices (such as %q) hold nothing but zeros: the checkpoint may never have been filled", n, firstZero))
	}
	if n := huge.counts["huge"]; n > 0 {
		k.Notes = append(k.Notes, fmt.Sprintf("%d of the weights' matrices (such as %q) hold numbers above %g: the checkpoint is damaged, or its training diverged", n, firstHuge, enormous))
	}
	return nil
}

// onlyZeros reports whether a matrix is zero throughout.
func onlyZeros(t *safetensors.Tensor) bool {
	if !t.Decoded() {
		return allZero(t.Data)
	}
	row := make([]float32, t.Elements()/max(1, t.Shape[0]))
	for i := range t.Shape[0] {
		t.RowF32(i, row)
		for _, x := range row {
			if x != 0 {
				return false
			}
		}
	}
	return t.Elements() > 0
}

// allZero looks no further than the first byte that is not.
func allZero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return len(data) > 0
}

// isHuge looks at a matrix's first row.
func isHuge(t *safetensors.Tensor) bool {
	if t.Elements() == 0 {
		return false
	}
	row := make([]float32, t.Elements()/t.Shape[0])
	t.RowF32(0, row)
	return slices.ContainsFunc(row, func(x float32) bool { return math.Abs(float64(x)) > enormous })
}
