package engine

import "fmt"

// A Forest is a set of token sequences that share prefixes. A sequence is the
// path from a root to a node; what two sequences have in common is computed
// once.
type Forest struct {
	// Nodes lists the forest's edges of tokens, every parent before its
	// children. They are run depth first, children in the order listed.
	Nodes []Node
	// Ask, where not nil, lists what is scored of a node when the node is begun, in the
	// place of the nodes' Scored: for a large forest, whose rows then lie in memory only
	// while they are computed. It is called once for each node.
	Ask func(node int) []Scored
}

// scored lists what is asked of a node that is begun.
func (f *Forest) scored(node int) []Scored {
	if f.Ask != nil {
		return f.Ask(node)
	}
	return f.Nodes[node].Scored
}

// Node extends its parent's sequence.
type Node struct {
	// Parent is the index of an earlier node, or -1.
	Parent int
	// Tokens extends the sequence; at least one.
	Tokens []int32
	// Scored lists the rows whose next token is scored, Row increasing.
	Scored []Scored
	// Generate is the number of tokens to decode greedily after the node's last
	// token, at most: RunOptions.Enough may end it before.
	Generate int
	// Top, where not 0, asks with Generate for the log-probability of each decoded token and for
	// so many of the most probable ones in its place: see RunOptions.Decoded.
	Top int
}

// Scored asks for the distribution of the token after Tokens[Row] of a node.
type Scored struct {
	Row int
	// Targets are the token ids whose log-probabilities are wanted.
	Targets []int32
	// Top asks for so many of the most probable tokens, at most MaxTop and no more than the device
	// gives (Description.Top).
	Top int
}

// MaxTop bounds how many of a row's most probable tokens may be asked for.
const MaxTop = 20

// Candidate is a token that may come next.
type Candidate struct {
	Token int32
	// LogProb is its natural log-probability, to the bit what a target's is.
	LogProb float32
}

// Score is the answer to a Scored.
type Score struct {
	// LogProbs are the natural log-probabilities of the targets, from a
	// log-softmax over the whole vocabulary.
	LogProbs []float32
	// Argmax is the most probable token; the lowest id where several are.
	Argmax int32
	// Best are the Top most probable tokens, the most probable first and of equal ones the lowest
	// id; fewer where the vocabulary has not as many.
	Best []Candidate
	// Others are of the models beside it, in a Model that Beside made.
	Others []Other
}

// Tokens is the number of distinct prefix tokens: what Run computes, without
// those it generates.
func (f *Forest) Tokens() int64 {
	var n int64
	for i := range f.Nodes {
		n += int64(len(f.Nodes[i].Tokens))
	}
	return n
}

func (f *Forest) validate(vocab, top int) error {
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Parent < -1 || n.Parent >= i {
			return fmt.Errorf("forest node %d: parent %d is not an earlier node", i, n.Parent)
		}
		if len(n.Tokens) == 0 {
			return fmt.Errorf("forest node %d: no tokens", i)
		}
		for _, t := range n.Tokens {
			if t < 0 || int(t) >= vocab {
				return fmt.Errorf("forest node %d: token id %d is outside the vocabulary of %d", i, t, vocab)
			}
		}
		if err := f.validateScored(i, n.Scored, vocab, top); err != nil {
			return err
		}
	}
	return nil
}

func (f *Forest) validateScored(node int, scored []Scored, vocab, most int) error {
	last := -1
	if err := validateTop(f.Nodes[node].Top, most); err != nil {
		return fmt.Errorf("forest node %d: %w", node, err)
	}
	for _, s := range scored {
		if err := validateTop(s.Top, most); err != nil {
			return fmt.Errorf("forest node %d, row %d: %w", node, s.Row, err)
		}
		if s.Row <= last || s.Row >= len(f.Nodes[node].Tokens) {
			return fmt.Errorf("forest node %d: scored row %d is out of order or range", node, s.Row)
		}
		last = s.Row
		for _, t := range s.Targets {
			if t < 0 || int(t) >= vocab {
				return fmt.Errorf("forest node %d: target id %d is outside the vocabulary of %d", node, t, vocab)
			}
		}
	}
	return nil
}

// validateTop refuses more candidates than the device gives.
func validateTop(top, most int) error {
	if top < 0 || top > most {
		return fmt.Errorf("the %d most probable tokens are asked for: this device gives %d", top, most)
	}
	return nil
}
