package rundir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/softbench/softbench/internal/regularfile"
)

// Unfinished is a run that was stopped before its end, or goes on in another process, as far as it
// is there.
type Unfinished struct {
	State    State    `json:"-"` // Interrupted or Running
	Part     string   `json:"part,omitempty"`
	Settings Settings `json:"settings"`
	Plan     *Plan    `json:"plan,omitempty"` // nil of a journal of an earlier version
	// Parts are the tasks, the passkey grid and the diagnostics in the run's order.
	Parts []Far `json:"parts"`
	// Last is when the last result came.
	Last time.Time `json:"last"`

	whole []Whole
}

// Far is how far a part of a run is.
type Far struct {
	Name      string `json:"name"`
	Kind      string `json:"kind,omitempty"` // "": not known
	Documents int    `json:"documents"`      // of the whole part
	Begun     int    `json:"begun"`          // documents with a result
	Done      int    `json:"done"`           // requests with a result
	Requests  int    `json:"requests"`       // of the whole part; 0: not known
	// Whole: all requests are done, and the results follow from all documents.
	Whole bool `json:"whole"`
}

// Counts are requests that are done and all there are; 0 of those where a part's are not known.
func (u *Unfinished) Counts() (done, of int) {
	known := true
	for _, p := range u.Parts {
		done, of = done+p.Done, of+p.Requests
		known = known && p.Requests > 0
	}
	if !known {
		of = 0
	}
	return done, of
}

// GoOn says how to go on with the run, as "go on with it: COMMAND".
func (u *Unfinished) GoOn() string { return u.Plan.goOn() }

// Run is what of the run is whole: its settings and model, and the results of those tasks all of
// whose requests are done. Nothing in it is of a task of which a part is missing.
func (u *Unfinished) Run() *Run {
	r := &Run{Schema: Schema, Name: u.Settings.Name(), Settings: u.Settings}
	if p := u.Plan; p != nil {
		r.Suites, r.Model = p.Suites, p.Model
		r.Process.Directory, r.Process.Softbench, r.Process.Start = p.Directory, p.Softbench, p.Start
	}
	for _, p := range u.Parts {
		if !p.Whole {
			continue
		}
		w := u.results(p.Name)
		if w.Task != nil {
			r.Tasks = append(r.Tasks, *w.Task)
		} else {
			r.Passkey = w.Passkey
		}
	}
	return r
}

// results are those of a part; nil where the journal has none.
func (u *Unfinished) results(name string) *Whole {
	for i := range u.whole {
		w := &u.whole[i]
		if w.Task != nil && w.Task.Name == name || w.Task == nil && name == PasskeyTask {
			return w
		}
	}
	return nil
}

// NotFinished is the error of what wants a finished run, of one that is not.
type NotFinished struct {
	Dir   string
	State State
	How   string // to go on with it
}

func (e *NotFinished) Error() string {
	if e.State == Running {
		return e.Dir + ": the run is not finished: another process is writing it"
	}
	return e.Dir + ": the run is not finished: " + e.How
}

// notFinished is the error of a directory without a manifest; nil where it holds no journal either.
func notFinished(ctx context.Context, dir string) error {
	state, _ := StateOf(dir)
	if state != Interrupted && state != Running {
		return nil
	}
	var plan *Plan
	if h, err := readBegun(ctx, dir); err == nil && h != nil {
		plan = h.Plan
	}
	return &NotFinished{dir, state, plan.goOn()}
}

// ReadUnfinished reads what there is of a run that is not finished. Of one that is, and of a
// directory without a run, it returns the error of Read or nil.
func ReadUnfinished(ctx context.Context, dir string) (*Unfinished, error) {
	state, err := StateOf(dir)
	if err != nil || state != Interrupted && state != Running {
		return nil, err
	}
	path := filepath.Join(dir, journalName)
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // it has just finished
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	j, err := readJournal(ctx, f)
	if errors.Is(err, errTorn) {
		return nil, fmt.Errorf("%s: the run was stopped before its first result, and nothing of it is here: give the same command again with --resume", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	u := &Unfinished{State: state, Part: j.Part, Settings: j.Settings, Plan: j.Plan, whole: j.whole}
	if info, err := os.Stat(path); err == nil {
		u.Last = info.ModTime().UTC()
	}
	u.count(j.records)
	return u, nil
}

// count finds how far the parts are.
func (u *Unfinished) count(records []Record) {
	u.Parts = u.planned()
	at := map[string]*Far{}
	for i := range u.Parts {
		at[u.Parts[i].Name] = &u.Parts[i]
	}
	type document struct {
		task string
		doc  int
	}
	seen := map[document]bool{}
	for i := range records {
		p := at[records[i].Task]
		if p == nil {
			continue
		}
		p.Done++
		if d := (document{p.Name, records[i].Doc}); !seen[d] {
			seen[d] = true
			p.Begun++
		}
	}
	for i := range u.Parts {
		p := &u.Parts[i]
		p.Whole = u.Part == "" && p.Requests > 0 && p.Done == p.Requests && u.results(p.Name) != nil
	}
}

// planned are the parts of the run, as its plan has them, else its settings.
func (u *Unfinished) planned() (out []Far) {
	if u.Plan != nil {
		for _, p := range u.Plan.Parts {
			out = append(out, Far{Name: p.Name, Kind: p.Kind, Documents: p.Documents, Requests: p.Requests})
		}
		return out
	}
	s := &u.Settings
	for _, t := range s.Tasks {
		out = append(out, Far{Name: t.Name, Documents: t.Documents})
	}
	if p := s.Passkey; p != nil {
		n := len(p.Lengths) * len(p.Depths) * p.Trials
		out = append(out, Far{Name: PasskeyTask, Kind: PasskeyTask, Documents: n, Requests: n})
	}
	if d := s.Diagnostics; d != nil {
		out = append(out, Far{Name: "diagnostics", Kind: "diagnostics", Documents: d.Samples})
	}
	return out
}
