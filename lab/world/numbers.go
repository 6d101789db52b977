package world

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/softbench/softbench/passkey"
)

// Numbers and lists to remember, told once and needed again later: what a passkey
// needs. They are drawn anew for every document, so that only copying helps.

var numbered = []string{"room", "box", "ticket", "locker", "house", "boat", "horse", "chair"}

// secret is a passkey's text as the paper words it, with its answer. Lengths are
// spread evenly over their logarithm, to about 700 words.
func secret(r *rng) string {
	total := 60 << r.n(6)
	total += r.n(total)
	before := r.n(total + 1)
	key := 1 + r.n(passkey.MaxKey)
	return passkey.Text(before, key, total-before) + " " + strconv.Itoa(key) + "."
}

// remembered gives some people's things a number, lets time pass, and asks for one.
func remembered(r *rng) string {
	thing := pick(r, numbered)
	who := sample(r, people, 1+r.n(3))
	numbers := make([]int, len(who))
	var b strings.Builder
	for i, name := range who {
		numbers[i] = 1 + r.n(passkey.MaxKey)
		fmt.Fprintf(&b, "The number of %s's %s is %d. ", name.name, thing, numbers[i])
		if r.n(2) == 0 {
			fmt.Fprintf(&b, "Remember it. %d is the number. ", numbers[i])
		}
	}
	for range r.n(4) {
		b.WriteString(scenery(r) + " ")
	}
	i := r.n(len(who))
	fmt.Fprintf(&b, "What is the number of %s's %s? The number of %s's %s is %d.", who[i].name, thing, who[i].name, thing, numbers[i])
	return b.String()
}

// listed are kinds of words that lists are made of.
var listed = [][]string{
	column(animals, func(a animal) string { return a.plural }), foods, colours, months, weekdays, toys, things, containers, clothes,
}

// recited is a list of words or numbers, and the same list again, once or twice.
func recited(r *rng) string {
	n := 3 + r.n(6)
	var items []string
	switch r.n(4) {
	case 0:
		for range n {
			items = append(items, strconv.Itoa(1+r.n(passkey.MaxKey)))
		}
	case 1:
		for _, p := range sample(r, people, n) {
			items = append(items, p.name)
		}
	default:
		pool := pick(r, listed)
		items = sample(r, pool, min(n, len(pool)))
	}
	list := strings.Join(items, ", ")
	a, b := pick(r, people).name, pick(r, people).name
	s := a + " read the list aloud: " + list + "."
	if r.n(2) == 0 {
		s += " " + scenery(r)
	}
	s += " " + pick(r, []string{"Then " + b + " said it again", b + " repeated it", "Once more the list was", b + " wrote it down"}) + ": " + list + "."
	if r.n(3) == 0 {
		s += " And again: " + list + "."
	}
	return s
}
