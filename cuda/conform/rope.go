package conform

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
)

// heads are what rope and qkv share: the operands from Q on, and what is made of them.
func (r maker) heads(rows, heads, kv, size int, scale bool) []*buffer {
	slots := 3 * rows
	var slot []int32
	for _, s := range r.Perm(slots)[:rows] {
		slot = append(slot, int32(s))
	}
	angle, cos, sin := r.normal(rows*size/2, 10), make([]float32, rows*size/2), make([]float32, rows*size/2)
	for i, a := range angle {
		cos[i], sin[i] = float32(math.Cos(float64(a))), float32(math.Sin(float64(a)))
	}
	near, factor := 8*r.rounding(), 0.1 // what q is multiplied with is about this
	if scale {
		factor = 1
	}
	return []*buffer{
		out(of(r.mode), rows*heads*size, near, factor).of(heads * size),
		out(of(r.mode), slots*kv*size, near, 1).of(kv * size), out(of(r.mode), slots*kv*size, near, 1).of(kv * size),
		ints(slot), in(floats, cos), in(floats, sin), in(floats, r.normal(rows, 5)), in(floats, r.normal(heads, 1)), in(floats, r.normal(size, 1)), in(floats, r.normal(size, 1)),
	}
}

// ropeArgs are of the operands that heads made.
func ropeArgs(p []device.Ptr, rows, heads, kv, size int, norm, scale bool) abi.RopeArgs {
	a := abi.RopeArgs{Q: p[0], Keys: p[1], Values: p[2], Slot: p[3], Cos: p[4], Sin: p[5], LogN: p[6], Rows: rows, Heads: heads, KVHeads: kv, Size: size, Eps: 1e-6}
	if scale {
		a.Scale = p[7]
	}
	if norm {
		a.QNorm, a.KNorm = p[8], p[9]
	}
	return a
}

func (r maker) rope(rows, heads, kv, size int, norm, scale bool) *testCase {
	return &testCase{buffers: append([]*buffer{in(floats, r.normal(rows*(heads+2*kv)*size, 1))}, r.heads(rows, heads, kv, size, scale)...),
		launch: func(p []device.Ptr) []*device.Launch {
			a := ropeArgs(p[1:], rows, heads, kv, size, norm, scale)
			a.QKV = p[0]
			return one(abi.Rope(r.mode, a))
		}}
}

// qkvShape is a product that rotates.
type qkvShape struct {
	rows, heads, kv, size, k int
	bias, norm, scale        bool
}

// qkvShapes are around tiles' edges: rows, columns that end inside a tile, tiles with more
// than one of q, keys and values, sums of any length.
func qkvShapes() []qkvShape {
	return []qkvShape{
		{rows: 1, heads: 1, kv: 1, size: 32, k: 8},
		{rows: 17, heads: 4, kv: 2, size: 32, k: 72, bias: true, norm: true, scale: true},
		{rows: 129, heads: 5, kv: 1, size: 32, k: 64, norm: true},
		{rows: 63, heads: 4, kv: 2, size: 64, k: 40, bias: true},
		{rows: 65, heads: 3, kv: 1, size: 64, k: 128, norm: true, scale: true},
		{rows: 128, heads: 1, kv: 1, size: 64, k: 200, scale: true},
		{rows: 5, heads: 1, kv: 1, size: 128, k: 96},
		{rows: 130, heads: 3, kv: 1, size: 128, k: 136, bias: true, norm: true, scale: true},
	}
}

func (s qkvShape) String() string {
	text := fmt.Sprintf("%d rows of %d, %d+%d heads of %d", s.rows, s.k, s.heads, s.kv, s.size)
	for _, x := range []struct {
		on   bool
		name string
	}{{s.bias, ", bias"}, {s.norm, ", norms"}, {s.scale, ", scaled"}} {
		if x.on {
			text += x.name
		}
	}
	return text
}

// qkv is the product that rotates; with apart the two launches that it is instead of.
func (r maker) qkv(s qkvShape, apart bool) *testCase {
	n := (s.heads + 2*s.kv) * s.size
	sums := out(floats, s.rows*n, 0, 0)
	sums.any = func(int) bool { return true }
	list := r.heads(s.rows, s.heads, s.kv, s.size, s.scale)
	for _, b := range list[:3] {
		b.near = max(b.near, 1e-5) // the order of sums too is the kernel's
	}
	return &testCase{buffers: append([]*buffer{
		in(of(r.mode), r.normal(s.rows*s.k, 1)), in(of(r.mode), r.normal(n*s.k, 1/math.Sqrt(float64(s.k)))), in(floats, r.normal(n, 1)), sums,
	}, list...),
		launch: func(p []device.Ptr) []*device.Launch {
			a, bias := ropeArgs(p[4:], s.rows, s.heads, s.kv, s.size, s.norm, s.scale), p[2]
			if !s.bias {
				bias = 0
			}
			if !apart {
				return one(abi.QKV(r.mode, p[0], p[1], bias, s.k, a))
			}
			a.QKV = p[3]
			return []*device.Launch{abi.Gemm(r.mode, abi.Store, p[0], p[1], bias, p[3], s.rows, n, s.k), abi.Rope(r.mode, a)}
		}}
}

// FusedIsApart says where the product that rotates has other bits than the product and the
// rotation after it, in any shape and mode. A GPU may round them differently: compilers
// may join a product and a sum in one and not in the other.
func FusedIsApart(open func() (device.Device, error)) error {
	for i, mode := range []abi.Mode{abi.F32, abi.BF16, abi.BF16Hopper} {
		for _, s := range qkvShapes() {
			var got [2][][]byte
			for j, apart := range []bool{false, true} {
				dev, err := open()
				if err != nil {
					return err
				}
				k := maker{rand.New(rand.NewPCG(9, uint64(i))), mode}.qkv(s, apart)
				got[j], err = k.results(dev)
				if err = cmp.Or(err, dev.Close()); err != nil {
					return fmt.Errorf("%v, %v: %w", mode, s, err)
				}
			}
			for b := 4; b < 7; b++ {
				if !bytes.Equal(got[0][b], got[1][b]) {
					return fmt.Errorf("%v, %v: operand %d has other bits than a product and a rotation give it", mode, s, b)
				}
			}
		}
	}
	return nil
}

func qkvs(add adder) {
	for _, s := range qkvShapes() {
		add("qkv", s.String(), func(r maker) *testCase { return r.qkv(s, false) })
	}
}
