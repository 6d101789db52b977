package world

import (
	"strings"
	"testing"
)

// TestCurriculum: each phase's mix is that of its steps, the last one's to the end.
func TestCurriculum(t *testing.T) {
	c, err := ParseCurriculum("until 3: text=1 ; until 10: again=1,chain=3;repeat=1")
	if err != nil {
		t.Fatal(err)
	}
	for done, want := range map[int]string{0: TextSource, 2: TextSource, 3: "chain", 9: "chain", 10: "repeat", 1 << 40: "repeat"} {
		if m := c.At(done); m.Part(want) < 0.7 {
			t.Errorf("after %d steps: %v, want %s", done, m, want)
		}
	}
	if len(c) != 3 || c[1].Until != 10 || c[1].Mix.Part(AgainSource) != 0.25 || c.Last().Part("repeat") != 1 {
		t.Errorf("%+v", c)
	}
	if !c.Any(Mix.Text) || !c.Any(Mix.Words) || c.Any(func(m Mix) bool { return m.Part("span") > 0 }) {
		t.Error("Any finds what is not there, or not what is")
	}
	if one, err := ParseCurriculum("text=1"); err != nil || len(one) != 1 || one.Check(1) != nil || one.At(5).Part("text") != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	if c.Check(11) != nil {
		t.Error("a last phase of one step is refused")
	}
	if err := c.Check(10); err == nil || !strings.Contains(err.Error(), "until step 10 of a training of 10 steps") {
		t.Errorf("%v", err)
	}
}

var badCurricula = map[string]string{
	"":                              "want SOURCE=PART",
	"text=1;chain=1":                "for every phase but the last",
	"until 5: text=1":               "the last phase goes on to the end",
	"until 5: text=1; until 9: x=1": "the last phase goes on to the end",
	"until 5: text=1;":              "want SOURCE=PART",
	"until 0: text=1; chain=1":      "a step of at least 1",
	"until -2: text=1; chain=1":     "a step of at least 1",
	"until x: text=1; chain=1":      "a step of at least 1",
	"until 99999999999999999999: text=1; chain=1": "a step of at least 1",
	"until5: text=1; chain=1":                     "a step of at least 1",
	"until 2.5: text=1; chain=1":                  "a step of at least 1",
	"5: text=1; chain=1":                          "want until STEP:",
	"until 5: ; chain=1":                          "want SOURCE=PART",
	"until 5: text=1,text=2; chain=1":             "comes twice",
	"until 5: text=1; nothing=1":                  `no source "nothing"`,
	"until 5: text=1; until 5: chain=1; text=1":   "want a later step",
	"until 5: text=1; until 4: chain=1; text=1":   "want a later step",
}

func TestCurriculumRefusals(t *testing.T) {
	for s, want := range badCurricula {
		if _, err := ParseCurriculum(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", s, err, want)
		}
	}
}

// FuzzCurriculum: whatever is taken has phases that rise, each of parts that sum to
// one, and a mix for every step.
func FuzzCurriculum(f *testing.F) {
	f.Add("until 3: text=1 ; until 10: again=1,chain=3;repeat=1")
	for s := range badCurricula {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCurriculum(s)
		if err != nil {
			return
		}
		for i, p := range c {
			last := i == len(c)-1
			if last != (p.Until == 0) || !last && i > 0 && p.Until <= c[i-1].Until {
				t.Fatalf("%q: phases until %+v", s, c)
			}
			sum := 0.0
			for _, share := range p.Mix {
				sum += share.Part
			}
			if !(sum > 0.999 && sum < 1.001) {
				t.Fatalf("%q: parts sum to %v", s, sum)
			}
			if !last && c.Check(p.Until) == nil {
				t.Fatalf("%q: %d steps are taken for a phase until step %d and another", s, p.Until, p.Until)
			}
		}
	})
}
