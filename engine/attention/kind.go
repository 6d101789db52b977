package attention

import (
	"fmt"
	"math"
	"slices"
	"strconv"
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
	// Cap, c, makes c·tanh(x/c) of every scaled score x before the kind weighs it
	// (logit soft cap: Gemma 2, Grok); 0: the scores stay as they are.
	Cap float32
}

const (
	scaledPrefix = "scaled-"
	gatedPrefix  = "gated-"
	capPrefix    = "softcap-" // and the number
)

// String returns the name that Parse reads, such as "scaled-softpick" or
// "gated-softcap-30-sink"; gated softmax is "gated", capped softmax "softcap-30".
func (s Spec) String() string {
	var forms []string
	if s.Gated {
		forms = append(forms, strings.TrimSuffix(gatedPrefix, "-"))
	}
	if s.Cap != 0 {
		forms = append(forms, capPrefix+strconv.FormatFloat(float64(s.Cap), 'f', -1, 32))
	}
	if s.Scaled {
		forms = append(forms, strings.TrimSuffix(scaledPrefix, "-"))
	}
	if s.Kind != Softmax || s.Scaled || len(forms) == 0 {
		forms = append(forms, s.Kind.String())
	}
	return strings.Join(forms, "-")
}

// Parse reads a kind's name. In front of it may stand, in this order, "gated-" for
// the gated form, "softcap-" with a number and "-" for scores with a soft cap, and
// "scaled-" for the scaled form. "gated", "softcap-30" and "gated-softcap-30" alone
// are of softmax.
func Parse(name string) (Spec, error) {
	var s Spec
	rest := name
	if after, ok := strings.CutPrefix(rest+"-", gatedPrefix); ok {
		s.Gated, rest = true, strings.TrimSuffix(after, "-")
	}
	if after, ok := strings.CutPrefix(rest, capPrefix); ok {
		number, after, _ := strings.Cut(after, "-")
		c, err := strconv.ParseFloat(number, 32)
		if err != nil || !(c > 0) || math.IsInf(c, 0) || float32(c) == 0 {
			return Spec{}, fmt.Errorf("attention kind %q: a soft cap of %q: want a number above zero, as in %s30", name, number, capPrefix)
		}
		s.Cap, rest = float32(c), after
	}
	if rest == "" && (s.Gated || s.Cap != 0) && !strings.HasSuffix(name, "-") {
		return s, nil
	}
	rest, s.Scaled = strings.CutPrefix(rest, scaledPrefix)
	i := slices.IndexFunc(Definitions, func(d Definition) bool { return d.Name == rest })
	if i < 0 {
		return Spec{}, fmt.Errorf("unknown attention kind %q: want one of %s", name, Names())
	}
	s.Kind = Kind(i)
	return s, nil
}

// Names says in help and errors what Parse reads.
func Names() string {
	var names strings.Builder
	for _, d := range Definitions {
		names.WriteString(d.Name + ", ")
	}
	return fmt.Sprintf("%sgated, %s30 (a soft cap of the scores), or one of these after %q, %q or %q", &names, capPrefix, scaledPrefix, capPrefix+"30-", gatedPrefix)
}
