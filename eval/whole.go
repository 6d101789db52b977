package eval

import (
	"fmt"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// expect makes the journal of a whole run find the tasks of which every request is done.
func (j *journal) expect(w *Work) {
	if j.writer == nil {
		return
	}
	j.left = map[string]int{}
	for _, p := range w.parts() {
		if p == part(w.Diagnostics) { // which are measured together with the run
			continue
		}
		left := 0
		for _, d := range p.documents() {
			for k := range d.Requests {
				if !j.done(p.name(), d.ID, k) {
					left++
				}
			}
		}
		j.left[p.name()] = left
	}
}

// keepWhole adds the results of tasks of which every request has come to be done.
func (j *journal) keepWhole(w *Work, m *Model) error {
	for _, p := range w.parts() {
		if left, ok := j.left[p.name()]; !ok || left > 0 {
			continue
		}
		delete(j.left, p.name())
		var r rundir.Run
		if _, err := p.report(&r, m, j.answersOf(p)); err != nil {
			return err
		}
		whole := rundir.Whole{Passkey: r.Passkey}
		if len(r.Tasks) > 0 {
			whole.Task = &r.Tasks[0]
		}
		if err := j.writer.AddWhole(whole); err != nil {
			return err
		}
	}
	return nil
}

// answersOf looks up what was answered of a part's documents.
func (j *journal) answersOf(p part) func(*tasks.Doc) ([]answer.Answer, error) {
	return func(d *tasks.Doc) ([]answer.Answer, error) {
		out := make([]answer.Answer, len(d.Requests))
		for k := range out {
			r, ok := j.records[recordKey{p.name(), d.ID, k}]
			if !ok {
				return nil, fmt.Errorf("task %s document %d request %d was never computed: this is a fault of softbench", p.name(), d.ID, k)
			}
			out[k] = r.Answer
		}
		return out, nil
	}
}
