package conform

import (
	"context"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/sim"
)

// TestSimulatedDeviceConforms: no case asks for what the contract does not say,
// and none reads what nobody wrote.
func TestSimulatedDeviceConforms(t *testing.T) {
	n := 0
	err := Kernels(context.Background(), func() (device.Device, error) { return sim.New(1 << 30).Hopper(), nil }, func(r Result) {
		n++
		if r.Err == nil && r.Worst != 0 {
			t.Errorf("%s: the simulated device differs from itself by %v", r.Name, r.Worst)
		}
	})
	if err != nil || n < 300 {
		t.Fatalf("%d cases, error %v", n, err)
	}
}

// faulty is a device on which one kernel goes wrong.
type faulty struct {
	*sim.Device
	kernel string
	change func(l *device.Launch)
}

func (f faulty) Launch(l *device.Launch) error {
	if strings.HasPrefix(l.Kernel, f.kernel) {
		c := *l
		c.Args = append([]device.Arg(nil), l.Args...)
		f.change(&c)
		l = &c
	}
	return f.Device.Launch(l)
}

// TestFaultsAreFound: a kernel that leaves out its last row or column, takes a
// wrong factor, or looks at a key too many, fails some case.
func TestFaultsAreFound(t *testing.T) {
	add := func(arg, n int) func(l *device.Launch) {
		return func(l *device.Launch) { l.Args[arg] = device.I(l.Args[arg].Int() + n) }
	}
	scale := func(arg int, f float32) func(l *device.Launch) {
		return func(l *device.Launch) { l.Args[arg] = device.F(l.Args[arg].Float() * f) }
	}
	null := func(arg int) func(l *device.Launch) {
		return func(l *device.Launch) { l.Args[arg] = device.P(0) }
	}
	for _, c := range []struct {
		what   string
		kernel string
		change func(l *device.Launch)
	}{
		{"last row", "sb_embed", add(3, -1)},
		{"last row", "sb_rmsnorm", add(4, -1)},
		{"no index", "sb_rmsnorm", null(2)},
		{"epsilon", "sb_rmsnorm", scale(6, 1e5)},
		{"last row", "sb_gemm", add(4, -1)},
		{"no bias", "sb_gemm", null(2)},
		{"last block of columns", "sb_gemm", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
		{"last row", "sb_gather", add(3, -1)},
		{"last row", "sb_rope", add(11, -1)},
		{"no norm", "sb_rope", null(9)},
		{"no scale", "sb_rope", null(8)},
		{"scale of the query", "sb_rope", scale(15, 1.01)},
		{"window too wide", "sb_attention", func(l *device.Launch) {
			if l.Args[8].Int() > 0 {
				l.Args[8] = device.I(l.Args[8].Int() + 1)
			}
		}},
		{"another kind", "sb_attention", func(l *device.Launch) { l.Args[7] = device.I((l.Args[7].Int() + 1) % 5) }},
		{"last tile", "sb_attention", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
		{"last head of keys", "sb_attention", func(l *device.Launch) { l.Grid.Y = max(1, l.Grid.Y-1) }},
		{"last key", "sb_observe", add(7, -1)},
		{"last block of the vocabulary", "sb_head_f32", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
		{"last row", "sb_head_bf16", add(6, -1)},
		{"last partial", "sb_head_merge", func(l *device.Launch) { l.Args[4] = device.I(max(1, l.Args[4].Int()-1)) }},
	} {
		if testing.Short() && c.kernel != "sb_gemm" {
			continue
		}
		found := 0
		for _, l := range cases(1, true) {
			if !strings.Contains(c.kernel, l.kernel) && (c.kernel != "sb_observe" || l.kernel != "attention") {
				continue
			}
			k := l.make()
			dev := faulty{sim.New(1 << 30), c.kernel, c.change}
			if _, err := k.check(func() (device.Device, error) { return dev, nil }); err != nil {
				found++
				break
			}
		}
		if found == 0 {
			t.Errorf("%s: %s is left out, and no case fails", c.kernel, c.what)
		}
	}
}
