package jinja

import (
	"strings"
	"testing"
)

// Texts as Jinja2 3.1 makes them.
func TestDictsort(t *testing.T) {
	for source, want := range map[string]string{
		`{{ {'b':1,'A':3,'c':2}|dictsort }}`:                                                                        "[('A', 3), ('b', 1), ('c', 2)]",
		`{{ {'b':1,'a':3,'C':2}|dictsort(true) }}`:                                                                  "[('C', 2), ('a', 3), ('b', 1)]",
		`{{ {'b':1,'A':3,'c':2}|dictsort(by='value') }}`:                                                            "[('b', 1), ('c', 2), ('A', 3)]",
		`{{ {'b':1,'A':3,'c':2}|dictsort(false,'value',true) }}`:                                                    "[('A', 3), ('c', 2), ('b', 1)]",
		`{% for k, v in {'b':'x','a':'X','c':'W'}|dictsort(by='value',reverse=true) %}{{ k }}{{ v }} {% endfor %}.`: "bx aX cW .",
		`{{ {}|dictsort }}`:            "[]",
		`{{ [1]|dictsort }}`:           "error: dictsort takes a dict, not list",
		`{{ {1:2}|dictsort(by='x') }}`: "error: by key or value, not x",
		`{{ {1:2,'a':3}|dictsort }}`:   "error: ",
	} {
		tmpl, err := Parse(source, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tmpl.Render(names)
		if message, fails := strings.CutPrefix(want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s is %q, %v, want %q", source, got, err, message)
			}
		} else if err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", source, got, err, want)
		}
	}
}
