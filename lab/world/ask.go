package world

import (
	"slices"
	"strings"
)

// soundAnimal draws an animal that has a sound, every food equally often.
func soundAnimal(r *rng, s split) animal {
	food := pick(r, foods)
	for {
		if a := pickAsked(r, s, animals); a.food == food && a.sound != "" {
			return a
		}
	}
}

func askFood(r *rng, s split) question {
	p, a := pick(r, peopleOf(s, animalLife)), pickAsked(r, s, animals)
	return question{
		prompt: p.name + " has " + an(a.name) + ". What does " + p.name + " give the " + a.name + "?",
		right:  a.food, wrong: others(r, foods, a.food, 3), needs: [][]string{{a.name, a.food}},
	}
}

func askHome(r *rng, s split) question {
	p, a := pick(r, peopleOf(s, animalLife)), pickAsked(r, s, animals)
	q := question{
		prompt: "Where does " + p.name + "'s " + a.name + " sleep?",
		right:  "in the " + a.home, needs: [][]string{{a.name, a.home}},
	}
	for _, h := range others(r, homes, a.home, 3) {
		q.wrong = append(q.wrong, "in the "+h)
	}
	return q
}

func askSound(r *rng, s split) question {
	p := pick(r, peopleOf(s, animalLife))
	sound := pick(r, sounds)
	i := slices.IndexFunc(animals, func(a animal) bool { return a.sound == sound })
	for !asked(s, i) {
		sound = pick(r, sounds)
		i = slices.IndexFunc(animals, func(a animal) bool { return a.sound == sound })
	}
	return question{
		prompt: "Which sound does " + p.name + "'s " + animals[i].name + " make?",
		right:  sound, wrong: others(r, sounds, sound, 3), needs: [][]string{{animals[i].name, animals[i].verb}},
	}
}

// askFoodBySound needs two rules: which animal it is, and what that one eats.
func askFoodBySound(r *rng, s split) question {
	p, a := pick(r, peopleOf(s, animalLife)), soundAnimal(r, s)
	return question{
		prompt: p.name + "'s animal " + a.verb + ". What food does " + p.name + " buy?",
		right:  a.food, wrong: others(r, foods, a.food, 3), needs: [][]string{{a.name, a.verb}, {a.name, a.food}},
	}
}

func askTool(r *rng, s split) question {
	p, t := pick(r, peopleOf(s, toolUse)), pickAsked(r, s, tools)
	return question{
		prompt: p.name + " wants to " + t.work + ". What does " + p.name + " need?",
		right:  t.name, wrong: others(r, toolNames, t.name, 3), needs: [][]string{{t.name, t.working}},
	}
}

func askWorkplace(r *rng, s split) question {
	p, j := pick(r, peopleOf(s, working)), pickAsked(r, s, jobs)
	q := question{
		prompt: p.name + " is " + an(j.name) + ". Where does " + p.name + " work?",
		right:  "at the " + j.place, needs: [][]string{{j.name, j.place}},
	}
	for _, w := range others(r, workplaces, j.place, 3) {
		q.wrong = append(q.wrong, "at the "+w)
	}
	return q
}

func askJob(r *rng, s split) question {
	p, j := pick(r, peopleOf(s, working)), pickAsked(r, s, jobs)
	right := an(j.name)
	return question{
		prompt: p.name + " works at the " + j.place + ". What is " + p.name + "?",
		right:  right, wrong: others(r, jobNames, right, 3), needs: [][]string{{j.name, j.place}},
	}
}

func askDuty(r *rng, s split) question {
	p, j := pick(r, peopleOf(s, working)), pickAsked(r, s, jobs)
	return question{
		prompt: p.name + " works at the " + j.place + ". What does " + p.name + " do there?",
		right:  j.does, wrong: others(r, duties, j.does, 3), needs: [][]string{{j.name, j.place}, {j.name, j.does}},
	}
}

// outcome draws an event, one of its two outcomes, a toy, and a material with that outcome.
func outcome(r *rng, s split) (e event, o int, toy, material string) {
	i := r.n(len(events))
	e, o = events[i], r.n(2)
	return e, o, pick(r, toysOf(s, i)), pickAsked(r, s, e.made[o])
}

// askMaterial offers, as askOutcome does, both outcomes of one event beside both of another. (Offering
// materials would not do: the one whose group is not the other three's would stand out.)
func askMaterial(r *rng, s split) question {
	e, o, toy, material := outcome(r, s)
	other := otherEvent(r, e)
	return question{
		prompt: title(an(toy)) + " is made of " + material + ". " + title(e.at) + ", what will the " + toy + " do?",
		right:  e.will[o], wrong: []string{e.will[1-o], other.will[0], other.will[1]}, needs: [][]string{{material, e.is[o]}},
	}
}

func otherEvent(r *rng, e event) event {
	for {
		if other := pick(r, events); other.place != e.place {
			return other
		}
	}
}

func askNextStep(r *rng, s split) question {
	p, rt := pick(r, peopleOf(s, routineLife)), pick(r, routines)
	i := 1 + r.n(len(rt.steps)-1)
	for !asked(s, i) {
		i = 1 + r.n(len(rt.steps)-1)
	}
	return question{
		label: rt.title, prompt: p.name + " " + rt.steps[i-1] + ".", who: p.name,
		right: rt.steps[i] + ".", wrong: stops(others(r, rt.steps[1:], rt.steps[i], 3)), needs: [][]string{{rt.steps[i-1], rt.steps[i]}},
	}
}

func stops(s []string) []string {
	for i := range s {
		s[i] += "."
	}
	return s
}

func askReaction(r *rng, s split) question {
	p, c := pick(r, peopleOf(s, reacting)), pickAsked(r, s, causes)
	return question{
		label: pick(r, weekdays) + " " + pick(r, dayParts), prompt: p.name + " was at " + pick(r, resorts) + ". " + c.happened + ".", who: p.name,
		right: c.did + ".", wrong: stops(others(r, reactions, c.did, 3)), needs: [][]string{{c.happened, c.did}},
	}
}

// askOutcome sets both outcomes of one event beside both of another, so that neither the event nor the
// material alone decides.
func askOutcome(r *rng, s split) question {
	e, o, toy, material := outcome(r, s)
	p := pick(r, peopleOf(s, making))
	other := otherEvent(r, e)
	return question{
		label: "The " + toy, prompt: p.name + " had " + an(toy) + " made of " + material + " and " + e.done + ".", who: "The " + toy,
		right: e.was[o] + ".", wrong: stops([]string{e.was[1-o], other.was[0], other.was[1]}), needs: [][]string{{material, e.is[o]}},
	}
}

// crew are four people with four different jobs at four places, and the sentences
// that say so.
func crew(r *rng, s split) (ps []person, js []job, facts []string) {
	for len(js) < 4 {
		j := pickAsked(r, s, jobs)
		if !slices.ContainsFunc(js, func(other job) bool { return other.place == j.place }) {
			js = append(js, j)
		}
	}
	ps = sample(r, peopleOf(s, working), 4)
	for i, p := range ps {
		facts = append(facts, p.name+" was "+an(js[i].name)+".")
	}
	return ps, js, facts
}

// owners are n people with animals that eat different things.
func owners(r *rng, s split, n int) (ps []person, as []animal, facts []string) {
	for len(as) < n {
		a := pickAsked(r, s, animals)
		if !slices.ContainsFunc(as, func(other animal) bool { return other.food == a.food }) {
			as = append(as, a)
		}
	}
	ps = sample(r, peopleOf(s, animalLife), n)
	for i, p := range ps {
		facts = append(facts, p.name+" had "+an(as[i].name)+".")
	}
	return ps, as, facts
}

// among makes a question whose options are what each of a passage's people would
// make right; the k-th is meant.
func among[T any](q question, k int, rows []T, option func(T) string) question {
	for i, row := range rows {
		if i == k {
			q.right = option(row)
		} else {
			q.wrong = append(q.wrong, option(row))
		}
	}
	return q
}

// askColleague names four people and their jobs: what one of them does next needs both who is what, from
// the passage, and where that job is done.
func askColleague(r *rng, s split) question {
	ps, js, facts := crew(r, s)
	k := r.n(4)
	q := question{label: pick(r, weekdays) + " morning", prompt: strings.Join(facts, " "), who: ps[k].name, needs: [][]string{{js[k].name, js[k].place}}}
	return among(q, k, js, func(j job) string { return "went to work at the " + j.place + "." })
}

// askOwner is the same with animals and what they eat.
func askOwner(r *rng, s split) question {
	ps, as, facts := owners(r, s, 4)
	k := r.n(4)
	q := question{label: "Feeding the animals", prompt: strings.Join(facts, " "), who: ps[k].name, needs: [][]string{{as[k].name, as[k].food}}}
	return among(q, k, as, func(a animal) string { return "brought some " + a.food + "." })
}

// askPlaceAmong and askFoodAmong put such a passage before a question. Training text never does: only
// held-out questions have this form.
func askPlaceAmong(r *rng, s split) question {
	ps, js, facts := crew(r, s)
	k := r.n(4)
	q := question{prompt: strings.Join(facts, " ") + " Where does " + ps[k].name + " work?", needs: [][]string{{js[k].name, js[k].place}}}
	return among(q, k, js, func(j job) string { return "at the " + j.place })
}

func askFoodAmong(r *rng, s split) question {
	ps, as, facts := owners(r, s, 4)
	k := r.n(4)
	q := question{prompt: strings.Join(facts, " ") + " What food does " + ps[k].name + " buy?", needs: [][]string{{as[k].name, as[k].food}}}
	return among(q, k, as, func(a animal) string { return a.food })
}

// solveFeedingAmong offers what one animal eats beside what the other one does.
func solveFeedingAmong(r *rng, s split) question {
	ps, as, facts := owners(r, s, 2)
	k := r.n(2)
	p := ps[k]
	q := question{prompt: strings.Join(facts, " ") + " " + p.name + " wants to feed " + p.her() + " animal.", needs: [][]string{{as[k].name, as[k].food}}}
	return among(q, k, as, func(a animal) string { return p.name + " brings " + a.food + "." })
}

func solveTool(r *rng, s split) question {
	p, t := pick(r, peopleOf(s, toolUse)), pickAsked(r, s, tools)
	return question{
		prompt: p.name + " wants to " + t.work + ".", needs: [][]string{{t.name, t.working}},
		right: p.name + " takes " + t.name + ".", wrong: []string{p.name + " takes " + others(r, toolNames, t.name, 1)[0] + "."},
	}
}

func solveMaterial(r *rng, s split) question {
	e, o, toy, material := outcome(r, s)
	p := pick(r, peopleOf(s, making))
	other := pick(r, e.made[1-o])
	return question{
		prompt: p.name + " wants " + an(toy) + " that " + e.is[o] + ".", needs: [][]string{{material, e.is[o]}, {other, e.is[1-o]}},
		right: p.name + " makes it out of " + material + ".", wrong: []string{p.name + " makes it out of " + other + "."},
	}
}

func solveFeeding(r *rng, s split) question {
	p, a := pick(r, peopleOf(s, animalLife)), pickAsked(r, s, animals)
	return question{
		prompt: p.name + " wants to feed the " + a.name + ".", needs: [][]string{{a.name, a.food}},
		right: p.name + " brings " + a.food + ".", wrong: []string{p.name + " brings " + others(r, foods, a.food, 1)[0] + "."},
	}
}

func solveCommute(r *rng, s split) question {
	p, j := pick(r, peopleOf(s, working)), pickAsked(r, s, jobs)
	return question{
		prompt: p.name + " the " + j.name + " wants to go to work.", needs: [][]string{{j.name, j.place}},
		right: p.name + " goes to the " + j.place + ".", wrong: []string{p.name + " goes to the " + others(r, workplaces, j.place, 1)[0] + "."},
	}
}
