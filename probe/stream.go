package probe

import (
	"math"
	"slices"
	"sync"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/probe/observed"
)

// piece is what there is of one layer's residual stream of a sample that comes in pieces.
type piece struct {
	moments kernel.Moments
	x       []float32
}

// spare are buffers of pieces that are done with, for others.
type spare struct {
	mu   sync.Mutex
	free [][]float32
}

func (s *spare) take() (x []float32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		x, s.free = s.free[n-1], s.free[:n-1]
	}
	return x[:0]
}

func (s *spare) give(x []float32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, x)
}

// Residual implements engine.Observer.
func (p *Diagnostics) Residual(r engine.Residual) {
	t := engine.ResidualTally{Residual: r}
	for x := r.X; len(x) > 0; x = x[p.hidden:] {
		t.Rows = append(t.Rows, kernel.Generic{}.Moments(x[:p.hidden]))
	}
	p.TallyResidual(t)
}

// TallyResidual implements engine.Tallier. Rows are merged one by one, so that the moments do not
// depend on the pieces.
func (p *Diagnostics) TallyResidual(t engine.ResidualTally) {
	to, length := &p.samples[t.Node].Layers[t.Layer], p.lengths[t.Node]
	if len(t.Rows) == length {
		var whole piece
		whole.add(t.Rows)
		whole.end(to, t.X)
		p.left[t.Node].Add(-1)
		return
	}
	if p.held[t.Node] == nil {
		p.held[t.Node] = make([]piece, p.layers)
	}
	held := &p.held[t.Node][t.Layer]
	if t.Position == 0 {
		*held = piece{x: p.spare.take()}
	}
	held.add(t.Rows)
	held.x = append(slices.Grow(held.x, length*p.hidden-len(held.x)), t.X...)
	if t.Position+len(t.Rows) == length {
		held.end(to, held.x)
		p.spare.give(held.x)
		*held = piece{}
		p.left[t.Node].Add(-1)
	}
}

func (h *piece) add(rows []kernel.Moments) {
	for _, r := range rows {
		h.moments.Merge(r)
	}
}

// end puts away what a sample's whole residual stream x after a layer gave.
func (h *piece) end(to *observed.Layer, x []float32) {
	m := &h.moments
	to.Moments = [5]float64{m.N, m.Mean, m.M2, m.M3, m.M4}
	to.Min, to.Max = float64(m.Min), float64(m.Max)
	to.Massive = massive(x, max(to.Max, -to.Min))
}

// massive counts x's massive activations; largest is the largest absolute value. The median is
// looked for only where some may be.
func massive(x []float32, largest float64) (n int64) {
	if !(largest > MassiveValue) {
		return 0
	}
	limit := max(MassiveValue, MassiveRatio*medianAbs(x))
	if largest <= limit {
		return 0
	}
	for _, v := range x {
		if math.Abs(float64(v)) > limit {
			n++
		}
	}
	return n
}

// medianAbs is the median of absolute values: the mean of the two in the middle where their
// number is even. As whole numbers, the bits of positive float32 have the same order; the upper
// ones tell which few must be sorted.
func medianAbs(x []float32) float64 {
	const shift = 19
	bits := func(v float32) uint32 { return math.Float32bits(v) &^ (1 << 31) }
	var counts [1 << (31 - shift)]int32
	for _, v := range x {
		counts[bits(v)>>shift]++
	}
	// The upper bits of the values of both ranks, and how many values are below.
	low, high := (len(x)-1)/2, len(x)/2
	first, below := uint32(0), 0
	for below+int(counts[first]) <= low {
		below += int(counts[first])
		first++
	}
	last, seen := first, below+int(counts[first])
	for seen <= high {
		last++
		seen += int(counts[last])
	}
	middle := make([]uint32, 0, seen-below)
	for _, v := range x {
		if b := bits(v); b>>shift >= first && b>>shift <= last {
			middle = append(middle, b)
		}
	}
	slices.Sort(middle)
	value := func(rank int) float64 { return float64(math.Float32frombits(middle[rank-below])) }
	return (value(low) + value(high)) / 2
}

// stream are the moments of the residual stream.
func stream(l *observed.Layer) kernel.Moments {
	m := l.Moments
	return kernel.Moments{N: m[0], Mean: m[1], M2: m[2], M3: m[3], M4: m[4]}
}
