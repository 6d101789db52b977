package pythonjson

import (
	"encoding/json"
	"testing"
)

// What Python's json.dumps writes of unusual numbers is read; strings and what is
// not JSON by either's rules stay.
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		`{"a": NaN}`:                           `{"a": "NaN"}`,
		`[NaN,Infinity,-Infinity]`:             `["NaN","Infinity","-Infinity"]`,
		`{"NaN": "Infinity", "b": "\" NaN\\"}`: `{"NaN": "Infinity", "b": "\" NaN\\"}`,
		`{"a": NaNs}`:                          `{"a": NaNs}`,
		`{"a": -1}`:                            `{"a": -1}`,
		`NaN`:                                  `"NaN"`,
		`"NaN`:                                 `"NaN`,
		`"NaN\`:                                `"NaN\`,
	} {
		if got := string(Plain([]byte(in))); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// Valid JSON stays the same to the byte.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{`{"a":[1,"NaN",-1e5]}`, `{"a":NaN}`, `"\"`, `-Infinity`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := Plain(in)
		if json.Valid(in) && string(out) != string(in) {
			t.Errorf("%q became %q", in, out)
		}
	})
}

// Marks within strings begin no values.
func TestCount(t *testing.T) {
	for text, want := range map[string][2]int{
		`{"a,[{\"": [1, 2, {}], "b": {"c": "[,"}}`: {7, 3},
		``:    {0, 0},
		`"[`:  {0, 0},
		`[[[`: {3, 0},
	} {
		if values, objects := Count([]byte(text)); values != want[0] || objects != want[1] {
			t.Errorf("%s: %d values and %d objects, want %v", text, values, objects, want)
		}
	}
}
