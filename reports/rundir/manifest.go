package rundir

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/softbench/softbench/internal/jsonplace"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/metric"
)

// Schema is the version of run.json, samples.parquet and the journal; versions
// from 1 on are read. Version 2 added clusters and their errors to run.json, and
// the document of each sample to diagnostics_samples.parquet; a passkey trial's
// cluster became its key. It also says in all three what could not be scored.
// Version 3 added generated answers to samples.parquet and the journal, and to
// run.json what they and prompts depend on, and how weights were quantised. Version 4
// added the run's name to run.json and samples.parquet.
const Schema = 4

// readable says whether this version of softbench reads a schema.
func readable(schema int) bool { return schema >= 1 && schema <= Schema }

// Run is the manifest, run.json. All of it but Process is the same for the same
// Settings, however often the run was stopped and resumed.
type Run struct {
	Schema      int               `json:"schema"`
	Name        string            `json:"run,omitempty"`    // Settings.Name, set by Finish; of earlier versions none
	Suites      []string          `json:"suites,omitempty"` // as named on the command line
	Model       Model             `json:"model"`
	Settings    Settings          `json:"settings"`
	Seeds       map[string]uint64 `json:"seeds,omitempty"` // of what is random in the metrics, as "bootstrap"
	Tasks       []TaskResult      `json:"tasks"`
	Groups      []GroupResult     `json:"groups,omitempty"` // of tasks; each before those in it
	Passkey     []Cell            `json:"passkey,omitempty"`
	Diagnostics *Diagnostics      `json:"diagnostics,omitempty"`
	Tokens      Tokens            `json:"tokens"`
	Notes       []string          `json:"notes,omitempty"`
	Process     Process           `json:"process"`
}

// Written is a file of the run directory as Finish wrote it.
type Written struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
}

// PasskeyTask is the task of the passkey trials' samples: their kind, whose name no task has.
const PasskeyTask = string(metric.Passkey)

// Model describes the checkpoint.
type Model struct {
	Type       string `json:"type"`
	Parameters int64  `json:"parameters"`
	Stored     string `json:"stored_dtype"`
	// TextOf is the multimodal type of which this was the text part; "" for a whole model.
	TextOf string `json:"text_of,omitempty"`
	// Format is that of the weights' files; "" where it is plain safetensors.
	Format string `json:"format,omitempty"`
	// Computed says what was computed with where that is not the stored weights: of a
	// quantised format the dequantised ones, with activations quantised or not.
	Computed  string `json:"computed,omitempty"`
	Attention string `json:"attention"`
	Tokenizer string `json:"tokenizer"`
	// TokenizerContent is the SHA-256 over what the tokenizer's files mean, whatever
	// their blanks and order: by it tokenizers are compared where both runs have it.
	// Earlier versions wrote none.
	TokenizerContent string `json:"tokenizer_content_sha256,omitempty"`
	// Quantised says how weights were quantised as they were read; nil where none were.
	Quantised *Quantised `json:"quantised,omitempty"`
	// Config is the checkpoint's config.json.
	Config json.RawMessage `json:"config,omitempty"`
}

// Quantised is what --quantize did to the weights.
type Quantised struct {
	Method     string   `json:"method"`
	Bits       int      `json:"bits"`
	Group      int      `json:"group"`      // columns that share a scale; 0: a row's
	Included   []string `json:"included"`   // the kinds of weights that it was done to
	Weights    int      `json:"weights"`    // tensors
	Parameters int64    `json:"parameters"` // their numbers
	Bytes      int64    `json:"bytes"`      // of codes, scales and zeros
	ActOrder   bool     `json:"act_order,omitempty"`
	// Calibration is the text that a calibrated method was shown; nil of others.
	Calibration *Calibration `json:"calibration,omitempty"`
}

// Calibration is the first tokens of a text, in sequences.
type Calibration struct {
	SHA256    string `json:"sha256"` // of the file
	Sequences int    `json:"sequences"`
	Length    int    `json:"length"` // tokens of one
}

// TaskResult is one task's metrics.
type TaskResult struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Documents int      `json:"documents"`
	Truncated int      `json:"truncated"` // requests of which the beginning was cut off
	Unscored  int      `json:"unscored"`  // documents that no metric is over: a request of theirs has no loglikelihood
	Metrics   []Metric `json:"metrics"`
	// ClusteredBy says what documents share that are not independent: a column of the
	// data, "cluster" for the task's own, "copies" for documents that are the same.
	ClusteredBy string `json:"clustered_by,omitempty"`
	// Content is the task's Digest without what its documents' files are called: by it definitions
	// are compared where both runs have it. Earlier versions wrote none.
	Content string `json:"content_digest,omitempty"`
}

// What a task computes is what the run keeps.
type (
	Metric = metric.Result
	Number = metric.Number
)

// Cell is the passkey accuracy at one length and depth.
type Cell struct {
	Length    int     `json:"length"`
	Depth     float64 `json:"depth"`
	N         int     `json:"n"`
	Right     int     `json:"right"`      // trials right by ids
	RightText int     `json:"right_text"` // trials right by text; at least Right
	Accuracy  Number  `json:"accuracy"`   // Right / N
	Low       Number  `json:"low"`        // 95% Wilson interval of Accuracy
	High      Number  `json:"high"`
}

// Tokens counts what the run's requests cost.
type Tokens struct {
	Requested int64 `json:"requested"` // one by one, a generated answer as long as it may get
	Distinct  int64 `json:"distinct"`  // as a forest, each shared prefix once
	Scored    int64 `json:"scored"`    // whose loglikelihood was asked for
}

// Process is what may differ between two processes that compute the same run:
// clocks, machines, paths, what was resumed.
type Process struct {
	Softbench string   `json:"softbench"`
	Go        string   `json:"go"`
	Machine   string   `json:"machine"`
	Directory string   `json:"model_directory"`
	Given     []string `json:"arguments_given"` // flags that were not left at their default
	// Arguments are the values of all flags, given or defaulted.
	Arguments   map[string]string `json:"arguments,omitempty"`
	Files       []File            `json:"files"`
	Threads     int               `json:"threads"`
	BatchTokens int               `json:"batch_tokens"`
	Start       time.Time         `json:"start"`
	End         time.Time         `json:"end"`
	Seconds     float64           `json:"seconds"`
	Computed    int64             `json:"tokens_computed"`
	Batches     int64             `json:"batches"`
	PeakKV      int64             `json:"peak_kv_bytes"`
	Resumed     int               `json:"records_from_journal"`
	// Written are the files beside the manifest, set by Finish: Open checks that
	// they are still these.
	Written []Written `json:"files_written,omitempty"`
	// Checksum is of all the rest of the manifest; see checksum.go. Earlier versions
	// wrote none.
	Checksum string `json:"checksum,omitempty"`
}

// File is a file of documents that was read.
type File struct {
	Task   string `json:"task"`
	Path   string `json:"path"`
	Split  string `json:"split"`
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"`
}

// Names of the files of a run directory.
const (
	manifestName = "run.json"
	samplesName  = "samples.parquet"
	journalName  = "journal"
	lockName     = "journal.lock"
)

// tableNames are the files that may stand beside a manifest.
var tableNames = []string{samplesName, diagnosticsName, diagnosticsSamplesName, mapsName}

// maxManifest bounds run.json, in bytes.
const maxManifest = 16 << 20

// maxObjects bounds the JSON objects of a manifest: three bytes of text make one that
// takes a hundred bytes of memory.
const maxObjects = 100_000

// withoutNulls is the manifest with an empty list for each that there is none of.
func (r *Run) withoutNulls() *Run {
	out := *r
	out.Tasks = slices.Clone(orEmpty(r.Tasks))
	for i := range out.Tasks {
		out.Tasks[i].Metrics = orEmpty(out.Tasks[i].Metrics)
	}
	out.Settings.Tasks = orEmpty(r.Settings.Tasks)
	if r.Diagnostics != nil {
		d := *r.Diagnostics
		d.Layers = orEmpty(d.Layers)
		out.Diagnostics = &d
	}
	out.Process.Given, out.Process.Files = orEmpty(r.Process.Given), orEmpty(r.Process.Files)
	return &out
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Read reads and checks a finished run's manifest alone; Open reads the samples
// too.
func Read(ctx context.Context, dir string) (*Run, error) {
	path := filepath.Join(dir, manifestName)
	text, err := regularfile.ReadAll(ctx, path, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		if err := notFinished(ctx, dir); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: no run here: there is no %s", dir, manifestName)
	}
	if err != nil {
		return nil, err
	}
	r, err := parseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func parseManifest(text []byte) (*Run, error) {
	if n := bytes.Count(text, []byte("{")); n > maxObjects {
		return nil, fmt.Errorf("not a run's manifest: %d objects; it has at most %d", n, maxObjects)
	}
	var parts struct {
		Schema          *int
		Settings, Tasks json.RawMessage
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, fmt.Errorf("not a run's manifest: %w", jsonplace.Locate(text, err))
	}
	if parts.Schema == nil {
		return nil, errors.New("not a run's manifest: it has no schema")
	}
	if !readable(*parts.Schema) {
		return nil, fmt.Errorf("schema %d, this version of softbench reads 1 to %d: use the version that wrote it", *parts.Schema, Schema)
	}
	if parts.Settings == nil || parts.Tasks == nil {
		return nil, errors.New("not a run's manifest: it has no settings or no tasks")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var r Run
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("not a run's manifest: %w", jsonplace.Locate(text, err))
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := r.verify(text); err != nil {
		return nil, err
	}
	return &r, nil
}

// check says what keeps a manifest from being one.
func (r *Run) check() error {
	tasks := map[string]bool{PasskeyTask: len(r.Passkey) > 0}
	for _, t := range r.Tasks {
		switch {
		case t.Name == "":
			return errors.New("a task has no name")
		case tasks[t.Name]:
			return fmt.Errorf("task %s is there twice", t.Name)
		case t.Documents < 0 || t.Truncated < 0 || t.Unscored < 0:
			return fmt.Errorf("task %s: a count is negative", t.Name)
		case t.Unscored > t.Documents:
			return fmt.Errorf("task %s: %d of %d documents are unscored", t.Name, t.Unscored, t.Documents)
		}
		tasks[t.Name] = true
		metrics := map[string]bool{}
		for _, m := range t.Metrics {
			switch {
			case m.Name == "" || metrics[m.Name]:
				return fmt.Errorf("task %s: metric %q is there twice, or has no name", t.Name, m.Name)
			case m.N < 0 || m.N > t.Documents:
				return fmt.Errorf("task %s: metric %s is over %d of %d documents", t.Name, m.Name, m.N, t.Documents)
			}
			metrics[m.Name] = true
		}
	}
	type place struct {
		length int
		depth  float64
	}
	cells := map[place]bool{}
	for _, c := range r.Passkey {
		p := place{c.Length, c.Depth}
		switch {
		case cells[p]:
			return fmt.Errorf("passkey length %d depth %g is there twice", c.Length, c.Depth)
		case c.Right < 0 || c.Right > c.N || c.RightText < 0 || c.RightText > c.N:
			return fmt.Errorf("passkey length %d depth %g: %d right of %d", c.Length, c.Depth, max(c.Right, c.RightText), c.N)
		}
		cells[p] = true
	}
	return nil
}
