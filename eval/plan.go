package eval

import (
	"os"
	"path/filepath"
	"time"

	"github.com/softbench/softbench/reports/rundir"
)

// planOf is what a journal says of the run for those who look at it before it is finished.
func planOf(m *Model, w *Work, o RunOptions, mine dealt) *rundir.Plan {
	p := &rundir.Plan{
		Suites: o.Suites, Model: describe(m), Directory: m.Dir, Softbench: o.Version, Start: time.Now().UTC().Truncate(time.Second), Command: o.Command,
	}
	if len(o.Command) > 0 {
		if where, err := os.Getwd(); err == nil && filepath.IsAbs(where) {
			p.Where = where
		}
	}
	for _, part := range w.parts() {
		one := rundir.PlannedPart{Name: part.name(), Kind: kindOf(part)}
		for _, d := range part.documents() {
			if mine.has(part.name(), d.ID) {
				one.Documents++
				one.Requests += len(d.Requests)
			}
		}
		p.Parts = append(p.Parts, one)
	}
	return p
}

// kindOf is the kind of a part's task.
func kindOf(p part) string {
	if t, ok := p.(*TaskWork); ok {
		return string(t.Task.Kind)
	}
	return p.name()
}
