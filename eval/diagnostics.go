package eval

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/probe"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// DiagnosticsWork is the samples that the diagnostics measure.
type DiagnosticsWork struct {
	configs.Diagnostics
	Samples [][]int32
	Docs    []tasks.Doc // of each sample

	mapped []int32     // the maps' text; none: no maps
	units  []tasks.Doc // what is observed: each sample, and the maps' text
}

// diagnostics are a suite's with what the options say instead.
func (o *GatherOptions) diagnostics(d configs.Diagnostics) (configs.Diagnostics, error) {
	if o.DiagnosticsLength != 0 {
		d.Length = o.DiagnosticsLength
	}
	if o.DiagnosticsThreshold != 0 {
		d.Threshold = o.DiagnosticsThreshold
	}
	if err := d.Check(); err != nil {
		return d, fmt.Errorf("--diagnostics-length, --diagnostics-threshold: %w", err)
	}
	return d, nil
}

// addDiagnostics cuts a task's texts into samples.
func (w *Work) addDiagnostics(ctx context.Context, d configs.Diagnostics, m *Model) error {
	if d.Length > m.LM.MaxLength() {
		w.Notes = append(w.Notes, fmt.Sprintf("diagnostics measure samples of %d tokens instead of %d: the model's context holds no more", m.LM.MaxLength(), d.Length))
		d.Length = m.LM.MaxLength()
	}
	p := &DiagnosticsWork{Diagnostics: d}
	err := p.takeSamples(ctx, w.texts, func(text string, most int) [][]int32 {
		return cutSamples(m.encoder.Encode(text, false), tokensBefore(m.encoder, text), d.Length, most)
	})
	if err != nil {
		return err
	}
	if len(p.Samples) == 0 {
		return fmt.Errorf("diagnostics: no text of task %s has %d tokens: give a shorter one with --diagnostics-length, or in a suite file", d.Task.Name, d.Length)
	}
	if len(p.Samples) < d.Samples {
		w.Notes = append(w.Notes, fmt.Sprintf("diagnostics measure %d samples instead of %d: task %s has no more text", len(p.Samples), d.Samples, d.Task.Name))
	}
	w.Diagnostics = p
	if p.mapped, _, err = p.newMaps(m); err != nil {
		return err
	}
	units := len(p.Samples)
	if len(p.mapped) > 0 {
		units++
	}
	for i := range units {
		p.units = append(p.units, tasks.Doc{ID: i, Requests: make([]tasks.Request, 1)})
	}
	return nil
}

// takeSamples takes one sample from each document before a second from any: those
// of one document say much the same, so that few documents would make many samples
// worth little.
func (p *DiagnosticsWork) takeSamples(ctx context.Context, docs []tasks.Doc, cut func(text string, most int) [][]int32) error {
	most := p.Diagnostics.Samples
	pieces := make([][][]int32, 0, len(docs))
	for i := range docs {
		if len(p.Samples) == most {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		pieces = append(pieces, cut(docs[i].Text(), most))
		p.take(&docs[i], pieces[i], 0)
	}
	for k := 1; len(p.Samples) < most; k++ {
		before := len(p.Samples)
		for i := range docs {
			p.take(&docs[i], pieces[i], k)
		}
		if len(p.Samples) == before { // no text is left
			return nil
		}
	}
	return nil
}

// take adds a document's k-th sample, where it has so many and there is room.
func (p *DiagnosticsWork) take(doc *tasks.Doc, pieces [][]int32, k int) {
	if k < len(pieces) && len(p.Samples) < p.Diagnostics.Samples {
		p.Samples, p.Docs = append(p.Samples, pieces[k]), append(p.Docs, *doc)
	}
}

// tokensBefore is what the tokenizer puts before a text by itself: a BOS, or
// nothing.
func tokensBefore(tok lm.Tokenizer, text string) []int32 {
	with, without := tok.Encode(text, true), tok.Encode(text, false)
	for n := range len(with) - len(without) + 1 {
		if slices.Equal(with[n:][:len(without)], without) {
			return with[:n]
		}
	}
	return nil
}

// cutSamples cuts a text's ids into at most most samples of exactly length
// tokens, each of them with the tokens before it that the text itself gets. What
// is left over at the end is not measured: no padding.
func cutSamples(ids, before []int32, length, most int) [][]int32 {
	room := length - len(before)
	if room < 1 {
		return nil
	}
	var out [][]int32
	for ; len(ids) >= room && len(out) < most; ids = ids[room:] {
		out = append(out, slices.Concat(before, ids[:room]))
	}
	return out
}

func (p *DiagnosticsWork) name() string { return string(tasks.Diagnostics) }

// documents are a document for each sample, with the sample's number, and one for the maps'
// text: what a part of a run has of them.
func (p *DiagnosticsWork) documents() []tasks.Doc { return p.units }

// tokensOf is what a document costs.
func (p *DiagnosticsWork) tokensOf(i int) int {
	if i < len(p.Samples) {
		return len(p.Samples[i])
	}
	return len(p.mapped)
}

// tokens is what all of it costs.
func (p *DiagnosticsWork) tokens() (n int64) {
	for i := range p.units {
		n += int64(p.tokensOf(i))
	}
	return n
}

func (p *DiagnosticsWork) calls(*tasks.Doc, int) string { return p.name() }

func (p *DiagnosticsWork) settings(s *rundir.Settings) {
	s.Diagnostics = &rundir.DiagnosticsSettings{
		Task: p.Task.Name, Samples: len(p.Samples), Length: p.Length, Threshold: p.Threshold, Data: documentsHash(p.Docs), Maps: mapsHash(p.Maps),
	}
}

func (p *DiagnosticsWork) report(*rundir.Run, *Model, func(*tasks.Doc) ([]answer.Answer, error)) ([]rundir.Sample, error) {
	return nil, nil
}

// unobserved is what diagnostics have still to look at.
type unobserved struct {
	samples *engine.Forest // a node each
	numbers []int          // of the samples
	lengths []int          // of them, in tokens
	maps    bool           // and the maps' text
}

// rest are the samples of a part that the journal lacks, and the maps' text where it lacks that.
func (p *DiagnosticsWork) rest(j *journal, part dealt) unobserved {
	u := unobserved{samples: &engine.Forest{}}
	lacks := func(i int) bool { return part.has(p.name(), i) && !j.done(p.name(), i, 0) }
	for i, s := range p.Samples {
		if lacks(i) {
			u.samples.Nodes = append(u.samples.Nodes, engine.Node{Parent: -1, Tokens: s})
			u.numbers, u.lengths = append(u.numbers, i), append(u.lengths, len(s))
		}
	}
	maps := len(p.Samples)
	u.maps = maps < len(p.units) && lacks(maps)
	return u
}

// all is a forest of all that is to be looked at.
func (u unobserved) all(p *DiagnosticsWork) *engine.Forest {
	if !u.maps {
		return u.samples
	}
	return &engine.Forest{Nodes: append(slices.Clone(u.samples.Nodes), engine.Node{Parent: -1, Tokens: p.mapped})}
}

// tokensIn is what a part of it costs.
func (p *DiagnosticsWork) tokensIn(part dealt) (n int64) {
	for i := range p.units {
		if part.has(p.name(), i) {
			n += int64(p.tokensOf(i))
		}
	}
	return n
}

// observe runs the samples of a part that the journal lacks under a recorder, and the maps' text.
func (p *DiagnosticsWork) observe(ctx context.Context, m *Model, o RunOptions, j *journal, part dealt, told *teller) (engine.Stats, error) {
	rest := p.rest(j, part)
	numbers := rest.numbers
	var stats engine.Stats
	if len(numbers) > 0 {
		recorder, err := p.recorder(m, rest.lengths)
		if err != nil {
			return stats, err
		}
		added := 0
		stats, err = m.Engine.Run(ctx, rest.samples, engine.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory, Observer: recorder, Progress: func(done engine.Stats) error {
			told.observed(done)
			for ; added < len(numbers) && recorder.Observed(added) != nil; added++ {
				if err := j.add(rundir.Record{Task: p.name(), Doc: numbers[added], Observed: recorder.Observed(added)}); err != nil {
					return err
				}
			}
			return j.keep(cmp.Or(o.syncEvery, syncInterval))
		}})
		if err != nil {
			return stats, nameSample(err, numbers)
		}
	}
	if rest.maps {
		more, err := p.drawMaps(ctx, m, o, j)
		stats.Tokens += more.Tokens
		stats.Batches += more.Batches
		stats.PeakKV = max(stats.PeakKV, more.PeakKV)
		if err != nil {
			return stats, err
		}
	}
	return stats, nil
}

// recorder measures samples of these lengths.
func (p *DiagnosticsWork) recorder(m *Model, lengths []int) (*probe.Diagnostics, error) {
	c := &m.Checkpoint.Config
	return probe.New(c.Layers, c.Heads, c.Hidden, lengths, probe.Options{Threshold: p.Threshold})
}

// nameSample says in an error of the engine which sample it is about.
func nameSample(err error, numbers []int) error {
	if overflow, ok := errors.AsType[*engine.NotFinite](err); ok && overflow.Node >= 0 && overflow.Node < len(numbers) {
		return fmt.Errorf("diagnostics: sample %d: %w", numbers[overflow.Node], err)
	}
	return err
}

// drawMaps runs the maps' text with its weights kept whole.
func (p *DiagnosticsWork) drawMaps(ctx context.Context, m *Model, o RunOptions, j *journal) (engine.Stats, error) {
	_, observed, err := p.newMaps(m)
	if err != nil {
		return engine.Stats{}, err
	}
	f := &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: p.mapped}}}
	stats, err := m.Engine.Run(ctx, f, engine.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory, Observer: observed})
	if err != nil {
		return stats, fmt.Errorf("diagnostics: the maps' text: %w", err)
	}
	r := rundir.Record{Task: p.name(), Doc: len(p.Samples)}
	for _, one := range observed.All() {
		r.Maps = append(r.Maps, one.Weights)
	}
	return stats, j.add(r)
}

// measure adds the measures of all samples, which the journal has, to the run.
func (p *DiagnosticsWork) measure(run *rundir.Run, m *Model, j *journal) (files rundir.DiagnosticsRows, err error) {
	lengths := make([]int, len(p.Samples))
	for i, s := range p.Samples {
		lengths[i] = len(s)
	}
	all, err := p.recorder(m, lengths)
	if err != nil {
		return files, err
	}
	for i := range p.Samples {
		if err := all.Take(i, j.records[recordKey{p.name(), i, 0}].Observed); err != nil {
			return files, fmt.Errorf("diagnostics: the journal: %w", err)
		}
	}
	run.Diagnostics, files = p.measures(all)
	if len(p.mapped) > 0 {
		files.Maps, err = p.maps(m, j.records[recordKey{p.name(), len(p.Samples), 0}].Maps)
	}
	return files, err
}

// maps are the rows of attention maps with these weights.
func (p *DiagnosticsWork) maps(m *Model, weights [][]float32) ([]rundir.MapRow, error) {
	_, drawn, err := p.newMaps(m)
	if err != nil {
		return nil, err
	}
	var tokens []string
	for _, id := range p.mapped {
		tokens = append(tokens, strings.ToValidUTF8(m.Tokenizer.Decode([]int32{id}, false), "\uFFFD"))
	}
	if len(weights) != len(drawn.All()) {
		return nil, fmt.Errorf("diagnostics: the journal: it has %d attention maps, not %d", len(weights), len(drawn.All()))
	}
	var rows []rundir.MapRow
	for i, one := range drawn.All() {
		if len(weights[i]) != len(one.Weights) {
			return nil, fmt.Errorf("diagnostics: the journal: attention map %d has %d weights, not %d", i, len(weights[i]), len(one.Weights))
		}
		rows = append(rows, rundir.MapRow{Layer: int32(one.Layer), Head: int32(one.Head), Tokens: tokens, Weights: weights[i]})
	}
	return rows, nil
}

// newMaps are the maps' text and what keeps them; nil where there are none.
func (p *DiagnosticsWork) newMaps(m *Model) ([]int32, *probe.Maps, error) {
	if p.Maps.Tokens == 0 {
		return nil, nil, nil
	}
	c := &m.Checkpoint.Config
	layers, heads := p.Maps.Layers, p.Maps.Heads
	if layers == nil {
		layers = []int{0, c.Layers / 2, c.Layers - 1}
	}
	if heads == nil {
		heads = []int{0, min(1, c.Heads-1)}
	}
	ids := m.Tokenizer.Encode(p.Maps.Text, true)
	ids = ids[:min(len(ids), p.Maps.Tokens, m.LM.MaxLength())]
	maps, err := probe.NewMaps(layers, heads, len(ids), c.Layers, c.Heads)
	if err != nil {
		return nil, nil, fmt.Errorf("diagnostics: %w", err)
	}
	return ids, maps, nil
}

// mapsHash identifies what maps are drawn of, "" for none.
func mapsHash(m configs.Maps) string {
	if m.Tokens == 0 {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %v %v %d", m.Text, m.Layers, m.Heads, m.Tokens))
	return hex.EncodeToString(sum[:])
}

// measures are a recorder's as the run has them.
func (p *DiagnosticsWork) measures(observed *probe.Diagnostics) (*rundir.Diagnostics, rundir.DiagnosticsRows) {
	number := func(f float64) rundir.Number { return rundir.Number(f) }
	s := observed.Summary()
	d := &rundir.Diagnostics{
		Task: p.Task.Name, Samples: s.Samples, Length: p.Length, Threshold: p.Threshold,
		SinkRate: number(s.SinkRate[0]), Sparsity: number(s.Sparsity), NearSparsity: number(s.NearSparsity),
		DeadHeads: number(s.DeadHeads), Mass: number(s.Mass), Kurtosis: number(s.Kurtosis),
		Min: number(s.Min), Max: number(s.Max), Massive: s.Massive,
	}
	for _, l := range observed.Layers() {
		d.Layers = append(d.Layers, rundir.DiagnosticsLayer{Layer: l.Layer, Kurtosis: number(l.Kurtosis), Min: number(l.Min), Max: number(l.Max), Massive: l.Massive})
	}
	var rows rundir.DiagnosticsRows
	all := observed.Heads()
	share := rundir.Number(1 / float64(len(all)/len(d.Layers))) // a head's part in its layer
	for _, h := range all {
		row := rundir.HeadRow{
			Layer: int32(h.Layer), Head: int32(h.Head), SinkShare: h.SinkShare[0], Sparsity: h.Sparsity,
			NearSparsity: h.NearSparsity, Dead: h.Dead, Silent: h.Silent, Mass: h.Mass,
		}
		for b, m := range h.MassByLength {
			if m.Queries > 0 {
				row.MassSeen = append(row.MassSeen, 1<<b)
				row.MassMean = append(row.MassMean, m.Sum/float64(m.Queries))
			}
		}
		rows.Heads = append(rows.Heads, row)
		l := &d.Layers[h.Layer]
		l.SinkRate += share * number(h.SinkShare[0])
		l.Sparsity += share * number(h.Sparsity)
		l.Mass += share * number(h.Mass)
		if h.Dead {
			l.DeadHeads += share
		}
	}
	for i, x := range observed.Samples() {
		rows.Samples = append(rows.Samples, rundir.DiagnosticsSample{
			Sample: int32(i), DocID: int32(p.Docs[i].ID), DocHash: p.Docs[i].Hash, Cluster: cmp.Or(p.Docs[i].Cluster, p.Docs[i].Hash), SinkRate: x.SinkRate, Sparsity: x.Sparsity, NearSparsity: x.NearSparsity,
			DeadHeads: x.DeadHeads, Mass: x.Mass, Kurtosis: x.Kurtosis,
		})
	}
	return d, rows
}
