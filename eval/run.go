package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/chat"
	"github.com/softbench/softbench/tasks/data"
)

// RunOptions say what to run and where the results go.
type RunOptions struct {
	Suites []string // names or YAML files
	// IncludePath are directories of lm-evaluation-harness' task files, whose names come before ours.
	IncludePath []string
	Model       ModelOptions
	Data        string // directory of documents, "" for the hub's cache alone
	Download    bool
	// SkipMissing leaves out tasks whose documents are not here, with a note.
	SkipMissing bool
	Limit       int
	Share       float64 // of each task's documents, in place of Limit; 0: none
	FewShot     int
	Prompts     Prompts
	// DiagnosticsLength and DiagnosticsThreshold are of diagnostics; 0: as the suite says.
	DiagnosticsLength    int
	DiagnosticsThreshold float64

	// Stress leaves a suite's passkey grid out, and measures activations on its first text where
	// it has no diagnostics.
	Stress bool

	Out    string // run directory; "" keeps nothing
	Resume bool
	Merge  []string // directories of shards, which together have every result

	BatchTokens int
	Memory      int64

	// Course is what this run has in common with those of other checkpoints; nil: it stands alone.
	Course *Course

	Version   string            // softbench's own
	Given     []string          // flags given, for the manifest
	Command   []string          // goes on with the run, less the program's name; none: not known
	Arguments map[string]string // values of all flags
	Note      func(string)
	Progress  func(Progress) // may be nil

	part      Shard         // RunShard's
	syncEvery time.Duration // 0: syncInterval; tests sync more often
}

// given says that a flag was given.
func (o *RunOptions) given(flag string) bool { return slices.Contains(o.Given, flag) }

// syncInterval bounds how much work a crash of the machine can cost; one of the
// process costs the batch under way.
const syncInterval = 2 * time.Second

// Run scores a checkpoint on suites and returns the manifest. Everything that
// can be wrong with the input is found before the run directory is touched.
func Run(ctx context.Context, o RunOptions) (*rundir.Run, error) {
	start := time.Now()
	m, work, err := prepare(ctx, &o)
	if errors.Is(err, rundir.ErrFinished) {
		return finished(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return runLoaded(ctx, m, work, o, start)
}

// runLoaded scores a model that is loaded on work that is gathered.
func runLoaded(ctx context.Context, m *Model, work *Work, o RunOptions, start time.Time) (*rundir.Run, error) {
	// The journal begins with the settings, for which all weights are hashed; a
	// run that is not kept is scored first.
	var settings rundir.Settings
	var err error
	if o.Out != "" {
		if settings, err = settingsOf(ctx, m, work, o); err != nil {
			return nil, err
		}
	}
	var shards map[recordKey]rundir.Record
	if len(o.Merge) > 0 {
		if shards, err = readShards(ctx, o.Merge, settings, work); err != nil {
			return nil, err
		}
	}
	journal := newJournal()
	whole, err := work.prepare(ctx, m, journal, nil)
	if err != nil {
		return nil, err
	}
	err = journal.open(ctx, o, settings, planOf(m, work, o, nil))
	if errors.Is(err, rundir.ErrFinished) {
		return finished(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	defer journal.close()
	if err := journal.take(shards, work); err != nil {
		return nil, err
	}

	run := &rundir.Run{
		Schema: rundir.Schema, Suites: o.Suites, Model: describe(m), Notes: append(slices.Clone(m.Checkpoint.Notes), work.Notes...),
		Seeds: map[string]uint64{"bootstrap": tasks.BootstrapSeed},
	}
	if seed, drawn := o.Prompts.drawn(work); drawn {
		run.Seeds["fewshot"] = uint64(seed)
	}
	cost := whole.Cost()
	run.Tokens = rundir.Tokens{Requested: cost.Requested, Distinct: whole.Tokens() + cost.Decoded, Scored: cost.Scored}
	stats, err := compute(ctx, m, work, journal, whole, o, nil)
	if err != nil {
		return nil, err
	}
	var rows rundir.DiagnosticsRows
	if d := work.Diagnostics; d != nil {
		run.Tokens.Requested += d.tokens()
		run.Tokens.Distinct += d.tokens()
		if rows, err = d.measure(run, m, journal); err != nil {
			return nil, err
		}
	}
	if o.Out == "" {
		if settings, err = settingsOf(ctx, m, work, o); err != nil {
			return nil, err
		}
	}
	run.Settings, run.Name = settings, settings.Name()
	if m.Checkpoint.Changed() {
		o.Note("the checkpoint's files have changed since they were loaded: the results are of what was loaded, and model_sha256 is of that")
	}
	samples, err := work.report(run, journal, m)
	if err != nil {
		return nil, err
	}
	run.Groups = aggregated(work.groups, run.Tasks)
	run.Process = process(o, m, work, start, stats, journal.resumed())
	return run, journal.finish(ctx, run, samples, rows)
}

// Check finds what keeps a checkpoint from being run, as far as its config, tokenizer and
// the run's directory tell; of a model that is to be downloaded, that is the directory.
func Check(ctx context.Context, o RunOptions) error {
	if _, err := rundir.CheckOut(o.Out, o.Resume); err != nil {
		return err
	}
	o.Model.Download = o.Download
	if o.Download && IsModel(o.Model) {
		return nil
	}
	m, err := open(ctx, o.Model)
	if err != nil {
		return err
	}
	m.Close()
	return nil
}

// prepare gathers the suites' documents and loads the model, and notes what there is
// to say about both. The weights are read last: whatever else is wrong, with a suite,
// its documents, the config, the tokenizer, the prompts or the run to go on with, is
// found before. ErrFinished: that run is complete.
func prepare(ctx context.Context, o *RunOptions) (*Model, *Work, error) {
	suite, notes, err := resolve(ctx, *o)
	if err != nil {
		return nil, nil, err
	}
	if err := checkOut(o); err != nil {
		return nil, nil, err
	}
	o.Model.Download, o.Model.Note, o.Model.course = o.Download, o.Note, o.Course
	source := data.NewSource(o.Data)
	source.Download = o.Download
	source.Notify = o.Note
	m, work, err := gatherFor(ctx, suite, notes, source, *o)
	if err != nil {
		return nil, nil, err
	}
	if err = checkResume(ctx, m, work, o); err == nil {
		err = m.load(ctx, o.Model)
	}
	if err != nil {
		m.Close()
		return nil, nil, err
	}
	o.loaded(m)
	for _, n := range work.Notes {
		o.Note(n)
	}
	return m, work, nil
}

// loaded fills in what follows from a model that is loaded, and notes what there is to say.
func (o *RunOptions) loaded(m *Model) {
	m.Note(o.Note)
	o.BatchTokens = m.Engine.BatchTokens(o.BatchTokens)
	o.Memory = m.MemoryBound(o.Memory)
}

// gatherFor opens the model that is here, or downloads it once the documents are known
// to be, and gathers what the suite asks of it.
func gatherFor(ctx context.Context, suite *configs.Suite, notes []string, source data.Source, o RunOptions) (*Model, *Work, error) {
	var m *Model
	var err error
	if !o.Download || !IsModel(o.Model) || o.Model.Chat { // a chat's prompts need the model; IsModel: of the hub, and not a directory here
		if m, err = open(ctx, o.Model); err != nil {
			return nil, nil, err
		}
	}
	var template *chat.Template
	prompts := ""
	if m != nil {
		template = m.Chat
	}
	if s := o.Prompts.settings(template); s != nil {
		prompts = fmt.Sprintf("%+v", *s)
	}
	work, err := o.Course.work(prompts, func() (*Work, error) {
		return gatherTasks(ctx, suite, notes, source, o.Prompts.of(template), o.absent())
	})
	if err == nil && m == nil {
		m, err = open(ctx, o.Model)
	}
	if err == nil {
		// For the manifest, while prompts are made and weights read; a fault comes again
		// where it is asked for.
		go func() { _ = rescue.Try(func() error { m.Tokenizer.ContentSHA256(); return nil }) }()
		err = work.addPrompts(ctx, suite, m)
	}
	if err != nil {
		if m != nil {
			m.Close()
		}
		return nil, nil, err
	}
	return m, work, nil
}

// checkOut refuses a directory that no run can go into, before hours of work, and
// says of one to go on with that there is nothing in it.
func checkOut(o *RunOptions) error {
	if o.Out == "" {
		return nil
	}
	there, err := rundir.CheckOut(o.Out, o.Resume)
	if err == nil && o.Resume && !there && o.given("resume") {
		o.Note(o.Out + " holds no run to go on with: this is a new one")
	}
	return err
}

// compute runs what the journal lacks of a part: its requests, then what observes the
// model. prepared is the part's whole plan, made before the journal was opened.
func compute(ctx context.Context, m *Model, work *Work, j *journal, prepared *lm.Prepared, o RunOptions, part dealt) (lm.Stats, error) {
	whole := prepared.Tokens()
	if part == nil {
		j.expect(work)
	}
	if j.resumed() > 0 {
		var err error
		if prepared, err = work.prepare(ctx, m, j, part); err != nil {
			return lm.Stats{}, err
		}
	}
	told, err := o.telling(ctx, m, work, prepared, whole, j, part)
	if err != nil {
		return lm.Stats{}, err
	}
	stats, err := prepared.Run(ctx, lm.RunOptions{
		BatchTokens: o.BatchTokens, Memory: o.Memory,
		Progress: func(done engine.Stats) error {
			told.scored(done)
			if err := j.keepWhole(work, m); err != nil {
				return err
			}
			return j.keep(cmp.Or(o.syncEvery, syncInterval))
		},
	})
	if err == nil && part == nil {
		err = j.keepWhole(work, m)
	}
	if err == nil && work.Diagnostics != nil {
		var extra engine.Stats
		extra, err = work.Diagnostics.observe(ctx, m, o, j, part, told)
		stats.Tokens += extra.Tokens
		stats.Batches += extra.Batches
		stats.PeakKV = max(stats.PeakKV, extra.PeakKV)
	}
	if syncErr := j.sync(); err == nil {
		err = syncErr
	}
	return stats, err
}
