package eval

import (
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/chat"
)

// Prompts say what prompts are put into, beside what their tasks say.
type Prompts struct {
	FewShotSeed *int64 // of the draws of tasks that draw their examples at random; nil: the harness's own
	System      string // text before everything else
	Multiturn   bool   // in a chat examples are turns of their own, not part of the question
}

// settings are what of it all prompts depend on; nil where they are the tasks' own texts. template
// is the one that is applied, or nil.
func (p Prompts) settings(template *chat.Template) *rundir.PromptSettings {
	if template == nil && p.System == "" {
		return nil
	}
	s := &rundir.PromptSettings{System: p.System}
	if template != nil {
		s.ChatTemplate, s.Multiturn = template.SHA256(), p.Multiturn
	}
	return s
}

// of are the options of every task's documents, with the chat template that is applied, or nil.
func (p Prompts) of(template *chat.Template) tasks.Options {
	o := p.options()
	if template == nil {
		return o
	}
	o.Multiturn = p.Multiturn
	o.Chat = func(messages []tasks.Message, generationPrompt bool) (string, error) {
		turns := make([]chat.Message, len(messages))
		for i, said := range messages {
			turns[i] = chat.Message{Role: said.Role, Content: said.Content}
		}
		return template.Apply(turns, generationPrompt)
	}
	return o
}

// drawn is the seed of the examples that a run's tasks draw at random, if any does.
func (p Prompts) drawn(w *Work) (seed int64, any bool) {
	for _, t := range w.Tasks {
		any = any || t.Task.Draws && t.FewShot > 0
	}
	o := p.options()
	return o.FewShotSeed, any
}

// options are those of every task's documents.
func (p Prompts) options() tasks.Options {
	o := tasks.Options{FewShotSeed: tasks.DefaultFewShotSeed, System: p.System}
	if p.FewShotSeed != nil {
		o.FewShotSeed = *p.FewShotSeed
	}
	return o
}
