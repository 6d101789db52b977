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
}

// step leads from a node (-1: from nowhere, to a root) by a first token.
type step struct {
	node  int
	token int32
}

type trieNode struct {
	parent   int
	tokens   []int32
	children []int
	rows     map[int]*scoredRow
	pending  []*pending // decoding requests that end here
	generate int
	index    int // in the engine's forest
	scored   []*scoredRow
}

// scoredRow is a row whose next token some requests ask for.
type scoredRow struct {
	row     int
	targets []int32
	asked   [][]asked // for each target
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
			t.add(node, tokens)
			return
		}
		have := t.nodes[c].tokens
		n := common(have, tokens)
		if n < len(have) {
			t.split(c, n)
		}
		node, tokens = c, tokens[n:]
	}
}

func (t *trie) add(parent int, tokens []int32) {
	id := len(t.nodes)
	t.nodes = append(t.nodes, trieNode{parent: parent, tokens: tokens})
	t.next[step{parent, tokens[0]}] = id
	if parent >= 0 {
		t.nodes[parent].children = append(t.nodes[parent].children, id)
	}
}

// split cuts a node after n tokens; the tail becomes its only child.
func (t *trie) split(id, n int) {
	tail := len(t.nodes)
	node := t.nodes[id]
	t.nodes = append(t.nodes, trieNode{parent: id, tokens: node.tokens[n:], children: node.children})
	for _, c := range node.children {
		first := t.nodes[c].tokens[0]
		delete(t.next, step{id, first})
		t.next[step{tail, first}] = c
		t.nodes[c].parent = tail
	}
	t.next[step{id, node.tokens[n]}] = tail
	t.nodes[id].tokens = node.tokens[:n]
	t.nodes[id].children = []int{tail}
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
	node, row := -1, 0 // row: of the next input in node
	for i, token := range w.tokens[:len(w.tokens)-1] {
		if node < 0 || row == len(t.nodes[node].tokens) {
			node = t.next[step{node, token}]
			row = 0
		}
		if i+1 >= w.from {
			t.ask(node, row, w.tokens[i+1], asked{q, index, i + 1})
		}
		row++
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
	at := slices.Index(r.targets, target)
	if at < 0 {
		at = len(r.targets)
		r.targets = append(r.targets, target)
		r.asked = append(r.asked, nil)
	}
	r.asked[at] = append(r.asked[at], a)
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

// forest lists the trie depth first for the engine.
func (t *trie) forest() *engine.Forest {
	f := &engine.Forest{}
	var walk func(id, parent int)
	order := make([]int, 0, len(t.nodes))
	walk = func(id, parent int) {
		n := &t.nodes[id]
		n.index = len(f.Nodes)
		order = append(order, id)
		for _, r := range n.rows {
			n.scored = append(n.scored, r)
		}
		slices.SortFunc(n.scored, func(a, b *scoredRow) int { return a.row - b.row })
		node := engine.Node{Parent: parent, Tokens: n.tokens, Generate: n.generate}
		for _, r := range n.scored {
			node.Scored = append(node.Scored, engine.Scored{Row: r.row, Targets: r.targets})
		}
		f.Nodes = append(f.Nodes, node)
		for _, c := range n.children {
			walk(c, n.index)
		}
	}
	for id := range t.nodes {
		if t.nodes[id].parent < 0 {
			walk(id, -1)
		}
	}
	reordered := make([]trieNode, len(order))
	for i, id := range order {
		reordered[i] = t.nodes[id]
	}
	t.nodes = reordered // from here on indexed as the forest is
	return f
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
