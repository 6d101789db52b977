package sim

import (
	"math"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
)

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }

func head(e element, d *Device, l *device.Launch) {
	h, w, start, ids, logits, partials := l.Args[0].Ptr(), l.Args[1].Ptr(), l.Args[2].Ptr(), l.Args[3].Ptr(), l.Args[4].Ptr(), l.Args[5].Ptr()
	m, vocab, hidden := l.Args[6].Int(), l.Args[7].Int(), l.Args[8].Int()
	columns := abi.HeadBlocks(vocab)
	eachBlock(l, func(y, x int) {
		n0, n1 := x*abi.HeadColumns, min(vocab, (x+1)*abi.HeadColumns)
		weights := e.load(w, n0*hidden, (n1-n0)*hidden)
		for r := y * abi.HeadRows; r < min(m, (y+1)*abi.HeadRows); r++ {
			row := e.load(h, r*hidden, hidden)
			top, arg := float32(math.Inf(-1)), n0
			list := make([]float32, n1-n0)
			for j := range list {
				list[j] = dot(row, weights[j*hidden:][:hidden])
				if list[j] > top || list[j] != list[j] {
					top, arg = list[j], n0+j
				}
			}
			var sum float32
			for _, z := range list {
				sum += exp(z - top)
			}
			p := floats(d, partials, (r*columns+x)*abi.HeadFloats, abi.HeadFloats)
			p[0], p[1], p[2] = top, sum, math.Float32frombits(uint32(arg))
			first := ints(d, start, r, 2)
			for i := first[0]; i < first[1]; i++ {
				if t := int(ints(d, ids, int(i), 1)[0]); t >= n0 && t < n1 {
					floats(d, logits, int(i), 1)[0] = list[t-n0]
				}
			}
		}
	})
}

// headMerge sums as a warp does: every 32nd partial by itself, then by a tree.
func headMerge(d *Device, l *device.Launch) {
	partials, lse, argmax, m, columns := l.Args[0].Ptr(), l.Args[1].Ptr(), l.Args[2].Ptr(), l.Args[3].Int(), l.Args[4].Int()
	const lanes = 32
	eachBlock(l, func(x, _ int) {
		rows := l.Block.X / lanes
		for r := x * rows; r < min(m, (x+1)*rows); r++ {
			p := floats(d, partials, r*columns*abi.HeadFloats, columns*abi.HeadFloats)
			top, arg := p[0], p[2]
			for c := 1; c < columns; c++ {
				if p[c*abi.HeadFloats] > top {
					top, arg = p[c*abi.HeadFloats], p[c*abi.HeadFloats+2]
				}
			}
			var sum [lanes]float64
			for c := range columns {
				sum[c%lanes] += float64(p[c*abi.HeadFloats+1]) * math.Exp(float64(p[c*abi.HeadFloats]-top))
			}
			for n := lanes / 2; n > 0; n /= 2 {
				for i := range n {
					sum[i] += sum[i+n]
				}
			}
			view[float64](d, lse+abi.Offset(r, 8), 1)[0] = float64(top) + math.Log(sum[0])
			ints(d, argmax, r, 1)[0] = int32(math.Float32bits(arg))
		}
	})
}
