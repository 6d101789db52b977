package eval

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
)

// TaskWork is one task's documents.
type TaskWork struct {
	configs.Entry
	Docs  []tasks.Doc
	Files []data.File
}

func (t *TaskWork) name() string { return t.Task.Name }

func (t *TaskWork) documents() []tasks.Doc { return t.Docs }

func (t *TaskWork) calls(d *tasks.Doc, request int) string {
	if t.Task.Chooses() {
		return fmt.Sprintf("task %s document %d choice %d", t.Task.Name, d.ID, request)
	}
	return fmt.Sprintf("task %s document %d", t.Task.Name, d.ID)
}

func (t *TaskWork) settings(s *rundir.Settings) {
	limit := t.Limit
	if t.Share > 0 {
		limit = len(t.Docs)
	}
	s.Tasks = append(s.Tasks, rundir.TaskSettings{
		Name: t.Task.Name, Version: t.Task.Version, Digest: t.Task.Digest,
		Limit: limit, FewShot: t.FewShot, Documents: len(t.Docs), Data: documentsHash(t.Docs),
	})
}

func (t *TaskWork) report(run *rundir.Run, _ *Model, answers func(*tasks.Doc) ([]answer.Answer, error)) ([]rundir.Sample, error) {
	result := rundir.TaskResult{Name: t.Task.Name, Kind: string(t.Task.Kind), Documents: len(t.Docs), ClusteredBy: t.Task.ClusteredBy(t.Docs), Content: t.Task.Content}
	outcomes := make([]tasks.Outcome, len(t.Docs))
	var samples []rundir.Sample
	for i := range t.Docs {
		given, err := answers(&t.Docs[i])
		if err != nil {
			return nil, err
		}
		for _, a := range given {
			if a.Truncated > 0 {
				result.Truncated++
			}
		}
		if outcomes[i], err = t.Task.Score(t.Docs[i], given); err != nil {
			return nil, err
		}
		if outcomes[i].Unscored {
			result.Unscored++
		}
		samples = append(samples, t.rows(&t.Docs[i], outcomes[i])...)
	}
	result.Metrics = t.Task.Metrics(outcomes)
	run.Tasks = append(run.Tasks, result)
	return samples, nil
}

// generatedRow adds to a document's row what the filters took of its answer, and the scores of that.
func (t *TaskWork) generatedRow(row *rundir.Sample, o tasks.Outcome) {
	for _, f := range o.Taken {
		row.Filters, row.Filtered = append(row.Filters, f.Filter), append(row.Filtered, f.Text)
	}
	t.scores(row, o)
}

// scores are those of the task's metrics that give each document a number.
func (t *TaskWork) scores(row *rundir.Sample, o tasks.Outcome) {
	for _, name := range t.Task.ScoreNames(&o) {
		if v := o.Scores[name]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			row.Metrics, row.Scores = append(row.Metrics, name), append(row.Scores, v)
		}
	}
}

// rows are a document's, with its verdicts by the metrics that keep one.
func (t *TaskWork) rows(d *tasks.Doc, o tasks.Outcome) []rundir.Sample {
	rows := rowsOf(t.Task.Name, t.Task.Kind, d, o.Answers)
	if t.Task.Generation != nil {
		t.generatedRow(&rows[0], o)
		return rows
	}
	if t.Task.Scorer != nil {
		t.scores(&rows[0], o)
	}
	for i := range metric.Table {
		m := &metric.Table[i]
		if m.Column == "" {
			continue
		}
		if _, own := t.Task.Own[m.Name]; own {
			continue // it is not the row's metric
		}
		if v, _, ok := o.Value(m.Name); ok {
			for k := range rows {
				rows[k].SetVerdict(m, v == 1)
			}
		}
	}
	return rows
}
