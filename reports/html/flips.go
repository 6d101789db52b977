package html

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/metric"
)

// Bounds of what a page carries of the flipped documents: the rest is counted.
const (
	maxFlips = 2000
	maxText  = 4000 // bytes of one text
)

// roomForFlips is how many bytes the documents may take in a page of n runs: a page stays below
// 2 MB, of which each run has a part.
func roomForFlips(n int) int { return max(200_000, 2_400_000/max(n, 1)) }

// Flips are the documents that one run got right and the other wrong.
type Flips struct {
	Total   int    `json:"total"`
	Carried int    `json:"carried"` // those that the page has, the first of each task
	Shown   []Flip `json:"shown"`
	// Metrics in which a document can flip, in the order of their table.
	Metrics []string `json:"metrics"`
}

// Flip is one document. Changes has an entry for each metric in which it
// flipped: "better" where the first run was wrong and the last right.
type Flip struct {
	Task    string            `json:"task"`
	Kind    string            `json:"kind"`
	DocID   int32             `json:"doc_id"`
	Changes map[string]string `json:"changes"`
	Context string            `json:"context,omitempty"` // empty where it differs by option
	Gold    *int32            `json:"gold,omitempty"`
	Options []Option          `json:"options"`
	Cut     bool              `json:"cut,omitempty"` // a text is longer than the page carries

	// Of a passkey trial.
	Length *int32   `json:"length,omitempty"`
	Depth  *float64 `json:"depth,omitempty"`
	Key    *int32   `json:"key,omitempty"`

	// Targets are a generated answer's right ones.
	Targets []string `json:"targets,omitempty"`
}

// Option is one request of the document and what each run made of it.
type Option struct {
	Context string `json:"context,omitempty"`
	Text    string `json:"text"`
	A       Score  `json:"a"`
	B       Score  `json:"b"`
}

// Score is a run's score of an option.
type Score struct {
	// LogLikelihood in nats; null where it is minus infinity or was not asked for.
	LogLikelihood rundir.Number `json:"loglikelihood"`
	// By is the same over the choice's length, of each metric that goes by it.
	By     map[string]rundir.Number `json:"by,omitempty"`
	Greedy bool                     `json:"greedy,omitempty"`
	// Picked by each metric: the run's answer.
	Picked    []string `json:"picked,omitempty"`
	Generated string   `json:"generated,omitempty"`
	Taken     []Taken  `json:"taken,omitempty"` // by each filter, of a generated answer
}

type docKey struct{ task, hash string }

// findFlips pairs documents by task and hash, and keeps those that have room, in bytes. It is
// nil where no document is right or wrong in both: of perplexities, and where one has no samples (of results of
// lm-evaluation-harness there are generated answers alone).
func findFlips(a, b []rundir.Sample, room int) *Flips {
	others := map[docKey][]rundir.Sample{}
	eachDocument(b, func(rows []rundir.Sample) { others[docKey{rows[0].Task, rows[0].DocHash}] = rows })
	f := &Flips{Shown: []Flip{}, Metrics: flippable()}
	tasks := newQueues(room)
	judged := false
	eachDocument(a, func(rows []rundir.Sample) {
		other := others[docKey{rows[0].Task, rows[0].DocHash}]
		if len(other) != len(rows) {
			return
		}
		changes, both := changesOf(rows, other)
		judged = judged || both
		if len(changes) > 0 {
			f.Total++
			tasks.add(rows, other, changes)
		}
	})
	if !judged {
		return nil
	}
	f.Shown = append(f.Shown, tasks.shared()...)
	f.Carried = len(f.Shown)
	f.named()
	return f
}

// queues are the flipped documents of each task, of which as many are kept as have room
// together: as many of one task as of another, and what one leaves is the others'.
type queues struct {
	room  int
	order []string
	flips map[string][]Flip
	sizes map[string]int
}

func newQueues(room int) *queues {
	return &queues{room: room, flips: map[string][]Flip{}, sizes: map[string]int{}}
}

// add keeps a document, unless its task's alone take all the room.
func (q *queues) add(a, b []rundir.Sample, changes map[string]string) {
	task := a[0].Task
	if len(q.flips[task]) == maxFlips || q.sizes[task] > q.room {
		return
	}
	if q.flips[task] == nil {
		q.order = append(q.order, task)
	}
	flip := newFlip(a, b, changes)
	q.flips[task], q.sizes[task] = append(q.flips[task], flip), q.sizes[task]+flip.size(q.room)
}

// shared are the documents that have room: one of each task in turn, in the order of the tasks.
func (q *queues) shared() (out []Flip) {
	room, taken := q.room, map[string]int{}
	for turn, more := 0, true; more && turn < maxFlips; {
		more = false
		for _, task := range q.order {
			all := q.flips[task]
			if k := taken[task]; k < len(all) && turn < maxFlips {
				if size := all[k].size(room); size <= room {
					room, taken[task], more = room-size, k+1, true
					turn++
				}
			}
		}
	}
	for _, task := range q.order {
		out = append(out, q.flips[task][:taken[task]]...)
	}
	return out
}

// eachDocument calls f with the rows of one document after another.
func eachDocument(rows []rundir.Sample, f func([]rundir.Sample)) {
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end].Task == rows[start].Task && rows[end].DocID == rows[start].DocID {
			end++
		}
		f(rows[start:end])
		start = end
	}
}

// changesOf lists in which metrics a document flipped; both says that both runs have
// it right or wrong.
func changesOf(a, b []rundir.Sample) (changes map[string]string, both bool) {
	if a[0].Kind == string(metric.GenerateUntil) {
		return answerChanges(&a[0], &b[0])
	}
	changes = map[string]string{}
	for i := range metric.Table {
		m := &metric.Table[i]
		x, _, inA := rundir.Value(m, a)
		y, _, inB := rundir.Value(m, b)
		if m.Length == nil || !slices.Contains(m.Kinds, metric.Kind(a[0].Kind)) || !inA || !inB {
			continue
		}
		both = true
		switch {
		case x < y:
			changes[m.Name] = "better"
		case x > y:
			changes[m.Name] = "worse"
		}
	}
	return changes, both
}

// flippable are the metrics by which a document is right or wrong.
func flippable() (names []string) {
	for _, m := range metric.Table {
		if m.Length != nil {
			names = append(names, m.Name)
		}
	}
	return names
}

func newFlip(a, b []rundir.Sample, changes map[string]string) Flip {
	f := Flip{Task: a[0].Task, Kind: a[0].Kind, DocID: a[0].DocID, Changes: changes, Gold: a[0].Gold,
		Length: a[0].Length, Depth: a[0].Depth, Key: a[0].Key}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		t, cut := cutText(*s)
		f.Cut = f.Cut || cut
		return t
	}
	for _, t := range a[0].Targets {
		f.Targets = append(f.Targets, text(&t))
	}
	shared := !slices.ContainsFunc(a, func(s rundir.Sample) bool { return value(s.Context) != value(a[0].Context) })
	if shared {
		f.Context = text(a[0].Context)
	}
	for k := range a {
		o := Option{Text: text(a[k].Continuation), A: scoreOf(&a[k]), B: scoreOf(&b[k])}
		if !shared {
			o.Context = text(a[k].Context)
		}
		f.Options = append(f.Options, o)
	}
	if len(a) > 1 {
		pick(f.Options, a, func(o *Option) *Score { return &o.A })
		pick(f.Options, b, func(o *Option) *Score { return &o.B })
	}
	return f
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func scoreOf(s *rundir.Sample) Score {
	out := Score{LogLikelihood: rundir.Number(nan)}
	if s.LogLikelihood != nil {
		out.LogLikelihood = rundir.Number(*s.LogLikelihood)
	}
	if s.IsGreedy != nil {
		out.Greedy = *s.IsGreedy
	}
	if s.Generated != nil {
		out.Generated, _ = cutText(*s.Generated)
	}
	if s.Kind == string(metric.GenerateUntil) {
		out.Taken = takenOf(s)
	}
	return out
}

// pick scores the options for each metric and marks the one it takes for the answer.
func pick(options []Option, rows []rundir.Sample, of func(*Option) *Score) {
	a, ok := rundir.Answers(rows)
	if !ok {
		return
	}
	for i := range metric.Table {
		m := &metric.Table[i]
		if _, _, ok := rundir.Value(m, rows); !ok || m.Length == nil {
			continue
		}
		for k, score := range m.Scores(a) {
			s := of(&options[k])
			if s.LogLikelihood == rundir.Number(score) {
				continue // the metric goes by the sum
			}
			if s.By == nil {
				s.By = map[string]rundir.Number{}
			}
			s.By[m.Name] = rundir.Number(score)
		}
		if k := m.Chosen(a); k >= 0 {
			s := of(&options[k])
			s.Picked = append(s.Picked, m.Name)
		}
	}
}

// cutText keeps the end of a long text, where the question is.
func cutText(s string) (string, bool) {
	if len(s) <= maxText {
		return s, false
	}
	start := len(s) - maxText
	for start < len(s) && !utf8.RuneStart(s[start]) {
		start++
	}
	return "…" + s[start:], true
}

// size is what the document takes in the page, in bytes; that which JSON cannot hold takes
// more than there is, and is left out.
func (f *Flip) size(room int) int {
	text, err := json.Marshal(f)
	if err != nil {
		return room + 1
	}
	return len(text) + 1
}
