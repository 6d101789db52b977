package quantise

import (
	"cmp"
	"errors"
	"slices"

	"github.com/softbench/softbench/engine/safetensors"
)

// gptqRows is the number of rows that one task takes through all columns: a row of the
// factor is read once for them.
const gptqRows = 16

// QuantiseWith is Quantise of GPTQ: h is of the inputs that the weights read.
//
// It is GPTQ (Frantar et al., "GPTQ: Accurate Post-training Quantization for Generative
// Pre-trained Transformers") in its Cholesky form. Columns are rounded one after the other,
// and what a column loses is made up for by those behind it:
//
//	for c in order:
//	    q = round(W[:,c]);  E = (W[:,c] - q)/U[c,c];  W[:,c:] -= E·U[c,c:]
//
// A group's scale is that of its weights as they are when it is reached; with act-order,
// which takes the inputs of the largest sum of squares first, as they were at the start.
// Each row is tried with every damping, and the one with the least error of its outputs
// is kept.
func (s Scheme) QuantiseWith(h *Hessian, w []float32, rows, cols int, format safetensors.DType, each func(count int, one func(i int) error) error) (*Matrix, error) {
	if h == nil || h.N != cols {
		return nil, errors.New("no calibration of these weights' inputs")
	}
	r := rules[s.Method]
	m := newMatrix(rows, cols, s.Bits, s.Group, format)
	r.about(m)
	f, err := h.factorise(s.ActOrder, each)
	if err != nil {
		return nil, err
	}
	q := &weights{Matrix: m, round: rounder(format), eps: epsilon(format), each: each}
	err = each((rows+gptqRows-1)/gptqRows, func(n int) error {
		t := gptqTask{weights: q, factor: f, rule: r, first: n * gptqRows, actOrder: s.ActOrder}
		t.run(w, min(gptqRows, rows-n*gptqRows))
		return nil
	})
	return m, err
}

// gptqTask is some rows on their way.
type gptqTask struct {
	*weights
	*factor
	rule     rule
	first    int
	actOrder bool

	original [][]float32 // rows
	rows     []gptqRow   // with one damping
}

// gptqRow is a row that is quantised: its codes, and the scales and zeros of its groups.
type gptqRow struct {
	left          []float32 // the columns that are to come, made up; in the factor's order
	codes         []uint8
	scales, zeros []float32
	loss          float64 // Σ (x·(w - q))², with the damping's own part
	away          float64 // Σ (w - q)²
}

func (t *gptqTask) run(w []float32, rows int) {
	for r := range rows {
		row := slices.Clone(w[(t.first+r)*t.Cols:][:t.Cols])
		for i, dead := range t.dead {
			if dead {
				row[i] = 0
			}
		}
		t.original = append(t.original, row)
	}
	best := make([]gptqRow, rows)
	for d := range dampings {
		t.tryDamping(d)
		for r, row := range t.rows {
			if row.loss -= t.added[d] * row.away; d == 0 || row.loss < best[r].loss {
				best[r] = row
			}
		}
	}
	for r, row := range best {
		at := (t.first + r) * t.across
		copy(t.Scales[at:], row.scales)
		if t.Zeros != nil {
			copy(t.Zeros[at:], row.zeros)
		}
		t.pack(t.first+r, row.codes)
	}
}

// tryDamping quantises the rows with one damping.
func (t *gptqTask) tryDamping(d int) {
	scratch := make([]uint8, t.Cols)
	t.rows = make([]gptqRow, len(t.original))
	for r, original := range t.original {
		row := gptqRow{left: make([]float32, t.Cols), codes: make([]uint8, t.Cols)}
		for c, i := range t.order {
			row.left[c] = original[i]
		}
		for g := range t.across {
			if from, to := t.columns(g); t.actOrder {
				t.rule.group(t.weights, (t.first+r)*t.across+g, original[from:to], scratch[from:to])
			}
		}
		t.rows[r] = row
	}
	one, number := [1]uint8{}, [1]float32{}
	for c, i := range t.order {
		u := t.u[d][c*t.Cols:][:t.Cols]
		for r := range t.rows {
			row := &t.rows[r]
			g := (t.first+r)*t.across + i/t.Group
			if from, to := t.columns(i / t.Group); !t.actOrder && i == from {
				t.rule.group(t.weights, g, row.left[from:to], scratch[from:to])
			}
			x := row.left[c]
			one[0] = t.code(g, x)
			row.codes[i] = one[0]
			t.numbers(g, one[:], number[:])
			e := (x - number[0]) / u[c]
			subtract(row.left[c:], u[c:], e)
			row.loss += float64(e) * float64(e)
			away := float64(t.original[r][i]) - float64(number[0])
			row.away += away * away
		}
	}
	for r := range t.rows {
		at := (t.first + r) * t.across
		t.rows[r].scales = slices.Clone(t.Scales[at:][:t.across])
		if t.Zeros != nil {
			t.rows[r].zeros = slices.Clone(t.Zeros[at:][:t.across])
		}
	}
}

// code is the nearest code of x in a group whose scale and zero are known.
func (w *weights) code(g int, x float32) uint8 {
	zero := w.Zero
	if w.Zeros != nil {
		zero = w.Zeros[g]
	}
	most := float32(int(1)<<w.Bits - 1)
	return uint8(nearest(x/w.Scales[g], -zero, most-zero) + zero)
}

// subtract takes a·y from x.
func subtract(x, y []float32, a float32) {
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		x[i] -= a * y[i]
		x[i+1] -= a * y[i+1]
		x[i+2] -= a * y[i+2]
		x[i+3] -= a * y[i+3]
	}
	for ; i < len(x); i++ {
		x[i] -= a * y[i]
	}
}

// sortByImportance puts the inputs of the largest diagonal first, equal ones in their own
// order.
func sortByImportance(order []int, diagonal []float64) {
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(diagonal[b], diagonal[a]) })
}
