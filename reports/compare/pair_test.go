package compare

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Two documents with the same source are two documents: they pair in the order of
// their numbers, whatever the order they are read in.
func TestDuplicates(t *testing.T) {
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.5)
	for _, s := range []*Side{a, b} {
		for k := range s.Tasks[0].Documents {
			if d := &s.Tasks[0].Documents[k]; d.ID < 3 {
				d.Keys = [keyKinds]string{bySource: "the same", byPrompt: "the same"}
			}
		}
	}
	a, b = a.shuffled(1), b.shuffled(2)
	pairs, _, err := pair(a, b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var twins [][2]int
	seen := map[int]bool{}
	for _, ij := range pairs[0].pairs {
		da, db := pairs[0].a.Documents[ij[0]], pairs[0].b.Documents[ij[1]]
		if da.ID != db.ID || seen[ij[1]] {
			t.Errorf("document %d pairs with %d", da.ID, db.ID)
		}
		seen[ij[1]] = true
		if da.Keys[bySource] == "the same" {
			twins = append(twins, [2]int{da.ID, db.ID})
		}
	}
	if !slices.Equal(twins, [][2]int{{0, 0}, {1, 1}, {2, 2}}) {
		t.Errorf("documents of one hash pair as %v", twins)
	}
	mirrored(t, compared(t, a, b, Options{}), compared(t, b, a, Options{}))

	// Two here and three there are not the same documents.
	task := &b.Tasks[0]
	task.Documents = slices.DeleteFunc(task.Documents, func(d Document) bool { return d.ID == 1 })
	if _, err := Compare(a, b, Options{}); err == nil || !strings.Contains(err.Error(), "A has 120, B has 119, 119 are the same") {
		t.Errorf("%v", err)
	}
	if c := compared(t, a, b, Options{Intersect: true}); c.Metrics[0].N != 119 {
		t.Errorf("%d documents compared", c.Metrics[0].N)
	}
}

// What is not the same is refused in one line that says what and how.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name      string
		spoil     func(b *Side)
		want      []string
		intersect bool // --intersect makes no difference
	}{
		{"tokenizer", func(b *Side) { b.MustMatch["tokenizer_sha256"] = strings.Repeat("cd", 32) },
			[]string{"tokenizer_sha256 is abababababab in A and cdcdcdcdcdcd in B"}, true},
		{"context", func(b *Side) { b.MustMatch["max_length"] = "512" }, []string{"max_length is 256 in A and 512 in B"}, true},
		{"few-shot", func(b *Side) { b.Tasks[1].MustMatch["fewshot"] = "5" }, []string{"task last: fewshot is 0 in A and 5 in B"}, true},
		{"definition", func(b *Side) { b.Tasks[0].MustMatch["digest"] = "other" }, []string{"task quiz: digest is quiz in A and other in B"}, true},
		{"prompt", func(b *Side) { b.Tasks[2].Documents[4].Keys[byPrompt] = "in other words" },
			[]string{"task pages", "the prompts differ in 1 of 30 documents (first: document 4 of A, 4 of B)"}, true},
		{"words", func(b *Side) { b.Tasks[2].Documents[4].Values[0].Weight++ }, []string{"task pages", "another number of words"}, true},
		{"all documents", func(b *Side) {
			for k := range b.Tasks[3].Documents {
				b.Tasks[3].Documents[k].Keys = [keyKinds]string{bySource: "x", byPrompt: "x"}
			}
		}, []string{"task passkey: no document is in both (A has 48, B has 48)"}, true},
		{"fewer", func(b *Side) { b.Tasks[0].Documents = b.Tasks[0].Documents[:100] },
			[]string{"task quiz: the documents differ: A has 120, B has 100, 100 are the same", "--intersect"}, false},
		{"a task", func(b *Side) { b.Tasks = b.Tasks[1:] }, []string{"only A has quiz", "--intersect"}, false},
		{"no task", func(b *Side) {
			for k := range b.Tasks {
				b.Tasks[k].Name += "2"
			}
		}, []string{"only A has quiz, last, pages, passkey", "only B has quiz2"}, false},
		{"no metric", func(b *Side) { b.Tasks[3].Metrics = []MetricInfo{{Name: "f1", Formula: Mean}} },
			[]string{"task passkey: no metric is in both"}, true},
		{"direction", func(b *Side) {
			b.Tasks[3].Metrics = []MetricInfo{{Name: "acc", Formula: Mean}}
		}, []string{"task passkey: metric acc", "higher is better for one side"}, true},
		{"several", func(b *Side) { b.MustMatch["max_length"], b.Tasks[1].MustMatch["fewshot"] = "1", "2" },
			[]string{"max_length is 256 in A and 1 in B; task last: fewshot"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.5)
			c.spoil(b)
			_, err := Compare(a, b, Options{Draws: 100})
			if err == nil {
				t.Fatal("compared")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line", err)
			}
			if _, again := Compare(a, b, Options{Draws: 100, Intersect: true}); (again != nil) != c.intersect && c.name != "no task" {
				t.Errorf("with --intersect: %v", again)
			}
		})
	}
}

func TestIntersect(t *testing.T) {
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.5)
	a.Tasks[0].Documents = a.Tasks[0].Documents[20:]
	b.Tasks[0].Documents = b.Tasks[0].Documents[:100]
	b.Tasks = b.Tasks[:3]
	c := compared(t, a, b, Options{Intersect: true})
	if c.Metrics[0].N != 80 || c.Summary.Tasks != 3 || !c.Intersected {
		t.Errorf("%+v, %+v", c.Metrics[0], c.Summary)
	}
	for _, want := range []string{"only A has passkey: left out", "task quiz: 80 documents are in both runs; 20 of A and 20 of B are left out"} {
		if !slices.Contains(c.Notes, want) {
			t.Errorf("no note %q in %q", want, c.Notes)
		}
	}
	// Nothing in common is refused all the same.
	for k := range b.Tasks {
		b.Tasks[k].Name += "2"
	}
	var refused *Incomparable
	if _, err := Compare(a, b, Options{Intersect: true}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "no task in common") {
		t.Errorf("%v", err)
	}
}

// A comparison of the first and the last of many runs calls them what they are
// called there.
func TestNames(t *testing.T) {
	names := Options{Names: [2]string{"A", "E"}}
	for name, c := range map[string]struct {
		spoil func(b *Side)
		want  string
	}{
		"documents": {func(b *Side) { b.Tasks[0].Documents = b.Tasks[0].Documents[:100] }, "A has 120, E has 100"},
		"a task":    {func(b *Side) { b.Tasks[0].Name = "quiz2" }, "only E has quiz2"},
		"a setting": {func(b *Side) { b.Tasks[0].MustMatch = map[string]string{"fewshot": "5"} }, "0 in A and 5 in E"},
	} {
		a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.5)
		a.Tasks[0].MustMatch = map[string]string{"fewshot": "0"}
		b.Tasks[0].MustMatch = map[string]string{"fewshot": "0"}
		c.spoil(b)
		if _, err := Compare(a, b, names); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.5)
	for i := range b.Tasks[0].Documents {
		b.Tasks[0].Documents[i].Values[0].Value = 0
	}
	if got := compared(t, a, b, names).Metrics[0].Warnings; !slices.Contains(got, "E gets 0% right: hardly room to lose") {
		t.Errorf("warnings %q", got)
	}
}

// A document that is unscored on one side is left out, and counted.
func TestUnscored(t *testing.T) {
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.5)
	b.Tasks[0].Documents[7].Values[0] = Value{}
	c := compared(t, a, b, Options{})
	if c.Metrics[0].N != 119 || !slices.Contains(c.Metrics[0].Warnings, "1 documents have a score on one side only: left out") || c.Metrics[1].N != 120 {
		t.Errorf("%+v", c.Metrics[:2])
	}
}
