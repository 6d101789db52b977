package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/stats"
)

// grouped is a made side with two groups over its shares.
func grouped(name string, seed uint64, skill float64) *Side {
	s := madeSide(name, seed, skill)
	tasks := []string{"quiz", "last", "passkey"}
	s.Groups = []Group{
		{Name: "all", Tasks: tasks, Metrics: []GroupMetric{{Name: "acc", HigherIsBetter: true, Weighted: true}}},
		{Name: "each", Tasks: tasks, Metrics: []GroupMetric{{Name: "acc", HigherIsBetter: true}, {Name: "acc_norm", HigherIsBetter: true}}},
	}
	return s
}

// TestGroups: a weighted group is the share of all documents, another the mean of its tasks; the
// differences are those of the sides' values, and the intervals hold the clusters.
func TestGroups(t *testing.T) {
	a, b := grouped("a", 1, 0.5), grouped("b", 2, 0.6)
	c := compared(t, a, b, Options{})
	if len(c.Groups) != 3 {
		t.Fatalf("%d groups' metrics", len(c.Groups))
	}
	value := func(s *Side, weighted bool) float64 {
		sum, n, means := 0.0, 0.0, 0.0
		for _, name := range s.Groups[0].Tasks {
			task := s.Task(name)
			i := task.metric("acc")
			for _, d := range task.Documents {
				sum += d.Values[i].Value
			}
			n += float64(len(task.Documents))
			means += task.Aggregate(i)
		}
		if weighted {
			return sum / n
		}
		return means / 3
	}
	for _, g := range c.Groups[:2] {
		wantA, wantB := value(a, g.Weighted), value(b, g.Weighted)
		if math.Abs(float64(g.A)-wantA) > 1e-12 || math.Abs(float64(g.Difference)-(wantB-wantA)) > 1e-12 || g.N != 238 || g.Tasks != 3 || g.Clusters == 0 {
			t.Errorf("%+v; want %v and %v", g, wantA, wantB)
		}
		if !(g.Low < g.Difference && g.Difference < g.High) || g.High-g.Low > 0.4 {
			t.Errorf("%s: from %v to %v", g.Task, g.Low, g.High)
		}
	}
	if c.Groups[2].Tasks != 1 || c.Groups[2].N != 120 {
		t.Errorf("of the tasks that have it: %+v", c.Groups[2])
	}
	text := tableText(c, 0)
	if !strings.Contains(text, "each: acc is the mean of its tasks") || !strings.Contains(text, "all        3  238  acc") {
		t.Errorf("%s", text)
	}
	same := compared(t, a, a, Options{})
	if same.Groups[0].word() != "same" || same.Groups[0].Difference != 0 {
		t.Errorf("of itself %+v", same.Groups[0])
	}
}

// TestGroupAlarms: of runs that are as good as each other few groups are called different, whether
// weighted or not; and a task of the group alone, weighted, is as the task by itself.
func TestGroupAlarms(t *testing.T) {
	alarms := [2]int{}
	const tries = 200
	for seed := range uint64(tries) {
		a, b := grouped("a", 1000+2*seed, 0.6), grouped("b", 1001+2*seed, 0.6)
		for i := range alarms {
			p, _ := a.Groups[i].Metrics[0].pair("g", pairsOf(t, a, b))
			r, err := p.difference(0, 0, stats.Options{Draws: 2000, Family: 1}, Arithmetic{}, false)
			if err != nil {
				t.Fatal(err)
			}
			if r.P < 0.05 {
				alarms[i]++
			}
		}
	}
	for i, n := range alarms {
		if share := float64(n) / tries; share > 0.09 {
			t.Errorf("group %d: %.3f of %d comparisons of equals are alarms", i, share, tries)
		}
	}
	a, b := grouped("a", 1, 0.5), grouped("b", 2, 0.6)
	for _, s := range []*Side{a, b} {
		s.Groups = []Group{{Name: "one", Tasks: []string{"quiz"}, Metrics: []GroupMetric{{Name: "acc", HigherIsBetter: true, Weighted: true}}}}
	}
	c := compared(t, a, b, Options{})
	task, group := c.Metrics[0], c.Groups[0]
	if task.Metric != "acc" || group.P != task.P || group.Low != task.Low || group.High != task.High || group.Test != task.Test {
		t.Errorf("one task: %+v; its group: %+v", task, group)
	}
}

func pairsOf(t *testing.T, a, b *Side) (members []*taskPair) {
	t.Helper()
	pairs, _, err := pair(a, b, Options{Names: [2]string{"A", "B"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range a.Groups[0].Tasks {
		for i := range pairs {
			if pairs[i].a.Name == name {
				members = append(members, &pairs[i])
			}
		}
	}
	return members
}
