package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
)

// KL is the metric of a DivergenceSide: nats a token, 0 where both models say the same.
const KL = "kl"

// KLFrom is the setting of a DivergenceSide that says which model it is measured from: the one whose
// distributions are p of Σ p·(ln p - ln q).
const KLFrom = "kl_from"

// KLFromOf is KLFrom of divergences from a run with these settings.
func KLFromOf(first *rundir.Settings) string { return first.ModelSHA256 + " " + first.Attention }

// DivergenceSide is a run with one metric, KL: how far it is from the run whose settings are first,
// document by document, a document's weight being its scored tokens. Tasks without a scored
// token are left out. A task's only document is in its windows, as in Diverge.
func DivergenceSide(run *Side, first rundir.Settings, records []rundir.DivergenceRecord) (*Side, error) {
	s := *run
	s.MustMatch = maps.Clone(run.MustMatch)
	s.MustMatch[KLFrom] = KLFromOf(&first)
	s.Tasks, s.Groups, s.Notes, s.DiagnosticsSamples, s.Maps = nil, nil, nil, nil, nil
	byTask := map[string][]rundir.DivergenceRecord{}
	for i := range records {
		byTask[records[i].Task] = append(byTask[records[i].Task], records[i])
	}
	for _, of := range byTask { // they stand in the order in which they were computed
		slices.SortFunc(of, func(a, b rundir.DivergenceRecord) int {
			return cmp.Or(cmp.Compare(a.Doc, b.Doc), cmp.Compare(a.Request, b.Request))
		})
	}
	for i := range run.Tasks {
		t := run.Tasks[i]
		scored := t.addDivergences(byTask[t.Name])
		if scored > 0 {
			s.Tasks = append(s.Tasks, t)
		}
		if scored == 1 { // what was asked names no window
			s.Samples = slices.DeleteFunc(slices.Clone(s.Samples), func(x rundir.Sample) bool { return x.Task == t.Name })
		}
	}
	if len(s.Tasks) == 0 {
		return nil, fmt.Errorf("%s: no token was scored: there is no divergence to judge", run.Name)
	}
	return &s, nil
}

// addDivergences puts KL in the place of the task's metrics; scored is of how many documents there is one.
func (t *Task) addDivergences(records []rundir.DivergenceRecord) (scored int) {
	sums := map[int]*Value{} // by document
	for i := range records {
		r := &records[i]
		if sums[r.Doc] == nil {
			sums[r.Doc] = &Value{}
		}
		sums[r.Doc].addDivergence(r.KL)
	}
	t.Metrics = []MetricInfo{{Name: KL, Formula: Mean}}
	t.Documents = slices.Clone(t.Documents)
	var only *Document
	for i := range t.Documents {
		d := &t.Documents[i]
		d.Values, d.Answer = []Value{{}}, ""
		if v := sums[d.ID]; v != nil && v.Scored {
			d.Values[0], d.Tokens = *v, int(v.Weight)
			only = d
			scored++
		}
	}
	if scored == 1 {
		t.Documents = windowDocuments(only, records)
	}
	return scored
}

func (v *Value) addDivergence(kl []float64) {
	for _, x := range kl {
		v.Value += x
	}
	v.Weight += float64(len(kl))
	v.Scored = v.Weight > 0
}

// windowDocuments are the windows of a task's only document, each as a document of its own.
func windowDocuments(d *Document, records []rundir.DivergenceRecord) (all []Document) {
	for i := range records {
		r, at := &records[i], 0
		for _, w := range r.Windows {
			one := Document{ID: len(all), Tokens: w[1], Values: []Value{{}}}
			for k, name := range d.Keys {
				one.Keys[k] = fmt.Sprintf("%s request %d window %06d", name, r.Request, len(all))
			}
			one.Values[0].addDivergence(r.KL[at : at+w[1]])
			all, at = append(all, one), at+w[1]
		}
	}
	return all
}
