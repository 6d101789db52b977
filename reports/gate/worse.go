package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// mostDocuments bounds the documents of a metric that are named.
const mostDocuments = 10

// DocumentDrop is a document that got worse.
type DocumentDrop struct {
	ID    int           `json:"doc_id"`
	Hash  string        `json:"doc_hash,omitempty"` // which a quarantine names it by
	Words string        `json:"words,omitempty"`    // the first ones of what was asked
	Was   rundir.Number `json:"baseline"`           // its part in the metric: 0 or 1, a loglikelihood, or the sum of its tokens' divergences
	Now   rundir.Number `json:"run"`
}

// worse lists the documents whose part in a metric got worse, the most so first.
func (bt *BaselineTask) worse(bm *BaselineMetric, t *compare.Task, run *compare.Side, higherIsBetter bool, out quarantined) (list []DocumentDrop) {
	at := slices.IndexFunc(t.Metrics, func(x compare.MetricInfo) bool { return x.Name == bm.Name })
	if at < 0 {
		return nil
	}
	// A loglikelihood is better where it is higher, whatever the metric's direction.
	way := 1.0
	if bm.Formula == compare.Mean && !higherIsBetter {
		way = -1
	}
	type place struct {
		k    int
		drop float64
	}
	var all []place
	for k := range t.Documents {
		was, now := bm.Values[k], t.Documents[k].Values[at]
		if !was.Scored || !now.Scored || out.has(&t.Documents[k]) {
			continue
		}
		if drop := way * (was.Value - now.Value); drop > 0 {
			all = append(all, place{k, drop})
		}
	}
	slices.SortStableFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(b.drop, a.drop), cmp.Compare(t.Documents[a.k].ID, t.Documents[b.k].ID))
	})
	if len(all) > mostDocuments {
		all = all[:mostDocuments]
	}
	wanted := map[int]string{}
	for _, p := range all {
		wanted[t.Documents[p.k].ID] = ""
	}
	firstWords(run, bt.Name, wanted)
	for _, p := range all {
		d := &t.Documents[p.k]
		list = append(list, DocumentDrop{d.ID, d.Keys[0], wanted[d.ID], rundir.Number(bm.Values[p.k].Value), rundir.Number(d.Values[at].Value)})
	}
	return list
}

// firstWords fills in what was asked of documents, by their ids.
func firstWords(run *compare.Side, task string, wanted map[int]string) {
	if len(wanted) == 0 {
		return
	}
	for i := range run.Samples {
		s := &run.Samples[i]
		words, ok := wanted[int(s.DocID)]
		if !ok || words != "" || s.Task != task {
			continue
		}
		asked := s.Context
		if asked == nil || strings.TrimSpace(*asked) == "" {
			asked = s.Continuation
		}
		if asked != nil {
			wanted[int(s.DocID)] = begin(*asked)
		}
	}
}

// begin is the beginning of a question: of worked examples, which a blank line parts, the last.
func begin(asked string) string {
	const most = 60 // characters
	asked = strings.TrimSpace(asked)
	if i := strings.LastIndex(asked, "\n\n"); i >= 0 {
		asked = asked[i:]
	}
	words := strings.Join(strings.Fields(asked), " ")
	if r := []rune(words); len(r) > most {
		words = strings.TrimSpace(string(r[:most])) + "…"
	}
	return words
}

// name is how a report calls a document.
func (d *DocumentDrop) name() string {
	if d.Words == "" {
		return fmt.Sprintf("document %d", d.ID)
	}
	return fmt.Sprintf("document %d %q", d.ID, text.Printable(d.Words))
}

// worseLines are the documents of a metric that did not pass, at most so many.
func (m *Metric) worseLines(most int) (lines []string) {
	for i := range m.WorseDocuments[:min(most, len(m.WorseDocuments))] {
		d := &m.WorseDocuments[i]
		lines = append(lines, fmt.Sprintf("%s: %s, was %s", d.name(), m.shown(d.Now), m.shown(d.Was)))
	}
	return lines
}
