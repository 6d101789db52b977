package eval

import (
	"errors"
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/data"
)

// absent gathers the tasks without documents here, so that all are named at once.
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

// end is an error where tasks are missing that may not be, or all of them; else note
// names those that are left out.
func (a *absent) end(all int) (note string, err error) {
	n := len(a.tasks)
	names := strings.Join(a.tasks, ", ")
	switch {
	case n == 0:
		return "", nil
	case a.skip && n < all:
		return "left out, as their documents are not here: " + names, nil
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
