package engine

import (
	"fmt"
	"slices"
)

// schedule walks a forest depth first and cuts the stream of rows into batches.
//
// A batch may hold a node's tail, its children and theirs: each layer writes
// the keys and values of all rows before any row attends. So any stream in
// which parents come first may be cut anywhere, and at a cut only the nodes on
// the current path, and those still decoding, hold memory.
type schedule struct {
	backend Backend
	forest  *Forest
	vocab   int
	opts    RunOptions
	batch   Batch
	stats   Stats

	stack    []int        // nodes to start, next one last
	children siblings     // of each node, in order
	heavy    []int32      // of each node, the child with most nodes below it, or -1
	pending  []int32      // of each node, its unfinished children, plus one for itself
	state    []*nodeState // of the nodes that are begun and not finished
	current  int          // node partly run, or -1
	decoding []int        // nodes that have prompts behind them and tokens to decode
	live     int64        // bytes of keys and values
	windows  []int        // of the layers, for counting
	early    bool         // whether a batch is under way whose end frees memory

	heads []headRef // what each of batch.Heads is for
}

type nodeState struct {
	segment  Segment
	bytes    int64
	path     []Segment // root first, own segment last
	start    int       // absolute position of the first token
	done     int       // rows run
	scored   []Scored
	nextHead int // first of scored not yet run
	decoded  []int32
}

// siblings lists the children of each node: the first one, and after each the next; -1
// where there is none.
type siblings struct{ first, next []int32 }

func newSiblings(f *Forest) (c siblings, roots []int) {
	c.first, c.next = make([]int32, len(f.Nodes)), make([]int32, len(f.Nodes))
	for i := len(f.Nodes) - 1; i >= 0; i-- {
		c.first[i], c.next[i] = -1, -1
		if p := f.Nodes[i].Parent; p < 0 {
			roots = append(roots, i)
		}
	}
	for i := len(f.Nodes) - 1; i >= 0; i-- {
		if p := f.Nodes[i].Parent; p >= 0 {
			c.next[i], c.first[p] = c.first[p], int32(i)
		}
	}
	return c, roots
}

// headRef says whose score a HeadRow is: the scored-th of a node, or with
// scored == nextToken the node's next decoded token.
type headRef struct{ node, scored int }

const nextToken = -1

func newSchedule(b Backend, f *Forest, vocab int, o RunOptions) *schedule {
	s := &schedule{backend: b, forest: f, vocab: vocab, opts: o, current: -1, windows: b.Describe().Windows}
	s.children, s.stack = newSiblings(f)
	s.heavy = heaviest(f)
	s.pending = make([]int32, len(f.Nodes))
	s.state = make([]*nodeState, len(f.Nodes))
	for i := range f.Nodes {
		s.pending[i]++
		if p := f.Nodes[i].Parent; p >= 0 {
			s.pending[p]++
		}
	}
	return s
}

// fill makes the next batch; false means that nothing is left.
func (s *schedule) fill() (bool, error) {
	b := &s.batch
	b.Tokens, b.Spans, b.Heads, s.heads = b.Tokens[:0], b.Spans[:0], b.Heads[:0], s.heads[:0]
	b.Observer = s.opts.Observer
	for _, id := range s.decoding {
		s.addDecodeRow(id)
	}
	for len(b.Tokens) < s.opts.BatchTokens {
		if s.current < 0 {
			started, err := s.startNode()
			if err != nil {
				return false, err
			}
			if !started {
				break
			}
		}
		s.addRows()
	}
	return len(b.Tokens) > 0, nil
}

// heaviest is, of each node, the child with most nodes below it; -1 without any.
func heaviest(f *Forest) []int32 {
	size, heavy := make([]int32, len(f.Nodes)), make([]int32, len(f.Nodes))
	for i := len(f.Nodes) - 1; i >= 0; i-- {
		size[i]++
		if p := f.Nodes[i].Parent; p >= 0 {
			size[p] += size[i]
		}
		heavy[i] = -1
	}
	for i := range f.Nodes {
		if p := f.Nodes[i].Parent; p >= 0 && (heavy[p] < 0 || size[i] > size[heavy[p]]) {
			heavy[p] = int32(i)
		}
	}
	return heavy
}

// extend is a parent's path with room for a child's segment. One child, the
// heaviest, goes on in the parent's own memory, so that the paths of a deep tree,
// of which all ancestors are alive, take no more than a few times its depth.
func (s *schedule) extend(path []Segment, parent, child int) []Segment {
	if int(s.heavy[parent]) == child {
		return append(path, nil)
	}
	return append(append(make([]Segment, 0, len(path)+1), path...), nil)
}

// startNode takes the next node off the stack; false where there is none or
// its keys and values do not fit beside those alive.
func (s *schedule) startNode() (bool, error) {
	if len(s.stack) == 0 {
		return false, nil
	}
	id := s.stack[len(s.stack)-1]
	n, st := &s.forest.Nodes[id], &nodeState{}
	if n.Parent >= 0 {
		p := s.state[n.Parent]
		st.start = p.start + len(s.forest.Nodes[n.Parent].Tokens)
		st.path = s.extend(p.path, n.Parent, id)
	} else {
		st.path = make([]Segment, 1)
	}
	// Room for what the node will decode is held from the start, so that
	// decoding never has to stop half-way. The last token needs none.
	length := len(n.Tokens) + max(n.Generate-1, 0)
	need := s.backend.SegmentBytes(st.start, length)
	if s.opts.Memory > 0 && s.live+need > s.opts.Memory {
		if len(s.batch.Tokens) > 0 || s.early {
			return false, nil
		}
		return false, fmt.Errorf("a sequence of %d tokens needs %d MiB for its keys and values, more than the bound of %d MiB: %s",
			st.start+length, (s.live+need+1<<20-1)>>20, s.opts.Memory>>20, s.opts.remedy)
	}
	segment, err := s.backend.NewSegment(st.start, length)
	if err != nil {
		return false, err
	}
	s.stack = s.stack[:len(s.stack)-1]
	below := len(s.stack)
	for c := s.children.first[id]; c >= 0; c = s.children.next[c] {
		s.stack = append(s.stack, int(c))
	}
	slices.Reverse(s.stack[below:])
	st.segment, st.path[len(st.path)-1], st.bytes = segment, segment, need
	s.state[id] = st
	s.grow(need)
	st.scored = s.forest.scored(id)
	if s.forest.Ask != nil { // the others were looked at before the first
		if err := s.forest.validateScored(id, st.scored, s.vocab, s.backend.Describe().Top); err != nil {
			return false, err
		}
	}
	s.current = id
	return true, nil
}

// addRows moves rows of the current node into the batch.
func (s *schedule) addRows() {
	b, n, st := &s.batch, &s.forest.Nodes[s.current], s.state[s.current]
	take := min(s.opts.BatchTokens-len(b.Tokens), len(n.Tokens)-st.done)
	row := len(b.Tokens)
	b.Spans = append(b.Spans, Span{Node: s.current, Row: row, N: take, Position: st.start + st.done, Path: st.path})
	b.Tokens = append(b.Tokens, n.Tokens[st.done:st.done+take]...)
	for ; st.nextHead < len(st.scored) && st.scored[st.nextHead].Row < st.done+take; st.nextHead++ {
		q := &st.scored[st.nextHead]
		s.addHead(row+q.Row-st.done, q.Targets, q.Top, headRef{s.current, st.nextHead})
	}
	st.done += take
	if st.done < len(n.Tokens) {
		return
	}
	if n.Generate > 0 {
		s.addHead(row+take-1, nil, n.Top, headRef{s.current, nextToken})
	}
	s.current = -1
}

func (s *schedule) addHead(row int, targets []int32, top int, ref headRef) {
	s.batch.Heads = append(s.batch.Heads, HeadRow{Row: row, Targets: targets, LogProbs: make([]float32, len(targets)), Top: top})
	s.heads = append(s.heads, ref)
}

// addDecodeRow feeds a decoding node its latest token.
func (s *schedule) addDecodeRow(id int) {
	b, st := &s.batch, s.state[id]
	row := len(b.Tokens)
	at := st.start + len(s.forest.Nodes[id].Tokens) + len(st.decoded) - 1
	b.Spans = append(b.Spans, Span{Node: id, Row: row, N: 1, Position: at, Path: st.path})
	b.Tokens = append(b.Tokens, st.decoded[len(st.decoded)-1])
	s.addHead(row, nil, s.forest.Nodes[id].Top, headRef{id, nextToken})
}

// deliver hands out what a forward pass computed and frees what is finished.
func (s *schedule) deliver(b *Batch, heads []headRef) error {
	s.count(b)
	for i, ref := range heads {
		h := &b.Heads[i]
		if ref.scored == nextToken {
			s.state[ref.node].decoded = append(s.state[ref.node].decoded, h.Argmax)
			if h.Top > 0 && s.opts.Decoded != nil {
				s.opts.Decoded(ref.node, h.Best)
			}
		} else if s.opts.Score != nil {
			if err := s.opts.Score(ref.node, ref.scored, Score{LogProbs: h.LogProbs, Argmax: h.Argmax, Best: h.Best, Others: h.Others}); err != nil {
				return err
			}
		}
	}
	s.decoding = s.decoding[:0]
	for _, sp := range b.Spans {
		n, st := &s.forest.Nodes[sp.Node], s.state[sp.Node]
		switch {
		case sp.Position+sp.N < st.start+len(n.Tokens): // more of the prompt to come
		case len(st.decoded) < n.Generate && !s.enough(sp.Node, st.decoded):
			s.decoding = append(s.decoding, sp.Node)
		default:
			if n.Generate > 0 {
				s.stats.Ended += int64(len(st.decoded) - 1)
				s.stats.EndedOf += int64(n.Generate - 1)
			}
			if n.Generate > 0 && s.opts.Generated != nil {
				if err := s.opts.Generated(sp.Node, st.decoded); err != nil {
					return err
				}
			}
			s.finish(sp.Node)
		}
	}
	if s.opts.Progress != nil {
		return s.opts.Progress(s.stats)
	}
	return nil
}

// count adds a batch to what the run did.
func (s *schedule) count(b *Batch) {
	all, decoded := Work{}, Work{}
	for i := range b.Spans {
		sp := &b.Spans[i]
		all.span(s.windows, sp.Position, sp.N)
		if st := s.state[sp.Node]; len(st.decoded) > 0 { // the row of its latest token
			decoded.span(s.windows, sp.Position, sp.N)
			decoded.Heads++
		}
	}
	s.stats.Batches++
	s.stats.Tokens += all.Rows
	s.stats.Pairs += all.Pairs
	s.stats.Heads += int64(len(b.Heads))
	s.stats.Decoded = s.stats.Decoded.Plus(decoded)
}

// enough says whether a node that could decode more has what was wanted of it.
func (s *schedule) enough(node int, decoded []int32) bool {
	return s.opts.Enough != nil && s.opts.Enough(node, decoded)
}

// finish marks one part of a node done and frees it, and the ancestors it was
// the last to need, when nothing is left.
func (s *schedule) finish(id int) {
	for id >= 0 {
		if s.pending[id]--; s.pending[id] > 0 {
			return
		}
		s.state[id].segment.Release()
		s.live -= s.state[id].bytes
		s.state[id] = nil
		id = s.forest.Nodes[id].Parent
	}
}

func (s *schedule) grow(bytes int64) {
	s.live += bytes
	s.stats.PeakKV = max(s.stats.PeakKV, s.live)
}

func (s *schedule) releaseAll() {
	for _, st := range s.state {
		if st != nil {
			st.segment.Release()
		}
	}
}
