package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// document is the JSON that a page carries in its element "report": every
// number the page shows stands here.
type document struct {
	Title       string              `json:"title"`
	Runs        []runDocument       `json:"runs"`
	Comparison  *compare.Comparison `json:"comparison,omitempty"`
	NotCompared string              `json:"not_compared,omitempty"`
	// Settings that are not the same in all runs.
	Settings []setting      `json:"settings_that_differ,omitempty"`
	Passkey  []cellChange   `json:"passkey_difference,omitempty"` // last run minus first
	Against  []pairDocument `json:"against_baseline,omitempty"`
	Pairs    []pairDocument `json:"pairs,omitempty"`
	// NotPaired says which pairs those two lack, and why.
	NotPaired []string `json:"not_paired,omitempty"`
	Flips     *Flips   `json:"flips,omitempty"`
	LeftOut   []string `json:"left_out,omitempty"` // runs that were named, and why they are not here
	Answers   []Answer `json:"answers,omitempty"`  // of a page of one run
}

type runDocument struct {
	Name      string          `json:"name"`
	Foreign   bool            `json:"foreign,omitempty"` // of another program: the manifest has what that states of its tasks
	Format    compare.Format  `json:"format,omitempty"`  // of results of another program
	Path      string          `json:"path,omitempty"`
	Place     *Place          `json:"place,omitempty"` // in a course
	Manifest  *rundir.Run     `json:"manifest"`
	Lengths   []passkeyLength `json:"passkey_by_length,omitempty"` // of passkey retrieval
	Positions []positions     `json:"perplexity_by_position,omitempty"`
	Maps      []AttentionMap  `json:"attention_maps,omitempty"`
	// Unfinished is how far a run is that is not finished: the manifest has no more than its whole tasks.
	Unfinished *unfinishedDocument `json:"unfinished,omitempty"`
}

// passkeyLength is passkey retrieval over all depths of one length, with its 95% interval
// (Wilson: the keys of a length are all different).
type passkeyLength struct {
	Length   int           `json:"length"`
	Right    int           `json:"right"`
	N        int           `json:"n"`
	Accuracy rundir.Number `json:"accuracy"`
	Low      rundir.Number `json:"low"`
	High     rundir.Number `json:"high"`
}

// lengthsOf pools a grid's cells by length; none where there is one depth alone, which the
// cells themselves are.
func lengthsOf(cells []rundir.Cell) ([]passkeyLength, error) {
	var out []passkeyLength
	depths := map[float64]bool{}
	for _, c := range cells {
		depths[c.Depth] = true
		k := slices.IndexFunc(out, func(l passkeyLength) bool { return l.Length == c.Length })
		if k < 0 {
			k = len(out)
			out = append(out, passkeyLength{Length: c.Length})
		}
		out[k].Right, out[k].N = out[k].Right+c.Right, out[k].N+c.N
	}
	if len(depths) < 2 {
		return nil, nil
	}
	for k := range out {
		l := &out[k]
		low, high, err := stats.Wilson(l.Right, l.N, 0.05)
		if err != nil {
			return nil, fmt.Errorf("passkey at %d tokens: %w", l.Length, err)
		}
		l.Accuracy, l.Low, l.High = rundir.Number(float64(l.Right)/float64(l.N)), rundir.Number(low), rundir.Number(high)
	}
	slices.SortFunc(out, func(x, y passkeyLength) int { return cmp.Compare(x.Length, y.Length) })
	return out, nil
}

// cellChange is a passkey cell in which two runs are compared.
type cellChange struct {
	Length     int           `json:"length"`
	Depth      float64       `json:"depth"`
	Difference rundir.Number `json:"difference"`
}

// positions is a rolling task's perplexity by where in the window a token
// stands: bucket k is the k-th part of the context of MaxLength tokens.
type positions struct {
	Task    string   `json:"task"`
	Buckets []bucket `json:"buckets"`
}

type bucket struct {
	Until      float64       `json:"until"`      // its end, in percent of the window
	Tokens     int64         `json:"tokens"`     // scored there, over all documents
	Documents  int           `json:"documents"`  // that reach there
	Perplexity rundir.Number `json:"perplexity"` // exp(-sum of loglikelihoods / tokens); null without tokens
	// Low and High are its 95% interval over the documents, those of one cluster being
	// one: Student's on the log scale. Null where one document reaches there.
	Low  rundir.Number `json:"low"`
	High rundir.Number `json:"high"`
}

func newDocument(p Page) (*document, error) {
	d := &document{Title: p.Title, Comparison: p.Comparison, NotCompared: p.NotCompared, Against: newPairs(p.Against, true), Pairs: newPairs(p.Pairs, false), LeftOut: p.LeftOut, NotPaired: p.NotPaired}
	for _, r := range p.Runs {
		pos, err := positionsOf(r.Samples)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", text.Visible(r.Name), err)
		}
		if err := checkMaps(r.Maps, roomFor(len(p.Runs))); err != nil {
			return nil, fmt.Errorf("run %s: %w", text.Visible(r.Name), err)
		}
		run := runDocument{Name: r.Name, Place: r.Place, Manifest: r.Manifest, Positions: pos, Maps: r.Maps, Unfinished: newUnfinished(r.Unfinished)}
		if r.Manifest == nil {
			run.Manifest, run.Foreign = &rundir.Run{}, true
			run.Manifest.Groups = r.Stated.Groups
			run.Manifest.Tasks, run.Format, run.Path = r.Stated.Tasks, r.Stated.Format, r.Stated.Path
		}
		if run.Lengths, err = lengthsOf(run.Manifest.Passkey); err != nil {
			return nil, fmt.Errorf("run %s: %w", text.Visible(r.Name), err)
		}
		d.Runs = append(d.Runs, run)
	}
	if len(p.Runs) == 1 {
		d.Answers = firstAnswers(p.Runs[0].Samples)
	} else {
		first, last := p.Runs[0], p.Runs[len(p.Runs)-1]
		if p.NotCompared == "" { // else nothing of the two is paired
			d.Passkey = passkeyDifference(d.Runs[0].Manifest.Passkey, d.Runs[len(d.Runs)-1].Manifest.Passkey)
			d.Flips = findFlips(first.Samples, last.Samples, roomForFlips(len(p.Runs)))
		}
		settings, err := settingsThatDiffer(d.Runs)
		if err != nil {
			return nil, err
		}
		d.Settings = settings
	}
	if d.Title == "" {
		d.Title = title(p.Runs)
	}
	return d, nil
}

func title(runs []Run) string {
	first, last := runs[0].Name, runs[len(runs)-1].Name
	switch len(runs) {
	case 1:
		return first
	case 2:
		return last + " against " + first
	}
	return fmt.Sprintf("%s to %s, %d runs", first, last, len(runs))
}

// positionsOf pools each rolling task's documents by position.
func positionsOf(samples []rundir.Sample) ([]positions, error) {
	byTask := map[string][]stats.List{} // of each part of the window
	var order []string
	for i := range samples {
		s := &samples[i]
		if len(s.PositionLikelihood) == 0 && len(s.PositionTokens) == 0 {
			continue
		}
		n := len(s.PositionLikelihood)
		parts := byTask[s.Task]
		if parts == nil {
			parts = make([]stats.List, n)
			byTask[s.Task] = parts
			order = append(order, s.Task)
		}
		if n != len(s.PositionTokens) || n != len(parts) {
			return nil, fmt.Errorf("%s document %d: %d loglikelihoods and %d token counts by position, want %d of each: the samples are damaged",
				s.Task, s.DocID, n, len(s.PositionTokens), len(parts))
		}
		for k := range n {
			if l := &parts[k]; s.PositionTokens[k] > 0 {
				l.Values, l.Weights = append(l.Values, s.PositionLikelihood[k]), append(l.Weights, float64(s.PositionTokens[k]))
				l.Clusters = append(l.Clusters, cmp.Or(s.Cluster, s.DocHash))
			}
		}
	}
	var out []positions
	for _, name := range order {
		p := positions{Task: name}
		for k, l := range byTask[name] {
			b, err := newBucket(l)
			if err != nil {
				return nil, fmt.Errorf("%s by position: %w", name, err)
			}
			b.Until = 100 * float64(k+1) / float64(len(byTask[name]))
			p.Buckets = append(p.Buckets, b)
		}
		out = append(out, p)
	}
	return out, nil
}

// newBucket is the perplexity of a part of the window: of documents' loglikelihoods there,
// with their tokens as weights.
func newBucket(l stats.List) (bucket, error) {
	none := rundir.Number(math.NaN())
	b := bucket{Documents: len(l.Values), Perplexity: none, Low: none, High: none}
	if b.Documents == 0 {
		return b, nil
	}
	for _, w := range l.Weights {
		b.Tokens += int64(w)
	}
	e, err := stats.Ratio(l, 0.05)
	perplexity := func(mean float64) rundir.Number { return rundir.Number(math.Exp(-mean)) }
	b.Perplexity, b.Low, b.High = perplexity(e.Value), perplexity(e.High), perplexity(e.Low)
	return b, err
}

// passkeyDifference pairs the cells that both grids have.
func passkeyDifference(a, b []rundir.Cell) []cellChange {
	var out []cellChange
	for _, x := range a {
		k := slices.IndexFunc(b, func(y rundir.Cell) bool { return x.Length == y.Length && x.Depth == y.Depth })
		if k >= 0 {
			out = append(out, cellChange{x.Length, x.Depth, b[k].Accuracy - x.Accuracy})
		}
	}
	return out
}
