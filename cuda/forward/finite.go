package forward

import (
	"encoding/binary"
	"math"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
)

// residual is what blocks read and add to, in errors.
const residual = "the residual stream"

// wantNorms adds to work what checkNorms looks at.
func (b *Backend) wantNorms(w *device.Work, p *plan) []byte {
	words := make([]byte, 4*len(p.ids))
	w.Downloads = append(w.Downloads, device.Copy{Device: b.scratch.norms, Host: words})
	return words
}

// checkNorms looks for rows of which the last layer's first norm kept nothing: a
// vector whose squares overflow becomes zero without a trace, and stays as large in
// the residual stream, since zeros add nothing. The first number of each row was
// gathered; where it is a number but not 0, all is well.
func (b *Backend) checkNorms(p *plan, words []byte) error {
	rows := len(p.ids)
	suspect := false
	for r := range rows {
		v := math.Float32frombits(binary.LittleEndian.Uint32(words[4*r:]))
		if b.mode != abi.F32 {
			v = kernel.FromBF16(binary.LittleEndian.Uint16(words[4*r:]))
		}
		suspect = suspect || v == 0 || v-v != 0
	}
	if !suspect {
		return nil
	}
	bad, err := b.overflows(b.scratch.x, rows)
	if err != nil || bad < 0 {
		return err
	}
	return p.notFinite(residual, bad)
}

// overflows returns the first of n rows of the residual stream from x on whose squares
// leave float32, or -1.
func (b *Backend) overflows(x device.Ptr, n int) (row int, err error) {
	data, err := b.download(x, 4*n*b.config.Hidden)
	if err != nil {
		return -1, err
	}
	for r := range n {
		var sum float64
		for i := range b.config.Hidden {
			v := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*(r*b.config.Hidden+i):])))
			sum += v * v
		}
		if !(sum <= math.MaxFloat32/2) {
			return r, nil
		}
	}
	return -1, nil
}

// notFinite is the error of a row of the plan.
func (p *plan) notFinite(what string, row int) error {
	b := engine.Batch{Spans: p.spans}
	return b.NotFinite(what, row)
}
