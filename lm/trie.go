package lm

import (
	"slices"

	"github.com/softbench/softbench/engine"
)

// trie is the forest while it grows. Children keep the order in which requests
// brought them, so results come in about the order asked. It may have as many nodes
// as there are requests, and many rows to each: of what is asked a node keeps who
// asks, and rows are made of it when the engine comes to the node.
type trie struct {
	nodes []trieNode
	next  map[step]int32                 // the child that begins with a token
	links int                            // writes to next, for tests: what building costs
	order []int32                        // the nodes as the engine knows them
	begun map[int][]*scoredRow           // the rows of the engine's nodes under way
	ends  map[int32][]*pending           // decoding requests, by the node that they go on from
	said  map[int32][][]engine.Candidate // of each token decoded after a node, where that is asked for

	beside besides // what models beside the first one say
}

// step leads from a node (-1: from nowhere, to a root) by a first token.
type step struct{ node, token int32 }

type trieNode struct {
	tokens   []int32
	asks     []ask
	parent   int32
	rank     int32 // among its siblings: the number of the path that brought it
	generate int32
	top      int32 // candidates of each decoded token
}

// place is where the inputs of a window lie: it ends with a node, whichever nodes are
// split after it was inserted.
type place struct {
	leaf   int32
	inputs int32 // tokens from the root to the leaf's last
	from   int32 // the first of the window's tokens that is scored
	target int32 // its last token, which is no input
}

// ask is what a window asks of a node: of the rows from..to the token that comes
// next, which is the node's own, or target after the last row.
type ask struct {
	request  *pending
	window   int32
	from, to int32
	before   int32 // tokens of the path before the node
	target   int32
}

// scoredRow is a row whose next token some requests ask for.
type scoredRow struct {
	row     int
	top     int // candidates
	targets []int32
	place   map[int32]int // of each target, where there are many
	asked   [][]*ask      // for each target
}

func newTrie() *trie {
	return &trie{next: map[step]int32{}, begun: map[int][]*scoredRow{}, ends: map[int32][]*pending{}, said: map[int32][][]engine.Candidate{}}
}

// insert adds a path, splitting nodes where it leaves them, and returns the node it
// ends with. All inserts come before the first score or generate.
func (t *trie) insert(tokens []int32) (leaf int32) {
	node := int32(-1)
	for len(tokens) > 0 {
		c, ok := t.next[step{node, tokens[0]}]
		if !ok {
			// A copy: a path's tokens may be the tail of a long text's.
			return t.add(node, slices.Clone(tokens), int32(len(t.nodes)))
		}
		have := t.nodes[c].tokens
		n := common(have, tokens)
		if n < len(have) {
			c = t.split(c, n)
		}
		node, tokens = c, tokens[n:]
	}
	return node
}

func (t *trie) add(parent int32, tokens []int32, rank int32) int32 {
	id := int32(len(t.nodes))
	t.nodes = append(t.nodes, trieNode{parent: parent, tokens: tokens, rank: rank})
	t.link(parent, id)
	return id
}

func (t *trie) link(parent, child int32) {
	t.next[step{parent, t.nodes[child].tokens[0]}] = child
	t.links++
}

// split cuts a node after n tokens and returns the new node with those; the node
// itself becomes the tail and keeps its children, however many.
func (t *trie) split(id int32, n int) (head int32) {
	node := t.nodes[id]
	head = t.add(node.parent, node.tokens[:n], node.rank)
	t.nodes[id].parent, t.nodes[id].tokens = head, node.tokens[n:]
	t.link(head, id)
	return head
}

func common(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// score asks for a window's tokens.
func (t *trie) score(q *pending, window int) {
	at := q.windows[window].place
	target := at.target
	for node, end := at.leaf, at.inputs; node >= 0 && end >= at.from; node = t.nodes[node].parent {
		n := &t.nodes[node]
		start := end - int32(len(n.tokens))
		n.asks = append(n.asks, ask{
			request: q, window: int32(window), from: max(start, at.from-1) - start, to: end - start, before: start, target: target,
		})
		end, target = start, n.tokens[0]
	}
}

// rows lists what is asked of a node, by row.
func (n *trieNode) rows() []*scoredRow {
	rows := make([]*scoredRow, len(n.tokens))
	for i := range n.asks {
		a := &n.asks[i]
		for row := a.from; row < a.to; row++ {
			if rows[row] == nil {
				rows[row] = &scoredRow{row: int(row)}
			}
			target := a.target
			if row < a.to-1 {
				target = n.tokens[row+1]
			}
			rows[row].top = max(rows[row].top, a.request.top())
			at := rows[row].find(target)
			rows[row].asked[at] = append(rows[row].asked[at], a)
		}
	}
	return slices.DeleteFunc(rows, func(r *scoredRow) bool { return r == nil })
}

// ask begins a node: it lists for the engine what is asked of it.
func (t *trie) ask(node int) []engine.Scored {
	rows := t.nodes[t.order[node]].rows()
	scored := make([]engine.Scored, len(rows))
	for i, r := range rows {
		scored[i] = engine.Scored{Row: r.row, Targets: r.targets, Top: r.top}
	}
	if len(rows) > 0 {
		t.begun[node] = rows
	}
	return scored
}

// find returns a target's place, a new one where it has none. A few are looked
// through; many, as of a row after which any of a vocabulary is asked, are not.
func (r *scoredRow) find(target int32) int {
	const few = 16
	if r.place == nil {
		if at := slices.Index(r.targets, target); at >= 0 {
			return at
		}
	} else if at, ok := r.place[target]; ok {
		return at
	}
	at := len(r.targets)
	r.targets = append(r.targets, target)
	r.asked = append(r.asked, nil)
	switch {
	case r.place != nil:
		r.place[target] = at
	case len(r.targets) > few:
		r.place = make(map[int32]int, 2*few)
		for i, t := range r.targets {
			r.place[t] = i
		}
	}
	return at
}

// generate asks for decoding after a path.
func (t *trie) generate(q *pending) {
	leaf := q.windows[len(q.windows)-1].leaf
	t.ends[leaf] = append(t.ends[leaf], q)
	t.nodes[leaf].generate = max(t.nodes[leaf].generate, int32(q.prompt.generate))
	if q.sequence != nil { // at least one candidate, the token itself
		t.nodes[leaf].top = max(t.nodes[leaf].top, int32(q.top()), 1)
	}
}

// forest lists the trie depth first for the engine, which knows its nodes by their
// place in order from here on.
func (t *trie) forest() *engine.Forest {
	t.next = nil
	f := &engine.Forest{Nodes: make([]engine.Node, 0, len(t.nodes)), Ask: t.ask}
	first, next, root := t.children()
	t.order = make([]int32, 0, len(t.nodes))
	index := make([]int32, len(t.nodes)) // in the forest
	for id := root; id >= 0; {
		n := &t.nodes[id]
		node := engine.Node{Parent: -1, Tokens: n.tokens, Generate: int(n.generate), Top: int(n.top)}
		if n.parent >= 0 {
			node.Parent = int(index[n.parent])
		}
		index[id] = int32(len(t.order))
		t.order, f.Nodes = append(t.order, id), append(f.Nodes, node)
		if first[id] >= 0 {
			id = first[id]
			continue
		}
		for id >= 0 && next[id] < 0 { // up to where something is left
			id = t.nodes[id].parent
		}
		if id >= 0 {
			id = next[id]
		}
	}
	return f
}

// children gives of each node the first child and the next sibling, in the order in
// which requests brought them, and the first root; -1 where there is none.
func (t *trie) children() (first, next []int32, root int32) {
	order := make([]int32, len(t.nodes))
	first, next, root = make([]int32, len(t.nodes)), make([]int32, len(t.nodes)), -1
	for i := range order {
		order[i], first[i] = int32(i), -1
	}
	slices.SortStableFunc(order, func(a, b int32) int { return int(t.nodes[a].rank) - int(t.nodes[b].rank) })
	for _, id := range slices.Backward(order) {
		if p := t.nodes[id].parent; p >= 0 {
			next[id], first[p] = first[p], id
		} else {
			next[id], root = root, id
		}
	}
	return first, next, root
}

// deliver adds a row's log-probabilities to the requests that asked for them.
// Rows of one path come in ascending order, so each sum has one order.
func (t *trie) deliver(node, scored int, s engine.Score, maxLength int) error {
	rows := t.begun[node]
	r := rows[scored]
	if scored == len(rows)-1 {
		delete(t.begun, node)
		t.nodes[t.order[node]].asks = nil
	}
	for i, list := range r.asked {
		for _, a := range list {
			sum, bucket := &a.request.windows[a.window], -1
			seen := int(a.before) + r.row + 1 // tokens before the scored one
			if a.request.rolling {
				bucket = min(PositionBuckets-1, (seen-1)*PositionBuckets/maxLength)
			}
			sum.add(s.LogProbs[i], s.Argmax == r.targets[i], bucket)
			if a.request.sequence != nil {
				a.request.sequence.add(r.targets[i], s.LogProbs[i], s.Best)
			}
			if len(s.Others) > 0 {
				t.beside.add(sum, &s, i, r.targets[i], seen, bucket)
			}
			if sum.left--; sum.left > 0 {
				continue
			}
			if a.request.left--; a.request.left == 0 {
				if err := a.request.finish(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// asks finds a request that is computed with the token of a node at a position of
// its path: of those that ask for what comes after it, the first.
func (t *trie) asks(node int, f *engine.Forest, position int) (request int, ok bool) {
	if node < 0 || node >= len(t.nodes) {
		return 0, false
	}
	row := position
	for p := f.Nodes[node].Parent; p >= 0; p = f.Nodes[p].Parent {
		row -= len(f.Nodes[p].Tokens)
	}
	below := map[int]bool{node: true}
	for id := node; id < len(t.nodes) && (id == node || below[f.Nodes[id].Parent]); id++ { // depth first
		below[id] = true
		first := -1
		take := func(i int) {
			if first < 0 || i < first {
				first = i
			}
		}
		for _, a := range t.nodes[t.order[id]].asks {
			if id != node || int(a.to) > row {
				take(int(a.request.index))
			}
		}
		for _, q := range t.ends[t.order[id]] {
			take(int(q.index))
		}
		if first >= 0 {
			return first, true
		}
	}
	return 0, false
}

// enough says whether all who asked for what comes after a node have theirs.
func (t *trie) enough(node int, tokens []int32) bool {
	all := true
	for _, q := range t.ends[t.order[node]] {
		q.prompt.take(tokens)
		all = all && q.prompt.ended
	}
	return all
}

// generated hands decoded tokens to those who asked.
func (t *trie) generated(node int, tokens []int32) error {
	said := t.said[t.order[node]]
	delete(t.said, t.order[node])
	for _, q := range t.ends[t.order[node]] {
		q.prompt.take(tokens)
		if q.sequence != nil {
			q.sequence.decoded(q.prompt.generated, said)
		}
		if q.left--; q.left > 0 {
			continue
		}
		if err := q.finish(); err != nil {
			return err
		}
	}
	return nil
}

// decoded takes the candidates of the next token decoded after a node.
func (t *trie) decoded(node int, best []engine.Candidate) {
	at := t.order[node]
	t.said[at] = append(t.said[at], best)
}
