package sim

import (
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/kernel"
)

// headParams are the arguments of abi.RopeArgs from Q on.
var headParams = []device.ArgKind{ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr, num, num, num, flt, flt}

// heads is what they say.
type heads struct {
	element
	q, keys, values, slots, cos, sin, logN, scale, qNorm, kNorm device.Ptr
	heads, kv, size                                             int
	base, eps                                                   float32
}

// headsAt reads them from the i-th argument on.
func headsAt(e element, l *device.Launch, i int) heads {
	p := func(j int) device.Ptr { return l.Args[i+j].Ptr() }
	n := func(j int) int { return l.Args[i+j].Int() }
	return heads{e, p(0), p(1), p(2), p(3), p(4), p(5), p(6), p(7), p(8), p(9), n(10), n(11), n(12), l.Args[i+13].Float(), l.Args[i+14].Float()}
}

// put stores head h of row r, whose numbers it changes.
func (o heads) put(r, h int, x []float32) {
	to, row, norm := o.q, r*o.heads, o.qNorm
	if h >= o.heads {
		to, row, norm = o.keys, int(ints(o.d, o.slots, r, 1)[0])*o.kv, o.kNorm
		if h -= o.heads; h >= o.kv {
			o.store(o.values, (row+h-o.kv)*o.size, x)
			return
		}
	}
	if norm != 0 {
		kernel.Generic{}.RMSNorm(x, x, floats(o.d, norm, 0, o.size), o.eps)
	}
	pairs := o.size / 2
	kernel.Generic{}.Rotate(x, floats(o.d, o.cos, r*pairs, pairs), floats(o.d, o.sin, r*pairs, pairs))
	if to == o.q {
		f := o.base
		if o.scale != 0 {
			f *= floats(o.d, o.scale, h, 1)[0] * floats(o.d, o.logN, r, 1)[0]
		}
		kernel.Generic{}.Scale(x, f)
	}
	o.store(to, (row+h)*o.size, x)
}

func rope(e element, d *Device, l *device.Launch) {
	o := headsAt(e, l, 1)
	from, rows, all := l.Args[0].Ptr(), l.Args[1+len(headParams)].Int(), o.heads+2*o.kv
	eachBlock(l, func(r, _ int) {
		for h := 0; h < all && r < rows; h++ {
			o.put(r, h, append([]float32(nil), floats(d, from, (r*all+h)*o.size, o.size)...))
		}
	})
}

// qkv is a product, and rope of its sums.
func qkv(e element, d *Device, l *device.Launch) {
	o, at := headsAt(e, l, 3), 3+len(headParams)
	tiles(e, d, l, l.Args[2].Ptr(), l.Args[at].Int(), l.Args[at+1].Int(), l.Args[at+2].Int(), func(r, n0 int, sums []float32) {
		for j := 0; j < len(sums); j += o.size {
			o.put(r, (n0+j)/o.size, sums[j:][:o.size])
		}
	})
}
