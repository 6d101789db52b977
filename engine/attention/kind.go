package attention

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is a rule that turns the scores of one query into weights over its keys.
type Kind uint8

const (
	// Softmax is e^(x_i-m) / Σ e^(x_j-m).
	Softmax Kind = iota
	// Softpick is ReLU(e^(x_i-m)-e^(-m)) / (Σ |e^(x_j-m)-e^(-m)| + ε)
	// (arXiv 2504.20966, the numerically safe form).
	Softpick
	// Rectified is softpick without the absolute value in the denominator: the
	// ablation of arXiv 2504.20966.
	Rectified
	// MaskedSoftmax is softmax over the keys whose score is at least zero; all
	// weights are zero where there are none.
	MaskedSoftmax
	// SoftmaxPlusOne is e^(x_i-m) / (e^(-m) + Σ e^(x_j-m)).
	SoftmaxPlusOne
	// Sink is e^(x_i-m) / (e^(b-m) + Σ e^(x_j-m)), b a learned number of each head
	// (gpt_oss): a key without a value.
	Sink
)

// Rule is how a key's score x becomes its weight's numerator w and its part d of
// the denominator, with e = e^(x-m) and f = e^(-m). Kernels write the rules;
// kinds that differ in the denominator's end alone share one.
type Rule uint8

const (
	Exponential Rule = iota // w = d = e
	Difference              // w = max(e-f, 0), d = |e-f|
	Positive                // w = d = max(e-f, 0)
	NonNegative             // w = d = e where x >= 0, else 0
	Rules                   // their number
)

// Definition is all that makes a kind. A newcomer is a row of Definitions; with a
// rule of its own it is also a case of Rule.Weigh here, of the kernels' weigh and
// of its gradient, each of which the conformance tests ask for.
type Definition struct {
	Name string
	Rule Rule
	// FromZero starts the running maximum at 0, not at -inf: e^(-m) then cannot
	// overflow, and where every score is below zero rectified weights are zero anyway.
	FromZero bool
	// The denominator's end, once all keys are summed:
	Epsilon float32 // added
	One     bool    // e^(-m) is added: a key of score 0 without a value
	Learned bool    // e^(b-m) is added, b learned for each head
}

// Epsilon is the ε of softpick's and rectified's denominators.
const Epsilon = 1e-6

// Definitions are all the kinds there are: Definitions[k] is that of Kind k.
var Definitions = []Definition{
	Softmax:        {Name: "softmax", Rule: Exponential},
	Softpick:       {Name: "softpick", Rule: Difference, FromZero: true, Epsilon: Epsilon},
	Rectified:      {Name: "rectified", Rule: Positive, FromZero: true, Epsilon: Epsilon},
	MaskedSoftmax:  {Name: "masked-softmax", Rule: NonNegative, FromZero: true},
	SoftmaxPlusOne: {Name: "softmax-plus-one", Rule: Exponential, FromZero: true, One: true},
	Sink:           {Name: "sink", Rule: Exponential, Learned: true},
}

// Definition is the kind's row. It panics for a kind that is none.
func (k Kind) Definition() *Definition { return &Definitions[k] }

// String returns the kind's name as users write it.
func (k Kind) String() string {
	if int(k) >= len(Definitions) {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return Definitions[k].Name
}

// Kinds returns every kind, in a fixed order.
func Kinds() []Kind {
	all := make([]Kind, len(Definitions))
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Spec is a kind and what is done besides.
type Spec struct {
	Kind Kind
	// Scaled multiplies queries by s[head]·ln(position+2) before, position counted
	// from zero (Scalable-Softmax and the paper's Scalable-Softpick).
	Scaled bool
	// Gated multiplies the output, component by component, by the sigmoid of a
	// linear map of the layer's normed input (arXiv 2505.06708).
	Gated bool
}

const (
	scaledPrefix = "scaled-"
	gatedPrefix  = "gated-"
)

// String returns the name that Parse reads, such as "scaled-softpick"; gated
// softmax is "gated".
func (s Spec) String() string {
	if s == (Spec{Gated: true}) {
		return strings.TrimSuffix(gatedPrefix, "-")
	}
	name := s.Kind.String()
	if s.Scaled {
		name = scaledPrefix + name
	}
	if s.Gated {
		name = gatedPrefix + name
	}
	return name
}

// Parse reads a kind's name, with "scaled-" in front for its scaled form and
// "gated-" before that for its gated one; "gated" alone is gated softmax.
func Parse(name string) (Spec, error) {
	if name+"-" == gatedPrefix {
		return Spec{Gated: true}, nil
	}
	base, gated := strings.CutPrefix(name, gatedPrefix)
	base, scaled := strings.CutPrefix(base, scaledPrefix)
	i := slices.IndexFunc(Definitions, func(d Definition) bool { return d.Name == base })
	if i < 0 {
		return Spec{}, fmt.Errorf("unknown attention kind %q: want one of %s", name, Names())
	}
	return Spec{Kind: Kind(i), Scaled: scaled, Gated: gated}, nil
}

// Names says in help and errors what Parse reads.
func Names() string {
	var names strings.Builder
	for _, d := range Definitions {
		names.WriteString(d.Name + ", ")
	}
	return fmt.Sprintf("%sgated, or one of these after %q or %q", &names, scaledPrefix, gatedPrefix)
}
