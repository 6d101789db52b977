package world

import "strings"

// story is a passage whose last word is fixed by something at least minBack words before it.
type story struct {
	passage string // without the last word and the space before it
	last    string
	needs   [][]string
}

const minBack = 20

// tell draws a story of three people: each has, does or puts something, time passes, and in the end
// one of the three facts is needed again.
func tell(r *rng, s split) story {
	return pick(r, []func(*rng, split) story{tellPets, tellFeeding, tellHungry, tellJobs, tellKeeping, tellKeeping, tellClothes, tellClothes})(r, s)
}

func threePeople(r *rng, s split, d domain) []person { return sample(r, peopleOf(s, d), 3) }

// build joins opening, facts, what happens between, and the end; the between is drawn until it is long
// enough.
func build(r *rng, opening string, facts []string, end, last string, needs ...[]string) story {
	var b strings.Builder
	if opening != "" {
		b.WriteString(opening + " ")
	}
	b.WriteString(strings.Join(facts, " "))
	for words := 0; words < minBack; {
		sentence := scenery(r)
		if strings.Contains(b.String(), sentence) {
			continue
		}
		words += strings.Count(sentence, " ") + 1
		b.WriteString(" " + sentence)
	}
	b.WriteString(" " + end)
	return story{b.String(), last, needs}
}

func tellPets(r *rng, s split) story {
	ps, as, k := threePeople(r, s, animalLife), sample(r, animals, 3), r.n(3)
	verb := pick(r, []string{"had", "brought", "came with"})
	var facts []string
	for i, p := range ps {
		facts = append(facts, p.name+" "+verb+" "+an(as[i].name)+".")
	}
	p, a := ps[k], as[k].name
	switch r.n(3) {
	case 0:
		return build(r, meeting(r), facts, "When it got dark, "+p.name+" went home with the", a)
	case 1:
		return build(r, meeting(r), facts, "Only "+p.name+" stayed and played with the", a)
	}
	return build(r, meeting(r), facts, "In the end the "+a+" ran back to", p.name)
}

// differentFoods draws three animals no two of which eat the same.
func differentFoods(r *rng) []animal {
	var out []animal
	for _, f := range sample(r, foods, 3) {
		a := pick(r, animals)
		for a.food != f {
			a = pick(r, animals)
		}
		out = append(out, a)
	}
	return out
}

func tellFeeding(r *rng, s split) story {
	ps, as, k := threePeople(r, s, animalLife), differentFoods(r), r.n(3)
	var facts []string
	for i, p := range ps {
		facts = append(facts, p.name+" had "+an(as[i].name)+".")
	}
	end := pick(r, []string{"Then " + ps[k].name + " fed " + ps[k].her() + " animal some", "At noon " + ps[k].name + " gave " + ps[k].her() + " animal some"})
	return build(r, meeting(r), facts, end, as[k].food, []string{as[k].name, as[k].food})
}

func tellHungry(r *rng, s split) story {
	ps, as, k := threePeople(r, s, animalLife), differentFoods(r), r.n(3)
	var facts []string
	for i, p := range ps {
		facts = append(facts, p.name+" had "+an(as[i].name)+".")
	}
	return build(r, meeting(r), facts, "All were hungry. The "+as[k].food+" went to the animal of", ps[k].name, []string{as[k].name, as[k].food})
}

func tellJobs(r *rng, s split) story {
	ps, js, k := threePeople(r, s, working), sample(r, jobs, 3), r.n(3)
	verb := pick(r, []string{"was", "worked as", "had become"})
	var facts []string
	for i, p := range ps {
		facts = append(facts, p.name+" "+verb+" "+an(js[i].name)+".")
	}
	p, j := ps[k], js[k]
	if r.n(2) == 0 {
		return build(r, meeting(r), facts, "The next day "+p.name+" went to work at the", j.place, []string{j.name, j.place})
	}
	return build(r, meeting(r), facts, "No one was as good at the work as "+p.name+" the", j.name)
}

func tellKeeping(r *rng, s split) story {
	ps, ts, cs, k := threePeople(r, s, keeping), sample(r, things, 3), sample(r, containers, 3), r.n(3)
	verb := pick(r, []string{"put", "hid", "left"})
	var facts []string
	for i, p := range ps {
		facts = append(facts, p.name+" "+verb+" the "+ts[i]+" in the "+cs[i]+".")
	}
	if r.n(2) == 0 {
		return build(r, "", facts, "Later "+ps[k].name+" found the "+ts[k]+" in the", cs[k])
	}
	return build(r, "", facts, "Later "+ps[k].name+" opened the "+cs[k]+" and found the", ts[k])
}

func tellClothes(r *rng, s split) story {
	ps, cs, c, k := threePeople(r, s, wearing), sample(r, colours, 3), pick(r, clothes), r.n(3)
	var facts []string
	for i, p := range ps {
		facts = append(facts, p.name+" wore "+an(cs[i])+" "+c+".")
	}
	if r.n(2) == 0 {
		return build(r, meeting(r), facts, "From far away they saw that "+ps[k].name+"'s "+c+" was", cs[k])
	}
	return build(r, meeting(r), facts, "The one in the "+cs[k]+" "+c+" was called", ps[k].name)
}
