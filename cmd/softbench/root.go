package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// work is what a command does once its flags are read: a method of its options, or what a test
// gives in its place, which sees the options and runs nothing.
type work[Options any] func(o *Options, ctx context.Context) error

func newRoot(io streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "softbench",
		Short: "Find out whether one language model is better than another",
		Long: `Softbench runs task suites on Hugging Face checkpoints with an engine of its own,
compares the results of two checkpoints and guards scores in CI. In float32 its
numbers equal lm-evaluation-harness's, document by document; in bfloat16, the
default for a bfloat16 checkpoint, loglikelihoods spread around those (on a real
135M model 0.06 a request in the mean, 0.38 at most). They do not depend on
batch size, threads or order.`,
		Example: `  softbench run arc_easy piqa --model ./my-model --data ./data --out runs/my-model
  softbench inspect ./my-model`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetVersionTemplate("softbench {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetGlobalNormalizationFunc(flagName)
	root.AddCommand(
		newRun(io, (*runOptions).execute),
		newInspect(io, (*inspectOptions).execute),
		newTokenize(io, (*tokenizeOptions).execute),
		newScore(io, (*scoreOptions).execute),
		newServe(io, (*serveOptions).execute),
		newList(io, (*listOptions).execute),
		newBench(io, (*benchOptions).execute),
		newReport(io, (*reportOptions).execute),
		newCompare(io, (*compareOptions).execute),
		newGate(io, (*gateOptions).execute),
		newExport(io, (*exportOptions).execute),
		newQuantize(io, (*quantizeOptions).execute),
		newStress(io, (*stressOptions).execute),
		newLab(io),
		newMan(io, (*manOptions).execute),
	)
	addCompletions(root)
	hear(root)
	return root
}

// usageError says what was wrong with a command line and where help is.
func usageError(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w (see '%s --help')", err, cmd.CommandPath())
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() {
		text := fmt.Sprintf("unknown command %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += fmt.Sprintf(", did you mean %q?", strings.Join(near, `" or "`))
		}
		return usageError(cmd, errors.New(text))
	}
	return usageError(cmd, fmt.Errorf("unexpected argument %q", args[0]))
}

func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 1:
			return nil
		case 0:
			return usageError(cmd, fmt.Errorf("no %s given", what))
		}
		return usageError(cmd, fmt.Errorf("one %s wanted, %d given", what, len(args)))
	}
}

// version is the module's, with the commit it was built from where Go recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && !strings.Contains(v, s.Value[:12]) {
			v += " " + s.Value[:12]
		}
	}
	return v
}
