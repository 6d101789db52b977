package tokenizer

// mergeTable maps a pair of symbol ids to the merge of the two: open addressing, built once.
type mergeTable struct {
	keys []uint64 // left<<32 | right, plus 1; 0 is free
	vals []mergeRule
	mask uint64
	n    int
}

// mergeRule is one merge: lower ranks go first, result is the symbol it makes.
type mergeRule struct {
	rank   uint32
	result int32
}

func newMergeTable(n int) *mergeTable {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &mergeTable{keys: make([]uint64, size), vals: make([]mergeRule, size), mask: uint64(size - 1)}
}

func (t *mergeTable) slot(left, right int32) (slot, key uint64) {
	key = (uint64(uint32(left))<<32 | uint64(uint32(right))) + 1
	slot = key * 0x9E3779B97F4A7C15
	slot ^= slot >> 29
	for slot &= t.mask; t.keys[slot] != 0 && t.keys[slot] != key; slot = (slot + 1) & t.mask {
	}
	return slot, key
}

// set adds or replaces a rule. The table must have been made large enough.
func (t *mergeTable) set(left, right int32, rule mergeRule) {
	slot, key := t.slot(left, right)
	if t.keys[slot] == 0 {
		t.n++
	}
	t.keys[slot], t.vals[slot] = key, rule
}

func (t *mergeTable) get(left, right int32) (mergeRule, bool) {
	slot, _ := t.slot(left, right)
	return t.vals[slot], t.keys[slot] != 0
}

// merger applies merges to a word's symbols: always the pair of lowest rank, the leftmost of equals. It is
// scratch space for one goroutine.
type merger struct {
	table *mergeTable
	ids   []int32
	ranks []uint32 // short words: rank of (i, i+1)
	prev  []int32  // long words: neighbours of symbol i
	next  []int32
	heap  []uint64 // rank<<32 | position of the left symbol
	steps int      // units of work done, counted for the near-linearity test
}

const (
	noRank = ^uint32(0)
	// shortWord is the most symbols for which a scan for the minimum beats a heap.
	shortWord = 48
)

// run merges m.ids in place and leaves the result there.
func (m *merger) run() {
	switch {
	case len(m.ids) < 2:
	case len(m.ids) <= shortWord:
		m.runScan()
	default:
		m.runHeap()
	}
}

func (m *merger) rank(i int) uint32 {
	if i+1 >= len(m.ids) {
		return noRank
	}
	if rule, ok := m.table.get(m.ids[i], m.ids[i+1]); ok {
		return rule.rank
	}
	return noRank
}

// runScan finds each minimum by a scan; quadratic, for short words.
func (m *merger) runScan() {
	m.ranks = m.ranks[:0]
	for i := range m.ids {
		m.ranks = append(m.ranks, m.rank(i))
	}
	for {
		m.steps += len(m.ids)
		best, at := noRank, -1
		for i, r := range m.ranks {
			if r < best {
				best, at = r, i
			}
		}
		if at < 0 {
			return
		}
		rule, _ := m.table.get(m.ids[at], m.ids[at+1])
		m.ids[at] = rule.result
		m.ids = append(m.ids[:at+1], m.ids[at+2:]...)
		m.ranks = append(m.ranks[:at+1], m.ranks[at+2:]...)
		m.ranks[at] = m.rank(at)
		if at > 0 {
			m.ranks[at-1] = m.rank(at - 1)
		}
	}
}

// runHeap keeps the pairs in a heap: O(n log n) for a word of n symbols. Pairs that a merge has undone stay
// in the heap and are dropped when they surface: their rank no longer is that of the pair at the place.
func (m *merger) runHeap() {
	n := len(m.ids)
	m.prev, m.next, m.heap = m.prev[:0], m.next[:0], m.heap[:0]
	for i := range n {
		m.prev = append(m.prev, int32(i-1))
		m.next = append(m.next, int32(i+1))
		if r := m.rank(i); r != noRank {
			m.heap = append(m.heap, uint64(r)<<32|uint64(i))
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	for len(m.heap) > 0 {
		top := m.heap[0]
		last := len(m.heap) - 1
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
		m.down(0)
		at := int(uint32(top))
		right := int(m.next[at])
		if m.ids[at] < 0 || right >= n {
			continue
		}
		rule, ok := m.table.get(m.ids[at], m.ids[right])
		if !ok || rule.rank != uint32(top>>32) {
			continue
		}
		m.ids[at], m.ids[right] = rule.result, -1
		m.next[at] = m.next[right]
		if after := int(m.next[at]); after < n {
			m.prev[after] = int32(at)
			m.push(at, after)
		}
		if before := int(m.prev[at]); before >= 0 {
			m.push(before, at)
		}
	}
	kept := m.ids[:0]
	for _, id := range m.ids {
		if id >= 0 {
			kept = append(kept, id)
		}
	}
	m.ids = kept
}

func (m *merger) push(left, right int) {
	rule, ok := m.table.get(m.ids[left], m.ids[right])
	if !ok {
		return
	}
	m.heap = append(m.heap, uint64(rule.rank)<<32|uint64(left))
	for i := len(m.heap) - 1; i > 0; {
		m.steps++
		up := (i - 1) / 2
		if m.heap[up] <= m.heap[i] {
			break
		}
		m.heap[up], m.heap[i] = m.heap[i], m.heap[up]
		i = up
	}
}

func (m *merger) down(i int) {
	for {
		m.steps++
		child := 2*i + 1
		if child >= len(m.heap) {
			return
		}
		if child+1 < len(m.heap) && m.heap[child+1] < m.heap[child] {
			child++
		}
		if m.heap[i] <= m.heap[child] {
			return
		}
		m.heap[i], m.heap[child] = m.heap[child], m.heap[i]
		i = child
	}
}
