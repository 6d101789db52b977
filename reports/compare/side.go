package compare

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/metric"
)

// Format is where a side's results come from.
type Format string

const (
	Softbench Format = "softbench" // a run directory
	Harness   Format = "lm-eval"   // results of lm-evaluation-harness
)

// Side is one of the runs that are compared: its results by document.
type Side struct {
	Name   string // as shown: what the user called it
	Path   string
	Format Format
	// Manifest and Samples are the run's, nil for results of lm-evaluation-harness.
	Manifest *rundir.Run
	Samples  []rundir.Sample
	// Answers are the generated answers of results of lm-evaluation-harness, a row each, with what every filter took.
	Answers []rundir.Sample
	// DiagnosticsSamples and Maps are what the run's diagnostics left, if any.
	DiagnosticsSamples []rundir.DiagnosticsSample
	Maps               []rundir.MapRow
	// Settings that must be the same on both sides, and those that need not, by
	// name; a value is JSON or text. A setting that is missing is not known.
	MustMatch, MayDiffer map[string]string
	Tasks                []Task
	Groups               []Group
	Notes                []string
}

// Task is a side's results of one task.
type Task struct {
	Name  string
	Alias string // another name that it is known by; ""
	was   string // its own name, where it is called by another
	Kind  string
	// MustMatch are the task's settings that have to be the same on both sides; a
	// setting that is missing is not known.
	MustMatch map[string]string
	Metrics   []MetricInfo
	Documents []Document // in the order of their hashes, so that no result depends on another
	Truncated int        // requests that lost their beginning; -1: not known
	// Fingerprint is a hash of everything the model answered: equal for runs that
	// are the same to the last bit.
	Fingerprint string
	// ClusteredBy says what documents of one cluster share, where the run says it.
	ClusteredBy string
}

// MetricInfo says what a metric is.
type MetricInfo struct {
	Name           string
	Formula        Formula
	HigherIsBetter bool
	// As the run stated them; NaN where it did not.
	Value, Stderr, Low, High float64
	// Clusters of documents that are not independent, and the standard error that
	// allows for them; 0 where the run states none.
	Clusters        int
	ClusteredStderr float64
}

// Formula is how a metric follows from its documents' values and weights.
type Formula = metric.Formula

// The formulas.
const (
	Mean       = metric.Mean
	Perplexity = metric.Perplexity
	Bits       = metric.Bits
)

// Document is one document's results.
type Document struct {
	ID      int
	Cluster string // documents of one cluster are not independent; "": none
	// Keys name the document in several ways; "" where one is not known.
	Keys [keyKinds]string
	// Answer is a hash of what the model answered, to the bit: loglikelihoods and
	// texts; "" where they are not known.
	Answer string
	// Tokens is how many were scored; 0 where that is not known.
	Tokens int
	// Values are its parts in the task's metrics, in their order.
	Values []Value
}

// Value is a document's part in a metric.
type Value struct {
	Value, Weight float64
	Scored        bool // else the document has no part in the metric
}

// How a document is named, the best way first.
const (
	bySource  = iota // hash of the source document
	byHarness        // lm-evaluation-harness's hash of the document it prepared
	byPrompt         // hash of all requests: contexts and continuations
	keyKinds
)

var keyNames = [keyKinds]string{"document hash", "lm-evaluation-harness's document hash", "the text of the requests"}

// Open reads a run directory or results of lm-evaluation-harness. It ends with the
// context's error soon after the context does.
func Open(ctx context.Context, path string) (*Side, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !lmeval.Is(path) {
		return nil, fmt.Errorf("%s: no such file or directory", path)
	}
	if !isRun(path) {
		switch r, err := lmeval.Open(ctx, path); {
		case err == nil:
			return FromHarness(path, r)
		case !errors.Is(err, lmeval.ErrNone):
			return nil, err
		}
	}
	run, samples, err := rundir.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	s, err := FromRun(filepath.Base(filepath.Clean(path)), run, samples)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Path = path
	if run.HasDiagnosticsSamples() {
		if s.DiagnosticsSamples, err = rundir.ReadDiagnosticsSamples(ctx, path); err != nil {
			return nil, err
		}
	}
	if run.HasMaps() {
		if s.Maps, err = rundir.ReadMaps(ctx, path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func isRun(path string) bool {
	state, err := rundir.StateOf(path)
	return err == nil && state != rundir.None
}

// answerOf is a Document's Answer.
func answerOf(loglikelihoods []float64, texts []string) string {
	if len(loglikelihoods)+len(texts) == 0 {
		return ""
	}
	parts := make([]string, 0, len(loglikelihoods)+len(texts))
	for _, l := range loglikelihoods {
		parts = append(parts, strconv.FormatFloat(l, 'x', -1, 64))
	}
	return digest(append(parts, texts...)...)
}

// AnswersHash covers the answers of all the task's documents in their order: equal
// for runs that are equal to the bit. "" where some are not known.
func (t *Task) AnswersHash() string {
	parts := make([]string, len(t.Documents))
	for i, d := range t.Documents {
		if parts[i] = d.Answer; d.Answer == "" {
			return ""
		}
	}
	return digest(parts...)
}

// digest is a hash over parts, none of which can run into the next.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// order sorts the documents by what names them, documents of the same name by
// their number: whatever the order on disk, sums and draws come out the same.
func (t *Task) order() {
	slices.SortStableFunc(t.Documents, func(a, b Document) int {
		for k := range a.Keys {
			if c := cmp.Compare(a.Keys[k], b.Keys[k]); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.ID, b.ID)
	})
}

// Results are the side's results as its manifest has them; those of
// lm-evaluation-harness are what it states, with the intervals of its documents.
func (s *Side) Results() []rundir.TaskResult {
	if s.Manifest != nil {
		return s.Manifest.Tasks
	}
	var out []rundir.TaskResult
	for i := range s.Tasks {
		t := &s.Tasks[i]
		r := rundir.TaskResult{Name: t.Name, Kind: t.Kind, Documents: len(t.Documents)}
		for k, m := range t.Metrics {
			one := rundir.Metric{Name: m.Name, Value: rundir.Number(m.Value), Stderr: rundir.Number(m.Stderr), N: t.Scored(k), HigherIsBetter: m.HigherIsBetter}
			e := t.Estimate(k)
			one.Low, one.High, one.Clusters = rundir.Number(e.Low), rundir.Number(e.High), e.Clusters
			if e.Clusters > 0 {
				clustered := rundir.Number(e.ClusteredSE)
				one.ClusteredStderr, r.ClusteredBy = &clustered, cmp.Or(t.ClusteredBy, "copies")
			}
			r.Metrics = append(r.Metrics, one)
		}
		out = append(out, r)
	}
	return out
}

// Estimate is metric k of the task's documents alone; its ends are NaN where they have
// no interval.
func (t *Task) Estimate(k int) stats.Estimate {
	var l stats.List
	weighted := false
	labels := Clusters(t.Documents)
	for i := range t.Documents {
		v := t.Documents[i].Values[k]
		if !v.Scored {
			continue
		}
		l.Values, l.Weights, l.Clusters = append(l.Values, v.Value), append(l.Weights, v.Weight), append(l.Clusters, labels[i])
		weighted = weighted || v.Weight != 1
	}
	if !weighted {
		l.Weights = nil
	}
	e, err := stats.Single(l, stats.Options{Transform: t.Metrics[k].Formula.Transform()})
	if err != nil { // as infinite values have none
		return stats.Estimate{Low: math.NaN(), High: math.NaN()}
	}
	return e
}

// Task returns the task of that name, nil where there is none.
func (s *Side) Task(name string) *Task {
	if i := slices.IndexFunc(s.Tasks, func(t Task) bool { return t.Name == name }); i >= 0 {
		return &s.Tasks[i]
	}
	return nil
}
