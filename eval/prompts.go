package eval

import (
	"github.com/softbench/softbench/tasks"
)

// Prompts say what prompts are put into, beside what their tasks say.
type Prompts struct {
	FewShotSeed *int64 // of the draws of tasks that draw their examples at random; nil: the harness's own
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
	o := tasks.Options{FewShotSeed: tasks.DefaultFewShotSeed}
	if p.FewShotSeed != nil {
		o.FewShotSeed = *p.FewShotSeed
	}
	return o
}
