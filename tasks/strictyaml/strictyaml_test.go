package strictyaml

import (
	"strings"
	"testing"
)

type sample struct {
	Name  string    `yaml:"name"`
	Count Int       `yaml:"count"`
	Seed  Uint64    `yaml:"seed"`
	Parts []float64 `yaml:"parts"`
	On    bool      `yaml:"on"`
}

func TestDecode(t *testing.T) {
	var s sample
	if err := Decode([]byte("name: a\ncount: -3\nseed: 18446744073709551615\nparts: [0, 0.5]\non: true\n"), "f", &s); err != nil {
		t.Fatal(err)
	}
	if s.Name != "a" || s.Count != -3 || s.Seed != 1<<64-1 || len(s.Parts) != 2 || s.Parts[1] != 0.5 || !s.On {
		t.Errorf("read %+v", s)
	}
}

// A value that would be cut, guessed or ignored is refused where it stands.
func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"count: 2.7\n":                 `f:1:8: 2.7 stands where a whole number belongs`,
		"count: '2'\n":                 `f:1:8: `,
		"count: 9223372036854775808\n": `f:1:8: 9223372036854775808 stands where a whole number belongs`,
		"count: many\n":                `f:1:8: many stands where a whole number belongs`,
		"seed: -1\n":                   `f:1:7: -1 stands where a whole number from 0 belongs`,
		"on: 3\n":                      `f:1:5: a whole number from 0 stands where true or false belongs`,
		"name: [a]\n":                  `f:1:7: a list stands where text belongs`,
		"name: a\nother: 3\n":          `f:2:1: unknown field "other"`,
		"name: a\nname: b\n":           `f:2:1: mapping key "name" already defined`,
		"name: a\n---\nname: b\n":      `f: a second YAML document`,
		"name: \"a\n":                  `f:1:7: `,
		"- a\n":                        `f:1:1: `,
		"":                             `f: the file is empty`,
		"# only a comment\n":           `f: the file is empty`,
		"name: *nowhere\n":             `f:1:`,
	} {
		var s sample
		err := Decode([]byte(text), "f", &s)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}
