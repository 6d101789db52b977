package lmeval

import (
	"encoding/json"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
)

// keyParts are a run's metric as the harness calls it: the metric, and the filter, which is "none"
// where the name has none.
func keyParts(name string) (metric, filter string) {
	metric, filter, filtered := strings.Cut(name, ",")
	if !filtered {
		filter = "none"
	}
	return metric, filter
}

// answerLines are a generated answer's lines, one for each filter, with their hashes. The settings
// of the generation are the task's, of which a run keeps the hash: what is written of them is that
// decoding is greedy, by which readers tell a generated answer.
func answerLines(t *rundir.TaskResult, row *rundir.Sample, docs Docs) (lines []object, hashes []string) {
	var target any = row.Targets
	hashed := strings.Join(row.Targets, "\n")
	if len(row.Targets) == 1 {
		target = row.Targets[0]
	}
	logged, docHash := any(object{{"query", text(row.Context)}, {"target", target}}), row.DocHash
	if d, ok := docs.find(t.Name, row, nil, -1); ok {
		logged, docHash = json.RawMessage(d), hashOf(d)
	}
	own := []string{docHash, hashOf(text(row.Context)), hashOf(hashed)}
	for i, filter := range row.Filters {
		line := object{{"doc_id", row.DocID}, {"doc", logged}, {"target", target}, {"arguments", object{{"gen_args_0", object{{"arg_0", text(row.Context)}, {"arg_1", object{{"do_sample", false}}}}}}},
			{"resps", [][]string{{text(row.Generated)}}}, {"filtered_resps", []string{row.Filtered[i]}}, {"filter", filter}}
		var names []string
		var values object
		for k, name := range row.Metrics {
			if metric, of := keyParts(name); of == filter {
				names = append(names, metric)
				values = append(values, field{metric, json.RawMessage(python(&row.Scores[k]))})
			}
		}
		line = append(line, field{"metrics", names}, field{"doc_hash", own[0]}, field{"prompt_hash", own[1]}, field{"target_hash", own[2]}, field{SourceHash, row.DocHash})
		lines, hashes = append(lines, append(line, values...)), append(hashes, own...)
	}
	return lines, hashes
}
