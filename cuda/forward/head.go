package forward

import (
	"encoding/binary"
	"math"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine"
)

// scored is a row of the head: some of the targets of a HeadRow.
type scored struct {
	head     *engine.HeadRow
	from, to int   // of its targets
	at       int32 // row of the residual stream after the last layer
	row      int   // of the plan
}

// scoreHeads runs the output head for the scored rows, a pass at a time: of each
// row's logits their log-sum-exp, the targets' values and the argmax are kept.
func (b *Backend) scoreHeads(q *queue, p *plan, x device.Ptr) error {
	var pass []scored
	targets := 0
	flush := func() error {
		if len(pass) == 0 {
			return nil
		}
		err := b.scorePass(q, p, pass, x)
		pass, targets = pass[:0], 0
		return err
	}
	for i, h := range p.heads {
		from := 0
		for first := true; first || from < len(h.Targets); first = false {
			if len(pass) == b.sizes.scored || targets == b.sizes.targets {
				if err := flush(); err != nil {
					return err
				}
			}
			n := min(len(h.Targets)-from, b.sizes.targets-targets)
			pass = append(pass, scored{h, from, from + n, p.at[i], p.row(i)})
			from, targets = from+n, targets+n
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return b.scoreBest(q, p, x)
}

// scoreBest gives the most probable token of the rows that want it its log-probability: a pass
// more, whose targets the first has found.
func (b *Backend) scoreBest(q *queue, p *plan, x device.Ptr) error {
	var wanted []scored
	for i, h := range p.heads {
		if h.Top == 0 {
			continue
		}
		best := &engine.HeadRow{Targets: []int32{h.Argmax}, LogProbs: make([]float32, 1)}
		wanted = append(wanted, scored{best, 0, 1, p.at[i], p.row(i)})
	}
	most := max(1, min(b.sizes.scored, b.sizes.targets))
	for from := 0; from < len(wanted); from += most {
		if err := b.scorePass(q, p, wanted[from:min(from+most, len(wanted))], x); err != nil {
			return err
		}
	}
	at := 0
	for _, h := range p.heads {
		if h.Top > 0 {
			h.Best = []engine.Candidate{{Token: h.Argmax, LogProb: wanted[at].head.LogProbs[0]}}
			at++
		}
	}
	return nil
}

// row is the row of the plan that its i-th scored row is.
func (p *plan) row(i int) int { return int(p.kept[p.at[i]]) }

func (b *Backend) scorePass(q *queue, p *plan, pass []scored, x device.Ptr) error {
	s, c := &b.scratch, &b.config
	m := len(pass)
	start, rows, targets := make([]int32, m+1), make([]int32, m), []int32(nil)
	for i, r := range pass {
		rows[i] = r.at
		targets = append(targets, r.head.Targets[r.from:r.to]...)
		start[i+1] = int32(len(targets))
	}
	index, starts, ids := s.heads, s.heads+device.Ptr(device.RoundUp(int64(4*m))), device.Ptr(0)
	ids = starts + device.Ptr(device.RoundUp(int64(4*(m+1))))
	table := make([]byte, int(ids-s.heads)+4*len(targets))
	putInts(table, rows)
	putInts(table[starts-s.heads:], start)
	putInts(table[ids-s.heads:], targets)
	if err := b.dev.Upload(s.heads, table); err != nil {
		return err
	}
	q.launch(abi.RMSNormAt(b.mode, x, b.weights.norm, index, s.h, m, c.Hidden, c.Norm.Eps))
	q.launch(abi.Head(b.mode, s.h, b.weights.head, starts, ids, s.logits, s.partials, m, c.Vocab, c.Hidden))
	q.launch(abi.HeadMerge(s.partials, s.lse, s.argmax, m, abi.HeadBlocks(c.Vocab)))
	if q.err != nil {
		return q.err
	}
	lse, err := b.download(s.lse, 8*m)
	if err != nil {
		return err
	}
	sums := make([]float64, m)
	for i := range sums {
		sums[i] = math.Float64frombits(binary.LittleEndian.Uint64(lse[8*i:]))
	}
	var suspects []int
	argmax, err := b.download(s.argmax, 4*m)
	if err != nil {
		return err
	}
	for i, r := range pass {
		if math.IsNaN(sums[i]) || math.IsInf(sums[i], 0) {
			return p.notFinite("the logits", r.row)
		}
		// The norm of a row that overflows is zero, and so are its logits.
		if zeros := math.Abs(sums[i]-math.Log(float64(c.Vocab))) < 1e-9; zeros {
			suspects = append(suspects, i)
		}
		r.head.Argmax = int32(binary.LittleEndian.Uint32(argmax[4*i:]))
	}
	logits, err := b.download(s.logits, 4*len(targets))
	if err != nil {
		return err
	}
	for i, r := range pass {
		for t := range r.to - r.from {
			at := int(start[i]) + t
			x := math.Float32frombits(binary.LittleEndian.Uint32(logits[4*at:]))
			if x != x || math.IsInf(float64(x), 0) {
				return p.notFinite("the logits", r.row)
			}
			r.head.LogProbs[r.from+t] = float32(float64(x) - sums[i])
		}
	}
	for _, i := range suspects {
		bad, err := b.overflows(x+abi.Offset(int(pass[i].at)*c.Hidden, 4), 1)
		if err != nil {
			return err
		}
		if bad == 0 {
			return p.notFinite(residual, pass[i].row)
		}
	}
	return nil
}

// download copies bytes from the device into memory that the next call reuses.
func (b *Backend) download(p device.Ptr, bytes int) ([]byte, error) {
	if cap(b.host) < bytes {
		b.host = make([]byte, bytes)
	}
	b.host = b.host[:bytes]
	if bytes == 0 {
		return b.host, nil
	}
	return b.host, b.dev.Download(b.host, p)
}
