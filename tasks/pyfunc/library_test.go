package pyfunc

import (
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks/py"
)

// numpy's arrays, Counters and other parts of the library, as Python 3.11 and numpy have them.
func TestLibraryGivesWhatPythonGives(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`import numpy as np
def f():
    ll = np.array([-1.5, -2.25, -0.5, -3.0])
    labels = np.array([1, 0, 1, 0])
    p = np.exp(ll[labels == 1])
    q = np.exp(ll[labels == 0])
    x = sum(p / (sum(p) + sum(q)))
    return [round(x, 12), int(np.argmax(ll / np.array([1.0, 2.0, 3.0, 4.0]))), int(np.argmax([1, 3, 3])), np.mean([1, 2, 4]), np.sum([1, 2]), len(ll)]
`, "[0.842426006114, 2, 1, 2.3333333333333335, 3, 4]"},
		{"import numpy as np\ndef f():\n    return np.sum(np.array([0.1*i for i in range(300)]))\n", "4485.0"}, // one after the other they are 4485.000000000003
		{`from collections import Counter
def f():
    c = Counter("a b a c".split()) & Counter(["a", "a", "b", "d"])
    return [sum(c.values()), Counter("abca").most_common(2), Counter("aab")["z"]]
`, "[3, [('a', 2), ('b', 1)], 0]"},
		{`from itertools import zip_longest
import math, hashlib, json, unicodedata
def f():
    return [list(zip_longest([1, 2], "a")), hashlib.sha256("é".encode("utf-8")).hexdigest()[:8], json.loads('{"a": [1, 2.5, null]}'), unicodedata.normalize("NFKC", "ﬁ①"), math.e, (3.0).is_integer(), (3.5).is_integer(), {1, 2}.isdisjoint([3]), {1}.isdisjoint({1})]
`, "[[(1, 'a'), (2, None)], '4a99557e', {'a': [1, 2.5, None]}, 'fi1', 2.718281828459045, True, False, True, False]"},
		{"def f():\n    return [round(2.5), round(-1.5), round(2.675, 2), round(0.125, 2), round(7)]\n", "[2, -2, 2.67, 0.12, 7]"},
		{"def f():\n    return len('é東'.encode('utf-8'))\n", "5"},
		{"import os\ndef f():\n    return os.getenv('SOFTBENCH_NO_SUCH_VARIABLE', True) is True\n", "True"},
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
	t.Setenv("SOFTBENCH_SET", "1")
	for _, source := range []string{
		"import os\ndef f():\n    return os.getenv('SOFTBENCH_SET', True)\n", // the task would be another one by it
		"import numpy as np\ndef f():\n    return np.array([[1, 2], [3, 4]])\n",
		"import numpy as np\ndef f():\n    return np.array(['a'])\n",
		"import numpy as np\ndef f():\n    return np.array([1, 2]) + np.array([1])\n",
		"from collections import Counter\ndef f():\n    return Counter('a') + {'a': 1}\n",
		"import hashlib\ndef f():\n    return hashlib.sha256('a').hexdigest()\n",
	} {
		if v, err := run(t, source); err == nil {
			t.Errorf("%s gives %v", source, v)
		}
	}
}

// Of several things that are not understood the first is named, always: lists of reasons can be compared.
func TestFirstRefusal(t *testing.T) {
	for range 20 {
		_, err := run(t, "import numpy as np\n\ndef f(doc):\n    return np.round(doc,\n        np.int32,\n        np.log1p)\n")
		if err == nil || !strings.Contains(err.Error(), "numpy.round") {
			t.Fatalf("%v; want numpy.round", err)
		}
	}
}
