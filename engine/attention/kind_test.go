package attention

import (
	"math"
	"testing"
)

// Every kind has a name, a rule with a formula, and is read back by its name in
// every form.
func TestEveryKindIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		d := k.Definition()
		if d.Name == "" || seen[d.Name] || d.Rule >= Rules {
			t.Errorf("kind %d: name %q, rule %d", k, d.Name, d.Rule)
		}
		seen[d.Name] = true
		for _, s := range []Spec{{Kind: k}, {Kind: k, Scaled: true}, {Kind: k, Gated: true}, {Kind: k, Scaled: true, Gated: true},
			{Kind: k, Cap: 30}, {Kind: k, Cap: 0.25, Scaled: true}, {Kind: k, Cap: 1e-7, Gated: true}, {Kind: k, Cap: 1e20, Scaled: true, Gated: true}} {
			if got, err := Parse(s.String()); err != nil || got != s {
				t.Errorf("%q is read as %+v, %v", s, got, err)
			}
		}
	}
	for r := range Rules {
		r.Weigh(1, 1, 1) // panics without a formula
	}
	for _, bad := range []string{"", "softpik", "scaled-", "gated-", "scaled-gated-softmax", "gated-gated-softmax",
		"softcap", "softcap-", "softcap-30-", "gated-softcap-30-", "softcap-0", "softcap--1", "softcap-1e99", "softcap-1e-99", "softcap-Inf", "softcap-NaN", "softcap-x-softpick",
		"scaled-softcap-30-softpick", "softcap-30-gated", "softcap-1-softcap-2"} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

// The formulas of each kind, worked out by hand for three scores.
func TestWeightsByHand(t *testing.T) {
	e := math.Exp
	scores := []float64{math.Log(3), -math.Log(2), 0} // e^x: 3, 1/2, 1
	for kind, want := range map[Kind][]float64{
		Softmax:        {3 / 4.5, 0.5 / 4.5, 1 / 4.5},
		Softpick:       {2 / 2.5, 0, 0},
		Rectified:      {1, 0, 0},
		MaskedSoftmax:  {3.0 / 4, 0, 1.0 / 4},
		SoftmaxPlusOne: {3 / 5.5, 0.5 / 5.5, 1 / 5.5},
		Sink:           {3 / (4.5 + e(2)), 0.5 / (4.5 + e(2)), 1 / (4.5 + e(2))},
	} {
		got := make([]float64, 3)
		Weights(kind, got, scores, 2)
		for i := range got {
			if math.Abs(got[i]-want[i]) > 3e-6 {
				t.Errorf("%s: weight %d is %v, want %v", kind, i, got[i], want[i])
			}
		}
	}
	if len(Kinds()) != 6 {
		t.Errorf("%d kinds, six were worked out", len(Kinds()))
	}
}
