package main

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// parsed is a command whose work is to keep its options.
type parsed struct {
	args string // what the command wants besides flags
	// read parses a command line and returns the options, without the parser's own notes of which
	// flags were given: those would differ whatever a flag is for.
	read  func(args []string) (any, error)
	flags *pflag.FlagSet
}

func parse[Options any](args string, construct func(streams, work[Options]) *cobra.Command, forget func(*Options)) parsed {
	return parsed{args: args, flags: construct(streams{}, nil).Flags(), read: func(args []string) (any, error) {
		var got *Options
		cmd := construct(streams{}, func(o *Options, _ context.Context) error {
			got = o
			return nil
		})
		cmd.SetArgs(args)
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(context.Background()); err != nil || got == nil {
			return nil, err
		}
		if forget != nil {
			forget(got)
		}
		return *got, nil
	}}
}

// Every flag of every command reaches what the command's work is given, and no two flags of a
// command are one: nothing is loaded or computed to know it.
func TestFlagsReachTheOptions(t *testing.T) {
	t.Setenv(stepSummary, "summary.md")
	commands := map[string]parsed{
		"run":       parse("arc_easy", newRun, func(o *runOptions) { o.run.Given, o.run.Arguments = nil, nil }),
		"inspect":   parse("m", newInspect, nil),
		"tokenize":  parse("m", newTokenize, func(o *tokenizeOptions) { o.hasText = false }),
		"score":     parse("m", newScore, nil),
		"serve":     parse("m", newServe, nil),
		"quantize":  parse("m", newQuantize, nil),
		"ls":        parse("tasks", newList, nil),
		"bench":     parse("", newBench, func(o *benchOptions) { o.timed = false }),
		"report":    parse("r1 -o page.html", newReport, nil),
		"compare":   parse("a b", newCompare, func(o *compareOptions) { o.run.Given, o.run.Arguments = nil, nil }),
		"gate":      parse("r1 --baseline b.json", newGate, nil),
		"export":    parse("r1 --format csv", newExport, nil),
		"man":       parse("pages", newMan, nil),
		"stress":    parse("m", newStress, nil),
		"lab world": parse("", newLabWorld, func(o *labWorldOptions) { o.flags = nil }),
		"lab train": parse("", newLabTrain, func(o *labTrainOptions) { o.flags = nil }),
		"lab study": parse("study.yaml", newLabStudy, nil), "lab report": parse("t1 -o page.html", newLabReport, nil),
	}
	// What is parsed further, or refused beside what else the line has.
	special := map[string]string{"run limit": "7", "compare limit": "7", "stress limit": "7", "stress bits": "3", "export format": "markdown", "report intersect": "r2 --intersect", "report baseline": "r2 --baseline r2", "lab train mix": "copy=1", "compare effect": "0.5"}
	tried := 0
	for name, c := range commands {
		base, err := c.read(strings.Fields(c.args))
		if err != nil {
			t.Fatalf("%s %s: %v", name, c.args, err)
		}
		seen := map[string]any{}
		c.flags.VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			line := strings.Fields(c.args)
			switch value, ok := special[name+" "+f.Name]; {
			case strings.Contains(value, "--"):
				line = append(line, strings.Fields(value)...)
			case ok:
				line = append(line, "--"+f.Name, value)
			case f.Value.Type() == "bool":
				line = append(line, fmt.Sprintf("--%s=%t", f.Name, f.DefValue == "false"))
			case strings.Contains("int uint64 float64", f.Value.Type()):
				line = append(line, "--"+f.Name, "987")
			case f.Value.Type() == "stringToString":
				line = append(line, "--"+f.Name, "a=b")
			default:
				line = append(line, "--"+f.Name, "x")
			}
			got, err := c.read(line)
			if err != nil {
				t.Errorf("%s %v: %v", name, line, err)
				return
			}
			tried++
			if reflect.DeepEqual(got, base) {
				t.Errorf("%s: --%s changes nothing that the command sees", name, f.Name)
			}
			for other, o := range seen {
				if reflect.DeepEqual(got, o) {
					t.Errorf("%s: --%s and --%s are one", name, f.Name, other)
				}
			}
			seen[f.Name] = got
		})
	}
	if tried < 150 {
		t.Errorf("%d flags were tried", tried)
	}
	var all int
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if name := strings.TrimPrefix(cmd.CommandPath(), "softbench "); cmd.HasParent() && !cmd.HasSubCommands() && !cmd.Hidden {
			all++
			if _, ok := commands[name]; !ok {
				t.Errorf("%s is not tried", name)
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	if walk(newRoot(streams{})); all != len(commands) {
		t.Errorf("%d commands of %d", len(commands), all)
	}
}
