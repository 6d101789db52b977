package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/tasks"
)

// taskFlags are of what tasks are asked and how their prompts are made: the same for every command
// that runs tasks. Of those without a field in eval.RunOptions a value counts where it was given.
type taskFlags struct {
	fewShotSeed   int64
	stripThinking bool
}

// addTaskFlags adds the flags of tasks and prompts.
func addTaskFlags(cmd *cobra.Command, t *taskFlags, o *eval.RunOptions) {
	f := cmd.Flags()
	f.StringArrayVar(&o.IncludePath, "include-path", nil, "`directory` of lm-evaluation-harness' task files, whose names, groups, tags and patterns can be run")
	f.Var(&limitValue{&o.Limit, &o.Share}, "limit", "first `N` documents of each task, or a share of them such as 0.1; 0 for all (default: as the suite says)")
	f.IntVar(&o.FewShot, "fewshot", 0, "worked examples before each document, 0 for none (default: as the suite says)")
	f.Int64Var(&t.fewShotSeed, "fewshot-seed", tasks.DefaultFewShotSeed, "seed of worked examples that a task draws at random, as lm-evaluation-harness draws them")
	f.BoolVar(&o.Model.Chat, "apply-chat-template", false, "put prompts into the checkpoint's chat template")
	f.StringVar(&o.Prompts.System, "system-instruction", "", "`text` before everything else in a prompt: a chat's system message")
	f.BoolVar(&o.Prompts.Multiturn, "fewshot-as-multiturn", true, "in a chat, worked examples are turns of their own; false: part of the question")
	f.BoolVar(&t.stripThinking, "strip-thinking", true, "cut off what a model thinks before a generated answer (default: where the chat template marks it; given: between <think> and </think> too)")
}

// given puts what was given into the options, whose Given says what was.
func (t *taskFlags) given(o *eval.RunOptions) {
	if slices.Contains(o.Given, "fewshot-seed") {
		o.Prompts.FewShotSeed = &t.fewShotSeed
	}
	if slices.Contains(o.Given, "strip-thinking") {
		o.Model.StripThinking = &t.stripThinking
	}
}
