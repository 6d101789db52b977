package eval

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks/data"
)

func absentOf(t *testing.T, n int, skip bool) *absent {
	t.Helper()
	a := &absent{skip: skip}
	for i := range n {
		if !a.take(fmt.Sprintf("task%d", i+1), &data.NotFoundError{Dataset: data.Dataset{Path: "set"}}) {
			t.Fatal("documents that are not here are another error")
		}
	}
	return a
}

// TestManyAbsentTasksAreCounted: an error about many tasks names the first five and counts the others; few are all
// named; what is left out of a run is named in full, as nothing else says what the run lacks.
func TestManyAbsentTasksAreCounted(t *testing.T) {
	_, err := absentOf(t, 57, false).end(57)
	want := "no documents for 57 of 57 tasks: task1 (set), task2 (set), task3 (set), task4 (set), task5 (set) and 52 more;"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("57 tasks: %v, want %s", err, want)
	}
	_, err = absentOf(t, 6, false).end(9)
	if err == nil || !strings.Contains(err.Error(), "6 of 9 tasks: ") || !strings.Contains(err.Error(), "task5 (set), task6 (set);") {
		t.Errorf("6 tasks: %v", err)
	}
	note, err := absentOf(t, 20, true).end(21)
	if err != nil || strings.Count(note, "(set)") != 20 {
		t.Errorf("20 left out: %q, %v", note, err)
	}
}
