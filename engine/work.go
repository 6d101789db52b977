package engine

import "context"

// Work is what a computation consists of, in the quantities that its time follows.
type Work struct {
	Batches int64 // passes over the weights
	Rows    int64 // tokens computed
	Pairs   int64 // of a token and one that it sees, summed over the layers
	Heads   int64 // rows of which the next token is scored
}

// Plus is both together.
func (w Work) Plus(v Work) Work {
	return Work{w.Batches + v.Batches, w.Rows + v.Rows, w.Pairs + v.Pairs, w.Heads + v.Heads}
}

// Minus is w without v.
func (w Work) Minus(v Work) Work {
	return w.Plus(Work{-v.Batches, -v.Rows, -v.Pairs, -v.Heads})
}

// Work is all that the run did.
func (s *Stats) Work() Work { return Work{s.Batches, s.Tokens, s.Pairs, s.Heads} }

// span counts rows of which the first is at a position of its sequence. windows has a layer's each.
func (w *Work) span(windows []int, position, rows int) {
	w.Rows += int64(rows)
	last, seen := -1, int64(0)
	for _, window := range windows {
		if window != last {
			last, seen = window, visible(position, rows, window)
		}
		w.Pairs += seen
	}
}

// visible is how many tokens rows from a position on see, each itself and those before it, at most
// window; 0: all.
func visible(position, rows, window int) int64 {
	first, last := int64(position)+1, int64(position)+int64(rows)
	if w := int64(window); w > 0 && last > w {
		if first > w {
			return w * int64(rows)
		}
		return (first+w)*(w-first+1)/2 + w*(last-w)
	}
	return (first + last) * int64(rows) / 2
}

// Foresee walks a forest as Run does, and computes nothing: it counts what Run would, and the most
// keys and values alive at once. Every node decodes as many tokens as it may. The forest is asked
// by Ask as by Run.
func (m *Model) Foresee(ctx context.Context, f *Forest, o RunOptions) (Stats, error) {
	counting := &Model{backend: uncomputed{m.backend}, vocab: m.vocab}
	return counting.Run(ctx, f, RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory})
}

// uncomputed is a backend that computes nothing and keeps nothing.
type uncomputed struct{ Backend }

func (u uncomputed) NewSegment(start, n int) (Segment, error) { return noSegment{start, n}, nil }

func (u uncomputed) Forward(context.Context, *Batch) error { return nil }

func (u uncomputed) Close() error { return nil }

type noSegment struct{ start, n int }

func (s noSegment) Range() (start, n int) { return s.start, s.n }

func (s noSegment) Release() {}
