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

// passes divides the scored rows into passes of the head: of each row's logits their
// log-sum-exp, the targets' values and the argmax are kept.
func (b *Backend) passes(p *plan) (list [][]scored) {
	var pass []scored
	targets := 0
	for i, h := range p.heads {
		from := 0
		for first := true; first || from < len(h.Targets); first = false {
			if len(pass) == b.sizes.scored || targets == b.sizes.targets {
				list, pass, targets = append(list, pass), nil, 0
			}
			n := min(len(h.Targets)-from, b.sizes.targets-targets)
			pass = append(pass, scored{h, from, from + n, p.at[i], p.row(i)})
			from, targets = from+n, targets+n
		}
	}
	if len(pass) > 0 {
		list = append(list, pass)
	}
	return list
}

// scoreBest gives the most probable token of the rows that want it its log-probability: a pass
// more, whose targets the first has found.
func (b *Backend) scoreBest(p *plan, x device.Ptr) error {
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
		var w device.Work
		read := b.scorePass(&w, p, wanted[from:min(from+most, len(wanted))], x)
		if err := b.do(&w); err != nil {
			return err
		}
		if err := read(); err != nil {
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

// scorePass adds a pass to work; read takes its results, once the work is done.
func (b *Backend) scorePass(w *device.Work, p *plan, pass []scored, x device.Ptr) (read func() error) {
	s, c := &b.scratch, &b.config
	m := len(pass)
	start, rows, targets := make([]int32, m+1), make([]int32, m), []int32(nil)
	for i, r := range pass {
		rows[i] = r.at
		targets = append(targets, r.head.Targets[r.from:r.to]...)
		start[i+1] = int32(len(targets))
	}
	index, starts := s.heads, s.heads+device.Ptr(device.RoundUp(int64(4*m)))
	ids := starts + device.Ptr(device.RoundUp(int64(4*(m+1))))
	table := make([]byte, int(ids-s.heads)+4*len(targets))
	putInts(table, rows)
	putInts(table[starts-s.heads:], start)
	putInts(table[ids-s.heads:], targets)
	w.Uploads = append(w.Uploads, device.Copy{Device: s.heads, Host: table})
	w.Launches = append(w.Launches,
		abi.RMSNormAt(b.mode, x, b.weights.norm, index, s.h, m, c.Hidden, c.Norm.Eps),
		abi.Head(b.mode, s.h, b.weights.head, starts, ids, s.logits, s.partials, m, c.Vocab, c.Hidden),
		abi.HeadMerge(s.partials, s.lse, s.argmax, m, abi.HeadBlocks(c.Vocab)))
	lse, argmax, logits := make([]byte, 8*m), make([]byte, 4*m), make([]byte, 4*len(targets))
	w.Downloads = append(w.Downloads, device.Copy{Device: s.lse, Host: lse}, device.Copy{Device: s.argmax, Host: argmax})
	if len(logits) > 0 {
		w.Downloads = append(w.Downloads, device.Copy{Device: s.logits, Host: logits})
	}
	return func() error { return b.readScores(p, pass, x, lse, argmax, logits) }
}

// readScores gives a pass's results to whom they belong.
func (b *Backend) readScores(p *plan, pass []scored, x device.Ptr, lse, argmax, logits []byte) error {
	at := 0
	var suspects []int
	for i, r := range pass {
		sum := math.Float64frombits(binary.LittleEndian.Uint64(lse[8*i:]))
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return p.notFinite("the logits", r.row)
		}
		// The norm of a row that overflows is zero, and so are its logits.
		if zeros := math.Abs(sum-math.Log(float64(b.config.Vocab))) < 1e-9; zeros {
			suspects = append(suspects, i)
		}
		r.head.Argmax = int32(binary.LittleEndian.Uint32(argmax[4*i:]))
		for t := r.from; t < r.to; t, at = t+1, at+1 {
			x := math.Float32frombits(binary.LittleEndian.Uint32(logits[4*at:]))
			if x != x || math.IsInf(float64(x), 0) {
				return p.notFinite("the logits", r.row)
			}
			r.head.LogProbs[t] = float32(float64(x) - sum)
		}
	}
	for _, i := range suspects {
		bad, err := b.overflows(x+abi.Offset(int(pass[i].at)*b.config.Hidden, 4), 1)
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
