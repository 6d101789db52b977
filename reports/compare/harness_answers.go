package compare

import (
	"cmp"
	"slices"

	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/metric"
)

// harnessAnswers are a task's generated answers as a run keeps them: a row for each document, with what every filter took and
// the scores under it. A document is named as it is where runs are compared.
func harnessAnswers(t *lmeval.Task) []rundir.Sample {
	var out []rundir.Sample
	at := map[int]int{} // by doc_id
	for i := range t.Samples {
		s := &t.Samples[i]
		if !s.Generated {
			continue
		}
		k, ok := at[s.DocID]
		if !ok {
			k = len(out)
			at[s.DocID] = k
			out = append(out, newAnswer(t.Name, s))
		}
		row := &out[k]
		row.Filters, row.Filtered = append(row.Filters, cmp.Or(s.Filter, "none")), append(row.Filtered, s.Taken)
		for _, v := range s.Values {
			if v.Weighted {
				continue
			}
			row.Metrics = append(row.Metrics, lmeval.Metric{Name: v.Metric, Filter: s.Filter}.Key())
			row.Scores = append(row.Scores, v.Value)
		}
	}
	slices.SortStableFunc(out, func(a, b rundir.Sample) int { return cmp.Compare(a.DocID, b.DocID) })
	return out
}

func newAnswer(task string, s *lmeval.Sample) rundir.Sample {
	keys := harnessKeys(s)
	row := rundir.Sample{Task: task, Kind: string(metric.GenerateUntil), DocID: int32(s.DocID), DocHash: cmp.Or(keys[bySource], keys[byHarness], keys[byPrompt])}
	text := s.Text
	row.Generated = &text
	if len(s.Requests) > 0 {
		context := s.Requests[0].Context
		row.Context = &context
	}
	return row
}
