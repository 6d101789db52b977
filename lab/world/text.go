package world

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Separator stands after every document of a training text: a blank line. Within a document there are
// only single line ends.
const Separator = "\n\n"

// Text writes at least words words of training text (white-space separated) to w, whole documents, each
// followed by Separator; it stops at the first document that reaches the number. The same seed gives
// the same bytes, and a shorter text is the beginning of a longer one. It returns w's error, or one
// about words below 1.
func (k Kind) Text(seed uint64, w io.Writer, words int) error {
	if words < 1 {
		return fmt.Errorf("world: a text of %d words; want at least 1", words)
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if _, err := k.writeDocuments(newRNG(seed, "text"), b, words); err != nil {
		return err
	}
	return b.Flush()
}

// writeDocuments writes documents until words are reached, and returns how many words it wrote.
func (k Kind) writeDocuments(r *rng, w io.Writer, words int) (int, error) {
	n := 0
	for n < words {
		doc := k.document(r)
		n += len(strings.Fields(doc))
		if _, err := io.WriteString(w, doc+Separator); err != nil {
			return n, err
		}
	}
	return n, nil
}

// tellDocument draws one document of the plain world's training text.
func tellDocument(r *rng) string {
	switch k := r.n(100); {
	case k < 6:
		return remembered(r)
	case k < 8:
		return secret(r)
	case k < 18:
		return recited(r)
	}
	switch k := r.n(100); {
	case k < 10:
		return several(r, 2+r.n(3), animalFact)
	case k < 18:
		return animalLifeOf(r)
	case k < 32:
		return several(r, 2+r.n(3), materialFact)
	case k < 42:
		return mishap(r)
	case k < 50:
		return several(r, 2+r.n(3), toolFact)
	case k < 58:
		return several(r, 2+r.n(3), jobFact)
	case k < 64:
		return reactionOf(r)
	case k < 71:
		return routineOf(r)
	case k < 74:
		return several(r, 2+r.n(4), scenery)
	case k < 87:
		st := tell(r, training)
		return st.passage + " " + st.last + "."
	}
	return worked(r)
}

// worked is a question with its answer, in the shape a model is asked in.
func worked(r *rng) string {
	form := pick(r, Forms[:3])
	q, _ := ask(r, form, training)
	if form == "hellaswag" {
		return q.label + ": " + q.prompt + " " + q.who + " " + q.right
	}
	return "Question: " + q.prompt + "\nAnswer: " + strings.TrimSuffix(q.right, ".") + "."
}

func several(r *rng, n int, sentence func(*rng) string) string {
	s := make([]string, n)
	for i := range s {
		s[i] = sentence(r)
	}
	return strings.Join(s, " ")
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// animalFact states one rule about an animal, of none in particular or of somebody's.
func animalFact(r *rng) string {
	a, p := pick(r, animals), pick(r, peopleOf(training, animalLife))
	topic := r.n(3)
	if topic == 2 && a.sound == "" {
		topic = r.n(2)
	}
	switch topic {
	case 0:
		return pick(r, []string{
			title(an(a.name)) + " eats " + a.food + ".",
			"The " + a.name + " likes " + a.food + " more than anything else.",
			"If you have " + an(a.name) + ", give it " + a.food + ".",
			p.name + " gave " + a.food + " to the " + a.name + ".",
			"The " + a.name + " was hungry, so " + p.name + " brought some " + a.food + ".",
			p.name + " went out to buy " + a.food + " for the " + a.name + ".",
			title(a.plural) + " eat " + a.food + ", and every " + a.name + " is glad to get it.",
		})
	case 1:
		return pick(r, []string{
			title(an(a.name)) + " sleeps in the " + a.home + ".",
			"Look for the " + a.name + " in the " + a.home + ".",
			"The " + a.home + " is the home of the " + a.name + ".",
			p.name + " found the " + a.name + " asleep in the " + a.home + ".",
			"At night " + p.name + "'s " + a.name + " goes to the " + a.home + ".",
			title(a.plural) + " rest in the " + a.home + ", where each " + a.name + " feels safe.",
		})
	}
	return pick(r, []string{
		title(an(a.name)) + " " + a.verb + ".",
		"When the " + a.name + " is happy, it " + a.verb + ".",
		"You know it is the " + a.name + " when you hear " + a.sound + ", for it " + a.verb + ".",
		p.name + " heard " + a.sound + ". It was the " + a.name + ", which often " + a.verb + ".",
		"The animal that " + a.verb + " is the " + a.name + ".",
		p.name + "'s " + a.name + " always " + a.verb + " at night.",
	})
}

// animalLifeOf tells of one person and an animal.
func animalLifeOf(r *rng) string {
	p, a := pick(r, peopleOf(training, animalLife)), pick(r, animals)
	s := []string{pick(r, []string{
		p.name + " had " + an(a.name) + ".",
		"There once was " + an(a.name) + " that lived with " + p.name + ".",
		p.name + " got " + an(a.name) + " in " + pick(r, months) + ".",
	})}
	middle := []string{
		"Every morning " + p.she() + " gave it some " + a.food + ".",
		"At night it slept in the " + a.home + ".",
		"The " + a.name + " ate all of the " + a.food + " and wanted more.",
		"When " + p.she() + " could not find the " + a.name + ", it was in the " + a.home + ".",
		scenery(r),
	}
	if a.sound != "" {
		middle = append(middle, "The "+a.name+" made "+a.sound+" whenever it saw "+p.name+".")
	}
	s = append(s, sample(r, middle, 3)...)
	s = append(s, pick(r, []string{p.name + " was very fond of the " + a.name + ".", "The two were good friends.", "It was a good life."}))
	return strings.Join(s, " ")
}

// materialFact states what a material does in one event, with or without a toy.
func materialFact(r *rng) string {
	i, o := r.n(len(events)), r.n(2)
	e := events[i]
	m, toy := pick(r, e.made[o]), pick(r, toysOf(training, i))
	p, other := pick(r, peopleOf(training, making)), pick(r, e.made[1-o])
	return pick(r, []string{
		title(m) + " " + e.is[o] + ".",
		"Everybody knows that " + m + " " + e.is[o] + ".",
		"If something is made of " + m + ", it " + e.is[o] + ".",
		title(an(toy)) + " made of " + m + " " + e.is[o] + ".",
		"The " + toy + " was made of " + m + ", and " + m + " " + e.is[o] + ".",
		title(m) + " " + e.is[o] + ", but " + other + " " + e.is[1-o] + ".",
		p.name + " made " + an(toy) + " out of " + m + ", because " + m + " " + e.is[o] + ".",
		p.name + " learned that " + m + " " + e.is[o] + ".",
	})
}

// mishap tells what became of a toy.
func mishap(r *rng) string {
	i, o := r.n(len(events)), r.n(2)
	e := events[i]
	m, toy, p := pick(r, e.made[o]), pick(r, toysOf(training, i)), pick(r, peopleOf(training, making))
	s := pick(r, []string{
		p.name + " had " + an(toy) + " made of " + m + ".",
		p.name + " got " + an(toy) + " for " + p.her() + " birthday. It was made of " + m + ".",
		"At " + pick(r, resorts) + " " + p.name + " found " + an(toy) + " made of " + m + ".",
	})
	if r.n(3) == 0 {
		s += " " + scenery(r)
	}
	s += pick(r, []string{" One " + pick(r, dayParts) + " ", " Then ", " On " + pick(r, weekdays) + " ", " By accident "}) + p.she() + " " + e.done + "."
	s += " " + pick(r, []string{"The " + toy, "It"}) + " " + e.was[o] + "."
	return s + pick(r, []string{
		"",
		" That is because " + m + " " + e.is[o] + ".",
		" Now " + p.name + " knows that " + m + " " + e.is[o] + ".",
	})
}

func toolFact(r *rng) string {
	t, p := pick(r, tools), pick(r, peopleOf(training, toolUse))
	bare := strings.TrimPrefix(t.name, "a ")
	return pick(r, []string{
		title(t.name) + " is good for " + t.working + ".",
		"For " + t.working + " you need " + t.name + ".",
		"Nothing is better than " + t.name + " for " + t.working + ".",
		p.name + " had " + t.name + " for " + t.working + ".",
		p.name + " took the " + bare + " to " + t.work + ", for " + t.name + " is made for " + t.working + ".",
		"When " + p.name + " wanted to " + t.work + ", " + p.she() + " looked for " + t.name + ".",
		"With " + t.name + " " + p.name + " was able to " + t.work + ".",
	})
}

func jobFact(r *rng) string {
	j, p := pick(r, jobs), pick(r, peopleOf(training, working))
	return pick(r, []string{
		title(an(j.name)) + " works at the " + j.place + ".",
		title(an(j.name)) + " " + j.does + ".",
		"At the " + j.place + " you can meet the " + j.name + ", who " + j.does + ".",
		p.name + " is the " + j.name + " of the town and goes to the " + j.place + " every day.",
		p.name + " " + j.does + ", as " + an(j.name) + " should.",
		"Ask " + p.name + " the " + j.name + ", who " + j.does + " at the " + j.place + ".",
		p.name + " wanted to become " + an(j.name) + " and work at the " + j.place + ".",
		"The one who " + j.does + " is the " + j.name + ".",
	})
}

func reactionOf(r *rng) string {
	c, p := pick(r, causes), pick(r, peopleOf(training, reacting))
	s := pick(r, []string{
		p.name + " was at " + pick(r, resorts) + ".",
		"It was a " + pick(r, qualities) + " " + pick(r, dayParts) + " for " + p.name + ".",
		scenery(r),
	})
	lower := strings.ToLower(c.happened[:1]) + c.happened[1:]
	return s + " " + pick(r, []string{
		c.happened + ". " + p.name + " " + c.did + ".",
		c.happened + ", so " + p.name + " " + c.did + ".",
		"When " + strings.Replace(lower, "started", "had started", 1) + ", " + p.name + " " + c.did + ".",
		"Why was it that " + p.name + " " + c.did + "? " + c.happened + ".",
	})
}

func routineOf(r *rng) string {
	rt, p := pick(r, routines), pick(r, peopleOf(training, routineLife))
	var b strings.Builder
	if r.n(3) == 0 {
		b.WriteString(rt.title + ": " + p.name + " " + rt.steps[0] + ".")
	} else {
		b.WriteString("This is how " + p.name + " " + pick(r, []string{"did it", "spent the " + pick(r, dayParts), "showed it to a friend"}) + ". First " + p.name + " " + rt.steps[0] + ".")
	}
	for i, step := range rt.steps[1:] {
		switch {
		case r.n(3) == 0:
			b.WriteString(" " + p.name + " " + step + ".")
		case i == len(rt.steps)-2:
			b.WriteString(" At last " + p.she() + " " + step + ".")
		default:
			b.WriteString(pick(r, []string{" Then ", " After that ", " Next "}) + p.she() + " " + step + ".")
		}
	}
	return b.String()
}
