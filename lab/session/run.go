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
	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lab/train"
	"github.com/softbench/softbench/lab/world"
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
	if err := r.trainer.SaveNote(r.path(stateFile), string(note)); err != nil {
		return err
	}
	r.kept = r.trainer.Done
	return nil
}

// prepare reads text and tokenizer, makes the trainer and the directory, and
// goes on with a saved state where there is one.
func (r *run) prepare(ctx context.Context) error {
	options, stored, err := r.Settings.options(r.Threads)
	if err != nil {
		return err
	}
	r.stored = stored
	if r.LogEvery < 1 || r.SaveEvery < 1 || r.DiagnosticsEvery < 0 || r.DiagnosticsSamples < 1 || r.DiagnosticsLength < 0 {
		return errors.New("the steps between logs and saves, and the probe's samples, must be at least 1")
	}
	// What the numbers alone say is wrong is said before the text is read.
	if err := options.Check(); err != nil {
		return err
	}
	if r.Settings.Mix != "" {
		if _, err := world.ParseMix(r.Settings.Mix); err != nil {
			return err
		}
	}
	resumed, err := r.directory()
	if err != nil {
		return err
	}
	text, err := readTexts(ctx, r.Files)
	if err != nil {
		return err
	}
	tok, err := r.tokenizer(ctx, text, resumed)
	if err != nil {
		return err
	}
	c, err := tokenize(ctx, tok, text)
	if err != nil {
		return err
	}
	text = ""
	options.Config.Vocab = tok.VocabSize()
	options.Starts = c.windowStarts(r.Settings.Context)
	if id, ok := tok.BOS(); ok {
		options.First, r.bos, r.eos = &id, id, id
	}
	if id, ok := tok.EOS(); ok {
		r.eos = id
	}
	mix, err := newMixture(&r.Settings, tok)
	if err != nil {
		return err
	}
	if mix != nil {
		options.Exercises = mix
	}
	if r.trainer, err = train.NewTrainer(c.tokens, options); err != nil {
		return err
	}
	if err := r.newDiagnostics(ctx, tok, c, mix, options.First); err != nil {
		return err
	}
	if err := r.claim(resumed); err != nil {
		return err
	}
	if resumed {
		err = r.resume()
	} else {
		err = r.begin()
	}
	if err != nil {
		return err
	}
	r.sweep()
	if r.history, err = openHistory(r.path(historyFile), r.trainer.Done); err != nil {
		return err
	}
	if r.Begin != nil {
		r.Begin(Start{
			len(r.trainer.Model.Params.All), len(c.tokens), len(c.starts), options.Config.Vocab, r.trainer.Done, options.Starts != nil,
		})
	}
	return nil
}

func (r *run) newDiagnostics(ctx context.Context, tok *tokenizer.Tokenizer, c corpus, mix *mixture, bos *int32) (err error) {
	length := r.DiagnosticsLength
	if length == 0 {
		length = r.Settings.Context
	}
	held := len(r.Valid) > 0
	if held {
		var text string
		if text, err = readTexts(ctx, r.Valid); err != nil {
			return err
		}
		if c, err = tokenize(ctx, tok, text); err != nil {
			return err
		}
	}
	if mix != nil {
		if r.diagnostics, err = mix.newDiagnostics(c, *bos, r.DiagnosticsSamples, length); err != nil {
			return err
		}
		r.diagnostics.threads = r.Threads
		return nil
	}
	r.diagnostics = newDiagnostics(c, bos, r.DiagnosticsSamples, length)
	r.diagnostics.heldOut, r.diagnostics.threads = held, r.Threads
	if len(r.diagnostics.samples) == 0 {
		return fmt.Errorf("the text for the measures has %d tokens, fewer than one sample of %d: give more text, or shorter samples", len(c.tokens), length)
	}
	return nil
}

// directory says whether there is a training to go on with, and refuses what is
// none or must not be overwritten.
func (r *run) directory() (resumed bool, err error) {
	if r.Out == "" {
		return false, errors.New("no directory to train into: name one with --out")
	}
	if _, err := os.Stat(r.path(stateFile)); err == nil {
		if !r.Resume {
			return false, r.taken()
		}
		return true, nil
	}
	if info, err := os.Stat(r.path("")); err == nil && info.IsDir() {
		return false, nil // stopped before its first step
	}
	entries, err := os.ReadDir(r.Out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, regularfile.PathError(r.Out, err)
	}
	if len(entries) > 0 {
		return false, fmt.Errorf("%s: holds files, but no training: name a new directory", r.Out)
	}
	return false, nil
}

func (r *run) taken() error {
	return fmt.Errorf("%s: holds a training already: go on with it by --resume, or name a new directory", r.Out)
}

// claim makes this process the directory's only one. What directory found may
// have changed meanwhile: reading the text takes its time.
func (r *run) claim(resumed bool) (err error) {
	if err := atomicfile.MkdirAll(r.path(""), 0o777); err != nil {
		return regularfile.PathError(r.Out, err)
	}
	if r.unlock, err = lock(r.path(lockFile)); err != nil {
		return err
	}
	if _, err := os.Stat(r.path(stateFile)); err == nil && !resumed {
		return r.taken()
	}
	return nil
}

// tokenizer loads the tokenizer: a resumed training's own, the named one, or
// one trained on the text.
func (r *run) tokenizer(ctx context.Context, text string, resumed bool) (*tokenizer.Tokenizer, error) {
	if resumed {
		return tokenizer.LoadContext(ctx, r.Out)
	}
	r.source = r.Tokenizer
	if r.source != "" {
		if info, err := os.Stat(r.source); err == nil && !info.IsDir() { // the file in it
			if err := regularfile.Check(r.source, maxTokenizer); err != nil {
				return nil, err
			}
			r.source = filepath.Dir(r.source)
		}
		return tokenizer.LoadContext(ctx, r.source)
	}
	dir, err := os.MkdirTemp("", "softbench-tokenizer-")
	if err != nil {
		return nil, err
	}
	r.source, r.made = dir, dir
	// Which hears no context.
	done := make(chan error, 1)
	go func() {
		done <- rescue.Try(func() error {
			return trainTokenizer(dir, []byte(text[:min(len(text), tokenizerText)]), r.Settings.Vocab)
		})
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return tokenizer.LoadContext(ctx, dir)
}

// maxTokenizer bounds each of a tokenizer's files that are copied, as their reader does.
const maxTokenizer = 64 << 20

// begin saves the state before the first step.
func (r *run) begin() error {
	for _, name := range []string{tokenizerFile, "tokenizer.model", settingsFile, "special_tokens_map.json"} {
		data, err := regularfile.ReadAll(context.Background(), filepath.Join(r.source, name), maxTokenizer)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return regularfile.PathError(filepath.Join(r.source, name), err)
		}
		if err := writeFile(filepath.Join(r.Out, name), data); err != nil {
			return err
		}
	}
	asked, err := json.MarshalIndent(r.asked(), "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(r.path(askedFile), append(asked, '\n')); err != nil {
		return err
	}
	note, err := json.Marshal(sums{})
	if err != nil {
		return err
	}
	return r.trainer.SaveNote(r.path(stateFile), string(note))
}

func (r *run) resume() error {
	note, err := r.trainer.RestoreNote(r.path(stateFile))
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(note), &r.sum); err != nil {
		return fmt.Errorf("%s: its note is damaged: %w", r.path(stateFile), err)
	}
	r.kept = r.trainer.Done
	return nil
}
