package eval

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// Work is everything a suite asks of a model, before any of it is computed.
type Work struct {
	Tasks       []TaskWork
	Passkey     *PasskeyWork     // nil: none
	Diagnostics *DiagnosticsWork // nil: none
	Notes       []string         // what was left out, and why

	texts   []tasks.Doc // of the diagnostics
	noTexts bool        // they are not here, and the diagnostics are left out
	groups  []tasks.Group
}

// GatherOptions override what a suite says.
type GatherOptions struct {
	Limit   int     // documents a task; 0: as the suite says
	Share   float64 // of each task's documents, in place of Limit; 0: none
	FewShot int     // worked examples; 0: as the suite says
	// Of diagnostics; 0: as the suite says.
	DiagnosticsLength    int     // tokens of a sample
	DiagnosticsThreshold float64 // mean weight on the first token above which a head counts as a sink
	// Given are the flags that were given: a limit or few-shot of 0 counts where it was,
	// and what was is refused or noted where nothing uses it.
	Given []string
	Chat  bool // a chat template is applied
	Merge bool // shards are merged: nothing is computed
}

func (o *GatherOptions) given(flag string) bool { return slices.Contains(o.Given, flag) }

// Gather reads every document of the suites and builds every passkey prompt, so
// that whatever is wrong with them is known before the model computes anything.
// A task named twice is run once.
func Gather(ctx context.Context, suites []*configs.Suite, src data.Source, m *Model, o GatherOptions) (*Work, error) {
	suite, notes, err := merge(suites, o)
	if err != nil {
		return nil, err
	}
	w, err := gatherTasks(ctx, suite, notes, src, Prompts{}.options(), absent{})
	if err != nil {
		return nil, err
	}
	return w, w.addPrompts(ctx, suite, m)
}

// gatherTasks reads the documents of the tasks and of the diagnostics, for which it
// takes no model.
func gatherTasks(ctx context.Context, suite *configs.Suite, notes []string, src data.Source, prompts tasks.Options, missing absent) (*Work, error) {
	w := &Work{Notes: notes, groups: suite.Groups}
	for _, e := range suite.Tasks {
		docs, files, err := documents(ctx, e, src, prompts)
		if missing.take(e.Task.Name, err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if note := e.Task.ExamplesNote(files); note != "" && e.FewShot > 0 {
			w.Notes = append(w.Notes, note)
		}
		if note := elsewhere(e.Task.Name, src.Dir, files); note != "" {
			w.Notes = append(w.Notes, note)
		}
		w.Tasks = append(w.Tasks, TaskWork{e, docs, files})
	}
	all := len(suite.Tasks)
	if d := suite.Diagnostics; d != nil {
		all++
		var err error
		w.texts, _, err = documents(ctx, configs.Entry{Task: d.Task}, src, tasks.Options{})
		if err != nil {
			err = fmt.Errorf("diagnostics: %w", err)
		}
		if w.noTexts = missing.take(string(tasks.Diagnostics), err); err != nil && !w.noTexts {
			return nil, err
		}
	}
	note, err := missing.end(all)
	if err != nil {
		return nil, err
	}
	if note != "" {
		w.Notes = append(w.Notes, note)
	}
	return w, nil
}

// addPrompts makes what depends on the model's tokenizer and context.
func (w *Work) addPrompts(ctx context.Context, suite *configs.Suite, m *Model) error {
	if len(m.Generation.Ignored) > 0 && w.generates() {
		w.Notes = append(w.Notes, fmt.Sprintf("the checkpoint's generation_config.json asks for %s, which transformers applies to greedy decoding too; here the most probable token is taken as the model gives it",
			strings.Join(m.Generation.Ignored, ", ")))
	}
	if err := m.apart(w); err != nil {
		return err
	}
	if suite.Passkey != nil {
		if err := w.addPasskey(ctx, *suite.Passkey, m); err != nil {
			return err
		}
	}
	if suite.Diagnostics != nil && !w.noTexts {
		return w.addDiagnostics(ctx, *suite.Diagnostics, m)
	}
	return nil
}

// documents reads a task's documents. A template of theirs that counts to a large number
// hears no context.
func documents(ctx context.Context, e configs.Entry, src data.Source, o tasks.Options) ([]tasks.Doc, []data.File, error) {
	var files []data.File
	docs, err := await(ctx, func() (docs []tasks.Doc, err error) {
		o.Limit, o.Share, o.FewShot = e.Limit, e.Share, e.FewShot
		docs, files, err = e.Task.Documents(ctx, src, o)
		return docs, err
	})
	if err != nil {
		return nil, nil, err
	}
	return docs, files, nil
}

// elsewhere says that a task's documents are not of the directory given for data:
// the task names its own files, or the directory lacks the dataset.
func elsewhere(task, dir string, files []data.File) string {
	for _, f := range files {
		if rel, err := filepath.Rel(dir, f.Path); dir != "" && (err != nil || !filepath.IsLocal(rel)) {
			return fmt.Sprintf("%s: its documents are those of %s, not of the data directory %s", task, f.Path, dir)
		}
	}
	return ""
}
