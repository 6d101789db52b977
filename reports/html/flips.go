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
	maxFlips    = 2000
	maxText     = 4000    // bytes of one text
	maxFlipText = 6 << 20 // bytes of all of them, as they stand in the page
)

// Flips are the documents that one run got right and the other wrong.
type Flips struct {
	Total   int    `json:"total"`
	Carried int    `json:"carried"` // the first of them, as many as a page can carry
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
}

type docKey struct{ task, hash string }

// findFlips pairs documents by task and hash. It is nil where no document is right
// or wrong in both: where one has no samples (results of lm-evaluation-harness), and
// of perplexities.
func findFlips(a, b []rundir.Sample) *Flips {
	others := map[docKey][]rundir.Sample{}
	eachDocument(b, func(rows []rundir.Sample) { others[docKey{rows[0].Task, rows[0].DocHash}] = rows })
	f := &Flips{Shown: []Flip{}, Metrics: flippable()}
	budget, judged := maxFlipText, false
	eachDocument(a, func(rows []rundir.Sample) {
		other := others[docKey{rows[0].Task, rows[0].DocHash}]
		if len(other) != len(rows) {
			return
		}
		changes, both := changesOf(rows, other)
		judged = judged || both
		if len(changes) == 0 {
			return
		}
		f.Total++
		if len(f.Shown) == maxFlips || budget <= 0 {
			return
		}
		flip := newFlip(rows, other, changes)
		if budget -= flip.size(); budget < 0 {
			return
		}
		f.Shown = append(f.Shown, flip)
		f.Carried++
	})
	if !judged {
		return nil
	}
	return f
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

// size is what the document takes in the page, in bytes.
func (f *Flip) size() int {
	text, err := json.Marshal(f)
	if err != nil {
		return maxFlipText // the page's own encoding reports it
	}
	return len(text)
}
