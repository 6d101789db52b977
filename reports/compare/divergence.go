package compare

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

// Divergence is how far B's distributions of the next token are from A's, over the scored tokens
// of all documents. KL is Σ p·(ln p - ln q) over the vocabulary, p being A's, in nats a token.
type Divergence struct {
	Tokens    int    `json:"tokens"`
	Documents int    `json:"documents"`
	Clusters  int    `json:"clusters,omitempty"` // of documents that are not independent
	Units     string `json:"units"`              // what intervals are over: documents, or the windows of a single one

	Mean   Average       `json:"mean"`
	Median rundir.Number `json:"median"`
	P90    rundir.Number `json:"p90"`
	P99    rundir.Number `json:"p99"`
	P999   rundir.Number `json:"p999"`
	Max    rundir.Number `json:"max"`
	// SameTop is the share of tokens at which both find the same token most probable.
	SameTop Average `json:"same_top"`
	// Change is the mean of B's probability less A's of the token that stands there, and
	// RMSChange the root of its mean square.
	Change    Average `json:"probability_change"`
	RMSChange Average `json:"probability_change_rms"`

	Positions []DivergencePart `json:"positions"`
	Tasks     []DivergencePart `json:"tasks"`
	Warnings  []string         `json:"warnings,omitempty"`
}

// Average is a mean over tokens with its interval, by document; null where there is none.
type Average struct {
	Value rundir.Number `json:"value"`
	Low   rundir.Number `json:"low"`
	High  rundir.Number `json:"high"`
}

// DivergencePart is a task's tokens, or those of a range of places in their windows.
type DivergencePart struct {
	Task    string  `json:"task,omitempty"`
	From    int     `json:"from,omitempty"`  // tokens seen before it: at least so many
	Until   int     `json:"until,omitempty"` // and at most
	Tokens  int     `json:"tokens"`
	Mean    Average `json:"mean"`
	SameTop Average `json:"same_top"`
}

// tally sums what tokens say.
type tally struct{ tokens, kl, same, change, square float64 }

func (t *tally) add(d *rundir.DivergenceToken) {
	change := math.Exp(float64(d.Other)) - math.Exp(float64(d.First))
	t.tokens++
	t.kl += d.KL
	t.change += change
	t.square += float64(change * change)
	if d.SameTop {
		t.same++
	}
}

// unit is a document, or a window of a single one: its tokens' sums in all and by position.
type unit struct {
	cluster string
	all     tally
	at      []tally // by the power of two of the tokens seen before
}

func (u *unit) add(d *rundir.DivergenceToken) {
	u.all.add(d)
	k := max(0, bits.Len(uint(d.Seen))-1)
	for len(u.at) <= k {
		u.at = append(u.at, tally{})
	}
	u.at[k].add(d)
}

// Diverge measures the divergences of the tasks that a side has documents of. A document's
// requests, such as the options of a question, count with all their tokens.
func Diverge(side *Side, records []rundir.DivergenceRecord, level float64) (*Divergence, error) {
	byTask := map[string]map[int][]*rundir.DivergenceRecord{}
	for i := range records {
		r := &records[i]
		if byTask[r.Task] == nil {
			byTask[r.Task] = map[int][]*rundir.DivergenceRecord{}
		}
		byTask[r.Task][r.Doc] = append(byTask[r.Task][r.Doc], r)
	}
	var kl []float64
	var units []unit
	d := &Divergence{Units: "documents", Positions: []DivergencePart{}, Tasks: []DivergencePart{}}
	for _, t := range side.Tasks {
		labels, first := Clusters(t.Documents), len(units)
		for i, doc := range t.Documents {
			own := byTask[t.Name][doc.ID]
			slices.SortFunc(own, func(a, b *rundir.DivergenceRecord) int { return cmp.Compare(a.Request, b.Request) })
			u := unit{cluster: labels[i]}
			for _, r := range own {
				tokens, _ := r.Tokens()
				for k := range tokens {
					u.add(&tokens[k])
					kl = append(kl, tokens[k].KL)
				}
			}
			if u.all.tokens > 0 {
				units = append(units, u)
			}
		}
		if len(units) > first {
			d.Documents += len(units) - first
			if err := d.addTask(t.Name, units[first:], level); err != nil {
				return nil, err
			}
		}
	}
	if len(kl) == 0 {
		return nil, fmt.Errorf("no token was scored: there is nothing to measure divergences on")
	}
	d.Tokens = len(kl)
	if d.Documents == 1 {
		if units = windows(records); len(units) > 1 {
			d.Units = "windows"
			d.Warnings = append(d.Warnings, "a single document: intervals are over its windows as if they were documents; JSON lines with a document each give intervals by document")
			d.Tasks = nil
			if err := d.addTask(records[0].Task, units, level); err != nil {
				return nil, err
			}
		}
	}
	return d, d.measure(units, kl, level)
}

// windows are those of a single document's requests.
func windows(records []rundir.DivergenceRecord) (units []unit) {
	for i := range records {
		tokens, starts := records[i].Tokens()
		for k, from := range starts {
			to := len(tokens)
			if k+1 < len(starts) {
				to = starts[k+1]
			}
			var u unit
			for j := from; j < to; j++ {
				u.add(&tokens[j])
			}
			units = append(units, u)
		}
	}
	return units
}

func (d *Divergence) addTask(name string, units []unit, level float64) error {
	p, err := part(units, -1, level)
	p.Task = name
	d.Tasks = append(d.Tasks, p)
	return err
}

// part measures some units' tokens: of all, or at places with 2^at tokens before them or more,
// and less than twice as many.
func part(units []unit, at int, level float64) (p DivergencePart, err error) {
	sums := func(u *unit) *tally {
		switch {
		case at < 0:
			return &u.all
		case at < len(u.at):
			return &u.at[at]
		}
		return &tally{}
	}
	var there []unit
	for i := range units {
		if n := sums(&units[i]).tokens; n > 0 {
			there = append(there, units[i])
			p.Tokens += int(n)
		}
	}
	if len(there) == 0 {
		return p, nil
	}
	if p.Mean, _, err = average(there, func(u *unit) (float64, float64) { return sums(u).kl, sums(u).tokens }, level); err != nil {
		return p, err
	}
	p.SameTop, _, err = average(there, func(u *unit) (float64, float64) { return sums(u).same, sums(u).tokens }, level)
	p.SameTop.High = min(1, p.SameTop.High)
	return p, err
}

// measure fills in what is over all tokens.
func (d *Divergence) measure(units []unit, kl []float64, level float64) error {
	slices.Sort(kl)
	for _, q := range []struct {
		to *rundir.Number
		at float64
	}{{&d.Median, 0.5}, {&d.P90, 0.9}, {&d.P99, 0.99}, {&d.P999, 0.999}, {&d.Max, 1}} {
		*q.to = rundir.Number(stats.Quantile(kl, q.at))
	}
	whole, err := part(units, -1, level)
	if err != nil {
		return err
	}
	d.Mean, d.SameTop = whole.Mean, whole.SameTop
	var e stats.Estimate
	if d.Change, e, err = average(units, func(u *unit) (float64, float64) { return u.all.change, u.all.tokens }, level); err != nil {
		return err
	}
	d.Change.Low = rundir.Number(e.Low) // which may be below 0
	d.Clusters, d.Warnings = e.Clusters, append(d.Warnings, stats.Texts(e.Warnings)...)
	if d.RMSChange, _, err = average(units, func(u *unit) (float64, float64) { return u.all.square, u.all.tokens }, level); err != nil {
		return err
	}
	for _, x := range []*rundir.Number{&d.RMSChange.Value, &d.RMSChange.Low, &d.RMSChange.High} {
		*x = rundir.Number(math.Sqrt(float64(*x)))
	}
	most := 0
	for i := range units {
		most = max(most, len(units[i].at))
	}
	for k := range most {
		p, err := part(units, k, level)
		if err != nil {
			return err
		}
		if p.From, p.Until = 1<<k, 1<<(k+1)-1; p.Tokens > 0 {
			d.Positions = append(d.Positions, p)
		}
	}
	return nil
}

// average is a mean over tokens, of what is not below 0, with its interval over units.
func average(units []unit, of func(*unit) (sum, tokens float64), level float64) (Average, stats.Estimate, error) {
	var l stats.List
	for i := range units {
		s, n := of(&units[i])
		l.Values, l.Weights, l.Clusters = append(l.Values, s), append(l.Weights, n), append(l.Clusters, units[i].cluster)
	}
	e, err := stats.Ratio(l, level)
	return Average{rundir.Number(e.Value), rundir.Number(max(0, e.Low)), rundir.Number(e.High)}, e, err
}
