package textmetric

import (
	"strings"

	"github.com/softbench/softbench/tasks/given"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyregex"
)

// punctuation is Python's string.punctuation.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// exactMatch is 1 where both texts are the same, after what is to be ignored is taken out of both:
// expressions one after the other, case, ASCII's punctuation, ASCII's digits.
// lm-evaluation-harness: exact_match (exact_match_hf_evaluate).
func exactMatch(o *given.Options) (func(prediction, target string) (float64, error), error) {
	var steps []func(string) (string, error)
	for _, s := range o.Texts("regexes_to_ignore") {
		re, err := pyregex.Compile(s)
		if err != nil {
			return nil, err
		}
		steps = append(steps, re.Remove)
	}
	plain := func(on bool, f func(string) string) {
		if on {
			steps = append(steps, func(s string) (string, error) { return f(s), nil })
		}
	}
	plain(o.Boolean("ignore_case"), py.Lower)
	plain(o.Boolean("ignore_punctuation"), func(s string) string { return drop(s, punctuation) })
	plain(o.Boolean("ignore_numbers"), func(s string) string { return drop(s, "0123456789") })
	cleaned := func(s string) (_ string, err error) {
		for _, step := range steps {
			if s, err = step(s); err != nil {
				return "", err
			}
		}
		return s, nil
	}
	return func(prediction, target string) (float64, error) {
		p, err := cleaned(prediction)
		if err != nil {
			return 0, err
		}
		t, err := cleaned(target)
		return truth(p == t), err
	}, nil
}

// drop is a text without some characters.
func drop(s, characters string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(characters, r) {
			return -1
		}
		return r
	}, s)
}
