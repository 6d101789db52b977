package pyfunc

import (
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks/py"
)

// Parts of the library and of packages, as Python 3.11, numpy and scipy have them.
func TestPackagesGiveWhatPythonGives(t *testing.T) {
	const assign = `import numpy as np
from scipy.optimize import linear_sum_assignment
def solve(costs):
    m = np.zeros([len(costs), len(costs[0])])
    for i, row in enumerate(costs):
        for j, c in enumerate(row):
            m[i, j] = c
    rows, columns = linear_sum_assignment(-m)
    return [int(r) for r in rows], [int(c) for c in columns]
def f():
    return solve(%)
`
	for _, c := range []struct{ source, want string }{
		{strings.Replace(assign, "%", "[[0.5], [0.4], [0.5]]", 1), "([0], [0])"},
		{strings.Replace(assign, "%", "[[0, 0.5, 0.25], [0.4, 0, 0.25], [0, 0.5, 0.5]]", 1), "([0, 1, 2], [1, 0, 2])"},
		{strings.Replace(assign, "%", "[[0.25, 0.5], [1, 0], [1, 0.25], [0, 0.4]]", 1), "([0, 1], [1, 0])"},
		{strings.Replace(assign, "%", "[[0.25, 0.25, 0.4, 0.25, 0.5, 0.5], [0, 0.5, 0.5, 0.25, 0.25, 0.5]]", 1), "([0, 1], [4, 1])"},
		{strings.Replace(assign, "%", "[[0.25, 0.5, 0.5, 0.25, 0.5], [0.25, 0, 0.25, 1, 1], [0.5, 0.25, 0.25, 0, 0], [0.25, 0.25, 0.25, 0.25, 0.5], [0.5, 0.25, 1, 0.4, 0.4]]", 1), "([0, 1, 2, 3, 4], [1, 3, 0, 4, 2])"},
		{"import numpy as np\ndef f():\n    v = np.zeros([8])\n    v[0] = max(v[0], 0.2)\n    return [round(np.mean(v), 2), round(0.025, 2)]\n", "[0.02, 0.03]"}, // numpy's number rounds its own way
		{`from collections import defaultdict
from itertools import chain
def f():
    d = defaultdict(int)
    d["a"] += 2
    d["b"] += 1
    return [sum(d.values()), list(d.items()), len(d), "z" in d, list(chain([1], (2, 3), "a")), list(chain.from_iterable([[1], [2]])), next(k for k in {"x": 1, "Answer": 2} if k.lower() == "answer"), next((k for k in []), 7)]
`, "[3, [('a', 2), ('b', 1)], 2, False, [1, 2, 3, 'a'], [1, 2], 'Answer', 7]"},
		{"import os\nimport sys\nimport unicodedata\ndef f():\n    return [os.path.join('a', 'b/', 'c'), os.path.join('a', '/b'), [unicodedata.category(c) for c in 'aA1 .$'], unicodedata.category(chr(0xd801)), sys.maxunicode]\n",
			"['a/b/c', '/b', ['Ll', 'Lu', 'Nd', 'Zs', 'Po', 'Sc'], 'Cs', 1114111]"},
		{"import sys\nimport unicodedata\nMARKS = {chr(i) for i in range(sys.maxunicode) if unicodedata.category(chr(i)).startswith('P')}\ndef f():\n    return [c in MARKS for c in '.a。’1']\n", "[True, False, True, True, False]"},
		{`import transformers.data.metrics.squad_metrics as squad_metrics
from lm_eval.api.metrics import metric_max_over_ground_truths
def f():
    return [squad_metrics.compute_exact("The red door.", "red  DOOR"), squad_metrics.compute_f1("red door", "a red barn door"), squad_metrics.compute_f1("the", ""), metric_max_over_ground_truths(squad_metrics.compute_f1, "red door", ["blue", "red"])]
`, "[1, 0.8, 1.0, 0.6666666666666666]"},
	} {
		v, err := run(t, c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if got, _ := py.Repr(v); got != c.want {
			t.Errorf("%s gives %s, not %s", c.source, got, c.want)
		}
	}
	for source, want := range map[string]string{
		"def f():\n    g = [1, 2]\n    return next(g)\n":                                            "next of what is no generator",
		"def f():\n    return next(k for k in [])\n":                                                "StopIteration",
		"import numpy as np\ndef f():\n    return np.zeros([2, 2, 2])\n":                            "3 dimensions",
		"import numpy as np\ndef f():\n    m = np.zeros([2, 2])\n    m[2, 0] = 1\n":                 "out of bounds",
		"import numpy as np\ndef f():\n    return np.mean(np.zeros([2])) + 1\n":                     "is not understood",
		"import unicodedata\ndef f():\n    return unicodedata.category('ab')\n":                     "a unicode character",
		"from collections import defaultdict\ndef f():\n    return defaultdict(int)[[1]]\n":         "TypeError",
		"def f():\n    return [c for c in {'a', 'b'}]\n":                                            "the order of a set",
		"def f():\n    out = ''\n    for c in {'a', 'b', 'c'}:\n        out += c\n    return out\n": "the order of a set",
		"ALL = list({'a', 'b'})\ndef f():\n    return len(ALL)\n":                                   "the order of a set",
	} {
		if v, err := run(t, source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, %v; want %q", source, v, err, want)
		}
	}
}

// A set may be looped over where what follows is the same whatever its order.
func TestSetsInAnyOrder(t *testing.T) {
	for source, want := range map[string]string{
		"def f():\n    return sorted(list({'b', 'c', 'a'}))\n":                                                                       "['a', 'b', 'c']",
		"def f():\n    n = set()\n    for w in {'1', 'x', '2'}:\n        if w.isdigit():\n            n.add(w)\n    return len(n)\n": "2",
		"NAMES = sorted({'b', 'a'})\ndef f():\n    return NAMES\n":                                                                   "['a', 'b']",
		"def f():\n    return ''.join({'a'})\n":                                                                                      "a",
	} {
		v, err := run(t, source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, _ := py.Str(v); got != want {
			t.Errorf("%s gives %s, not %s", source, got, want)
		}
	}
	// A call that changes its argument changes it once.
	list := py.NewList()
	if v, err := run(t, "def f(l):\n    for w in {1, 2}:\n        l.append(0)\n    return len(l)\n", list); err != nil || v != int64(2) || len(list.Items) != 0 {
		t.Errorf("%v, %v, and the list has %d", v, err, len(list.Items))
	}
}
