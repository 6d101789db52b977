package world

// domain is a part of life whose rules questions ask about.
type domain int

const (
	animalLife domain = iota
	making            // toys and materials
	toolUse
	working
	reacting // cause and effect
	routineLife
	keeping // who put what where
	wearing // who wears which colour
	domains
)

// split says which side of the hold-out a text is on.
type split int

const (
	training split = iota
	heldOut
)

// peopleOf are the people whom a text of this split may show in a domain: a quarter of them, a
// different quarter in each of four neighbouring domains, are kept for questions. Callers must not
// change the slice; the same holds for toysOf.
func peopleOf(s split, d domain) []person { return peopleTable[s][d] }

// toysOf are the toys that a text of this split may show in the e-th event.
func toysOf(s split, e int) []string { return toyTable[s][e] }

var peopleTable, toyTable = holdOut()

func holdOut() (ps [2][domains][]person, ts [2][]([]string)) {
	for s := range ps {
		for d := range ps[s] {
			for i, p := range people {
				// In pairs, so that every quarter has as many women as men.
				if ((i/2+d)%4 == 0) == (split(s) == heldOut) {
					ps[s][d] = append(ps[s][d], p)
				}
			}
		}
		ts[s] = make([][]string, len(events))
		for e := range events {
			for i, t := range toys {
				if ((i+e)%4 == 0) == (split(s) == heldOut) {
					ts[s][e] = append(ts[s][e], t)
				}
			}
		}
	}
	return ps, ts
}

// asked reports whether training text may put a rule, the i-th of its table, as a question: only
// every second rule of a table, so that half of the held-out questions ask what training text only
// tells. Held-out questions ask about every rule.
func asked(s split, i int) bool { return s == heldOut || i%2 == 0 }
