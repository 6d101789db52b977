package eval

import (
	"context"
	"strings"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/passkey"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/chat"
	"github.com/softbench/softbench/tasks/data"
)

// Foresee is what is known of a run before its model computes anything: its manifest
// without results, and its samples' rows without answers. in is the checkpoint's. Of
// diagnostics no documents are known, nor whether they give as many samples as are
// asked for.
func Foresee(ctx context.Context, o RunOptions, in *Inspection) (*rundir.Run, []rundir.Sample, error) {
	suite, _, err := resolve(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	run := &rundir.Run{
		Schema: rundir.Schema, Suites: o.Suites,
		Model: rundir.Model{Type: in.ModelType, Parameters: in.Parameters, Stored: in.DType, Attention: in.Attention, Tokenizer: in.Tokenizer, TokenizerContent: in.TokenizerContent},
		Settings: rundir.Settings{
			ModelSHA256: in.ModelSHA256, TokenizerSHA256: in.TokenizerSHA256, Attention: in.Attention,
			MaxLength: in.MaxLength, StrictLength: o.Model.Strict,
		},
	}
	var template *chat.Template
	if o.Model.Chat {
		if template, err = readTemplate(ctx, in.Dir); err != nil {
			return nil, nil, err
		}
	}
	run.Settings.Prompts = o.Prompts.settings(template)
	if o.Model.MaxLength > 0 {
		run.Settings.MaxLength = o.Model.MaxLength
	}
	if d := suite.Diagnostics; d != nil {
		run.Settings.Diagnostics = &rundir.DiagnosticsSettings{
			Task: d.Task.Name, Samples: d.Samples, Length: min(d.Length, run.Settings.MaxLength), Threshold: d.Threshold, Maps: mapsHash(d.Maps),
		}
	}
	samples, err := foreseePasskey(run, suite.Passkey)
	if err != nil {
		return nil, nil, err
	}
	source := data.NewSource(o.Data)
	source.Download, source.Notify = o.Download, o.Note
	missing := o.absent()
	for _, e := range suite.Tasks {
		docs, files, err := documents(ctx, e, source, o.Prompts.of(template))
		if missing.take(e.Task.Name, err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		t := TaskWork{e, docs, files}
		t.settings(&run.Settings)
		run.Tasks = append(run.Tasks, rundir.TaskResult{Name: e.Task.Name, Kind: string(e.Task.Kind), Documents: len(docs)})
		for i := range docs {
			samples = append(samples, rowsOf(e.Task.Name, e.Task.Kind, &docs[i], make([]answer.Answer, len(docs[i].Requests)))...)
		}
	}
	_, err = missing.end(len(suite.Tasks))
	return run, samples, err
}

// foreseePasskey notes a grid in the manifest and makes its trials' rows.
func foreseePasskey(run *rundir.Run, asked *passkey.Grid) (samples []rundir.Sample, err error) {
	if asked == nil {
		return nil, nil
	}
	g, _, err := fitting(*asked, run.Settings.MaxLength)
	if err != nil {
		return nil, err
	}
	run.Settings.Passkey = gridSettings(&g)
	kind := string(tasks.Passkey)
	for i, t := range g.Keys() {
		samples = append(samples, rundir.Sample{
			Task: kind, Kind: kind, DocID: int32(i), DocHash: t.Name(), Cluster: t.Cluster(), Correct: ptr(false), RightText: ptr(false),
		})
	}
	run.Passkey = []rundir.Cell{{N: len(samples)}}
	return samples, nil
}

// resolve finds the suites and makes one of them.
func resolve(ctx context.Context, o RunOptions) (*configs.Suite, []string, error) {
	suites := make([]*configs.Suite, len(o.Suites))
	find, err := await(ctx, func() (configs.Finder, error) { return configs.NewFinder(o.IncludePath...) })
	if err != nil {
		return nil, nil, err
	}
	for i, name := range o.Suites {
		s, err := await(ctx, func() (*configs.Suite, error) { return find.Resolve(name) })
		if err != nil {
			return nil, nil, err
		}
		suites[i] = s
	}
	all, notes, err := merge(suites, GatherOptions{
		Limit: o.Limit, Share: o.Share, FewShot: o.FewShot, DiagnosticsLength: o.DiagnosticsLength, DiagnosticsThreshold: o.DiagnosticsThreshold,
		Given: o.Given, Chat: o.Model.Chat, Merge: len(o.Merge) > 0,
	})
	if err == nil && len(o.IncludePath) > 0 && !find.Used() {
		notes = append(notes, "--include-path has none of what is run: "+strings.Join(o.Suites, ", "))
	}
	if err == nil && o.Stress {
		notes = append(notes, forStress(all)...)
	}
	return all, notes, err
}

// forStress leaves out of a suite what a stress test does not measure, and adds what it does.
func forStress(s *configs.Suite) (notes []string) {
	if s.Passkey != nil {
		s.Passkey = nil
		notes = append(notes, "passkey retrieval is left out: it is no part of the score")
	}
	if s.Diagnostics != nil {
		return notes
	}
	for _, e := range s.Tasks {
		if e.Task.Kind == tasks.RollingPerplexity {
			s.Diagnostics = &configs.Diagnostics{Task: e.Task, Samples: 64, Length: 64, Threshold: 0.3}
			return notes
		}
	}
	return append(notes, "the suite has no text, such as wikitext: kurtosis and largest activation are not measured")
}
