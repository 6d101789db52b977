package study

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/train"
)

// Options say where and how a study runs.
type Options struct {
	Out     string
	World   string   // a world's directory; "": Out/world, made if it is not there
	Record  string   // a file of finished trainings (Entry), which are not trained again and to which others are added; "": none
	Threads int      // of all trainings together
	Examine Examiner // holds the study's exam; may be nil where it has none
	// Began, Line and Ended, where not nil, are told what happens, one call at a
	// time.
	Began func(Training)
	Line  func(Training, session.Line)
	Ended func(Training)
}

// Training is one of a study's.
type Training struct {
	Cell     int
	Name     string // the cell's, and the seed
	Seed     uint64
	Dir      string
	Steps    int            // of the whole training
	Lines    []session.Line // its history so far
	Done     bool           // nothing is left to train
	Stopped  string         // why it ended before its last step, where it did
	Kernels  string         // of a training from the record: those it was trained with
	Examined *Examined      // nil: the study has no exam, or the model has not been asked
}

// finishedFile is in a training's directory once nothing is left to train, with
// why it stopped before its last step, where it did.
const finishedFile = "finished"

// Trainings lists a study's trainings: the first seed of every cell, then the
// second, so that a stopped study has every cell before it has every seed.
func (s *Study) Trainings(out string) []Training {
	var all []Training
	for _, seed := range s.Seeds {
		for i, c := range s.Cells {
			all = append(all, Training{
				Cell: i, Seed: seed, Steps: c.Settings.Steps, Name: fmt.Sprintf("%s seed=%d", c.Name, seed),
				Dir: filepath.Join(out, "trainings", strings.NewReplacer("/", "_", " ", ",").Replace(c.Name), fmt.Sprintf("seed-%d", seed)),
			})
		}
	}
	return all
}

// Progress lists the trainings with what they have written so far, or with what
// the record has of them.
func (s *Study) Progress(ctx context.Context, o Options) ([]Training, error) {
	var record []Entry
	if o.Record != "" {
		if o.World != "" {
			return nil, errors.New("a record holds trainings on the world that the study's file describes, not on that of a directory: leave out one of them")
		}
		var err error
		if record, err = ReadRecord(ctx, o.Record); err != nil {
			return nil, err
		}
	}
	all := s.Trainings(o.Out)
	for i := range all {
		if err := all[i].read(s); err != nil {
			return nil, err
		}
		if !all[i].Done {
			s.known(&all[i], record)
		}
	}
	return all, nil
}

// Run trains what is left of a study, as many trainings at once as there are
// threads. A training that diverges is a result; any other error stops the study
// once the others have saved. The same call goes on where it was stopped.
func (s *Study) Run(ctx context.Context, o Options) ([]Training, error) {
	all, err := s.Progress(ctx, o)
	if err != nil {
		return nil, err
	}
	var left []*Training
	for i := range all {
		switch {
		case !all[i].Done || s.unexamined(&all[i]):
			left = append(left, &all[i])
		case o.Record != "" && all[i].Kernels == "": // trained here before there was a record
			if err := s.keep(ctx, &all[i], o.Record); err != nil {
				return nil, err
			}
		}
	}
	if s.Exam != nil && o.Examine == nil && len(left) > 0 {
		return nil, errors.New("the study has an exam, and nobody to hold it")
	}
	jobs := min(o.Threads, len(left))
	if jobs == 0 {
		return all, nil
	}
	world, err := s.world(o)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &runner{Study: s, Options: o, world: world, each: max(1, o.Threads/jobs)}
	work := make(chan *Training)
	var wait rescue.Group
	for range jobs {
		wait.Go(func() {
			for t := range work {
				if err := r.finish(ctx, t); err != nil {
					stop(fmt.Errorf("%s: %w", t.Name, err))
				}
			}
		})
	}
	for _, t := range left {
		select {
		case work <- t:
		case <-ctx.Done():
		}
	}
	close(work)
	wait.Wait()
	if ctx.Err() != nil {
		return all, context.Cause(ctx)
	}
	return all, nil
}

// world finds the directory of a study's world, or makes it.
func (s *Study) world(o Options) (string, error) {
	if o.World != "" {
		return o.World, nil
	}
	dir := filepath.Join(o.Out, "world")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, session.World(dir, s.World)
}

// settings are those of a training.
func (s *Study) settings(t *Training) session.Settings {
	settings := s.Cells[t.Cell].Settings
	settings.Seed = t.Seed
	return settings
}

// read takes in what a training has written.
func (t *Training) read(s *Study) error {
	if _, err := os.Stat(session.AskedPath(t.Dir)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	c, err := session.ReadCourse(t.Dir)
	if err != nil {
		return err
	}
	if c.Settings != s.settings(t) {
		return fmt.Errorf("%s: a training with other settings than the study's: name a new directory with --out", t.Dir)
	}
	t.Lines = c.Lines
	why, err := regularfile.ReadAll(context.Background(), filepath.Join(t.Dir, finishedFile), maxFinished)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Done, t.Stopped = true, strings.TrimSpace(string(why))
	return t.readExam(s)
}

// maxFinished bounds the file that says why a training ended, in bytes.
const maxFinished = 1 << 16

// end notes that nothing is left to train.
func (t *Training) end() error {
	t.Done = true
	return atomicfile.Write(filepath.Join(t.Dir, finishedFile), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, t.Stopped)
		return err
	})
}

// runner is a study under way.
type runner struct {
	*Study
	Options
	world string
	each  int // threads of a training
	mu    sync.Mutex
}

func (r *runner) tell(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// finish trains what is left of a training, examines its model, and keeps both.
func (r *runner) finish(ctx context.Context, t *Training) error {
	if !t.Done {
		if err := r.train(ctx, t); err != nil {
			return err
		}
	}
	if r.unexamined(t) {
		if err := r.examine(ctx, t); err != nil {
			return err
		}
	}
	var kept error
	r.tell(func() {
		if r.Record != "" {
			kept = r.keep(ctx, t, r.Record)
		}
		if r.Ended != nil {
			r.Ended(*t)
		}
	})
	return kept
}

func (r *runner) train(ctx context.Context, t *Training) error {
	files, valid, tok, err := session.WorldFiles(r.world)
	if err != nil {
		return err
	}
	r.tell(func() {
		if r.Began != nil {
			r.Began(*t)
		}
	})
	every := max(1, r.Diagnostics.Every/4)
	result, err := session.Run(ctx, session.Options{
		Settings: r.settings(t), Files: files, Valid: []string{valid}, Tokenizer: tok, Out: t.Dir, Resume: true, Threads: r.each,
		SaveEvery: r.Diagnostics.Every, LogEvery: every, DiagnosticsEvery: r.Diagnostics.Every, DiagnosticsSamples: r.Diagnostics.Samples, DiagnosticsLength: r.Diagnostics.Length,
		Line: func(l session.Line) {
			r.tell(func() {
				if r.Line != nil {
					r.Line(*t, l)
				}
			})
		},
	})
	switch {
	case errors.Is(err, train.ErrDiverged):
		t.Stopped = err.Error()
		if c, wrong := session.ReadCourse(t.Dir); wrong == nil {
			t.Lines = c.Lines
		}
	case err != nil:
		return err
	default:
		t.Lines = result.Lines
	}
	return t.end()
}
