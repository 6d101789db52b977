package engine

import "slices"

// joined is a forest whose chains of only children are one node each, and where
// its scores belong. What a chain computes is the same to the bit: only the
// number of segments, spans and tiles is smaller, by which the cost of a chain of
// many short nodes grows with its square.
type joined struct {
	given  *Forest
	forest *Forest
	place  []int32             // of each node given, in the joined forest; nil: there are no chains
	last   []int32             // of each joined node, the last of the chain it was made of
	scored map[int][]scoredRef // of each chain under way, whose Scored each of its own is
}

// scoredRef is a Scored of the forest as it was given.
type scoredRef struct{ node, scored int }

// join makes one node of each chain: a node with an only child, and nothing to
// decode between the two. A forest without chains is taken as it is.
func join(f *Forest) *joined {
	children := make([]int32, len(f.Nodes))
	for i := range f.Nodes {
		if p := f.Nodes[i].Parent; p >= 0 {
			children[p]++
		}
	}
	goesOn := func(n *Node) bool {
		return n.Parent >= 0 && children[n.Parent] == 1 && f.Nodes[n.Parent].Generate == 0
	}
	nodes := 0
	for i := range f.Nodes {
		if !goesOn(&f.Nodes[i]) {
			nodes++
		}
	}
	j := &joined{given: f, forest: f}
	if nodes == len(f.Nodes) {
		return j
	}
	j.forest = &Forest{Nodes: make([]Node, 0, nodes), Ask: j.ask}
	j.place, j.last, j.scored = make([]int32, len(f.Nodes)), make([]int32, 0, nodes), map[int][]scoredRef{}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if goesOn(n) {
			at := j.place[n.Parent]
			to := &j.forest.Nodes[at]
			to.Tokens, to.Generate, to.Top = append(to.Tokens, n.Tokens...), n.Generate, n.Top
			j.place[i], j.last[at] = at, int32(i)
			continue
		}
		j.place[i] = int32(len(j.forest.Nodes))
		// Clipped, so that the forest as it was given is not written to.
		made := Node{Parent: -1, Tokens: slices.Clip(n.Tokens), Generate: n.Generate, Top: n.Top}
		if n.Parent >= 0 {
			made.Parent = int(j.place[n.Parent])
		}
		j.forest.Nodes = append(j.forest.Nodes, made)
		j.last = append(j.last, int32(i))
	}
	return j
}

// ask lists what is scored of a joined node: what is of its chain's.
func (j *joined) ask(at int) []Scored {
	var chain []int // its last node first
	for n := int(j.last[at]); n >= 0 && int(j.place[n]) == at; n = j.given.Nodes[n].Parent {
		chain = append(chain, n)
	}
	var scored []Scored
	var refs []scoredRef
	base := 0
	for _, n := range slices.Backward(chain) {
		for k, s := range j.given.scored(n) {
			scored = append(scored, Scored{Row: base + s.Row, Targets: s.Targets, Top: s.Top})
			refs = append(refs, scoredRef{n, k})
		}
		base += len(j.given.Nodes[n].Tokens)
	}
	j.scored[at] = refs
	return scored
}

// options are o with callbacks that speak of the forest as it was given.
func (j *joined) options(o RunOptions) RunOptions {
	if j.place == nil {
		return o
	}
	if score := o.Score; score != nil {
		o.Score = func(node, scored int, s Score) error {
			refs := j.scored[node]
			if scored == len(refs)-1 {
				delete(j.scored, node)
			}
			return score(refs[scored].node, refs[scored].scored, s)
		}
	}
	if generated := o.Generated; generated != nil {
		o.Generated = func(node int, tokens []int32) error { return generated(int(j.last[node]), tokens) }
	}
	if decoded := o.Decoded; decoded != nil {
		o.Decoded = func(node int, best []Candidate) { decoded(int(j.last[node]), best) }
	}
	if enough := o.Enough; enough != nil {
		o.Enough = func(node int, decoded []int32) bool { return enough(int(j.last[node]), decoded) }
	}
	return o
}
