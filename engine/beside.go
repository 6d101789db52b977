package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Other is what another model, computed beside the first one, says of a scored row.
type Other struct {
	// LogProbs and Argmax are as in a Score, to the bit what the model by itself gives.
	LogProbs []float32
	Argmax   int32
	// KL is the Kullback-Leibler divergence of the first model's distribution of the next
	// token from this one's, Σ p·(ln p - ln q) over the whole vocabulary, in nats. Of equal
	// logits it is exactly 0, and it is never below.
	KL float64
}

// beside is several models as one backend: each batch runs through all of them, and their
// heads are computed tile by tile side by side, so that of two distributions no more than a
// tile exists at once.
type beside struct {
	all   []tiled // the first one's distributions are those that the others' are held against
	vocab int
	pool  pool
	tiles [][]float32 // of each thread, the models' tiles one after another
	part  []besidePartial
	exps  [][]float64 // of each thread, headColumns
}

// tiled is a Backend whose head can be had tile by tile, after the Forward of a batch with
// HeadLater.
type tiled interface {
	Backend
	// headTile writes the logits of the scored rows [r0, r1) of the batch for the tokens
	// [n0, n1), those of row r at dst[(r-r0)*headColumns:].
	headTile(dst []float32, b *Batch, r0, r1, n0, n1 int)
	// maxSumExp is the kernels' own.
	maxSumExp(row []float32) (m float32, arg int, sum float32)
	// headFinite is the error of a tile whose logits are not finite.
	headFinite(b *Batch, err error) error
}

// besidePartial is what remains of headColumns logits of one row of one model. float32 sums
// are those of the model's own head; divergences are of float64 ones.
type besidePartial struct {
	headPartial
	exps  float64 // Σ e^(x-max)
	cross float64 // Σ e^(x-max)·(x-y) of the first model's x and this one's y, by the first one's max
}

// ErrNotBeside says that a backend's distributions cannot be had beside another's.
var ErrNotBeside = errors.New("divergences are computed on the processor alone")

// Beside makes one model of several of the same vocabulary, which has the scores of the
// first and, in Score.Others, those of the others with how far they are from it. It does
// not decode. Closing it closes none of them.
func Beside(models ...*Model) (*Model, error) {
	b := &beside{vocab: models[0].vocab}
	for _, m := range models {
		t, ok := m.backend.(tiled)
		if !ok {
			return nil, ErrNotBeside
		}
		if m.vocab != b.vocab {
			return nil, fmt.Errorf("vocabularies of %d and %d tokens: a distribution over one is not one over the other", b.vocab, m.vocab)
		}
		b.all = append(b.all, t)
	}
	b.pool.threads = models[0].Describe().Threads
	b.tiles, b.exps = make([][]float32, b.pool.threads), make([][]float64, b.pool.threads)
	return New(b, b.vocab), nil
}

func (b *beside) Describe() Description {
	d := b.all[0].Describe()
	d.Bytes, d.KVBytes, d.Top = 0, 0, 0
	for _, m := range b.all {
		d.Bytes += m.Describe().Bytes
	}
	return d
}

// besideSegment is the same positions' keys and values in each model.
type besideSegment []Segment

func (s besideSegment) Range() (start, n int) { return s[0].Range() }

func (s besideSegment) Release() {
	for _, one := range s {
		one.Release()
	}
}

func (b *beside) NewSegment(start, n int) (Segment, error) {
	var s besideSegment
	for _, m := range b.all {
		one, err := m.NewSegment(start, n)
		if err != nil {
			s.Release()
			return nil, err
		}
		s = append(s, one)
	}
	return s, nil
}

func (b *beside) SegmentBytes(start, n int) (bytes int64) {
	for _, m := range b.all {
		bytes += m.SegmentBytes(start, n)
	}
	return bytes
}

func (b *beside) Close() error { return nil }

func (b *beside) Forward(ctx context.Context, batch *Batch) error {
	if batch.Observer != nil {
		return errors.New("models beside each other are not observed: watch each by itself")
	}
	for k, m := range b.all {
		own := *batch
		own.HeadLater, own.Spans = true, ownSpans(batch.Spans, k)
		if err := m.Forward(ctx, &own); err != nil {
			return err
		}
	}
	return b.scoreHeads(ctx, batch)
}

// ownSpans are a batch's spans with the segments of model k.
func ownSpans(spans []Span, k int) []Span {
	own := make([]Span, len(spans))
	for i, sp := range spans {
		own[i] = sp
		own[i].Path = make([]Segment, len(sp.Path))
		for j, s := range sp.Path {
			own[i].Path[j] = s.(besideSegment)[k]
		}
	}
	return own
}

// scoreHeads runs all models' heads. Tiles and partial sums are those of one model's head
// (cpu.scoreHeads): a row's numbers depend on neither the batch nor the threads.
func (b *beside) scoreHeads(ctx context.Context, batch *Batch) error {
	rows, models := len(batch.Heads), len(b.all)
	if rows == 0 {
		return nil
	}
	columns := (b.vocab + headColumns - 1) / headColumns
	grow(&b.part, rows*columns*models)
	offsets := make([]int, rows+1)
	for i := range batch.Heads {
		offsets[i+1] = offsets[i] + len(batch.Heads[i].Targets)
	}
	total := offsets[rows]
	targets := make([]float32, total*models)
	blocks := (rows + headRows - 1) / headRows
	err := b.pool.run(ctx, columns*blocks, func(worker, task int) {
		column, block := task/blocks, task%blocks
		n0, n1 := column*headColumns, min(b.vocab, (column+1)*headColumns)
		r0, r1 := block*headRows, min(rows, (block+1)*headRows)
		growFloats(&b.tiles[worker], models*headRows*headColumns)
		grow(&b.exps[worker], headColumns)
		tile := func(k int) []float32 { return b.tiles[worker][k*headRows*headColumns:][:headRows*headColumns] }
		for k, m := range b.all {
			m.headTile(tile(k), batch, r0, r1, n0, n1)
		}
		for r := r0; r < r1; r++ {
			row := func(k int) []float32 { return tile(k)[(r-r0)*headColumns:][:n1-n0] }
			for k, m := range b.all {
				p := &b.part[(r*models+k)*columns+column]
				max, arg, sum := m.maxSumExp(row(k))
				p.headPartial = headPartial{max, sum, int32(n0 + arg)}
				if k == 0 {
					p.exps = expAll(b.exps[worker], row(0), max)
				} else {
					p.exps = expSum(row(k), max)
					p.cross = crossSum(b.exps[worker], row(0), row(k))
				}
				for i, t := range batch.Heads[r].Targets {
					if int(t) >= n0 && int(t) < n1 {
						targets[k*total+offsets[r]+i] = row(k)[int(t)-n0]
					}
				}
			}
		}
	})
	for _, m := range b.all {
		if err := m.headFinite(batch, err); err != nil {
			return err
		}
	}
	for r := range batch.Heads {
		if err := b.finishRow(batch, r, columns, targets[offsets[r]:], total); err != nil {
			return err
		}
	}
	return nil
}

// finishRow merges a row's partials; model k's logits of its targets are targets[k*stride:].
func (b *beside) finishRow(batch *Batch, r, columns int, targets []float32, stride int) error {
	models := len(b.all)
	h := &batch.Heads[r]
	parts := func(k int) []besidePartial { return b.part[(r*models+k)*columns:][:columns] }
	first := mergeExps(parts(0), parts(0))
	h.Others = make([]Other, models-1)
	own := make([]headPartial, columns)
	for k := range models {
		for i, p := range parts(k) {
			own[i] = p.headPartial
		}
		lse, arg := mergePartials(own)
		if math.IsNaN(lse) || math.IsInf(lse, 0) {
			return batch.NotFinite(theLogits, h.Row)
		}
		logProbs := h.LogProbs
		if k > 0 {
			logProbs = make([]float32, len(h.Targets))
		}
		for i := range h.Targets {
			x := float64(targets[k*stride+i])
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return batch.NotFinite(theLogits, h.Row)
			}
			logProbs[i] = float32(x - lse)
		}
		if k == 0 {
			h.Argmax = arg
			continue
		}
		m := mergeExps(parts(k), parts(0))
		kl := m.cross/first.exps - (first.lse - m.lse)
		if math.IsNaN(kl) || math.IsInf(kl, 0) {
			return batch.NotFinite(theLogits, h.Row)
		}
		h.Others[k-1] = Other{LogProbs: logProbs, Argmax: arg, KL: max(kl, 0)} // rounding may take it below
	}
	return nil
}

// merged is a row's partials as one.
type merged struct{ exps, lse, cross float64 }

// mergeExps adds a row's partials up; the cross terms are by the first model's maxima.
func mergeExps(parts, first []besidePartial) (m merged) {
	top, topFirst := parts[0].max, first[0].max
	for i := range parts {
		top, topFirst = max(top, parts[i].max), max(topFirst, first[i].max)
	}
	for i := range parts {
		m.exps += parts[i].exps * math.Exp(float64(parts[i].max)-float64(top))
		m.cross += parts[i].cross * math.Exp(float64(first[i].max)-float64(topFirst))
	}
	m.lse = float64(top) + math.Log(m.exps)
	return m
}

// expAll writes e^(x-m) and returns their sum.
func expAll(dst []float64, x []float32, m float32) (sum float64) {
	for i, v := range x {
		dst[i] = math.Exp(float64(v) - float64(m))
		sum += dst[i]
	}
	return sum
}

func expSum(x []float32, m float32) (sum float64) {
	for _, v := range x {
		sum += math.Exp(float64(v) - float64(m))
	}
	return sum
}

// crossSum is Σ e·(x-y). What has no weight counts nothing, be its logits infinite.
func crossSum(e []float64, x, y []float32) (sum float64) {
	for i, w := range e[:len(x)] {
		if w != 0 {
			sum += w * (float64(x[i]) - float64(y[i]))
		}
	}
	return sum
}
