package jinja

import (
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/tasks/py"
)

// longest is what one template may take, with much to spare: its steps are bounded, whatever it says.
const longest = 60 * time.Second

// names are those of a document.
func names(name string) (py.Value, bool) {
	switch name {
	case "s":
		return "A word, and\nanother: été 🙂", true
	case "l":
		return py.NewList("b", "a", int64(3), py.NewList("x")), true
	case "n":
		return int64(7), true
	case "d":
		d := py.NewDict()
		d.Set("text", py.Strings([]string{"one", "two"}))
		d.Set("label", int64(1))
		return d, true
	}
	return nil, false
}

// What a template costs is bounded however it is written: each of these would take hours, and ends with an error.
func TestCostlyTemplatesEnd(t *testing.T) {
	for _, source := range []string{
		`{% for i in range(1000000) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}`,
		`{% set x = "ab" * 30000000 %}{% for i in range(1000000) %}{% set y = x.replace("a", "b") %}{% endfor %}`,
		`{% set x = "ab" * 30000000 %}{% for i in range(1000000) %}{% if "c" in x %}{% endif %}{% endfor %}`,
		`{% set x = "ab" * 30000000 %}{% for i in range(1000000) %}{% set y = x[1] %}{% endfor %}`,
		`{% set x = "ab" * 30000000 %}{% for i in range(1000000) %}{% set y = x | upper %}{% endfor %}`,
		`{% set x = "ab" * 30000000 %}{% for i in range(1000000) %}{% set y = x ~ i %}{% endfor %}`,
		`{% set x = [1] * 1000000 %}{% for i in x %}{% for j in x %}{% if x == x %}{% endif %}{% endfor %}{% endfor %}`,
		`{% macro m(n) %}{{ m(n + 1) ~ m(n + 1) }}{% endmacro %}{{ m(0) }}`,
		`{{ "a" * 1000000000 }}`, `{{ range(1000000000000) | list }}`, `{{ 10 ** 1000000000 }}`,
		strings.Repeat("{% for i in range(100) %}", 60) + "x" + strings.Repeat("{% endfor %}", 60),
		strings.Repeat("(", 100000), "{{ " + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + " }}", "{{ " + strings.Repeat("-", 100000) + "1 }}",
		"{{ " + strings.Repeat("not ", 100000) + "1 }}", "{{ " + strings.Repeat("[", 50000) + " }}",
	} {
		for _, o := range []Options{Harness, ForChat} {
			if tm, err := Parse(source, o); err == nil {
				if _, err := tm.Render(names); err == nil {
					if len(source) > 1000 {
						continue
					}
					t.Errorf("%.80s: it ends without an error", source)
				}
			}
		}
	}
}

// No template panics, hangs, or gives an error of more than one line.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		`Q: {{s.strip()}}\nA:`, `{% for x in l %}{{loop.index}}. {{x}}{% if not loop.last %}, {% endif %}{% endfor %}`, `{{['a','b'][n % 2]}} {{d.text.index("two")}}`,
		`{% set ns = namespace(x=0) %}{% for i in range(n) %}{% set ns.x = ns.x + i %}{% endfor %}{{ns.x}}`, `{% macro f(a, b=2) -%}{{a}}-{{b}}{%- endmacro %}{{f(1)}}{{f(1, b=3)}}`,
		`{{ d | tojson(indent=2) }}{% call(x) f() %}{{x}}{% endcall %}`, `{% raw %}{{ }}{% endraw %}{# c #}{{ s[1:-1:2] | replace("a", "b") | title }}`,
		`{% if s is defined and n is odd or l is iterable %}{{ l | map("string") | join(", ") }}{% elif x %}{% else %}{% endif %}`, `{% filter upper %}a{{s|regex_replace("[0-9]+", "")}}{% endfilter %}`,
		`{{ raise_exception("no") }}{% break %}`, `{% with a = 1, b = a %}{{ a ~ b }}{% endwith %}{{ l | selectattr("x", "eq", 1) | list }}`, `{{ not -+1 ** 2 // 3 }}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1<<12 {
			t.Skip("longer than templates are")
		}
		start := time.Now()
		for _, o := range []Options{Harness, ForChat} {
			tm, err := Parse(source, o)
			if err == nil {
				_, err = tm.Render(names)
			}
			_ = err
		}
		if took := time.Since(start); took > longest {
			t.Errorf("it takes %v", took)
		}
	})
}
