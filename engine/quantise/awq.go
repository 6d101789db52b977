package quantise

import (
	"errors"
	"math"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// awqGrid is the number of exponents that are tried, as AutoAWQ's and llm-compressor's n_grid.
const awqGrid = 20

// awqRows is the number of rows whose error one task weighs.
const awqRows = 64

// Reader is a weight [rows, cols] that reads inputs whose scales are searched for.
type Reader struct {
	W      []float32
	Format safetensors.DType // that Quantise is given
}

// Inputs are what Readers read, and how scales of them are stored.
type Inputs struct {
	*Hessian
	// Of says which number of those that are searched scales an input; nil: its own. Inputs that
	// come from one stored number share its scale.
	Of []int
	// Fold returns the scales that what the inputs come from can store, divided by them, or false
	// where it cannot store those. scales has an element for each stored number.
	Fold func(scales []float32) ([]float32, bool)
}

// Scaling is what SearchScales found.
type Scaling struct {
	Scales  []float32 // of the stored numbers; nil where no scales are better than none
	ToLast  bool      // for Scheme
	Loss    float64   // Σ (x·(w - q/s))² over all readers
	Nearest float64   // the same without scales of inputs
}

// SearchScales finds scales s of the inputs that make the quantised weights' outputs nearest to
// the weights' own: quantised is w·s, and what the inputs come from is divided by s.
//
// It is AWQ's search (Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression
// and Acceleration"): with x the mean magnitude of an input, s = x^a for 20 exponents a from 0 on, and
// also AutoAWQ's and llm-compressor's form (duo_scaling), x^a / (w^(1-a) + 1e-4) with w the mean
// of |weight| over the largest of its group; each at least 1e-4, and divided by √(max·min). The scales of
// the least loss are kept, the first of equal ones: those of a = 0 are 1, so that no loss is above
// that of round-to-nearest. Symmetric codes are tried with compressed-tensors' scale of a group and with
// AutoAWQ's (ToLast).
func (s Scheme) SearchScales(in Inputs, readers []Reader, each func(count int, one func(i int) error) error) (*Scaling, error) {
	h := in.Hessian
	if h == nil || h.Magnitudes == nil {
		return nil, errors.New("no calibration of these weights' inputs")
	}
	stored := 0
	for i := range h.N {
		stored = max(stored, in.from(i)+1)
	}
	none := make([]float32, stored)
	for i := range none {
		none[i] = 1
	}
	found := &Scaling{Loss: math.Inf(1)}
	ways := []bool{false}
	if s.Symmetric() {
		ways = append(ways, true)
	}
	try := func(scales []float32) error {
		used := scales
		if used == nil {
			used = none
		}
		for _, s.ToLast = range ways {
			loss, err := s.scaledLoss(in, readers, used, each)
			if err != nil {
				return err
			}
			if loss < found.Loss {
				found.Loss, found.Scales, found.ToLast = loss, scales, s.ToLast
			}
		}
		return nil
	}
	if err := try(nil); err != nil {
		return nil, err
	}
	found.Nearest = found.Loss
	x, w := in.magnitudes(stored), s.relativeWeights(in, readers, stored)
	for form := range 2 {
		for step := range awqGrid {
			a := float64(step) / awqGrid
			if form == 0 && step == 0 {
				continue // none
			}
			scales, ok := in.Fold(awqScales(x, w, a, form == 1))
			if !ok {
				continue
			}
			if err := try(scales); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// from is the stored number that input i comes from.
func (in Inputs) from(i int) int {
	if in.Of == nil {
		return i
	}
	return in.Of[i]
}

// Expand gives each input the scale of the stored number that it comes from.
func (in Inputs) Expand(scales []float32) []float32 {
	all := make([]float32, in.N)
	for i := range all {
		all[i] = scales[in.from(i)]
	}
	return all
}

// magnitudes are the mean magnitudes of what comes from each stored number.
func (in Inputs) magnitudes(stored int) []float64 {
	return in.mean(stored, func(i int) float64 { return in.Magnitudes[i] / float64(max(1, in.Rows)) })
}

// mean is that of a number of each input over the inputs of each stored number.
func (in Inputs) mean(stored int, of func(i int) float64) []float64 {
	sum, count := make([]float64, stored), make([]float64, stored)
	for i := range in.N {
		sum[in.from(i)] += of(i)
		count[in.from(i)]++
	}
	for i := range sum {
		sum[i] /= max(1, count[i])
	}
	return sum
}

// relativeWeights are the means, over all rows, of weights' magnitudes over the largest of their
// group.
func (s Scheme) relativeWeights(in Inputs, readers []Reader, stored int) []float64 {
	n, rows := in.N, 0
	group := s.Group
	if group == 0 || group > n {
		group = n
	}
	sum := make([]float64, n)
	for _, r := range readers {
		for w := r.W; len(w) > 0; w = w[n:] {
			rows++
			for from := 0; from < n; from += group {
				part := w[from:min(n, from+group)]
				low, high := span(part)
				most := float64(max(-low, high)) + 1e-6
				for j, v := range part {
					sum[from+j] += math.Abs(float64(v)) / most
				}
			}
		}
	}
	return in.mean(stored, func(i int) float64 { return sum[i] / float64(max(1, rows)) })
}

// awqScales are the scales of one exponent, in one of the two forms.
func awqScales(x, w []float64, a float64, duo bool) []float32 {
	s := make([]float64, len(x))
	low, high := math.Inf(1), 0.0
	for i := range s {
		s[i] = math.Pow(x[i], a)
		if duo {
			s[i] /= math.Pow(w[i], 1-a) + 1e-4
		}
		s[i] = max(s[i], 1e-4)
		low, high = min(low, s[i]), max(high, s[i])
	}
	all := make([]float32, len(x))
	for i := range s {
		all[i] = float32(s[i] / math.Sqrt(low*high))
	}
	return all
}

// scaledLoss is Σ (x·(w - q/s))² over all inputs and rows: with d = w - q/s, d·H·dᵀ of each row.
func (s Scheme) scaledLoss(in Inputs, readers []Reader, scales []float32, each func(count int, one func(i int) error) error) (float64, error) {
	n, r := in.N, s.rule()
	full := in.Expand(scales)
	in.pack()
	total := 0.0
	for _, reader := range readers {
		rows := len(reader.W) / n
		m := newMatrix(rows, n, s.Bits, s.Group, reader.Format)
		r.about(m)
		q := &weights{Matrix: m, round: rounder(reader.Format), eps: epsilon(reader.Format)}
		tasks := (rows + awqRows - 1) / awqRows
		losses := make([]float64, tasks)
		if err := each(tasks, func(t int) error {
			first, last := t*awqRows, min(rows, (t+1)*awqRows)
			losses[t] = q.scaledRows(r, in.Hessian, reader.W, full, first, last)
			return nil
		}); err != nil {
			return 0, err
		}
		for _, l := range losses {
			total += l
		}
	}
	if math.IsNaN(total) {
		total = math.Inf(1)
	}
	return total, nil
}

// scaledRows is the loss of rows [first, last).
func (w *weights) scaledRows(r rule, h *Hessian, x, scales []float32, first, last int) float64 {
	n := w.Cols
	d, product := make([]float32, (last-first)*n), make([]float32, (last-first)*n)
	scaled, codes := make([]float32, n), make([]uint8, n)
	for i := first; i < last; i++ {
		row, away := x[i*n:][:n], d[(i-first)*n:][:n]
		for j, v := range row {
			scaled[j] = v * scales[j]
		}
		for g := range w.across {
			from, to := w.columns(g)
			r.group(w, i*w.across+g, scaled[from:to], codes[from:to])
			w.numbers(i*w.across+g, codes[from:to], away[from:to])
		}
		for j, v := range row {
			away[j] = v - away[j]/scales[j]
		}
	}
	h.times(product, d, last-first)
	sum := 0.0
	for i, v := range d {
		sum += float64(v) * float64(product[i])
	}
	return sum
}

// pack makes the sum an operand of products, once.
func (h *Hessian) pack() {
	if h.packed != nil {
		return
	}
	if h.Set == nil {
		h.Set = kernel.Generic{}
	}
	h.packed = h.Set.NewMatrix(kernel.StoredFloat32, h.N, h.N)
	h.Set.PackRows(h.packed, 0, h.N, func(j int, dst []float32) { copy(dst, h.Sum[j*h.N:]) })
}

// times is y = d·H, of rows [rows, N].
func (h *Hessian) times(y, d []float32, rows int) {
	var in kernel.Input
	in.Reset(kernel.Float32, rows, h.N)
	h.Set.Prepare(&in, d, h.N, 0, rows)
	h.Set.MatMul(y, h.N, &in, 0, rows, h.packed, 0, h.N, false)
}

// ScaleWeights multiplies the columns of w [rows, cols] by the scales of their inputs, and divides
// its rows by those of what they make; either may be nil.
func ScaleWeights(w []float32, cols int, columns, rows []float32) {
	for i := 0; i*cols < len(w); i++ {
		row := w[i*cols:][:cols]
		if rows != nil {
			for j := range row {
				row[j] /= rows[i]
			}
		}
		if columns != nil {
			for j := range row {
				row[j] *= columns[j]
			}
		}
	}
}

// roundScaled is roundSymmetric of numbers that no file holds, in float32: the scale alone is rounded
// to the format.
func (w *weights) roundScaled(g int, x []float32, codes []uint8) {
	low, high := span(x)
	w.Scales[g] = w.notZero(w.round(max(-low, high) / (float32(int(1)<<w.Bits-1) / 2)))
	w.nearestCodes(g, x, codes)
}

// roundToLast is AutoAWQ's symmetric round-to-nearest: the scale takes the largest magnitude to the
// last code, where roundScaled's takes it half a code beyond and cuts it off.
func (w *weights) roundToLast(g int, x []float32, codes []uint8) {
	low, high := span(x)
	w.Scales[g] = w.notZero(w.round(max(-low, high) / float32(int(1)<<(w.Bits-1)-1)))
	w.nearestCodes(g, x, codes)
}

// roundScaledAsymmetric is roundAsymmetric in float32, as roundScaled is.
func (w *weights) roundScaledAsymmetric(g int, x []float32, codes []uint8) {
	low, high := span(x)
	most := float32(int(1)<<w.Bits - 1)
	scale := w.notZero(w.round((high - low) / most))
	w.Scales[g], w.Zeros[g] = scale, nearest(-low/scale, 0, most)
	w.nearestCodes(g, x, codes)
}

// nearestCodes are the codes of x in a group whose scale and zero are known.
func (w *weights) nearestCodes(g int, x []float32, codes []uint8) {
	zero, scale := w.Zero, w.Scales[g]
	if w.Zeros != nil {
		zero = w.Zeros[g]
	}
	least, most := -zero, float32(int(1)<<w.Bits-1)-zero
	codes = codes[:len(x)]
	for j, v := range x {
		codes[j] = uint8(int32(nearest(v/scale, least, most) + zero))
	}
}
