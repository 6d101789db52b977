package eval

import (
	"fmt"

	"github.com/softbench/softbench/passkey"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
)

// report turns records into metrics and samples, in the order of the suite's
// tasks and documents whatever the order they were computed in.
func (w *Work) report(run *rundir.Run, records map[recordKey]rundir.Record, m *Model) ([]rundir.Sample, error) {
	var samples []rundir.Sample
	for _, t := range w.Tasks {
		result := rundir.TaskResult{Name: t.Task.Name, Kind: string(t.Task.Kind), Documents: len(t.Docs), ClusteredBy: t.Task.ClusteredBy(t.Docs)}
		outcomes := make([]tasks.Outcome, len(t.Docs))
		for i := range t.Docs {
			d := &t.Docs[i]
			recs, err := recordsOf(records, t.Task.Name, d.ID, max(1, len(d.Requests)))
			if err != nil {
				return nil, err
			}
			results := make([]tasks.Result, len(recs))
			for k, r := range recs {
				results[k] = tasks.Result{
					LogLikelihood: r.LogLikelihood, Greedy: r.Greedy, ContextTokens: r.ContextTokens,
					ContinuationTokens: r.ContinuationTokens, Truncated: r.Truncated, Unscored: r.Unscored,
				}
				if r.Truncated > 0 {
					result.Truncated++
				}
			}
			outcomes[i] = t.Task.Score(*d, results)
			if outcomes[i].Unscored {
				result.Unscored++
			}
			samples = append(samples, taskSamples(t.Task, d, outcomes[i], recs)...)
		}
		for _, metric := range t.Task.Metrics(outcomes) {
			m := rundir.Metric{
				Name: metric.Name, Value: rundir.Number(metric.Value), Stderr: rundir.Number(metric.Stderr),
				Low: rundir.Number(metric.Low), High: rundir.Number(metric.High), N: metric.N, HigherIsBetter: metric.HigherIsBetter,
			}
			if metric.Clusters > 0 {
				m.Clusters, m.ClusteredStderr = metric.Clusters, ptr(rundir.Number(metric.ClusteredStderr))
			}
			result.Metrics = append(result.Metrics, m)
		}
		run.Tasks = append(run.Tasks, result)
	}
	if w.Passkey == nil {
		return samples, nil
	}
	var outcomes []passkey.Outcome
	for i, trial := range w.Passkey.Trials {
		recs, err := recordsOf(records, passkeyTask, i, 1)
		if err != nil {
			return nil, err
		}
		o := trial.Score(m.Tokenizer, recs[0].Generated)
		outcomes = append(outcomes, o)
		samples = append(samples, passkeySample(i, o, m))
	}
	for _, c := range passkey.Cells(outcomes) {
		run.Passkey = append(run.Passkey, rundir.Cell{
			Length: c.Length, Depth: c.Depth, N: c.N, Right: c.Right, RightText: c.RightText,
			Accuracy: rundir.Number(c.Accuracy), Low: rundir.Number(c.Low), High: rundir.Number(c.High),
		})
	}
	return samples, nil
}

func recordsOf(records map[recordKey]rundir.Record, task string, doc, n int) ([]rundir.Record, error) {
	out := make([]rundir.Record, n)
	for k := range out {
		r, ok := records[recordKey{task, doc, k}]
		if !ok {
			return nil, fmt.Errorf("task %s document %d request %d was never computed: this is a fault of softbench", task, doc, k)
		}
		out[k] = r
	}
	return out, nil
}

// taskSamples are a document's rows.
func taskSamples(t *tasks.Task, d *tasks.Doc, o tasks.Outcome, recs []rundir.Record) []rundir.Sample {
	rows := make([]rundir.Sample, len(recs))
	for k, r := range recs {
		s := rundir.Sample{
			Task: t.Name, Kind: string(t.Kind), DocID: int32(d.ID), DocHash: d.Hash, Cluster: d.Cluster, Request: int32(k),
			LogLikelihood: ptr(r.LogLikelihood), ContextTokens: int32(r.ContextTokens),
			ContinuationTokens: int32(r.ContinuationTokens), Truncated: int32(r.Truncated),
		}
		if r.Unscored != "" {
			s.LogLikelihood, s.Unscored = nil, ptr(r.Unscored)
		}
		if d.Gold >= 0 {
			s.Gold = ptr(int32(d.Gold))
		}
		if t.Kind == tasks.RollingPerplexity {
			s.Words, s.Bytes, s.Windows = ptr(int64(d.Words)), ptr(int64(d.Bytes)), ptr(int32(r.Windows))
			for _, p := range r.ByPosition {
				s.PositionLikelihood = append(s.PositionLikelihood, p.LogLikelihood)
				s.PositionTokens = append(s.PositionTokens, int32(p.Tokens))
			}
			rows[k] = s
			continue
		}
		q := d.Requests[k]
		s.Context, s.Choice, s.Continuation, s.IsGreedy = ptr(q.Context), ptr(q.Choice), ptr(q.Continuation), ptr(r.Greedy)
		if r.Unscored != "" {
			s.IsGreedy = nil
		}
		for i := range metric.Table {
			m := &metric.Table[i]
			if v, _, ok := o.Value(m.Name); ok && m.Column != "" {
				s.SetVerdict(m, v == 1)
			}
		}
		rows[k] = s
	}
	return rows
}

func passkeySample(i int, o passkey.Outcome, m *Model) rundir.Sample {
	return rundir.Sample{
		Task: passkeyTask, Kind: passkeyTask, DocID: int32(i), DocHash: fmt.Sprintf("%d/%g/%d/%d", o.Length, o.Depth, o.Trial.Trial, o.Key),
		Cluster: o.Cluster(), ContextTokens: int32(len(o.Prompt)), ContinuationTokens: int32(len(o.Generated)),
		Correct: ptr(o.Right), RightText: ptr(o.RightText), Length: ptr(int32(o.Length)), Depth: ptr(o.Depth), Key: ptr(int32(o.Key)),
		Generated: ptr(m.Tokenizer.Decode(o.Generated, false)),
	}
}

func ptr[T any](v T) *T { return &v }
