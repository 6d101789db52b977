package engine

import "slices"

// topList holds the largest of the numbers it has taken, the largest first and of equal
// ones the lowest id.
type topList []Candidate

// take keeps of row, whose first element is id from, what belongs to the top ones.
func (l *topList) take(row []float32, from, top int) {
	for i, x := range row {
		l.add(Candidate{int32(from + i), x}, top)
	}
}

// add keeps a candidate, whose id is above all before it, if it belongs to the top ones.
func (l *topList) add(c Candidate, top int) {
	s := *l
	if len(s) == top && !(c.LogProb > s[top-1].LogProb) {
		return
	}
	at := len(s)
	for at > 0 && c.LogProb > s[at-1].LogProb {
		at--
	}
	if len(s) == top {
		s = s[:top-1]
	}
	*l = slices.Insert(s, at, c)
}

// clearBest makes room for the candidates of each row's columns.
func (c *cpu) clearBest(b *Batch, columns int) {
	h := &c.scratch.head
	h.best = h.best[:0]
	if !slices.ContainsFunc(b.Heads, func(r HeadRow) bool { return r.Top > 0 }) {
		return
	}
	h.best = slices.Grow(h.best, len(b.Heads)*columns)[:len(b.Heads)*columns]
	for i := range h.best {
		h.best[i] = h.best[i][:0]
	}
}

// mergeBest puts the lists of a row's columns together; they hold logits, of which lse is
// the log-sum-exp.
func mergeBest(lists []topList, from, columns, top int, lse float64) []Candidate {
	if top == 0 {
		return nil
	}
	var all topList
	for _, l := range lists[from : from+columns] {
		for _, c := range l {
			all.add(c, top)
		}
	}
	for i := range all {
		all[i].LogProb = float32(float64(all[i].LogProb) - lse)
	}
	return all
}
