package forward

import (
	"fmt"

	"github.com/softbench/softbench/engine"
)

// segment implements engine.Segment: positions [start, start+n) in slots.
type segment struct {
	start, n int
	extents  []extent // in order of position
	pool     *slotPool
}

func (s *segment) Range() (start, n int) { return s.start, s.n }

func (s *segment) Release() {
	s.pool.give(s.extents)
	s.extents = nil
}

// slot is where a position's keys and values lie.
func (s *segment) slot(position int) int {
	at := position - s.start
	for _, e := range s.extents {
		if at < e.n {
			return e.slot + at
		}
		at -= e.n
	}
	panic(fmt.Sprintf("cuda: position %d is outside its segment [%d, %d)", position, s.start, s.start+s.n))
}

// run is a run of positions whose slots are consecutive: position start is in
// slot slot, start+1 in slot+1, up to where the next run starts.
type run struct{ start, slot int32 }

// appendRuns appends the runs of a path, from position 0 to its own segment's
// end, in ascending order. A segment counts up to where the next begins: room
// for decoded tokens may lie behind what its children see.
func appendRuns(runs []run, path []engine.Segment) []run {
	first := len(runs)
	for i, p := range path {
		s := p.(*segment)
		end := s.start + s.n
		if i+1 < len(path) {
			end, _ = path[i+1].Range()
		}
		position := s.start
		for _, e := range s.extents {
			if position >= end {
				break
			}
			if k := len(runs) - 1; k < first || int(runs[k].slot)+position-int(runs[k].start) != e.slot {
				runs = append(runs, run{int32(position), int32(e.slot)})
			}
			position += e.n
		}
	}
	return runs
}
