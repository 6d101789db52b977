package eval

import (
	"errors"
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/data"
)

// absent gathers the tasks without documents here, so that one message is about all.
type absent struct {
	skip  bool // leave them out
	first error
	tasks []string
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
	return "", fmt.Errorf("no documents for %d of %d tasks: %s; the same command with --download fetches those of the hub, --data DIR says where they are, --skip-missing leaves the tasks out (first: %w)",
		n, all, names, a.first)
}
