package jinja

import (
	"strings"
	"testing"
)

// Texts and errors as Jinja2 3.1 in transformers' environment has them: what an unknown filter costs
// depends on where it stands, and what is false has nothing to select from.
func TestChatFilters(t *testing.T) {
	for source, want := range map[string]string{
		`{{ [3,1,2]|min }}{{ [3,1,2]|max }}{{ ['b','A','a']|min }}{{ ['b','A','B']|max }}{{ ['b','A']|min(true) }}`:    "13AbA",
		`{{ ([{'n':2,'m':1},{'n':1,'m':2}]|min(attribute='n')).m }}{{ []|max }}.`:                                      "2.",
		`{{ none|select|list }}{{ 0|map('upper')|list }}{{ nothing|selectattr('x')|list }}{{ ''|reject('odd')|list }}`: "[][][][]",
		`{{ '{}-{:>3}{a[0]}{{'.format('x', 7, a=['y']) }}`:                                                             "x-  7y{",
		`{{ '{:03d} {:.2f} {1}'.format(7, 2) }}`:                                                                       "error: numbers some fields",
		`{{ '{}'.format(nothing) }}`:                                                                                   "error: undefined",
		`{% if false %}{{ 1|from_json }}{% endif %}a`:                                                                  "a",
		`{% if true %}{{ 1|from_json }}{% endif %}a`:                                                                   `error: the filter "from_json" is not understood`,
		`{% if true %}a{% elif 1|from_json %}{% else %}{{ 1|from_json }}{% endif %}`:                                   "a",
		`{% set x = 1|from_json if false else 2 %}{{ x }}`:                                                             "2",
		`{{ (1 if true else 2|from_json) }}`:                                                                           "1",
		`{% if false %}{% for i in 1|from_json %}{% endfor %}{% endif %}a`:                                             "a",
		`{% if false %}{% for i in [] %}{{ 1|from_json }}{% endfor %}{% endif %}`:                                      `parse: the filter "from_json" is not understood`,
		`{% if false %}{% set x %}{{ 1|from_json }}{% endset %}{% endif %}`:                                            `parse: the filter "from_json" is not understood`,
		`{% if false %}{% filter from_json %}{% endfilter %}{% endif %}`:                                               `parse: the filter "from_json" is not understood`,
		`{% if false %}{% endif %}{{ 1|from_json }}`:                                                                   `parse: the filter "from_json" is not understood`,
	} {
		tmpl, err := Parse(source, ForChat)
		if message, fails := strings.CutPrefix(want, "parse: "); fails || err != nil {
			if err == nil || !fails || !strings.Contains(err.Error(), message) {
				t.Errorf("%s: %v, want %q", source, err, want)
			}
			continue
		}
		got, err := tmpl.Render(names)
		if message, fails := strings.CutPrefix(want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s is %q, %v, want %q", source, got, err, want)
			}
		} else if err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", source, got, err, want)
		}
	}
	if _, err := Parse(`{% if false %}{{ 1|from_json }}{% endif %}`, Harness); err == nil {
		t.Error("a task's template with an unknown filter is taken")
	}
}
