package eval

import (
	"context"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/data"
)

// Foresee is what is known of a run before its model computes anything: its manifest
// without results, and its samples' rows without answers. in is the checkpoint's. Of a
// passkey grid and of diagnostics, no rows are made.
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
	if o.Model.MaxLength > 0 {
		run.Settings.MaxLength = o.Model.MaxLength
	}
	if g := suite.Passkey; g != nil {
		run.Settings.Passkey = gridSettings(g)
	}
	var samples []rundir.Sample
	source := data.NewSource(o.Data)
	source.Download, source.Notify = o.Download, o.Note
	missing := absent{skip: o.SkipMissing}
	for _, e := range suite.Tasks {
		docs, files, err := documents(ctx, e, source)
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

// resolve finds the suites and makes one of them.
func resolve(ctx context.Context, o RunOptions) (*configs.Suite, []string, error) {
	suites := make([]*configs.Suite, len(o.Suites))
	for i, name := range o.Suites {
		s, err := await(ctx, func() (*configs.Suite, error) { return configs.Resolve(name) })
		if err != nil {
			return nil, nil, err
		}
		suites[i] = s
	}
	return merge(suites, GatherOptions{
		Limit: o.Limit, FewShot: o.FewShot, DiagnosticsLength: o.DiagnosticsLength, DiagnosticsThreshold: o.DiagnosticsThreshold,
		Given: o.Given, Merge: len(o.Merge) > 0,
	})
}
