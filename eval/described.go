package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"runtime"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// settingsOf is all that the run's numbers depend on.
func settingsOf(ctx context.Context, m *Model, w *Work, o RunOptions) (rundir.Settings, error) {
	weights, err := m.Checkpoint.SHA256(ctx)
	if err != nil {
		return rundir.Settings{}, err
	}
	s := settingsBut(m, w, o, m.Engine.Describe())
	s.ModelSHA256 = weights
	return s, nil
}

// settingsBut are the settings but the hash of the weights.
func settingsBut(m *Model, w *Work, o RunOptions, d engine.Description) rundir.Settings {
	s := rundir.Settings{
		Engine: engine.Revision, TokenizerSHA256: m.Tokenizer.SHA256(),
		Attention: m.Checkpoint.Config.Attention.String(), DType: d.DType, Device: d.Device, ISA: d.ISA,
		MaxLength: m.LM.MaxLength(), StrictLength: o.Model.Strict,
	}
	for _, p := range w.parts() {
		p.settings(&s)
	}
	s.Prompts = o.Prompts.settings(m.Chat)
	if w.generates() {
		s.Generation = &rundir.GenerationSettings{End: m.Generation.End, Thinking: m.thinking.End}
	}
	return s
}

// documentsHash covers the documents and what is asked of them: few-shot
// examples are part of the requests.
func documentsHash(docs []tasks.Doc) string {
	h := sha256.New()
	for _, d := range docs {
		io.WriteString(h, d.Hash)
		for _, q := range d.Requests {
			if q.Ask == tasks.WholeText {
				continue // the document says it
			}
			for _, s := range []string{q.Context, q.Continuation} {
				sum := sha256.Sum256([]byte(s))
				h.Write(sum[:])
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func describe(m *Model) rundir.Model {
	d := rundir.Model{
		Type: m.Checkpoint.Config.ModelType, Parameters: m.Checkpoint.Parameters, Stored: m.Checkpoint.DType,
		Attention: m.Checkpoint.Config.Attention.String(), Tokenizer: m.Tokenizer.Kind(), TokenizerContent: m.Tokenizer.ContentSHA256(), Config: m.Checkpoint.ConfigText,
	}
	d.TextOf, d.Computed = m.Checkpoint.Config.TextOf, m.Checkpoint.Computed
	if m.Checkpoint.Format != "safetensors" {
		d.Format = m.Checkpoint.Format
	}
	if q := m.Checkpoint.Quantised; q != nil {
		d.Quantised = &rundir.Quantised{
			Method: string(q.Scheme.Method), Bits: q.Scheme.Bits, Group: q.Scheme.Group, Included: append([]string{"linear layers of the blocks"}, q.Include...),
			Weights: q.Weights, Parameters: q.Parameters, Bytes: q.Bytes, ActOrder: q.Scheme.ActOrder,
		}
		if c := q.Calibration; c != nil {
			d.Quantised.Calibration = &rundir.Calibration{SHA256: c.SHA256, Sequences: c.Sequences, Length: c.Length}
		}
	}
	return d
}

func process(o RunOptions, m *Model, w *Work, start time.Time, stats lm.Stats, resumed int) rundir.Process {
	end := time.Now()
	machine := runtime.GOOS + "/" + runtime.GOARCH
	if name := m.Engine.Describe().Name; name != "" {
		machine += ", " + name
	}
	p := rundir.Process{
		Softbench: o.Version, Go: runtime.Version(), Machine: machine,
		Directory: m.Dir, Given: o.Given, Arguments: o.Arguments, Threads: m.Engine.Describe().Threads, BatchTokens: o.BatchTokens,
		Start: start.UTC().Round(0), End: end.UTC().Round(0), Seconds: end.Sub(start).Seconds(),
		Computed: stats.Tokens, Batches: stats.Batches, PeakKV: stats.PeakKV, Resumed: resumed,
	}
	for _, t := range w.Tasks {
		for _, f := range t.Files {
			p.Files = append(p.Files, rundir.File{Task: t.Task.Name, Path: f.Path, Split: f.Split, SHA256: f.SHA256, Rows: f.Rows})
		}
	}
	return p
}
