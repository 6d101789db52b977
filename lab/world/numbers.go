package world

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/softbench/softbench/passkey"
)

// Numbers to remember, told once and asked for later: what a passkey needs. The
// numbers are drawn anew for every document.

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
