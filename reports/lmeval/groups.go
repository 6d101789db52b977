package lmeval

import (
	"cmp"
	"slices"

	"github.com/softbench/softbench/reports/rundir"
)

// groupsOf are a run's groups as the harness has them: each among the results too, after the tasks,
// and what it is made of. Their documents are their tasks'.
func groupsOf(run *rundir.Run, results, higher, shots *object) (groups, subtasks object) {
	subtasks = object{}
	few := map[string]int{}
	for _, t := range run.Settings.Tasks {
		few[t.Name] = t.FewShot
	}
	for _, g := range run.Groups {
		subtasks = append(subtasks, field{g.Name, g.Members})
		values := object{{"name", g.Name}, {"alias", cmp.Or(g.Alias, g.Name)}}
		var directions object
		documents := 0
		for _, m := range g.Metrics {
			name, filter := keyParts(m.Name)
			values = append(values, field{name + "," + filter, m.Value}, field{name + "_stderr," + filter, orNA(m.Stderr)})
			if !slices.ContainsFunc(directions, func(f field) bool { return f.key == name }) { // by another filter
				directions = append(directions, field{name, m.HigherIsBetter})
			}
			documents = max(documents, m.N)
		}
		if len(g.Metrics) == 0 {
			continue // a heading over its members alone
		}
		values = append(values, field{"sample_len", documents})
		groups, *results = append(groups, field{g.Name, values}), append(*results, field{g.Name, values})
		*higher = append(*higher, field{g.Name, directions})
		shot := 0
		for _, t := range g.Tasks {
			shot = max(shot, few[t])
		}
		*shots = append(*shots, field{g.Name, shot})
	}
	return groups, subtasks
}
