package jinja

import "testing"

// An underscore makes a text no number where none stands between digits; there Python reads one, and that is refused.
func TestIntOfUnderscores(t *testing.T) {
	for source, want := range map[string]string{`{{ "x_y"|int }}`: "0", `{{ "_1"|int(5) }}`: "5", `{{ " 12 "|int }}`: "12", `{{ "1_0"|int }}`: ""} {
		tmpl, err := Parse(source, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tmpl.Render(names)
		if (err != nil) != (want == "") || got != want {
			t.Errorf("%s is %q, %v", source, got, err)
		}
	}
}
