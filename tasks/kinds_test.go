package tasks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
)

// A kind is one row: with a file of its own or a suite's section, and with metrics but for
// diagnostics, whose measures are not of documents.
func TestEveryKindIsWhole(t *testing.T) {
	for _, m := range metric.Table {
		for _, k := range m.Kinds {
			if !slices.ContainsFunc(tasks.Kinds, func(r tasks.KindRow) bool { return r.Name == k }) {
				t.Errorf("metric %s is of the kind %s, which has no row", m.Name, k)
			}
		}
	}
	for i, k := range tasks.Kinds {
		if slices.ContainsFunc(tasks.Kinds[:i], func(r tasks.KindRow) bool { return r.Name == k.Name }) {
			t.Errorf("%s is there twice", k.Name)
		}
		if own := k.Keys != nil && k.Requests != nil && k.Harness != ""; own == (k.Section != "") {
			t.Errorf("%s has a file of its own: %v, and the section %q", k.Name, own, k.Section)
		}
		if len(metric.OfKind(k.Name, true)) == 0 && k.Name != tasks.Diagnostics {
			t.Errorf("%s has no metric", k.Name)
		}
	}
}

// What a suite's section leaves behind is kept under its kind's name: no task can have that name,
// however it is written, and no task's file can say that it is of such a kind.
func TestNoTaskHasASectionsName(t *testing.T) {
	const rest = "\nkind: last_word\ndataset: {path: d}\ncontext: a\ncontinuation: b\n"
	n := 0
	for _, k := range tasks.Kinds {
		if k.Section == "" {
			continue
		}
		n++
		name := string(k.Name)
		for _, name := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if _, err := tasks.Parse([]byte("name: "+name+rest), "t.yaml"); err == nil || !strings.Contains(err.Error(), k.Section) {
				t.Errorf("a task called %s: %v", name, err)
			}
		}
		text := fmt.Sprintf("name: mine\nkind: %s\ndataset: {path: d}\n", name)
		if _, err := tasks.Parse([]byte(text), "t.yaml"); err == nil || !strings.Contains(err.Error(), "the kinds are multiple_choice, last_word, rolling_perplexity") {
			t.Errorf("a task of the kind %s: %v", name, err)
		}
	}
	if n != 2 {
		t.Errorf("%d kinds have sections", n)
	}
}
