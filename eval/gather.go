package eval

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/passkey"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// Work is everything a suite asks of a model, before any of it is computed.
type Work struct {
	Tasks   []TaskWork
	Passkey *PasskeyWork // nil: none
	Probe   *ProbeWork   // nil: none
	Notes   []string     // what was left out, and why
}

// TaskWork is one task's documents.
type TaskWork struct {
	configs.Entry
	Docs  []tasks.Doc
	Files []data.File
}

// PasskeyWork is a grid's trials.
type PasskeyWork struct {
	Grid   passkey.Grid
	Trials []passkey.Trial
}

// GatherOptions override what a suite says.
type GatherOptions struct {
	Limit   int // documents a task; 0: as the suite says
	FewShot int // worked examples; 0: as the suite says
	// Of diagnostics; 0: as the suite says.
	ProbeLength    int     // tokens of a sample
	ProbeThreshold float64 // mean weight on the first token above which a head counts as a sink
}

// Gather reads every document of the suites and builds every passkey prompt, so
// that whatever is wrong with them is known before the model computes anything.
// A task named twice is run once.
func Gather(ctx context.Context, suites []*configs.Suite, src data.Source, m *Model, o GatherOptions) (*Work, error) {
	if o.Limit < 0 || o.FewShot < 0 {
		return nil, fmt.Errorf("--limit and --fewshot must not be negative")
	}
	w := &Work{}
	seen := map[string]string{} // task name: digest
	for _, s := range suites {
		for _, e := range s.Tasks {
			if digest, ok := seen[e.Task.Name]; ok {
				if digest != e.Task.Digest {
					return nil, fmt.Errorf("two different tasks are called %q: rename one", e.Task.Name)
				}
				continue
			}
			seen[e.Task.Name] = e.Task.Digest
			if o.Limit > 0 {
				e.Limit = o.Limit
			}
			switch {
			case o.FewShot == 0:
			case e.Task.Kind == tasks.RollingPerplexity:
				w.Notes = append(w.Notes, fmt.Sprintf("%s is a perplexity task and takes no worked examples: --fewshot does not apply to it", e.Task.Name))
			default:
				e.FewShot = o.FewShot
			}
			docs, files, err := e.Task.Documents(ctx, src, tasks.Options{Limit: e.Limit, FewShot: e.FewShot})
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
		if s.Passkey != nil {
			if w.Passkey != nil {
				return nil, fmt.Errorf("more than one of the suites has a passkey grid: run them one by one")
			}
			if err := w.addPasskey(ctx, *s.Passkey, m); err != nil {
				return nil, err
			}
		}
		if s.Diagnostics != nil {
			if w.Probe != nil {
				return nil, fmt.Errorf("more than one of the suites has diagnostics: run them one by one")
			}
			d, err := o.diagnostics(*s.Diagnostics)
			if err != nil {
				return nil, err
			}
			if err := w.addDiagnostics(ctx, d, src, m); err != nil {
				return nil, err
			}
		}
	}
	if w.Probe == nil && (o.ProbeLength != 0 || o.ProbeThreshold != 0) {
		return nil, fmt.Errorf("--probe-length and --probe-threshold are of diagnostics, and no suite has any: name one that does, such as diagnostics")
	}
	return w, nil
}

// addPasskey builds the grid's prompts. Lengths that leave no room for the
// answer within the model's context are left out with a note.
func (w *Work) addPasskey(ctx context.Context, g passkey.Grid, m *Model) error {
	var fit []int
	longest := m.LM.MaxLength()
	const answer = 8 // tokens: more than any key of five digits has
	for _, n := range g.Lengths {
		if n+answer <= longest+1 {
			fit = append(fit, n)
			continue
		}
		w.Notes = append(w.Notes, fmt.Sprintf("passkey at %d tokens was not run: the model's context holds %d, the answer included", n, longest))
	}
	g.Lengths = fit
	if len(fit) == 0 {
		return fmt.Errorf("passkey: no length fits the model's context of %d tokens, the answer included; give shorter lengths in a suite file", longest)
	}
	trials, err := await(ctx, func() ([]passkey.Trial, error) { return g.Build(m.Tokenizer) })
	if err != nil {
		return err
	}
	if err := m.Tokenizer.Err(); err != nil {
		return err
	}
	w.Passkey = &PasskeyWork{g, trials}
	return nil
}

// elsewhere says that a task's documents are not of the directory given for data:
// the task names its own files, or the directory lacks the dataset.
func elsewhere(task, dir string, files []data.File) string {
	for _, f := range files {
		if rel, err := filepath.Rel(dir, f.Path); dir != "" && (err != nil || !filepath.IsLocal(rel)) {
			return fmt.Sprintf("%s: its documents are those of %s, not of --data %s", task, f.Path, dir)
		}
	}
	return ""
}
