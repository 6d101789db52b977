package eval

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/data"
)

// absent gathers the tasks without documents here, so that one message is about all.
type absent struct {
	skip    bool   // leave them out
	command string // downloads them; "": not known
	first   error
	tasks   []string
	hub     bool // some could be downloaded
}

// absent is for the tasks of a run.
func (o *RunOptions) absent() absent {
	a := absent{skip: o.SkipMissing}
	if len(o.Command) == 0 {
		return a
	}
	words := slices.Clone(o.Command)
	if last := len(words) - 1; words[last] == "--resume" && !o.Resume {
		words = words[:last] // that is how to go on with a run, and none was begun
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "--download=false" })
	a.command = rundir.ShellCommand(append(words, "--download"))
	return a
}

// take says whether err is about documents that are not here, and remembers it.
func (a *absent) take(task string, err error) bool {
	var none *data.NotFoundError
	if !errors.As(err, &none) {
		return false
	}
	if a.first == nil {
		a.first = err
	}
	a.hub = a.hub || none.Hub
	a.tasks = append(a.tasks, fmt.Sprintf("%s (%s)", task, none.Dataset.Path))
	return true
}

// namedAbsent is how many tasks a message names before it counts the rest.
const namedAbsent = 5

// names are the tasks for a message of one line: the first few and how many more there are.
func (a *absent) names() string {
	if len(a.tasks) <= namedAbsent+1 {
		return strings.Join(a.tasks, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(a.tasks[:namedAbsent], ", "), len(a.tasks)-namedAbsent)
}

// end is an error where tasks are missing that may not be, or all of them, and names the first few; else
// note names all that are left out.
func (a *absent) end(all int) (note string, err error) {
	n := len(a.tasks)
	names := a.names()
	switch {
	case n == 0:
		return "", nil
	case a.skip && n < all:
		return "left out, as their documents are not here: " + strings.Join(a.tasks, ", "), nil
	case a.skip:
		return "", fmt.Errorf("no task is left: %w", a.first)
	case all == 1:
		return "", a.first
	case n == 1:
		return "", fmt.Errorf("%w; --skip-missing leaves the task out", a.first)
	}
	how, command := "", ""
	switch {
	case a.hub && a.command != "":
		command = "; those of the hub are downloaded by: " + a.command // last, to be copied
	case a.hub:
		how = "the same command with --download fetches those of the hub, "
	}
	return "", fmt.Errorf("no documents for %d of %d tasks: %s; %s--data DIR says where they are, --skip-missing leaves the tasks out (first: %w)%s",
		n, all, names, how, a.first, command)
}
