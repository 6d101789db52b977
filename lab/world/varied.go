package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/passkey"
)

// Kind is a kind of world.
type Kind string

// The kinds.
const (
	// Plain has documents of fifty words about few people and things.
	Plain Kind = ""
	// Varied has documents of some hundred words with thousands of names, numbers
	// and things, which are told and needed again, and the plain documents among them.
	Varied Kind = "varied"
)

// Check refuses a kind that there is not.
func (k Kind) Check() error {
	if k != Plain && k != Varied {
		return fmt.Errorf("no text called %q: want varied, or none for the plain one", string(k))
	}
	return nil
}

// document draws one document of training text.
func (k Kind) document(r *rng) string {
	if k == Varied {
		return tellVaried(r)
	}
	return tellDocument(r)
}

// ask draws a question of a form. Those of the varied world are of its own stories
// and registers, of names that no training text has, but for hellaswag's.
func (k Kind) ask(r *rng, form string) (question, bool) {
	if k != Varied || form == "hellaswag" {
		return ask(r, form, heldOut)
	}
	switch form {
	case "lambada_openai":
		st := tellChronicle(r, heldOut)
		return question{prompt: st.passage, right: st.last}, true
	case "arc_easy", "piqa":
		return askRegister(r, form), true
	}
	return question{}, false
}

// tellVaried draws one document of the varied world.
func tellVaried(r *rng) string {
	switch k := r.n(100); {
	case k < 30:
		c := tellChronicle(r, training)
		return c.passage + " " + c.last + "."
	case k < 45:
		return recordsOf(r)
	case k < 58:
		return registerOf(r)
	case k < 72:
		return listsOf(r)
	case k < 80:
		return songOf(r)
	case k < 83:
		return secret(r)
	}
	return several(r, 3+r.n(6), tellDocumentLine)
}

// tellDocumentLine is a plain document on one line.
func tellDocumentLine(r *rng) string { return strings.ReplaceAll(tellDocument(r), "\n", " ") }

// fact is something told of a person, and how it is needed again: both with the
// name in front, the second ending with its last word.
type fact struct{ told, again, last string }

// factKinds are how many kinds of facts there are. Two of one person are of two
// kinds, so that what is needed again is sure.
const factKinds = 6

// factAbout draws a fact of a kind.
func factAbout(r *rng, s split, kind int) fact {
	thing, place, number := cargo(r), anyOf(r, towns, s), strconv.Itoa(1+r.n(passkey.MaxKey))
	good := thing[strings.LastIndexByte(thing, ' ')+1:]
	switch kind {
	case 0:
		return fact{"lived in " + place, "went home to", place}
	case 1:
		return fact{"came from " + place + " and " + pick(r, deeds) + " " + an(thing), pick(r, []string{"sent a letter to", "told everybody about"}), place}
	case 2:
		return fact{pick(r, deeds) + " " + an(thing), "still had the " + thing[:strings.LastIndexByte(thing, ' ')], good}
	case 3:
		return fact{"got the number " + number, "wrote down the number", number}
	case 4:
		friend := anyOf(r, names, s)
		return fact{"had a friend called " + friend, pick(r, []string{"wrote to", "asked for", "came back with"}), friend}
	}
	return fact{"paid " + number + " coins for " + an(thing), "wanted to have back the coins, all", number}
}

// tellChronicle tells of three to seven people with two facts each, of what passes
// meanwhile, and needs half of the facts again, the last of them at the end.
func tellChronicle(r *rng, s split) story {
	who := differentOf(r, names, s, 3+r.n(5))
	type told struct {
		name string
		fact
	}
	var facts []told
	var b strings.Builder
	b.WriteString(scenery(r))
	kinds := make([]int, len(who))
	for round := range 2 {
		for i, name := range who {
			if round == 0 {
				kinds[i] = r.n(factKinds)
			} else {
				kinds[i] = (kinds[i] + 1 + r.n(factKinds-1)) % factKinds
			}
			f := factAbout(r, s, kinds[i])
			facts = append(facts, told{name, f})
			b.WriteString(" " + name + " " + f.told + ".")
			if r.n(3+round) == 0 {
				b.WriteString(" " + scenery(r))
			}
		}
	}
	needed := sample(r, facts, len(facts)/2)
	end := needed[len(needed)-1]
	for _, f := range needed[:len(needed)-1] {
		b.WriteString(" " + f.name + " " + f.again + " " + f.last + ".")
		if r.n(3) == 0 {
			b.WriteString(" " + scenery(r))
		}
	}
	return story{b.String() + " " + end.name + " " + end.again, end.last, nil}
}

// recordsOf are records of keys with their values, of which some are asked for.
func recordsOf(r *rng) string {
	keys := sample(r, []string{"town", "number", "good", "friend", "price", "ship", "room"}, 3+r.n(2))
	who := differentOf(r, names, training, 3+r.n(5))
	values := map[[2]string]string{}
	var b strings.Builder
	for _, name := range who {
		fmt.Fprintf(&b, "name: %s\n", name)
		for _, key := range keys {
			v := valueOf(r, key)
			values[[2]string{name, key}] = v
			fmt.Fprintf(&b, "%s: %s\n", key, v)
		}
	}
	for range 2 + r.n(4) {
		name, key := pick(r, who), pick(r, keys)
		fmt.Fprintf(&b, "The %s of %s: %s\n", key, name, values[[2]string{name, key}])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func valueOf(r *rng, key string) string {
	switch key {
	case "town":
		return anyOf(r, towns, training)
	case "friend", "ship":
		return anyOf(r, names, training)
	case "good":
		return cargo(r)
	}
	return strconv.Itoa(1 + r.n(passkey.MaxKey))
}

// register is people with numbers.
type register struct {
	text    string // its title, and a line for each
	who     []string
	numbers []string
}

func tellRegister(r *rng, s split) register {
	who := differentOf(r, names, s, 5+r.n(10))
	numbers := make([]string, len(who))
	var b strings.Builder
	fmt.Fprintf(&b, "Register of %s", anyOf(r, towns, s))
	for i, name := range who {
		numbers[i] = strconv.Itoa(1 + r.n(passkey.MaxKey))
		fmt.Fprintf(&b, "\n%s %s", name, numbers[i])
	}
	return register{b.String(), who, numbers}
}

// whose and numberOf ask for the i-th line by its number, and by its name.
func (g register) whose(i int) string    { return "Who has the number " + g.numbers[i] + "?" }
func (g register) numberOf(i int) string { return "What is the number of " + g.who[i] + "?" }

// registerOf is a register with questions about it.
func registerOf(r *rng) string {
	g := tellRegister(r, training)
	var b strings.Builder
	b.WriteString(g.text)
	for range 2 + r.n(4) {
		i := r.n(len(g.who))
		asked, answer := g.numberOf(i), g.numbers[i]
		if r.n(2) != 0 {
			asked, answer = g.whose(i), g.who[i]
		}
		fmt.Fprintf(&b, "\nQuestion: %s\nAnswer: %s", asked, answer)
	}
	return b.String()
}

// askRegister asks for one of a register of people whom no training text has: by
// the number, with three others' names beside the right one, or for the number,
// with one other's beside it.
func askRegister(r *rng, form string) question {
	g := tellRegister(r, heldOut)
	for different(g.numbers) < len(g.numbers) {
		g = tellRegister(r, heldOut)
	}
	order := make([]int, len(g.who))
	for i := range order {
		order[i] = i
	}
	shuffle(r, order)
	i := order[0]
	if form == "piqa" {
		return question{prompt: g.text + "\nQuestion: " + g.numberOf(i), right: g.numbers[i], wrong: []string{g.numbers[order[1]]}}
	}
	q := question{prompt: g.text + "\nQuestion: " + g.whose(i), right: g.who[i]}
	for _, other := range order[1:4] {
		q.wrong = append(q.wrong, g.who[other])
	}
	return q
}

// different is how many of some words are not the same.
func different(all []string) int { return len(slices.Compact(slices.Sorted(slices.Values(all)))) }

// listsOf is a list of up to sixteen words, names or numbers, said again once to
// three times by others.
func listsOf(r *rng) string {
	items := make([]string, 4+r.n(13))
	draw := pick(r, []func() string{
		func() string { return pick(r, goods) }, func() string { return cargo(r) }, func() string { return pick(r, looks) },
		func() string { return anyOf(r, names, training) }, func() string { return anyOf(r, towns, training) },
		func() string { return strconv.Itoa(1 + r.n(passkey.MaxKey)) },
	})
	for i := range items {
		items[i] = draw()
	}
	list := strings.Join(items, ", ")
	s := anyOf(r, names, training) + " read the list aloud: " + list + "."
	for range 1 + r.n(3) {
		if r.n(2) == 0 {
			s += " " + scenery(r)
		}
		how := pick(r, []string{"Then %s said it again", "%s repeated it", "%s wrote it down", "Once more, for %s"})
		s += " " + fmt.Sprintf(how, anyOf(r, names, training)) + ": " + list + "."
	}
	return s
}

// songOf is verses with a refrain, word for word the same.
func songOf(r *rng) string {
	line := func() string {
		return fmt.Sprintf("%s %s the %s in %s", anyOf(r, names, training), pick(r, deeds), cargo(r), anyOf(r, towns, training))
	}
	refrain := line() + ",\nand " + line() + ".\n"
	var b strings.Builder
	for range 2 + r.n(3) {
		b.WriteString(line() + ",\n" + scenery(r) + "\n" + refrain)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
