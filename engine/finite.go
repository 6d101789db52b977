package engine

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/softbench/softbench/engine/checkpoint"
)

// NotFinite is the error of numbers that leave the format they are computed in:
// infinite ones, those that are not numbers, and those whose squares overflow, which
// a norm turns into zeros without a trace.
type NotFinite struct {
	What     string // "the logits", "the residual stream"
	Node     int    // of the forest given to Run
	Position int    // absolute
}

func (e *NotFinite) Error() string {
	return fmt.Sprintf("%s overflowed at position %d: the weights are too large for this dtype, or the checkpoint is damaged; try --dtype float32", e.What, e.Position)
}

// NotFinite makes the error of a batch's row.
func (b *Batch) NotFinite(what string, row int) error {
	for _, sp := range b.Spans {
		if row >= sp.Row && row < sp.Row+sp.N {
			return &NotFinite{what, sp.Node, sp.Position + row - sp.Row}
		}
	}
	return &NotFinite{what, -1, row}
}

// original changes a NotFinite of the joined forest into one of the forest as it
// was given.
func (j *joined) original(err error) error {
	var e *NotFinite
	if j.place == nil || !errors.As(err, &e) || e.Node < 0 {
		return err
	}
	f, node, start := j.given, int(j.last[e.Node]), 0
	for p := f.Nodes[node].Parent; p >= 0; p = f.Nodes[p].Parent {
		start += len(f.Nodes[p].Tokens)
	}
	for start > e.Position && f.Nodes[node].Parent >= 0 {
		node = f.Nodes[node].Parent
		start -= len(f.Nodes[node].Tokens)
	}
	e.Node = node
	return err
}

// overflow remembers the first of a batch's rows whose numbers a norm could not
// keep. Rows are looked at by many threads; the lowest is reported, so that the
// error is the same for any number of them.
type overflow struct {
	row atomic.Int64 // plus one; 0: none
}

// note takes a row.
func (o *overflow) note(row int) {
	for {
		have := o.row.Load()
		if have > 0 && have <= int64(row)+1 || o.row.CompareAndSwap(have, int64(row)+1) {
			return
		}
	}
}

// take returns the row noted, or -1, and forgets it.
func (o *overflow) take() int { return int(o.row.Swap(0)) - 1 }

// kept says whether a norm kept a vector, dst being norm(x) and not x itself. The
// sum of an overflowing vector's squares is infinite and its norm zero, but for what
// is infinite in it; where x holds a NaN all of the norm is. So one number that is
// neither shows that all is well, and only where the first is not x is looked at.
func kept(dst, x []float32, n *checkpoint.Norm) bool {
	if v := dst[0]; v != 0 && v-v == 0 {
		return true
	}
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	if n.Mean { // its sums are float64
		return !math.IsNaN(sum) && !math.IsInf(sum, 0)
	}
	return sum <= math.MaxFloat32/2
}
