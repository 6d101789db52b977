package lm

import (
	"slices"

	"github.com/softbench/softbench/engine"
)

// trie is the forest while it grows. Children keep the order in which requests
// brought them, so results come in about the order asked.
type trie struct {
	nodes []trieNode
	next  map[step]int // the child that begins with a token
	links int          // writes to next, for tests: what building costs
}

// step leads from a node (-1: from nowhere, to a root) by a first token.
type step struct {
	node  int
	token int32
}

type trieNode struct {
	parent   int
	tokens   []int32
	rank     int // among its siblings: the number of the path that brought it
	rows     map[int]*scoredRow
	pending  []*pending // decoding requests that end here
	generate int
	scored   []*scoredRow
}

// scoredRow is a row whose next token some requests ask for.
type scoredRow struct {
	row     int
	targets []int32
	place   map[int32]int // of each target, where there are many
	asked   [][]asked     // for each target
}

type asked struct {
	request *pending
	window  int
	seen    int // tokens before the scored one
}

func newTrie() *trie { return &trie{next: map[step]int{}} }

// insert adds a path, splitting nodes where it leaves them. All inserts come
// before the first score or generate.
func (t *trie) insert(tokens []int32) {
	node := -1
	for len(tokens) > 0 {
		c, ok := t.next[step{node, tokens[0]}]
		if !ok {
			t.add(node, tokens, len(t.nodes))
			return
		}
		have := t.nodes[c].tokens
		n := common(have, tokens)
		if n < len(have) {
			c = t.split(c, n)
		}
		node, tokens = c, tokens[n:]
	}
}

func (t *trie) add(parent int, tokens []int32, rank int) int {
	id := len(t.nodes)
	t.nodes = append(t.nodes, trieNode{parent: parent, tokens: tokens, rank: rank})
	t.link(parent, id)
	return id
}

func (t *trie) link(parent, child int) {
	t.next[step{parent, t.nodes[child].tokens[0]}] = child
	t.links++
}

// split cuts a node after n tokens and returns the new node with those; the node
// itself becomes the tail and keeps its children, however many.
func (t *trie) split(id, n int) (head int) {
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

// score asks for the window's tokens from w.from on.
func (t *trie) score(w window, q *pending, index int) {
	inputs := w.tokens[:len(w.tokens)-1]
	for node, start := -1, 0; start < len(inputs); start += len(t.nodes[node].tokens) {
		node = t.next[step{node, inputs[start]}]
		for i := max(start, w.from-1); i < min(len(inputs), start+len(t.nodes[node].tokens)); i++ {
			t.ask(node, i-start, w.tokens[i+1], asked{q, index, i + 1})
		}
	}
}

func (t *trie) ask(node, row int, target int32, a asked) {
	n := &t.nodes[node]
	if n.rows == nil {
		n.rows = map[int]*scoredRow{}
	}
	r := n.rows[row]
	if r == nil {
		r = &scoredRow{row: row}
		n.rows[row] = r
	}
	at := r.find(target)
	r.asked[at] = append(r.asked[at], a)
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
func (t *trie) generate(tokens []int32, q *pending) {
	node := -1
	for len(tokens) > 0 {
		node = t.next[step{node, tokens[0]}]
		tokens = tokens[len(t.nodes[node].tokens):]
	}
	n := &t.nodes[node]
	n.pending = append(n.pending, q)
	n.generate = max(n.generate, q.generate)
}

// forest lists the trie depth first for the engine. From here on the trie's nodes
// are numbered as the forest's.
func (t *trie) forest() *engine.Forest {
	f := &engine.Forest{Nodes: make([]engine.Node, 0, len(t.nodes))}
	children, roots := t.children()
	index := make([]int, len(t.nodes)) // in the forest
	nodes := make([]trieNode, 0, len(t.nodes))
	stack := slices.Clone(roots)
	slices.Reverse(stack)
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, c := range slices.Backward(children[id]) {
			stack = append(stack, c)
		}
		n := t.nodes[id]
		for _, r := range n.rows {
			n.scored = append(n.scored, r)
		}
		slices.SortFunc(n.scored, func(a, b *scoredRow) int { return a.row - b.row })
		node := engine.Node{Parent: -1, Tokens: n.tokens, Generate: n.generate}
		if n.parent >= 0 {
			node.Parent = index[n.parent]
		}
		for _, r := range n.scored {
			node.Scored = append(node.Scored, engine.Scored{Row: r.row, Targets: r.targets})
		}
		index[id] = len(f.Nodes)
		f.Nodes, nodes = append(f.Nodes, node), append(nodes, n)
	}
	t.nodes = nodes
	return f
}

// children lists the children of each node, and the roots, in the order in which
// requests brought them.
func (t *trie) children() (children [][]int, roots []int) {
	order := make([]int, len(t.nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return t.nodes[a].rank - t.nodes[b].rank })
	children = make([][]int, len(t.nodes))
	for _, id := range order {
		if p := t.nodes[id].parent; p >= 0 {
			children[p] = append(children[p], id)
		} else {
			roots = append(roots, id)
		}
	}
	return children, roots
}

// deliver adds a row's log-probabilities to the requests that asked for them.
// Rows of one path come in ascending order, so each sum has one order.
func (t *trie) deliver(node, scored int, s engine.Score, maxLength int) error {
	r := t.nodes[node].scored[scored]
	for i, list := range r.asked {
		for _, a := range list {
			sum := &a.request.sums[a.window]
			sum.logLikelihood += float64(s.LogProbs[i])
			sum.greedy = sum.greedy && s.Argmax == r.targets[i]
			if sum.byPosition != nil {
				b := &sum.byPosition[min(PositionBuckets-1, (a.seen-1)*PositionBuckets/maxLength)]
				b.LogLikelihood += float64(s.LogProbs[i])
				b.Tokens++
			}
			if sum.left--; sum.left > 0 {
				continue
			}
			if a.request.left--; a.request.left == 0 {
				if err := a.request.done(a.request); err != nil {
					return err
				}
			}
		}
	}
	r.asked = nil
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
		for _, r := range t.nodes[id].scored {
			for _, list := range r.asked {
				for _, a := range list {
					if id != node || r.row >= row {
						take(a.request.index)
					}
				}
			}
		}
		for _, q := range t.nodes[id].pending {
			take(q.index)
		}
		if first >= 0 {
			return first, true
		}
	}
	return 0, false
}

// generated hands decoded tokens to those who asked.
func (t *trie) generated(node int, tokens []int32) error {
	for _, q := range t.nodes[node].pending {
		q.windows[0].tokens = slices.Clone(tokens[:q.generate])
		if err := q.done(q); err != nil {
			return err
		}
	}
	return nil
}
