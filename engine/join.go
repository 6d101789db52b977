package engine

// joined is a forest whose chains of only children are one node each, and where
// its scores belong. What a chain computes is the same to the bit: only the
// number of segments, spans and tiles is smaller, by which the cost of a chain of
// many short nodes grows with its square.
type joined struct {
	forest *Forest
	last   []int         // of each node, the last of the chain it was made of
	scored [][]scoredRef // of each node, whose Scored each of its own is
}

// scoredRef is a Scored of the forest as it was given.
type scoredRef struct{ node, scored int }

// join makes one node of each chain: a node with an only child, and nothing to
// decode between the two.
func join(f *Forest) *joined {
	children := make([]int32, len(f.Nodes))
	for i := range f.Nodes {
		if p := f.Nodes[i].Parent; p >= 0 {
			children[p]++
		}
	}
	j := &joined{forest: &Forest{}}
	place := make([]int, len(f.Nodes)) // of each node, in the joined forest
	var owned []bool                   // the joined node's slices are its own
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if p := n.Parent; p >= 0 && children[p] == 1 && f.Nodes[p].Generate == 0 {
			place[i] = place[p]
			j.extend(place[i], i, n, !owned[place[i]])
			owned[place[i]] = true
			continue
		}
		place[i] = len(j.forest.Nodes)
		made := Node{Parent: -1, Tokens: n.Tokens, Scored: n.Scored, Generate: n.Generate}
		if n.Parent >= 0 {
			made.Parent = place[n.Parent]
		}
		refs := make([]scoredRef, len(n.Scored))
		for k := range refs {
			refs[k] = scoredRef{i, k}
		}
		j.forest.Nodes = append(j.forest.Nodes, made)
		j.last, j.scored, owned = append(j.last, i), append(j.scored, refs), append(owned, false)
	}
	return j
}

// extend puts node i, which is n, behind a joined node; clip keeps the forest as
// it was given from being written to.
func (j *joined) extend(at, i int, n *Node, clip bool) {
	to := &j.forest.Nodes[at]
	if clip {
		to.Tokens, to.Scored = to.Tokens[:len(to.Tokens):len(to.Tokens)], to.Scored[:len(to.Scored):len(to.Scored)]
	}
	base := len(to.Tokens)
	to.Tokens = append(to.Tokens, n.Tokens...)
	for k, s := range n.Scored {
		to.Scored = append(to.Scored, Scored{Row: base + s.Row, Targets: s.Targets})
		j.scored[at] = append(j.scored[at], scoredRef{i, k})
	}
	to.Generate, j.last[at] = n.Generate, i
}

// options are o with callbacks that speak of the forest as it was given.
func (j *joined) options(o RunOptions) RunOptions {
	if score := o.Score; score != nil {
		o.Score = func(node, scored int, s Score) error {
			ref := j.scored[node][scored]
			return score(ref.node, ref.scored, s)
		}
	}
	if generated := o.Generated; generated != nil {
		o.Generated = func(node int, tokens []int32) error { return generated(j.last[node], tokens) }
	}
	return o
}
