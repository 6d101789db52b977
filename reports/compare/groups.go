package compare

import (
	"fmt"
	"slices"

	"github.com/softbench/softbench/stats"
)

// Group is tasks under one name, with metrics over all of them.
type Group struct {
	Name    string
	Tasks   []string
	Metrics []GroupMetric
}

// GroupMetric is one metric over a group's tasks.
type GroupMetric struct {
	Name           string
	HigherIsBetter bool
	// Weighted: each task counts by its documents; else all the same.
	Weighted bool
	// Either: the stated value, with which Weighted was found, is that of both.
	Either bool
	// Value and Stderr are as the results state them; the error is NaN where they state none.
	Value, Stderr float64
}

// GroupDifference is a group's metric on both sides: its Task is the group's name. Groups are one
// family for Holm's correction, apart from their tasks.
type GroupDifference struct {
	Metric
	Tasks    int  `json:"tasks"` // over which it is
	Weighted bool `json:"weighted"`
}

// kindOfGroup is the kind of a task that stands for a group.
const kindOfGroup = "group"

// Pool makes one task of those of a group that have a metric, for arithmetic over documents: their
// mean is the group's. A document of a task that counts the same as others, whatever its documents,
// has one part in so many. Documents are in the order of the group's tasks. used counts the tasks; it
// is 0, and the task nil, where none has the metric as a mean over documents.
func (m *GroupMetric) Pool(name string, tasks []*Task) (pooled *Task, used int) {
	pooled = &Task{Name: name, Kind: kindOfGroup, Metrics: []MetricInfo{{Name: m.Name, Formula: Mean, HigherIsBetter: m.HigherIsBetter}}}
	for _, t := range tasks {
		i := t.metric(m.Name)
		if i < 0 || t.Metrics[i].Formula != Mean {
			continue
		}
		used++
		for _, d := range t.Documents {
			if d.Cluster != "" {
				d.Cluster = t.Name + "\x00" + d.Cluster
			}
			d.Values = []Value{m.part(d.Values[i], scored(t, i))}
			pooled.Documents = append(pooled.Documents, d)
		}
	}
	if used == 0 {
		return nil, 0
	}
	return pooled, used
}

// part is a document's value as a part of the group's, of a task with n documents that have one.
func (m *GroupMetric) part(v Value, n int) Value {
	if !m.Weighted && v.Scored {
		v.Value, v.Weight = v.Value*v.Weight/float64(n), v.Weight/float64(n)
	}
	return v
}

// scored counts a task's documents that have a metric.
func scored(t *Task, metric int) (n int) {
	for _, d := range t.Documents {
		if d.Values[metric].Scored {
			n++
		}
	}
	return max(n, 1)
}

// compareGroups compares the metrics of the groups that both sides have, over the documents of their
// tasks that are paired.
func (c *Comparison) compareGroups(a, b *Side, pairs []taskPair, rounding Arithmetic, o Options) error {
	type place struct {
		pair *taskPair
		m    *GroupMetric
		used int
	}
	var todo []place
	for i := range a.Groups {
		g := &a.Groups[i]
		k := slices.IndexFunc(b.Groups, func(other Group) bool { return other.Name == g.Name })
		if k < 0 {
			continue
		}
		var members []*taskPair
		for _, name := range g.Tasks {
			at := slices.IndexFunc(pairs, func(p taskPair) bool { return p.a.Name == name })
			if at >= 0 && slices.Contains(b.Groups[k].Tasks, name) {
				members = append(members, &pairs[at])
			}
		}
		if len(members) < len(g.Tasks) || len(members) < len(b.Groups[k].Tasks) {
			c.Notes = append(c.Notes, fmt.Sprintf("group %s: compared over the %d tasks that both sides have, of %d and %d", g.Name, len(members), len(g.Tasks), len(b.Groups[k].Tasks)))
		}
		for j := range g.Metrics {
			m := g.Metrics[j].along(b.Groups[k].Metrics, members)
			if m == nil {
				m = &g.Metrics[j]
				if slices.ContainsFunc(b.Groups[k].Metrics, func(o GroupMetric) bool { return o.Name == m.Name }) {
					c.Notes = append(c.Notes, fmt.Sprintf("group %s: %s counts documents on one side and tasks on the other, and is not compared", g.Name, m.Name))
				}
				continue
			}
			if p, used := m.pair(g.Name, members); used > 0 {
				todo = append(todo, place{p, m, used})
			}
		}
	}
	var family []*stats.Comparison
	var results []*Result
	for _, t := range todo {
		r, err := t.pair.difference(0, 0, stats.Options{Level: o.Level, Draws: o.Draws, Seed: o.Seed, Family: len(todo), Effect: o.Effect, Names: o.Names}, rounding, false)
		if err != nil {
			return fmt.Errorf("group %s: metric %s: %w", t.pair.a.Name, t.m.Name, err)
		}
		results, family = append(results, r), append(family, &r.Comparison)
	}
	if len(family) == 0 {
		return nil
	}
	if err := stats.Adjust(family); err != nil {
		return err
	}
	for i, t := range todo {
		d := GroupDifference{Metric: newMetric(t.pair, 0, false, results[i]), Tasks: t.used, Weighted: t.m.Weighted}
		c.Groups = append(c.Groups, d)
	}
	return nil
}

// pair pools the documents that are paired.
func (m *GroupMetric) pair(name string, members []*taskPair) (*taskPair, int) {
	var as, bs []*Task
	pooled := &taskPair{}
	for _, p := range members {
		i, j := p.a.metric(m.Name), p.b.metric(m.Name)
		if i < 0 || j < 0 {
			continue
		}
		a, b := *p.a, *p.b
		a.Documents, b.Documents = nil, nil
		for k, at := range p.pairs {
			x, y := p.a.Documents[at[0]], p.b.Documents[at[1]]
			x.Cluster, y.Cluster = p.clusters[k], p.clusters[k]
			if !x.Values[i].Scored || !y.Values[j].Scored {
				continue // on one side only: no part of either
			}
			a.Documents, b.Documents = append(a.Documents, x), append(b.Documents, y)
		}
		as, bs = append(as, &a), append(bs, &b)
		pooled.by = max(pooled.by, p.by)
	}
	a, used := m.Pool(name, as)
	b, other := m.Pool(name, bs)
	if used == 0 || used != other || len(a.Documents) != len(b.Documents) {
		return nil, 0
	}
	pooled.a, pooled.b = a, b
	for k := range a.Documents {
		pooled.pairs = append(pooled.pairs, [2]int{k, k})
		pooled.clusters = append(pooled.clusters, a.Documents[k].Cluster)
	}
	return pooled, used
}
