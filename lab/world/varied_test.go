package world

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func variedText(t *testing.T, seed uint64, n int) string {
	t.Helper()
	var b strings.Builder
	if err := Varied.Text(seed, &b, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestVariedIsLessAlike: thousands of words, documents of some hundred words, and
// the same bytes from the same numbers.
func TestVariedIsLessAlike(t *testing.T) {
	a := variedText(t, 1, 200_000)
	if a != variedText(t, 1, 200_000) || !strings.HasPrefix(variedText(t, 1, 300_000), a[:len(a)/2]) {
		t.Error("the same seed gives other text")
	}
	if a == variedText(t, 2, 200_000) {
		t.Error("two seeds give the same text")
	}
	count := func(text string) (different, mean int) {
		seen := map[string]bool{}
		all := words(text)
		for _, w := range all {
			seen[w] = true
		}
		return len(seen), len(all) / strings.Count(text, Separator)
	}
	plainWords, plainLength := count(trainingText(t, 1, 200_000))
	variedWords, variedLength := count(a)
	if variedWords < 5000 || variedWords < 5*plainWords {
		t.Errorf("%d different words, the plain world has %d", variedWords, plainWords)
	}
	if variedLength < 100 || variedLength < 2*plainLength {
		t.Errorf("documents of %d words, the plain world's have %d", variedLength, plainLength)
	}
}

// TestNames: thousands, none twice, none that begins as invented words do, and those
// of questions in no training text.
func TestNames(t *testing.T) {
	all := append(slices.Clone(names), towns...)
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) || len(names) < 4000 || len(towns) < 2000 {
		t.Errorf("%d names and %d towns, of which some are twice", len(names), len(towns))
	}
	held := map[string]bool{}
	for _, pool := range [][]string{names, towns} {
		for i, n := range pool {
			if strings.HasPrefix(strings.ToLower(n), "z") {
				t.Errorf("%s begins as invented words do", n)
			}
			if namesHeld(i) {
				held[n] = true
			}
		}
	}
	for _, w := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(variedText(t, 3, 300_000), -1) {
		if held[w] {
			t.Fatalf("%s is of the questions, and in the training text", w)
		}
	}
}

// TestVariedIsNeededAgain: in every chronicle, record, register, list and song what
// is needed again was told: the last word of a chronicle stands in it before, behind
// its person's name; an answer of a register is its row's; a list and a refrain come
// again word for word.
func TestVariedIsNeededAgain(t *testing.T) {
	r := newRNG(5, "test")
	for i := range 300 {
		for _, s := range []split{training, heldOut} {
			c := tellChronicle(r, s)
			if err := checkChronicle(c); err != nil {
				t.Fatalf("chronicle %d: %v\n%s %s", i, err, c.passage, c.last)
			}
		}
		if err := checkAnswers(registerOf(r)); err != nil {
			t.Fatalf("register %d: %v", i, err)
		}
		if err := checkRecords(recordsOf(r)); err != nil {
			t.Fatalf("records %d: %v", i, err)
		}
		list := strings.Split(listsOf(r), ": ")
		for _, again := range list[2:] {
			if first, _, _ := strings.Cut(list[1], "."); !strings.HasPrefix(again, first+".") {
				t.Fatalf("list %d: %q", i, list)
			}
		}
		song := strings.Split(songOf(r), "\n")
		for at := 6; at+1 < len(song); at += 4 {
			if song[at] != song[2] || song[at+1] != song[3] {
				t.Fatalf("song %d: %q", i, song)
			}
		}
	}
}

func checkChronicle(c story) error {
	sentences := strings.Split(c.passage, ". ")
	name, _, _ := strings.Cut(sentences[len(sentences)-1], " ")
	for _, s := range sentences[:len(sentences)-1] {
		if strings.HasPrefix(s, name+" ") && slices.Contains(strings.Fields(s), c.last) {
			return nil
		}
	}
	return fmt.Errorf("nothing says %s of %s before", c.last, name)
}

func checkAnswers(register string) error {
	head, asked, _ := strings.Cut(register, "\nQuestion: ")
	number := map[string]string{}
	for _, row := range strings.Split(head, "\n")[1:] {
		name, n, _ := strings.Cut(row, " ")
		number[name] = n
	}
	for _, q := range strings.Split(asked, "\nQuestion: ") {
		q, answer, _ := strings.Cut(q, "?\nAnswer: ")
		of := q[strings.LastIndexByte(q, ' ')+1:]
		if number[of] != answer && number[answer] != of {
			return fmt.Errorf("%s: %s", q, answer)
		}
	}
	return nil
}

func checkRecords(text string) error {
	told, name := map[string]string{}, ""
	asked := 0
	for _, line := range strings.Split(text, "\n") {
		key, value, _ := strings.Cut(line, ": ")
		switch {
		case key == "name":
			name = value
		case strings.HasPrefix(key, "The "):
			if asked++; told[strings.TrimPrefix(key, "The ")] != value {
				return fmt.Errorf("%s", line)
			}
		default:
			told[key+" of "+name] = value
		}
	}
	if asked < 2 {
		return fmt.Errorf("%d questions", asked)
	}
	return nil
}

// TestVariedQuestions: the last words and the registers' questions are of names that
// no training text has, and a register's right option is its row's and the only
// right one; hellaswag's are the plain world's.
func TestVariedQuestions(t *testing.T) {
	docs := Varied.Questions(1, "lambada_openai", 500)
	if len(docs) != 500 {
		t.Fatalf("%d questions", len(docs))
	}
	for _, d := range docs {
		sentences := strings.Split(d.Context, ". ")
		name, _, _ := strings.Cut(sentences[len(sentences)-1], " ")
		if i := slices.Index(names, name); i < 0 || !namesHeld(i) {
			t.Fatalf("%q asks about %s", d.Context, name)
		}
	}
	for form, options := range map[string]int{"arc_easy": 4, "piqa": 2} {
		docs := Varied.Questions(1, form, 500)
		if len(docs) != 500 {
			t.Fatalf("%s: %d questions", form, len(docs))
		}
		for _, d := range docs {
			register := strings.TrimPrefix(strings.TrimSuffix(d.Context, "\nAnswer:"), "Question: ")
			for _, row := range strings.Split(register, "\n")[1:] {
				name, _, row := strings.Cut(row, " ")
				if i := slices.Index(names, name); row && name != "Question:" && (i < 0 || !namesHeld(i)) {
					t.Fatalf("%q has %s", register, name)
				}
			}
			right := 0
			for i, c := range d.Choices {
				if err := checkAnswers(register + "\nAnswer: " + c); (err == nil) != (i == d.Gold) {
					t.Fatalf("%s: option %d of %q with gold %d: %v", form, i, d.Choices, d.Gold, err)
				} else if err == nil {
					right++
				}
			}
			if right != 1 || len(d.Choices) != options {
				t.Fatalf("%s: %d options, %d right", form, len(d.Choices), right)
			}
		}
	}
	if !slices.Equal(lines(t, Varied.Questions(1, "hellaswag", 50)), lines(t, Plain.Questions(1, "hellaswag", 50))) {
		t.Error("hellaswag differs")
	}
	if err := Kind("wild").Check(); err == nil {
		t.Error("a kind that there is not")
	}
}
