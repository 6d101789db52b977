package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/spelling"
)

// theirs are options of lm-evaluation-harness, and what does the same here.
var theirs = map[string]string{
	"num_fewshot": "here --fewshot N", "tasks": "here tasks are arguments: softbench run arc_easy piqa",
	"model_args": "here --model DIR, and a flag for each of its parts, such as --dtype and --max-length", "batch_size": "here --batch-tokens N, which no score depends on",
	"output_path": "here --out DIR", "log_samples": "here --out DIR keeps every sample", "include_path": "here --include-path DIR",
	"use_cache": "here --out DIR with --resume goes on where a run stopped", "cache_requests": "here nothing of requests is kept, and shared prefixes are computed once",
	"max_batch_size": "here --batch-tokens N, which no score depends on", "trust_remote_code": "here no code of a checkpoint is run",
	"show_config": "here 'softbench ls' and the run's run.json", "write_out": "here --out DIR keeps every prompt in samples.parquet", "gen_kwargs": "here answers are decoded greedily",
	"predict_only": "here --out DIR keeps every answer", "apply_chat_template": "here --apply-chat-template", "system_instruction": "here --system-instruction TEXT",
	"fewshot_as_multiturn": "here --fewshot-as-multiturn=false puts examples into the question", "samples": "here --limit N takes the first documents", "seed": "here --fewshot-seed N, and nothing else is random",
	"check_integrity": "here documents are named by their hashes in every run", "confirm_run_unsafe_code": "here no code that a model writes is run", "cache_dir": "here HF_HOME says where downloads are kept",
	"metadata": "here a task's settings are those of its YAML file", "config": "here a suite's YAML file is an argument: softbench run my/suite.yaml", "verbosity": "here notes go to standard error, and nothing more is said",
	"wandb_args": "here softbench export --format jsonl, which its importer takes", "wandb_config_args": "here softbench export --format jsonl, which its importer takes",
	"trackio_args": "here softbench export --format jsonl", "hf_hub_log_args": "here softbench export --format lm-eval writes what is uploaded",
}

// theirLetters are its options of one letter that are none here.
var theirLetters = map[string]string{"t": "tasks", "a": "model_args", "f": "num_fewshot", "b": "batch_size", "s": "log_samples"}

// flagName is a flag's name as it is now: what was --probe-length is --diagnostics-length.
func flagName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if rest, older := strings.CutPrefix(name, "probe-"); older {
		name = "diagnostics-" + rest
	}
	return pflag.NormalizedName(name)
}

// flagError adds to an unknown flag what may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return usageError(cmd, invalidValue(invalid))
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError(cmd, err)
	}
	name := unknown.GetSpecifiedName()
	if len(name) < 2 {
		if hint, ok := theirs[theirLetters[name]]; ok && cmd.Name() == "run" {
			return usageError(cmd, fmt.Errorf("unknown flag: -%s: %s", name, hint))
		}
		return usageError(cmd, err)
	}
	if hint, ok := theirs[strings.ReplaceAll(name, "-", "_")]; ok && cmd.Name() == "run" {
		return usageError(cmd, fmt.Errorf("%w: %s", err, hint))
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := spelling.Nearest(strings.ReplaceAll(name, "_", "-"), names); len(near) > 0 {
		return usageError(cmd, fmt.Errorf("%w, did you mean --%s?", err, strings.Join(near, " or --")))
	}
	return usageError(cmd, err)
}

// invalidValue says what a flag's value must be where Go's own words name its functions.
func invalidValue(err *pflag.InvalidValueError) error {
	f := err.GetFlag()
	want := map[string]string{"int": "a whole number", "int64": "a whole number", "uint64": "a whole number from 0 on", "float64": "a number", "bool": "true or false"}[f.Value.Type()]
	if number, ok := errors.AsType[*strconv.NumError](err); ok && want != "" {
		if errors.Is(number, strconv.ErrRange) {
			want += " that fits 64 bits"
		}
		return fmt.Errorf("--%s %q: want %s", f.Name, err.GetValue(), want)
	}
	if why := err.Unwrap(); why != nil && strings.HasPrefix(why.Error(), "want ") {
		return fmt.Errorf("--%s %q: %w", f.Name, err.GetValue(), why)
	}
	return err
}
