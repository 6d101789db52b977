//go:build (amd64 || arm64) && !noasm

package kernel

import (
	"sync"

	"github.com/softbench/softbench/engine/attention"
)

// weighRows is the number of queries in one call of weigh at most.
const weighRows = 64

// weighing is one call of weigh: the scores of some queries over a key block.
// The arrays hold one element a query; what lies behind the last is arbitrary.
type weighing struct {
	s      *float32 // [rows, KeyBlock]
	rows   int
	rule   int    // an attention.Rule; the generator writes them in that order
	any    uint64 // whether some weight is above zero
	old    [weighRows]float32
	max    [weighRows]float32
	factor [weighRows]float32
	floor  [weighRows]float32 //lint:ignore U1000 the assembly's own
	sum    [weighRows]float32
	ranges [weighRows]keyRange

	// Of tally alone, which takes a query's maximum in old and max.
	small         float32
	norm          [weighRows]float32
	total         [weighRows]float64
	zeros, little [weighRows]int32
}

// keyRange is the range [lo, hi) of keys that a query sees.
type keyRange struct {
	mask        uint64 // bit i: lo <= i < hi
	from, until *int32 // the same for AVX2: lanes i >= lo, lanes i < hi
}

// laneRange holds 64 zeros, 64 ones (-1) and 64 zeros: from 64-lo on it is the
// mask of lanes >= lo, and from 128-hi on that of lanes < hi.
var laneRange = func() (m [3 * KeyBlock]int32) {
	for i := range KeyBlock {
		m[KeyBlock+i] = -1
	}
	return m
}()

func rangeOf(lo, hi int) keyRange {
	if lo >= hi {
		lo, hi = 0, 0
	}
	_ = laneRange[:KeyBlock][lo:hi]
	return keyRange{^uint64(0) >> (KeyBlock - (hi - lo)) << lo, &laneRange[KeyBlock-lo], &laneRange[2*KeyBlock-hi]}
}

func (s *simd) Weigh(kind attention.Kind, x []float32, lo, hi int, st *State) (factor float32, any bool) {
	var los, his = [1]int{lo}, [1]int{hi}
	var factors [1]float32
	states := [1]State{*st}
	any = s.WeighRows(kind, x, 1, los[:], his[:], states[:], factors[:])
	*st = states[0]
	return factors[0], any
}

func (s *simd) WeighRows(kind attention.Kind, x []float32, m int, lo, hi []int, st []State, factor []float32) bool {
	any := false
	for r := 0; r < m; r += weighRows {
		n := min(weighRows, m-r)
		if s.weighChunk(kind, x[r*KeyBlock:][:n*KeyBlock], lo[r:][:n], hi[r:][:n], st[r:][:n], factor[r:][:n]) {
			any = true
		}
	}
	return any
}

func (s *simd) weighChunk(kind attention.Kind, x []float32, lo, hi []int, st []State, factor []float32) bool {
	t := weighings.Get().(*weighing)
	t.s, t.rows, t.rule = first(x), len(st), int(kind.Definition().Rule)
	for i := range st {
		t.old[i] = st[i].Max
		t.ranges[i] = rangeOf(lo[i], hi[i])
	}
	s.weigh(t)
	for i := range st {
		factor[i] = t.factor[i]
		if t.max[i] == st[i].Max { // also where both are -Inf
			factor[i] = 1
		}
		st[i] = State{t.max[i], st[i].Sum*factor[i] + t.sum[i]}
	}
	any := t.any != 0
	t.s = nil
	weighings.Put(t)
	return any
}

// weighings are kept: one is three kilobytes, too much to clear at each call.
var weighings = sync.Pool{New: func() any { return new(weighing) }}
