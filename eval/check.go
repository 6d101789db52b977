package eval

import (
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
)

// merge makes one list of what the suites ask for, with the options in the place of
// what they say, before a model or a document is read. A task of two suites is run
// once, where both want the same of it. An option that nothing uses is refused; where
// a part of the suites has no use for it, a note says so.
func merge(suites []*configs.Suite, o GatherOptions) (*configs.Suite, []string, error) {
	if o.Limit < 0 || o.FewShot < 0 {
		return nil, nil, fmt.Errorf("--limit and --fewshot must not be negative")
	}
	all := &configs.Suite{}
	from := map[string]string{} // task name: the suite it is of
	for _, s := range suites {
		for _, e := range s.Tasks {
			if o.Limit > 0 || o.given("limit") {
				e.Limit, e.Share = o.Limit, o.Share
			}
			if (o.FewShot > 0 || o.given("fewshot")) && e.Task.TakesExamples() && !e.Fixed {
				e.FewShot = o.FewShot
			}
			i := slices.IndexFunc(all.Tasks, func(other configs.Entry) bool { return other.Task.Name == e.Task.Name })
			if i < 0 {
				all.Tasks = append(all.Tasks, e)
				from[e.Task.Name] = s.Name
				continue
			}
			if err := sameEntry(all.Tasks[i], e, from[e.Task.Name], s.Name); err != nil {
				return nil, nil, err
			}
		}
		for _, g := range s.Groups {
			if !slices.ContainsFunc(all.Groups, func(other tasks.Group) bool { return other.Name == g.Name }) {
				all.Groups = append(all.Groups, g)
			}
		}
		if s.Passkey != nil {
			if all.Passkey != nil {
				return nil, nil, errors.New("more than one of the suites has a passkey grid: run them one by one")
			}
			all.Passkey = s.Passkey
		}
		if s.Diagnostics != nil {
			if all.Diagnostics != nil {
				return nil, nil, errors.New("more than one of the suites has diagnostics: run them one by one")
			}
			d, err := o.diagnostics(*s.Diagnostics)
			if err != nil {
				return nil, nil, err
			}
			all.Diagnostics = &d
		}
	}
	notes, err := unused(all, o)
	return all, notes, err
}

// sameEntry refuses a task that two suites want differently.
func sameEntry(a, b configs.Entry, suiteA, suiteB string) error {
	switch {
	case a.Task.Digest != b.Task.Digest:
		return fmt.Errorf("two different tasks are called %q: rename one", a.Task.Name)
	case a.Limit != b.Limit || a.Share != b.Share:
		return fmt.Errorf("task %s has %s in %s and %s in %s: say which with --limit, or run the suites one by one", a.Task.Name, limitText(a.Limit), suiteA, limitText(b.Limit), suiteB)
	case a.FewShot != b.FewShot:
		return fmt.Errorf("task %s has %d worked examples in %s and %d in %s: say how many with --fewshot, or run the suites one by one", a.Task.Name, a.FewShot, suiteA, b.FewShot, suiteB)
	}
	return nil
}

func limitText(n int) string {
	if n == 0 {
		return "no limit"
	}
	return fmt.Sprintf("limit %d", n)
}

// unused names the options that a part of what is run does not use, and refuses one
// that nothing uses.
func unused(s *configs.Suite, o GatherOptions) (notes []string, err error) {
	rest := "a passkey grid has trials, which a suite file counts"
	switch {
	case s.Passkey != nil && s.Diagnostics != nil:
		rest = "a passkey grid has trials and diagnostics have samples, which a suite file counts"
	case s.Diagnostics != nil:
		rest = "diagnostics have samples, which a suite file counts"
	}
	others := s.Passkey != nil || s.Diagnostics != nil
	if o.Limit > 0 || o.Share > 0 {
		if len(s.Tasks) == 0 {
			return nil, fmt.Errorf("--limit is of tasks' documents, and the suite has no tasks: %s", rest)
		}
		if others {
			notes = append(notes, "--limit is of tasks' documents: "+rest)
		}
	}
	if o.FewShot > 0 {
		taken := false
		for _, e := range s.Tasks {
			if e.Task.TakesExamples() {
				taken = true
				continue
			}
			notes = append(notes, fmt.Sprintf("%s is a perplexity task and takes no worked examples: --fewshot does not apply to it", e.Task.Name))
		}
		if !taken {
			return nil, errors.New("--fewshot is of tasks with questions, and the suite has none: perplexity, passkey and diagnostics take no worked examples")
		}
		if others {
			notes = append(notes, "--fewshot is of tasks: passkey and diagnostics take no worked examples")
		}
	}
	if s.Diagnostics == nil && (o.DiagnosticsLength != 0 || o.DiagnosticsThreshold != 0) {
		return nil, errors.New("--diagnostics-length and --diagnostics-threshold are of diagnostics, and no suite has any: name one that does, such as diagnostics")
	}
	return append(notes, o.withoutUse(s)...), nil
}

// withoutUse names the flags that are given and that this suite has no use for.
func (o *GatherOptions) withoutUse(s *configs.Suite) (notes []string) {
	note := func(unused bool, why string, flags ...string) {
		for _, f := range flags {
			if unused && o.given(f) {
				notes = append(notes, "--"+f+" is about "+why)
			}
		}
	}
	note(len(s.Tasks) == 0 && s.Diagnostics == nil, "tasks' documents, and a passkey grid has none", "data", "download", "skip-missing")
	drawn := slices.ContainsFunc(s.Tasks, func(e configs.Entry) bool { return e.Task.Draws && e.FewShot > 0 })
	note(!drawn, "worked examples drawn at random, and no task of this run draws any", "fewshot-seed")
	generates := slices.ContainsFunc(s.Tasks, func(e configs.Entry) bool { return e.Task.Generation != nil })
	note(!generates, "generated answers, and no task of this run has any", "strip-thinking")
	note(!o.Chat, "a chat, and no chat template is applied (--apply-chat-template)", "fewshot-as-multiturn")
	note(len(s.Tasks) == 0, "prompts of tasks, and the suite has no tasks", "apply-chat-template", "system-instruction")
	note(len(s.Tasks) == 0, "requests of tasks, and the suite has no tasks", "allow-unscored", "strict-length")
	note(o.Merge, "computing, and a merge computes nothing", "batch-tokens", "memory")
	return notes
}
