package pyfunc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks/py"
)

const filters = `import re
import sys
import unicodedata
from lm_eval.filters.extraction import Filter, RegexFilter

class Kept(RegexFilter):
    marks = dict.fromkeys(i for i in range(sys.maxunicode) if unicodedata.category(chr(i)).startswith("P"))

    def __init__(self, *args, lower=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.lower = lower

    def cleaned(self, s):
        if self.lower:
            s = s.lower()
        return s.translate(self.marks)

class Words(Kept):
    def apply(self, resps, docs):
        out = []
        for r, doc in zip(resps, docs):
            out.append([self.cleaned(resp) + "/" + doc["input"] for resp in r])
        return out

class Two(Filter):
    def apply(self, resps, docs):
        return [r + r for r in resps]

class Empty:
    pass

def f():
    k = Kept("b(.)", lower=True)
    return [k.cleaned("A. b!"), k.apply([["ab1 b2"]], [None]), k.group_select, k.fallback, isinstance(k, Kept), Empty().x]
`

// Classes of Python code: methods, values of the class and of the object, bases, super().
func TestClassesAreWhatPythonMakesOfThem(t *testing.T) {
	v, err := run(t, strings.Replace(filters, ", isinstance(k, Kept), Empty().x", "", 1))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := py.Repr(v); got != "['a b', [['1']], 0, '[invalid]']" {
		t.Error(got)
	}
	if v, err := run(t, filters); err == nil {
		t.Errorf("an attribute that is not there is %v", v)
	}
	for source, want := range map[string]string{
		"import collections\nclass A(collections.UserDict):\n    pass\ndef f():\n    return A()\n":        "made of collections.UserDict",
		"class A:\n    def g(self):\n        return self.gone.casefold()\ndef f():\n    return A().g()\n": `"casefold" is not understood`,
		"class A:\n    def __init__(self, a):\n        self.a = a\ndef f():\n    return A()\n":            "lacks its argument",
		"def f(x=1):\n    x.y = 2\n    return x\n":                                                        `"y" is not understood`,
		"class A:\n    def __init__(self):\n        super().__init__(1)\ndef f():\n    return A()\n":      "TypeError",
		"def f():\n    return super()\n":                                                                  "super",
	} {
		if v, err := run(t, source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, %v; want %q", source, v, err, want)
		}
	}
}

// A filter of a task's own takes one text for one.
func TestFiltersOfTasks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "utils.py")
	if err := os.WriteFile(file, []byte(filters), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := (&Loader{}).Load(file)
	if err != nil {
		t.Fatal(err)
	}
	filter := func(name string, options map[string]py.Value) (*Filter, error) {
		f, err := m.Function(name)
		if err != nil {
			t.Fatal(err)
		}
		return f.Filter(options)
	}
	doc := py.NewDict()
	doc.Set("input", "x")
	words, err := filter("Words", map[string]py.Value{"lower": true})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := words.Apply("So: YES.", doc); s != "so yes/x" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	kept, err := filter("Kept", nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"#### 1,200 and #### 3": "1,200", "none": "[invalid]"} {
		if s, err := kept.Apply(text, doc); s != want || err != nil {
			t.Errorf("%q takes %q, %v", text, s, err)
		}
	}
	two, err := filter("Two", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := two.Apply("a", doc); err == nil || !strings.Contains(err.Error(), "gives not one answer") {
		t.Errorf("%q, %v", s, err)
	}
	if _, err := filter("Empty", nil); err == nil || !strings.Contains(err.Error(), "no method apply") {
		t.Error(err)
	}
	if _, err := filter("Kept", map[string]py.Value{"color": "red"}); err == nil {
		t.Error("an option that the filter lacks is taken")
	}
}

// Numbers in words are what word2number 1.1 makes of them, its odd ones too.
func TestNumbersInWords(t *testing.T) {
	for text, want := range map[string]string{
		"twenty-three": "23", "three hundred and five thousand": "305000", "one million two hundred thousand": "1201200", "hundred": "100", "42": "42",
		"nine point five two": "9.52", "point ninety": "0", "eight eighteen eighty": "224", "two billion three": "2000000003", "five hundred million": "500000000",
	} {
		v, err := wordNumber(text)
		if got, _ := py.Repr(v); got != want || err != nil {
			t.Errorf("%q is %s, %v; word2number says %s", text, got, err, want)
		}
	}
	for _, text := range []string{"and", "", "thousand thousand", "thousand one million", "point one point two", "thousand two million"} {
		if v, err := wordNumber(text); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
}
