package attention

import (
	"fmt"
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
	kinds
)

// Epsilon is the ε of softpick's and rectified's denominators. It is added
// once, after all keys of a query are summed.
const Epsilon = 1e-6

var names = [kinds]string{"softmax", "softpick", "rectified", "masked-softmax", "softmax-plus-one"}

// String returns the kind's name as users write it.
func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return names[k]
}

// Kinds returns every kind, in a fixed order.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Spec is a kind, and whether queries are first multiplied by
// s[head]·ln(position+2), position counted from zero (Scalable-Softmax and the
// paper's Scalable-Softpick).
type Spec struct {
	Kind   Kind
	Scaled bool
}

const scaledPrefix = "scaled-"

// String returns the name that Parse reads, such as "scaled-softpick".
func (s Spec) String() string {
	if s.Scaled {
		return scaledPrefix + s.Kind.String()
	}
	return s.Kind.String()
}

// Parse reads a kind's name, with "scaled-" in front for its scaled form.
func Parse(name string) (Spec, error) {
	base, scaled := strings.CutPrefix(name, scaledPrefix)
	for i, n := range names {
		if n == base {
			return Spec{Kind: Kind(i), Scaled: scaled}, nil
		}
	}
	return Spec{}, fmt.Errorf("unknown attention kind %q: want one of %s, or one of these after %q",
		name, strings.Join(names[:], ", "), scaledPrefix)
}
