package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/metric"
)

// FromRun makes a side of a finished run. It refuses samples from which the
// manifest's metrics do not follow.
func FromRun(name string, run *rundir.Run, samples []rundir.Sample) (*Side, error) {
	set := run.Settings
	s := &Side{
		Name: name, Format: Softbench, Manifest: run, Samples: samples,
		MustMatch: map[string]string{
			tokenizerFile: set.TokenizerSHA256,
			"max_length":  strconv.Itoa(set.MaxLength),
		},
		MayDiffer: map[string]string{
			"model_sha256": set.ModelSHA256, "engine": set.Engine, "attention": set.Attention, "dtype": set.DType,
			"device": set.Device, "isa": set.ISA, "strict_length": strconv.FormatBool(set.StrictLength),
		},
	}
	if p := set.Prompts; p != nil {
		s.MustMatch[chatTemplate] = p.ChatTemplate
		if p.System != "" {
			sum := sha256.Sum256([]byte(p.System))
			s.MustMatch[chatTemplate] += hex.EncodeToString(sum[:])
		}
		s.MustMatch["fewshot_as_multiturn"] = strconv.FormatBool(p.Multiturn)
	}
	if g := set.Generation; g != nil {
		s.MayDiffer["end_tokens"], s.MayDiffer["strip_thinking"] = fmt.Sprint(g.End), g.Thinking
	}
	if c := run.Model.TokenizerContent; c != "" {
		s.MustMatch[tokenizerContent] = c
	}
	settings := map[string]rundir.TaskSettings{}
	for _, t := range set.Tasks {
		settings[t.Name] = t
	}
	byTask := map[string][]rundir.Sample{}
	for i := range samples {
		byTask[samples[i].Task] = append(byTask[samples[i].Task], samples[i])
	}
	for _, r := range run.Tasks {
		t := Task{Name: r.Name, Kind: r.Kind, Truncated: r.Truncated, ClusteredBy: r.ClusteredBy, MustMatch: map[string]string{}}
		if known, ok := settings[r.Name]; ok {
			if r.Content != "" {
				t.MustMatch[contentDigest] = r.Content
			}
			t.MustMatch["version"], t.MustMatch["digest"], t.MustMatch["fewshot"] = known.Version, known.Digest, strconv.Itoa(known.FewShot)
		}
		for _, m := range r.Metrics {
			if m.OfAll {
				s.Notes = append(s.Notes, fmt.Sprintf("task %s: %s is of all documents together, and not compared", r.Name, m.Name))
				continue
			}
			info := MetricInfo{
				Name: m.Name, Formula: metric.ByName(m.Name).Formula, HigherIsBetter: m.HigherIsBetter,
				Value: float64(m.Value), Stderr: float64(m.Stderr), Low: float64(m.Low), High: float64(m.High), Clusters: m.Clusters,
			}
			if m.ClusteredStderr != nil {
				info.ClusteredStderr = float64(*m.ClusteredStderr)
			}
			t.Metrics = append(t.Metrics, info)
		}
		if err := t.addRows(byTask[r.Name]); err != nil {
			return nil, err
		}
		s.Tasks = append(s.Tasks, t)
	}
	for _, r := range run.Groups {
		g := Group{Name: r.Name, Tasks: r.Tasks}
		for _, m := range r.Metrics {
			g.Metrics = append(g.Metrics, GroupMetric{Name: m.Name, HigherIsBetter: m.HigherIsBetter, Weighted: m.Weighted, Value: float64(m.Value), Stderr: float64(m.Stderr)})
		}
		s.Groups = append(s.Groups, g)
	}
	if len(run.Passkey) > 0 {
		t := Task{Name: rundir.PasskeyTask, Kind: rundir.PasskeyTask, ClusteredBy: "key", MustMatch: map[string]string{}}
		for _, name := range metric.OfKind(metric.Passkey, false) {
			m := metric.ByName(name)
			t.Metrics = append(t.Metrics, MetricInfo{Name: name, Formula: m.Formula, HigherIsBetter: m.HigherIsBetter, Value: math.NaN(), Stderr: math.NaN(), Low: math.NaN(), High: math.NaN()})
		}
		if err := t.addRows(byTask[rundir.PasskeyTask]); err != nil {
			return nil, err
		}
		s.Tasks = append(s.Tasks, t)
	}
	return s, nil
}

// addRows gathers a task's rows into documents. The rows of a document stand
// together, ordered by request; the documents may be in any order.
func (t *Task) addRows(rows []rundir.Sample) error {
	finger := make([]string, 0, len(rows))
	seen := make(map[int32]bool, len(rows))
	for len(rows) > 0 {
		id, n := rows[0].DocID, 0
		for ; n < len(rows) && rows[n].DocID == id; n++ {
			switch ll := rows[n].LogLikelihood; {
			case n > 0 && rows[n].Request <= rows[n-1].Request:
				return fmt.Errorf("task %s: document %d: request %d comes after request %d: it is there twice, or out of order", t.Name, id, rows[n].Request, rows[n-1].Request)
			case ll != nil && (math.IsNaN(*ll) || math.IsInf(*ll, 0)):
				return fmt.Errorf("task %s: document %d request %d: its loglikelihood is %v", t.Name, id, rows[n].Request, *ll)
			}
		}
		if seen[id] {
			return fmt.Errorf("task %s: document %d is there twice, or its rows are not together", t.Name, id)
		}
		seen[id] = true
		d, answers := t.document(rows[:n])
		t.Documents = append(t.Documents, d)
		finger = append(finger, answers)
		rows = rows[n:]
	}
	t.finish(finger)
	return t.check()
}

// document is made of a document's rows; answers is what the model answered.
func (t *Task) document(rows []rundir.Sample) (d Document, answers string) {
	first := &rows[0]
	d = Document{ID: int(first.DocID), Cluster: first.Cluster}
	d.Keys[bySource] = first.DocHash
	if t.Kind == rundir.PasskeyTask {
		d.Cluster = sharedKey(first)
	}
	var prompt, said, texts []string
	var loglikelihoods []float64
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Context != nil && r.Continuation != nil:
			prompt = append(prompt, *r.Context, *r.Continuation)
		case r.Context != nil:
			prompt = append(prompt, *r.Context, "")
		}
		if r.LogLikelihood != nil {
			said = append(said, strconv.FormatFloat(*r.LogLikelihood, 'g', -1, 64))
			loglikelihoods = append(loglikelihoods, *r.LogLikelihood)
			d.Tokens += int(r.ContinuationTokens)
		}
		if r.IsGreedy != nil {
			said = append(said, strconv.FormatBool(*r.IsGreedy))
		}
		if r.Generated != nil {
			said = append(said, *r.Generated)
			texts = append(texts, *r.Generated)
		}
	}
	d.Answer = answerOf(loglikelihoods, texts)
	if len(prompt) > 0 {
		d.Keys[byPrompt] = digest(prompt...)
	}
	for _, m := range t.Metrics {
		var v Value
		v.Value, v.Weight, v.Scored = rundir.Value(metric.ByName(m.Name), rows)
		d.Values = append(d.Values, v)
		said = append(said, fmt.Sprint(v.Value))
	}
	return d, digest(said...)
}

// sharedKey is what a passkey trial shares with those of other lengths, its key:
// depth and trial, from the name length/depth/trial/key. Runs of earlier versions
// call all trials of one length and depth a cluster, which share nothing.
func sharedKey(r *rundir.Sample) string {
	parts := strings.Split(r.DocHash, "/")
	if len(parts) != 4 {
		return r.Cluster
	}
	return parts[1] + "/" + parts[2]
}

// finish orders the documents and fingerprints the answers, one for each of them.
func (t *Task) finish(answers []string) {
	named := make(map[int]string, len(answers))
	for i, a := range answers {
		named[t.Documents[i].ID] = a
	}
	t.order()
	parts := make([]string, 0, 2*len(t.Documents))
	for _, d := range t.Documents {
		parts = append(parts, named[d.ID])
	}
	t.Fingerprint = digest(parts...)
}

// check refuses stated metrics that do not follow from the documents.
func (t *Task) check() error {
	for i, m := range t.Metrics {
		value, n := t.aggregate(i)
		if n == 0 {
			return fmt.Errorf("task %s: metric %s has no part in the samples", t.Name, m.Name)
		}
		if !math.IsNaN(m.Value) && math.Abs(value-m.Value) > 1e-9*max(math.Abs(m.Value), math.Abs(value)) {
			return fmt.Errorf("task %s: %s is stated as %v, but the samples give %v: the two are not of one run, or were edited", t.Name, m.Name, m.Value, value)
		}
	}
	return nil
}

// aggregate is metric i over the documents that have a part in it.
func (t *Task) aggregate(i int) (value float64, n int) {
	values := make([]Value, len(t.Documents))
	for k, d := range t.Documents {
		values[k] = d.Values[i]
	}
	return AggregateValues(t.Metrics[i].Formula, values)
}

// Aggregate is metric i over the task's documents.
func (t *Task) Aggregate(i int) float64 {
	value, _ := t.aggregate(i)
	return value
}

// Scored is how many documents have a part in metric i.
func (t *Task) Scored(i int) int {
	_, n := t.aggregate(i)
	return n
}

// AggregateValues is a metric over values, and how many of them are scored.
func AggregateValues(f Formula, values []Value) (value float64, n int) {
	var sum, weight float64
	for _, v := range values {
		if v.Scored {
			sum += v.Value
			weight += v.Weight
			n++
		}
	}
	return f.Of(sum / weight), n
}
