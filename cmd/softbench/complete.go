package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/eval"
)

// addCompletions tells shells what a command's arguments and the values of its
// flags can be. What begins like none of these is completed as a file's name.
func addCompletions(root *cobra.Command) {
	var kinds, scaled []string
	for _, k := range attention.Kinds() {
		kinds = append(kinds, k.String())
		scaled = append(scaled, attention.Spec{Kind: k, Scaled: true}.String())
	}
	kinds = append(kinds, attention.Spec{Gated: true}.String(), attention.Spec{Cap: 30}.String())
	arguments := map[string]cobra.CompletionFunc{
		"run": names(suiteNames), "compare": names(modelNames),
		"inspect": first(names(modelNames)), "tokenize": first(names(modelNames)), "score": first(names(modelNames)),
		"quantize": first(names(modelNames)),
	}
	flags := map[string]cobra.CompletionFunc{
		"attention": values(append(slices.Clone(kinds), scaled...)...),
		"device":    values("auto", "cpu", "cuda"),
		"dtype":     values("auto", "float32", "bfloat16"),
		"format":    values("lm-eval", "csv", "parquet", "markdown", "latex", "jsonl", "tensorboard"),
		"method":    values("rtn", "rtn-asym", "gptq", "gptq-asym", "awq", "awq-asym", "fp8", "w8a8", "nf4", "fp4"),
		"group":     values("32", "64", "128", "row"),
		"model":     names(modelNames),
		"preset":    values("twin", "toy", "varied"),
		"suite":     names(suiteNames),
	}
	other := map[string]cobra.CompletionFunc{ // where a command means something else by its flag
		"bench dtype": values("both", "float32", "bfloat16"),
		"train dtype": values("float32", "bfloat16"), "train attention": values(kinds...),
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if f := arguments[cmd.Name()]; f != nil {
			cmd.ValidArgsFunction = f
		}
		for name, f := range flags {
			if own := other[cmd.Name()+" "+name]; own != nil {
				f = own
			}
			if cmd.Flags().Lookup(name) == nil {
				continue
			}
			if err := cmd.RegisterFlagCompletionFunc(name, f); err != nil {
				panic(err) // the flag is there, and registered once
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
}

// values completes to one of few words and to nothing else.
func values(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// names completes to a name of the list, else to a file.
func names(list func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var out []cobra.Completion
		for _, n := range list() {
			if strings.HasPrefix(n, typed) {
				out = append(out, n)
			}
		}
		return out, cobra.ShellCompDirectiveDefault
	}
}

// first completes one argument and none after it.
func first(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, typed)
	}
}

func suiteNames() (out []string) {
	for _, i := range append(configs.Suites(), configs.Tasks()...) {
		out = append(out, i.Name)
	}
	return out
}

func modelNames() []string {
	out := []string{twinSoftmax, twinSoftpick}
	for _, m := range eval.CachedModels() {
		out = append(out, m.Name)
	}
	return out
}
