package compare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
)

// chatTemplate is the setting with the hash of the chat template and the system
// instruction; "" where there is neither.
const chatTemplate = "chat_template"

// FromHarness makes a side of results of lm-evaluation-harness. Documents are
// named by the hash of their source document, which is known where the harness
// logged it as it was read, by the harness's own hash, and by their requests.
// Metrics that do not follow from the samples are left out with a note.
func FromHarness(path string, r *lmeval.Results) (*Side, error) {
	s := &Side{
		Name: r.Model, Path: path, Format: Harness, MustMatch: map[string]string{},
		MayDiffer: map[string]string{"lm_eval_version": r.Version},
	}
	if s.Name == "" {
		s.Name = filepath.Base(filepath.Clean(path))
	}
	if r.MaxLength > 0 {
		s.MustMatch["max_length"] = strconv.Itoa(r.MaxLength)
	}
	if r.Tokens != "" {
		s.MustMatch["tokenizer"] = r.Tokens
	}
	s.MustMatch[chatTemplate] = r.Chat
	for i := range r.Tasks {
		t, notes, err := harnessTask(&r.Tasks[i])
		if err != nil {
			return nil, fmt.Errorf("%s: task %s: %w", path, r.Tasks[i].Name, err)
		}
		s.Notes = append(s.Notes, notes...)
		s.Answers = append(s.Answers, harnessAnswers(&r.Tasks[i])...)
		if len(t.Metrics) > 0 {
			s.Tasks = append(s.Tasks, t)
		}
	}
	if len(s.Tasks) == 0 {
		return nil, fmt.Errorf("%s: no metric follows from the samples: nothing can be compared document by document", path)
	}
	for i := range r.Groups {
		s.harnessGroup(&r.Groups[i])
	}
	return s, nil
}

func harnessTask(r *lmeval.Task) (Task, []string, error) {
	t := Task{Name: r.Name, Alias: r.Alias, Truncated: -1, MustMatch: map[string]string{"fewshot": strconv.Itoa(r.FewShot)}}
	if r.Version != "" {
		t.MustMatch["version"] = r.Version
	}
	index := map[string]int{}
	for _, m := range r.Metrics {
		index[m.Key()] = len(t.Metrics)
		t.Metrics = append(t.Metrics, MetricInfo{
			Name: m.Key(), Formula: metric.ByName(m.Name).Formula, HigherIsBetter: m.HigherIsBetter,
			Value: m.Value, Stderr: m.Stderr, Low: math.NaN(), High: math.NaN(),
		})
	}
	at := map[int]int{} // by doc_id
	var answers [][]string
	var loglikelihoods [][]float64
	for i := range r.Samples {
		sample := &r.Samples[i]
		k, ok := at[sample.DocID]
		if !ok {
			k = len(t.Documents)
			at[sample.DocID] = k
			t.Documents = append(t.Documents, t.harnessDocument(sample))
			answers = append(answers, nil)
			loglikelihoods = append(loglikelihoods, nil)
		}
		d := &t.Documents[k]
		if keys := harnessKeys(sample); keys != d.Keys {
			return t, nil, fmt.Errorf("document %d is another one under filter %q", sample.DocID, sample.Filter)
		}
		for _, a := range sample.Responses {
			answers[k] = append(answers[k], fmt.Sprint(a.LogLikelihood, a.Greedy))
			loglikelihoods[k] = append(loglikelihoods[k], a.LogLikelihood)
		}
		if sample.Generated {
			answers[k] = append(answers[k], sample.Text)
			d.Answer = answerOf(nil, []string{sample.Text})
		} else {
			d.Answer = answerOf(loglikelihoods[k], nil)
		}
		for _, v := range sample.Values {
			answers[k] = append(answers[k], fmt.Sprint(v.Value, v.Weight))
			if m, ok := index[lmeval.Metric{Name: v.Metric, Filter: sample.Filter}.Key()]; ok {
				d.Values[m] = Value{v.Value, v.Weight, true}
			}
		}
	}
	said := make([]string, len(answers))
	for k := range answers {
		said[k] = digest(answers[k]...)
	}
	t.oneSourceForAll()
	t.finish(said)
	return t, t.leaveOut(), nil
}

func (t *Task) harnessDocument(s *lmeval.Sample) Document {
	d := Document{ID: s.DocID, Keys: harnessKeys(s), Values: make([]Value, len(t.Metrics))}
	if len(s.Requests) > 0 && s.Doc != nil {
		var by string
		by, d.Cluster = tasks.Source(s.Doc, s.Requests[0].Context)
		t.ClusteredBy = cmp.Or(t.ClusteredBy, by)
	}
	return d
}

// oneSourceForAll drops the cluster that all documents share: a text that is part of
// the prompt and no source.
func (t *Task) oneSourceForAll() {
	for _, d := range t.Documents {
		if d.Cluster != t.Documents[0].Cluster {
			return
		}
	}
	t.ClusteredBy = ""
	for k := range t.Documents {
		t.Documents[k].Cluster = ""
	}
}

func harnessKeys(s *lmeval.Sample) (keys [keyKinds]string) {
	if s.Source != "" { // softbench's own export
		keys[bySource] = s.Source
	} else if s.Doc != nil {
		keys[bySource] = data.Hash(plain(s.Doc).(map[string]any))
	}
	keys[byHarness] = s.DocHash
	var prompt []string
	unknown := false // softbench's own export has no texts of rolling requests
	for _, r := range s.Requests {
		prompt = append(prompt, r.Context, r.Continuation)
		unknown = unknown || r == lmeval.Request{}
	}
	if len(prompt) > 0 && !unknown && (s.Generated || len(s.Responses) == len(s.Requests)) {
		keys[byPrompt] = digest(prompt...)
	}
	return keys
}

// plain turns json.Number into the types that documents are hashed by.
func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i
		}
		if f, err := x.Float64(); err == nil {
			return f
		}
		return string(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = plain(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = plain(e)
		}
		return out
	}
	return v
}

// leaveOut drops the metrics that are not a mean or perplexity of their documents'
// values, and says so.
func (t *Task) leaveOut() (notes []string) {
	for i := 0; i < len(t.Metrics); {
		m := t.Metrics[i]
		value, n := t.aggregate(i)
		if n > 0 && math.Abs(value-m.Value) <= 1e-6*max(math.Abs(m.Value), math.Abs(value)) {
			i++
			continue
		}
		reason := "it has no number for each document"
		if n > 0 {
			reason = fmt.Sprintf("it is stated as %v, but the samples give %v", m.Value, value)
		}
		notes = append(notes, strings.TrimSpace(fmt.Sprintf("task %s: metric %s is left out: %s", t.Name, m.Name, reason)))
		t.Metrics = slices.Delete(t.Metrics, i, i+1)
		for k := range t.Documents {
			t.Documents[k].Values = slices.Delete(t.Documents[k].Values, i, i+1)
		}
	}
	return notes
}
