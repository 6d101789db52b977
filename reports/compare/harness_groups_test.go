package compare

import (
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/lmeval"
)

// Which mean a group's number of lm-evaluation-harness is, its tasks' documents tell; one that is neither is left out.
func TestGroupsOfTheHarness(t *testing.T) {
	a, b := grouped("a", 1, 0.5), grouped("b", 2, 0.6)
	b.Groups = nil
	names := []string{"quiz", "last", "passkey"}
	sum, n, means := 0.0, 0.0, 0.0
	for _, name := range names {
		task := b.Task(name)
		i := task.metric("acc")
		n, sum, means = n+float64(len(task.Documents)), sum+float64(len(task.Documents))*task.Aggregate(i), means+task.Aggregate(i)/3
	}
	metric := func(v float64) []lmeval.Metric {
		return []lmeval.Metric{{Name: "acc", Filter: "none", Value: v, HigherIsBetter: true}}
	}
	b.harnessGroup(&lmeval.Group{Name: "all", Tasks: names, Metrics: metric(sum / n)})
	b.harnessGroup(&lmeval.Group{Name: "each", Tasks: names, Metrics: metric(means)})
	b.harnessGroup(&lmeval.Group{Name: "wrong", Tasks: names, Metrics: metric(means + .01)})
	if len(b.Groups) != 2 || !b.Groups[0].Metrics[0].Weighted || b.Groups[1].Metrics[0].Weighted {
		t.Fatalf("groups %+v", b.Groups)
	}
	if len(b.Notes) == 0 || !strings.HasPrefix(b.Notes[len(b.Notes)-1], "group wrong: metric acc is left out: ") {
		t.Errorf("notes %q", b.Notes)
	}
	c := compared(t, a, b, Options{})
	if len(c.Groups) != 2 || c.Groups[0].Task != "all" || c.Groups[1].Weighted {
		t.Errorf("compared: %+v", c.Groups)
	}
	// A group that counts otherwise on the other side is not compared, and the notes say so.
	b.Groups[0].Metrics[0].Weighted = false
	c = compared(t, a, b, Options{})
	if len(c.Groups) != 1 || !strings.Contains(strings.Join(c.Notes, "\n"), "group all: acc counts documents on one side and tasks on the other") {
		t.Errorf("%+v, notes %q", c.Groups, c.Notes)
	}
}

// A number that is both means, as where no task has a right answer, is compared as the other side's, whichever side has it.
func TestGroupWhoseNumberIsBothMeans(t *testing.T) {
	names := []string{"quiz", "last", "passkey"}
	a, b := grouped("a", 1, 0.5), grouped("b", 2, 0.6)
	for _, name := range names {
		task := b.Task(name)
		for k := range task.Documents {
			for j := range task.Documents[k].Values {
				task.Documents[k].Values[j].Value = 0
			}
		}
	}
	b.Groups = nil
	for _, name := range []string{"all", "each"} {
		b.harnessGroup(&lmeval.Group{Name: name, Tasks: names, Metrics: []lmeval.Metric{{Name: "acc", Filter: "none", HigherIsBetter: true}}})
	}
	for _, sides := range [][2]*Side{{a, b}, {b, a}} {
		c := compared(t, sides[0], sides[1], Options{})
		if len(c.Groups) != 2 || !c.Groups[0].Weighted || c.Groups[1].Weighted {
			t.Errorf("compared: %+v, notes %q", c.Groups, c.Notes)
		}
	}
}
