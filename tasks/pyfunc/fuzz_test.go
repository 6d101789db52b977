package pyfunc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks/py"
)

func run(t *testing.T, source string, args ...py.Value) (py.Value, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "utils.py")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := (&Loader{}).Load(file)
	if err != nil {
		return nil, err
	}
	f, err := m.Function("f")
	if err != nil {
		return nil, err
	}
	return f.Call(args...)
}

// What functions of task files do, as Python does it.
func TestFunctionsGiveWhatPythonGives(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"def f():\n    return [f'{k}. {v}' for k, v in zip('AB', ['x', 'y'])]\n", "['A. x', 'B. y']"},
		{"import re\nP = re.compile(r'\\[.*?\\]')\ndef f():\n    s = P.sub('', 'a [b] c')\n    return s.replace('  ', ' ').strip()\n", "'a c'"},
		{"from functools import partial\ndef g(a, b=2, *c, **d):\n    return a + b + len(c)\nf = partial(g, 1)\n", "3"},
		{"X = {n: i for i, n in enumerate(['p', 'q'])}\ndef f():\n    out = ''\n    for k in ['q', 'p']:\n        if X[k] == 0:\n            continue\n        out += f'{X[k]:>3}|'\n    else:\n        out += '.'\n    return out\n", "'  1|.'"},
		{"def f():\n    try:\n        return int('x')\n    except ValueError:\n        return -1\n", "-1"},
		{"def f():\n    a, *b = [1, 2, 3]\n    b.sort(key=lambda x: -x)\n    return a, b, 'é%s' % a, '{0[1]} {x:.2f}'.format([5, 6], x=1.5)\n", "(1, [3, 2], 'é1', '6 1.50')"},
		{"def g(d, subject):\n    return subject\nfs = {f'f{s}': (lambda: 7) for s in ['']}\nglobals().update(fs)\n", "7"},
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
}

// What is not understood is refused when the function is loaded, with file and line.
func TestFunctionsNotUnderstoodAreRefused(t *testing.T) {
	for _, source := range []string{
		"import os\ndef f():\n    return os.getenv('HOME')\n", "def f():\n    return open('/etc/passwd').read()\n", "import random\ndef f():\n    return random.random()\n",
		"def f():\n    with x as y:\n        pass\n", "def f():\n    return eval('1')\n", "def f():\n    yield 1\n", "def f():\n    class a:\n        pass\n    return a()\n", "class a(list):\n    pass\ndef f():\n    return a()\n", "@cache\ndef f():\n    return 1\n", "def f(:\n", "def f():\n    return [1, 2].__class__\n",
		"def f():\n    return __import__('os')\n",
	} {
		if v, err := run(t, source); err == nil {
			t.Errorf("%s gives %v", source, v)
		} else if !strings.Contains(err.Error(), "utils.py:") {
			t.Errorf("%s: the error %q names no line", source, err)
		}
	}
	for _, source := range []string{"def f():\n    while True:\n        pass\n", "def f():\n    return f()\n", "def f():\n    s = 'ab'\n    for i in range(1000):\n        s = s + s\n    return s\n"} {
		if _, err := run(t, source); err == nil {
			t.Errorf("%s ends without an error", source)
		}
	}
}

// No code panics or hangs.
func FuzzFunction(f *testing.F) {
	f.Add("def f():\n    return [x for x in range(3) if x]\n")
	f.Add("A = {'a': 1}\ndef f(*a, **k):\n    return f\"{A['a']!r:>4}\" + 'x' % ()\n")
	f.Add("f = lambda x=1: x if x else None\n")
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1<<12 {
			t.Skip("longer than functions are")
		}
		_, _ = run(t, source)
	})
}
