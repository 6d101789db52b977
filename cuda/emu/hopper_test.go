package emu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/kernel"
)

// fault is what a kernel of kernels/emu/faults.h does when told its number, and how
// that shows: "right", "differs", or a part of an error.
type fault struct {
	name    string
	manners []Manner
	want    string
}

var (
	anyManner = []Manner{0, Eager, Backwards, Mixed, Uneven, Uneven | Backwards | Eager}
	late      = []Manner{0, Backwards, Mixed, Uneven} // in which things happen when they are waited for
)

// TestHopperFaultsAreFound: what the PTX ISA leaves undefined, or a stage that is
// read or filled too early, is an error or another result; a kernel without a
// fault is right in every manner.
func TestHopperFaultsAreFound(t *testing.T) {
	need(t)
	findFaults(t, runFault, []fault{
		{"none", anyManner, "right"},
		{"a box that does not begin on a kilobyte", anyManner, "does not begin on a kilobyte"},
		{"a descriptor without swizzle", anyManner, "without the swizzle of 128 bytes"},
		{"a descriptor off a kilobyte", anyManner, "does not begin on a kilobyte, without a base offset"},
		{"a descriptor that leaves its rows", anyManner, "beyond its rows"},
		{"a descriptor that leaves shared memory", anyManner, "outside shared memory"},
		{"no fence before products", anyManner, "without a fence before it"},
		{"no wait for products", anyManner, "nobody waited for"},
		{"no commit", anyManner, "nobody waited for"},
		{"registers read before the wait", anyManner, "differs"},
		{"registers changed before the wait", anyManner, "are changed"},
		{"a warp with another matrix", anyManner, "multiply different matrices"},
		{"no wait for the boxes", []Manner{0, Backwards, Uneven}, "differs"},
		{"no barrier", anyManner, "was not initialised"},
		{"a barrier that copies do not know", anyManner, "was not made known"},
		{"too few bytes", anyManner, "ends while"},
		{"too many bytes", anyManner, "wait for others"},
		{"an arrival too many", anyManner, "arrives at a barrier"},
		{"a barrier that is written over", anyManner, "written over"},
		{"a stage filled before the products have read it", late, "differs"},
		{"a box outside", anyManner, "not in shared memory"},
	})
}

// TestFaultsOfProductsFromRegisters is the same of a left operand in registers and a
// right one whose rows go along n.
func TestFaultsOfProductsFromRegisters(t *testing.T) {
	need(t)
	findFaults(t, runFaultAcross, []fault{
		{"none", anyManner, "right"},
		{"copies that products do not know", anyManner, "without a fence for it"},
		{"no wait for copies", late, "without a fence for it"},
		{"registers changed before the wait", late, "are changed"},
		{"a descriptor that begins within a row", anyManner, "begins within a row"},
		{"a wrong stride", anyManner, "differs"},
	})
}

func findFaults(t *testing.T, run func(t *testing.T, m Manner, number int) (got, want uint64, err error), faults []fault) {
	t.Helper()
	for number, c := range faults {
		for _, m := range c.manners {
			got, want, err := run(t, m, number)
			switch c.want {
			case "right", "differs":
				if err != nil || (got == want) != (c.want == "right") {
					t.Errorf("%s, manner %d: equal %v; %v", c.name, m, got == want, err)
				}
			default:
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s, manner %d: error %v, want %q", c.name, m, err, c.want)
				}
			}
		}
	}
}

// runFault multiplies 64 rows of a matrix with 128, of which the last 28 are outside.
func runFault(t *testing.T, m Manner, number int) (got, want uint64, err error) {
	const rows, columns, left, right = 100, 64, 64, 128
	a, data := wholeNumbers(rows, columns)
	a = append(a, make([]float32, (right-rows)*columns)...)
	result, err := launchFault(t, m, data, 4*left*right, func(p, out device.Ptr) *device.Launch {
		return &device.Launch{Kernel: "emu_fault", Shared: 33<<10 + 16,
			Args: []device.Arg{device.M(device.Matrix{Base: p, Rows: rows, Columns: columns, BoxRows: right, BoxColumns: 64}), device.P(out), device.I(number)}}
	})
	return hash(result), hash(product(left, right, columns, func(i, j, k int) float32 { return a[i*columns+k] * a[j*columns+k] })), err
}

// runFaultAcross squares a matrix.
func runFaultAcross(t *testing.T, m Manner, number int) (got, want uint64, err error) {
	const n = 64
	a, data := wholeNumbers(n, n)
	result, err := launchFault(t, m, data, 4*n*n, func(p, out device.Ptr) *device.Launch {
		return &device.Launch{Kernel: "emu_fault_across", Shared: 17 << 10, Args: []device.Arg{device.P(p), device.P(out), device.I(number)}}
	})
	return hash(result), hash(product(n, n, n, func(i, j, k int) float32 { return a[i*n+k] * a[k*n+j] })), err
}

// wholeNumbers is a matrix whose products are exact, and its bfloat16.
func wholeNumbers(rows, columns int) (a []float32, data []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for range rows * columns {
		x := float32(r.IntN(17) - 8)
		a, data = append(a, x), binary.LittleEndian.AppendUint16(data, kernel.ToBF16(x))
	}
	return a, data
}

// product sums terms over k, for each i and j.
func product(rows, columns, depth int, term func(i, j, k int) float32) (out []byte) {
	for i := range rows {
		for j := range columns {
			sum := float32(0)
			for k := range depth {
				sum += term(i, j, k)
			}
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(sum))
		}
	}
	return out
}

// hash is of floats, the zeros of which are equal.
func hash(data []byte) (h uint64) {
	for i := 0; i < len(data); i += 4 {
		h = h*1099511628211 + uint64(math.Float32bits(math.Float32frombits(binary.LittleEndian.Uint32(data[i:]))+0))
	}
	return h
}

// launchFault runs a kernel by one group of four warps.
func launchFault(t *testing.T, m Manner, data []byte, bytes int64, launch func(p, out device.Ptr) *device.Launch) ([]byte, error) {
	t.Helper()
	dev, err := Open(program, m, free)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dev.Close() }() // it has told what is wrong
	p, err := dev.Alloc(int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := dev.Alloc(bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Upload(p, data); err != nil {
		t.Fatal(err)
	}
	l := launch(p, out)
	l.Grid, l.Block = device.Dim{X: 1}, device.Dim{X: 128}
	if err := dev.Launch(l); err != nil {
		return nil, err
	}
	result := make([]byte, bytes)
	return result, dev.Download(result, out)
}
