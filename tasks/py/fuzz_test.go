package py

import "testing"

// A literal that is read gives a text that reads as the same value, and none panics.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{`['a', "b\n", 1, -2.5, (1,), {'k': None}, True]`, `"a" 'b'`, `1_000`, `{1: [2, (3, 4)]}`, `'\x41\u00e9\N{DASH}'`, `[[[[`, `1e5`, `0x1f`, `(1)`, `1, 2`, `r'\d'`, `'''a
b'''`, `--1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Literal(s)
		if err != nil {
			return
		}
		text, err := Repr(v)
		if err != nil {
			return
		}
		back, err := Literal(text)
		if err != nil {
			if text == "inf" || text == "-inf" || len(text) > 100 { // what holds an infinity does not read back in Python either
				return
			}
			t.Fatalf("%q is %s, which does not read back: %v", s, text, err)
		}
		if again, _ := Repr(back); again != text {
			t.Errorf("%q is %s, which reads back as %s", s, text, again)
		}
	})
}
