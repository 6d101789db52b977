package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/lab/train"
)

// Options are one training.
type Options struct {
	Settings  Settings
	Files     []string // the text, in order
	Valid     []string // held-out text for the measures; none: the training text's beginning
	Tokenizer string   // directory with a tokenizer; "": one is trained on the text
	Out       string
	Resume    bool
	Threads   int

	SaveEvery          int // steps
	LogEvery           int // steps; a history line
	DiagnosticsEvery   int // steps; 0: only at the end
	DiagnosticsSamples int
	DiagnosticsLength  int // tokens of a sample; 0: the context

	// Begin, Step and Line, where not nil, are told what happens.
	Begin func(Start)
	Step  func(train.Report)
	Line  func(Line)
	// Page, where not nil, writes the page that ReportPath gets at every save
	// and at the end.
	Page func(io.Writer, Course) error
}

// Start is what is known before the first step.
type Start struct {
	Parameters, Tokens, Documents, Vocab int
	Done                                 int  // steps that a resumed training has
	FromDocuments                        bool // windows begin where documents do
}

// Result is a training that came to its end.
type Result struct {
	Settings   Settings
	Parameters int
	Lines      []Line
}

// Files of a training below its directory.
const (
	trainingDir = "training"
	stateFile   = "state"
	historyFile = "history.jsonl"
	askedFile   = "settings.json"
)

// HistoryPath is where a training keeps its history.
func HistoryPath(out string) string { return filepath.Join(out, trainingDir, historyFile) }

// run is a training under way.
type run struct {
	Options
	trainer     *train.Trainer
	stored      safetensors.DType
	bos, eos    int32
	diagnostics *diagnostics
	history     *history
	sum         sums
	kept        int // steps that the state on disk has
	started     time.Time
	source      string // the tokenizer's directory
	made        string // a temporary one, to be removed
	unlock      func()
}

// sums are what the next history line needs of the steps before; a state keeps
// them.
type sums struct {
	Loss    float64
	Steps   int
	Seconds float64 // of training before this process
	Last    train.Report
}

func (r *run) path(name string) string { return filepath.Join(r.Out, trainingDir, name) }

// Run trains, or goes on with a training, until its last step. Where ctx is
// cancelled it leaves the step under way, saves the steps that are done and
// returns ctx's error; a loss that is not a number returns train.ErrDiverged and
// leaves the last save, which had one, as it is.
func Run(ctx context.Context, o Options) (*Result, error) {
	r := &run{Options: o}
	defer func() {
		if r.made != "" {
			_ = os.RemoveAll(r.made)
		}
		if r.unlock != nil {
			r.unlock()
		}
	}()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	return r.train(ctx)
}

func (r *run) train(ctx context.Context) (*Result, error) {
	defer r.history.file.Close()
	r.started = time.Now()
	err := r.loop(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, errors.Join(ctx.Err(), r.interrupted())
	case errors.Is(err, train.ErrDiverged):
		if wrong := r.page(err.Error()); wrong != nil {
			err = fmt.Errorf("%w (and its page: %s)", err, wrong)
		}
		if _, none := os.Stat(filepath.Join(r.Out, "model.safetensors")); none != nil {
			return nil, fmt.Errorf("%w; there is no checkpoint of a step before", err)
		}
		return nil, fmt.Errorf("%w; %s holds the checkpoint of the last save", err, r.Out)
	case err != nil:
		return nil, err
	}
	return &Result{Settings: r.Settings, Parameters: len(r.trainer.Model.Params.All), Lines: r.history.lines}, nil
}

// interrupted saves the steps that the state on disk lacks, and the page.
func (r *run) interrupted() error {
	if r.trainer.Done == r.kept {
		return nil
	}
	if err := r.save(); err != nil {
		return err
	}
	return r.page("")
}

func (r *run) loop(ctx context.Context) error {
	checked := time.Now()
	for {
		if time.Since(checked) > checkEvery {
			checked = time.Now()
			if err := r.present(); err != nil {
				return err
			}
		}
		// First what is due after the last step: a resumed training may have
		// been stopped before it.
		if err := r.after(ctx); err != nil {
			return err
		}
		if r.trainer.Done >= r.Settings.Steps {
			return nil
		}
		report, err := r.trainer.Step(ctx)
		if err != nil {
			return err
		}
		r.sum.Loss += report.Loss
		r.sum.Steps++
		r.sum.Last = report
		if r.Step != nil {
			r.Step(report)
		}
	}
}

// checkEvery bounds how long a training goes on after its directory was removed.
const checkEvery = time.Second

// present finds that the training's state has gone: what is trained from then on would
// be written to nowhere.
func (r *run) present() error {
	if _, err := os.Stat(r.path(stateFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the training's files were removed while it was going on, and what it did is lost with them: begin anew", r.Out)
	}
	return nil // where the file system does not answer, writing tells
}

// after writes the line and the checkpoint that are due after the last step.
// Weights that give no loss are neither measured nor saved: no save takes the
// place of a better one.
func (r *run) after(ctx context.Context) error {
	last := r.sum.Last
	due := func(every int) bool { return last.Step > 0 && (every > 0 && last.Step%every == 0 || last.Finished) }
	if due(r.DiagnosticsEvery) || due(r.SaveEvery) {
		if err := r.trainer.Check(ctx); err != nil {
			return err
		}
	}
	if (due(r.LogEvery) || due(r.DiagnosticsEvery)) && r.sum.Steps > 0 {
		if err := r.line(ctx, due(r.DiagnosticsEvery)); err != nil {
			return err
		}
	}
	if due(r.SaveEvery) {
		return r.saveAll()
	}
	return nil
}

func (r *run) line(ctx context.Context, measured bool) error {
	last := r.sum.Last
	l := Line{Step: last.Step, Tokens: last.Tokens, Loss: r.sum.Loss / float64(r.sum.Steps), Norm: last.Norm, Rate: last.Rate, Seconds: r.seconds()}
	if measured {
		var err error
		if l.Measure, err = r.measure(ctx); err != nil {
			return err
		}
	}
	if err := r.history.add(l); err != nil {
		return err
	}
	r.sum.Loss, r.sum.Steps = 0, 0
	if r.Line != nil {
		r.Line(l)
	}
	return nil
}

func (r *run) seconds() float64 { return r.sum.Seconds + time.Since(r.started).Seconds() }

// saveAll saves state, checkpoint and page, each whole or not at all.
func (r *run) saveAll() error {
	if err := r.save(); err != nil {
		return err
	}
	if err := r.trainer.Export(r.Out, r.stored, r.bos, r.eos); err != nil {
		return err
	}
	return r.page("")
}

// save writes history and state. The state comes after the history: it never
// lacks a line.
func (r *run) save() error {
	if err := r.history.sync(); err != nil {
		return err
	}
	sum := r.sum
	sum.Seconds = r.seconds()
	note, err := json.Marshal(sum)
	if err != nil {
		return err
	}
	if err := r.trainer.Save(r.path(stateFile), string(note)); err != nil {
		return err
	}
	r.kept = r.trainer.Done
	return nil
}
