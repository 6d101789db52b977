package conform

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine/kernel"
)

// element is what a buffer holds.
type element uint8

const (
	words   element = iota // int, compared bit by bit
	floats                 // float
	halves                 // bfloat16
	doubles                // double
)

func (e element) bytes() int { return [...]int{4, 4, 2, 8}[e] }

// of is the element T of a mode.
func of(m abi.Mode) element {
	if m == abi.F32 {
		return floats
	}
	return halves
}

// buffer is one operand of a kernel. Outputs begin as poison and are compared;
// behind every one lies a guard that must stay as it was.
type buffer struct {
	element element
	data    []byte
	out     bool
	// near is how far an output may be from the simulated device's, relative to
	// its size or to scale, whichever is larger.
	near, scale float64
	// columns is the elements of a row, for who looks where a fault lies; 0: one row.
	columns int
	// any lists elements of an output that no one promises.
	any func(i int) bool
}

// of gives a buffer rows of so many elements.
func (b *buffer) of(columns int) *buffer {
	b.columns = columns
	return b
}

// guardBytes are behind every buffer.
const guardBytes = 256

// testCase is one launch, or several, over some buffers.
type testCase struct {
	name    string
	buffers []*buffer
	launch  func(p []device.Ptr) []*device.Launch
}

// in makes an input of T from floats.
func in(e element, x []float32) *buffer {
	b := &buffer{element: e, data: make([]byte, e.bytes()*len(x))}
	for i, v := range x {
		if e == halves {
			binary.LittleEndian.PutUint16(b.data[2*i:], kernel.ToBF16(v))
		} else {
			binary.LittleEndian.PutUint32(b.data[4*i:], math.Float32bits(v))
		}
	}
	return b
}

func ints(x []int32) *buffer {
	b := &buffer{element: words, data: make([]byte, 4*len(x))}
	for i, v := range x {
		binary.LittleEndian.PutUint32(b.data[4*i:], uint32(v))
	}
	return b
}

// out makes an output of n elements.
func out(e element, n int, near, scale float64) *buffer {
	b := &buffer{element: e, data: make([]byte, e.bytes()*n), out: true, near: near, scale: scale}
	for i := range b.data {
		b.data[i] = 0xff
	}
	return b
}

// results runs a case on a device and returns what is in its buffers afterwards,
// guards included.
func (k *testCase) results(dev device.Device) ([][]byte, error) {
	p := make([]device.Ptr, len(k.buffers))
	var total int64
	for _, b := range k.buffers {
		total += device.RoundUp(int64(len(b.data)) + guardBytes)
	}
	base, err := dev.Alloc(total)
	if err != nil {
		return nil, err
	}
	for i, b := range k.buffers {
		p[i] = base
		base += device.Ptr(device.RoundUp(int64(len(b.data)) + guardBytes))
		full := append([]byte(nil), b.data...)
		for range guardBytes {
			full = append(full, 0xff)
		}
		if err := dev.Upload(p[i], full); err != nil {
			return nil, err
		}
	}
	for _, l := range k.launch(p) {
		if err := dev.Launch(l); err != nil {
			return nil, err
		}
	}
	got := make([][]byte, len(p))
	for i, b := range k.buffers {
		got[i] = make([]byte, len(b.data)+guardBytes)
		if err := dev.Download(got[i], p[i]); err != nil {
			return nil, err
		}
	}
	return got, nil
}

// check runs a case on a device and on a simulated one and returns the largest
// difference, as a part of what is allowed. With twice it must give the same bits again.
func (k *testCase) check(open func() (device.Device, error), twice bool) (worst float64, err error) {
	reference := sim.New(1 << 30)
	want, err := k.results(reference)
	if err != nil {
		return 0, fmt.Errorf("%s: simulated: %w", k.name, err)
	}
	dev, err := open()
	if err != nil {
		return 0, err
	}
	defer dev.Close()
	got, err := k.results(dev)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", k.name, err)
	}
	var wrong Mismatches
	for i, b := range k.buffers {
		d, m := b.compare(got[i], want[i])
		worst = max(worst, d)
		if m != nil {
			m.Operand = i
			wrong = append(wrong, *m)
		}
	}
	if wrong != nil {
		return 0, fmt.Errorf("%s: %w", k.name, wrong)
	}
	if !twice {
		return worst, nil
	}
	again, err := k.results(dev)
	if err != nil {
		return 0, fmt.Errorf("%s, a second time: %w", k.name, err)
	}
	for i, b := range k.buffers {
		if b.any == nil && !bytes.Equal(again[i], got[i]) {
			return 0, fmt.Errorf("%s: operand %d has other bits the second time", k.name, i)
		}
	}
	return worst, nil
}

func (e element) value(b []byte) float64 {
	switch e {
	case floats:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case halves:
		return float64(kernel.FromBF16(binary.LittleEndian.Uint16(b)))
	case doubles:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return float64(int32(binary.LittleEndian.Uint32(b)))
}
