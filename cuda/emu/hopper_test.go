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

// TestHopperFaultsAreFound: what the PTX ISA leaves undefined, or a stage that is
// read or filled too early, is an error or another result; a kernel without a
// fault is right in every manner. The numbers are those of kernels/emu/faults.h.
func TestHopperFaultsAreFound(t *testing.T) {
	need(t)
	const differs = "" // no error, another result
	all := []Manner{0, Eager, Backwards, Mixed, Uneven, Uneven | Backwards | Eager}
	late := []Manner{0, Backwards, Uneven}
	for fault, c := range []struct {
		name    string
		manners []Manner
		want    string
	}{
		{"none", all, "right"},
		{"a box that does not begin on a kilobyte", all, "does not begin on a kilobyte"},
		{"a descriptor without swizzle", all, "without the swizzle of 128 bytes"},
		{"a descriptor off a kilobyte", all, "does not begin on a kilobyte, without a base offset"},
		{"a descriptor that leaves its rows", all, "beyond its rows"},
		{"a descriptor that leaves shared memory", all, "outside shared memory"},
		{"no fence before products", all, "without a fence"},
		{"no wait for products", all, "nobody waited for"},
		{"no commit", all, "nobody waited for"},
		{"registers read before the wait", all, differs},
		{"registers changed before the wait", all, "are changed"},
		{"a warp with another matrix", all, "multiply different matrices"},
		{"no wait for the boxes", late, differs},
		{"no barrier", all, "was not initialised"},
		{"a barrier that copies do not know", all, "was not made known"},
		{"too few bytes", all, "ends while"},
		{"too many bytes", all, "wait for others"},
		{"an arrival too many", all, "arrives at a barrier"},
		{"a barrier that is written over", all, "written over"},
		{"a stage filled before the products have read it", []Manner{0, Backwards, Uneven, Mixed}, differs},
		{"a box outside", all, "not in shared memory"},
	} {
		for _, m := range c.manners {
			got, want, err := runFault(t, m, fault)
			switch c.want {
			case "right":
				if err != nil || got != want {
					t.Errorf("%s, manner %d: sum %v, want %v; %v", c.name, m, got, want, err)
				}
			case differs:
				if err != nil || got == want {
					t.Errorf("%s, manner %d: the result is right; %v", c.name, m, err)
				}
			default:
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s, manner %d: error %v, want %q", c.name, m, err, c.want)
				}
			}
		}
	}
}

// runFault runs the kernel of kernels/emu/faults.h over a matrix of small whole
// numbers, whose products are exact, and hashes its result and the right one.
func runFault(t *testing.T, m Manner, fault int) (got, want uint64, err error) {
	t.Helper()
	dev, err := Open(program, m, free)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dev.Close() }() // it has told what is wrong
	const rows, columns, left = 100, 64, 64
	r := rand.New(rand.NewPCG(1, 1))
	a, data := make([]float32, 128*columns), make([]byte, 2*rows*columns)
	for i := range rows * columns { // the rows from 100 on are outside: zeros
		a[i] = float32(r.IntN(17) - 8)
		binary.LittleEndian.PutUint16(data[2*i:], kernel.ToBF16(a[i]))
	}
	p, err := dev.Alloc(int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := dev.Alloc(4 * left * 128)
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Upload(p, data); err != nil {
		t.Fatal(err)
	}
	err = dev.Launch(&device.Launch{Kernel: "emu_fault", Grid: device.Dim{X: 1}, Block: device.Dim{X: 128}, Shared: 33<<10 + 16,
		Args: []device.Arg{device.M(device.Matrix{Base: p, Rows: rows, Columns: columns, BoxRows: 128, BoxColumns: 64}), device.P(out), device.I(fault)}})
	if err != nil {
		return 0, 0, err
	}
	result := make([]byte, 4*left*128)
	if err := dev.Download(result, out); err != nil {
		return 0, 0, err
	}
	for i := range left * 128 {
		sum := float32(0)
		for k := range columns {
			sum += a[i/128*columns+k] * a[i%128*columns+k]
		}
		want = want*1099511628211 + uint64(math.Float32bits(sum+0))
		got = got*1099511628211 + uint64(math.Float32bits(math.Float32frombits(binary.LittleEndian.Uint32(result[4*i:]))+0))
	}
	return got, want, nil
}
