package conform

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/sim"
)

// TestSimulatedDeviceConforms: no case asks for what the contract does not say,
// and none reads what nobody wrote.
func TestSimulatedDeviceConforms(t *testing.T) {
	names := map[string]bool{}
	err := Run(context.Background(), Kernels(true), Site{Open: func() (device.Device, error) { return sim.New(1 << 30).Hopper(), nil }}, func(c Check, o Outcome) {
		if names[c.Name] {
			t.Errorf("two checks are named %q", c.Name)
		}
		names[c.Name] = true
		if o.Err == nil && o.Worst != 0 {
			t.Errorf("%s: the simulated device differs from itself by %v", c.Name, o.Worst)
		}
	})
	if err != nil || len(names) < 300 {
		t.Fatalf("%d cases, error %v", len(names), err)
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
		{"last row", "sb_rope", add(16, -1)},
		{"no norm", "sb_rope", null(9)},
		{"no scale", "sb_rope", null(8)},
		{"scale of the query", "sb_rope", scale(14, 1.01)},
		{"last row", "sb_qkv", add(18, -1)},
		{"no bias", "sb_qkv", null(2)},
		{"no norm of q", "sb_qkv", null(11)},
		{"no norm of keys", "sb_qkv", null(12)},
		{"no scale", "sb_qkv", null(10)},
		{"scale of the query", "sb_qkv", scale(16, 1.01)},
		{"last block of columns", "sb_qkv", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
		{"keys and values in turn", "sb_qkv", func(l *device.Launch) { l.Args[4], l.Args[5] = l.Args[5], l.Args[4] }},
		{"window too wide", "sb_attention", func(l *device.Launch) {
			if at := len(l.Args) - 3; l.Args[at].Int() > 0 {
				l.Args[at] = device.I(l.Args[at].Int() + 1)
			}
		}},
		{"another kind", "sb_attention", func(l *device.Launch) {
			if len(l.Args) == 11 { // by wgmma a kernel has one kind
				l.Args[7] = device.I((l.Args[7].Int() + 1) % 5)
			}
		}},
		{"last tile", "sb_attention", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
		{"last head of keys", "sb_attention", func(l *device.Launch) { l.Grid.Y = max(1, l.Grid.Y-1) }},
		{"last key", "sb_observe", add(7, -1)},
		{"last block of the vocabulary", "sb_head_f32", func(l *device.Launch) { l.Grid.Y = max(1, l.Grid.Y-1) }},
		{"last row", "sb_head_bf16", add(6, -1)},
		{"last rows", "sb_head_merge", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
		{"last rows of the head", "sb_head_bf16", func(l *device.Launch) { l.Grid.X = max(1, l.Grid.X-1) }},
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
			if _, err := k.check(func() (device.Device, error) { return dev, nil }, false); err != nil {
				found++
				break
			}
		}
		if found == 0 {
			t.Errorf("%s: %s is left out, and no case fails", c.kernel, c.what)
		}
	}
}

// TestMismatchesAreToldInFull: how many elements are wrong, where the first are, and
// which is farthest off.
func TestMismatchesAreToldInFull(t *testing.T) {
	b := out(floats, 60, 0.1, 1).of(20)
	want := in(floats, make([]float32, 60)).data
	list := make([]float32, 60)
	for i := 19; i < 60; i++ {
		list[i] = 0.2
	}
	list[3], list[50] = 0.05, -7
	got := append(in(floats, list).data, 0xff, 0xff, 1)
	worst, m := b.compare(got, want)
	if worst != 0 || m == nil || m.Elements != 60 || m.Count != 41 || len(m.First) != mostTold || m.Behind != 3 {
		t.Fatalf("worst %v, %+v", worst, m)
	}
	if f, l := m.First[1], m.Largest; f.Row != 1 || f.Column != 0 || l.Row != 2 || l.Column != 10 || l.Got != -7 || l.Want != 0 {
		t.Errorf("second %+v, farthest off %+v", f, l)
	}
	nan := float32(math.NaN())
	list[20] = nan
	if _, m := b.compare(in(floats, list).data, want); m.Largest.Row != 1 || m.Largest.Column != 0 {
		t.Errorf("NaN is not the farthest off: %+v", m.Largest)
	}
	text, err := json.Marshal(m)
	var back Mismatch
	if err := errors.Join(err, json.Unmarshal(text, &back)); err != nil || back.First[1].Got != m.First[1].Got {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	changed := in(floats, []float32{1, 2})
	if _, m := changed.compare(in(floats, []float32{1, 3}).data, changed.data); m == nil || m.Count != 1 {
		t.Errorf("an input that was changed: %+v", m)
	}
	if text := (Mismatches{*m}).Error(); strings.Contains(text, "\n") || !strings.Contains(text, "41 of 60 elements are wrong, the first (row 0, column 19) is") {
		t.Error(text)
	}
}

// TestOtherBitsTheSecondTimeAreFound: of a kernel that is right both times.
func TestOtherBitsTheSecondTimeAreFound(t *testing.T) {
	n := 0
	for _, c := range Kernels(false) {
		if c.Group != "rmsnorm float32" {
			continue
		}
		dev := faulty{sim.New(1 << 30), "sb_rmsnorm", func(l *device.Launch) {
			if n++; n%2 == 0 {
				l.Args[6] = device.F(l.Args[6].Float() * 1.5)
			}
		}}
		site := Site{Open: func() (device.Device, error) { return dev, nil }}
		if o := c.Run(t.Context(), site); o.Err != nil {
			t.Fatal(o.Err)
		}
		n, site.Twice = 0, true
		if o := c.Run(t.Context(), site); o.Err == nil || !strings.Contains(o.Err.Error(), "has other bits the second time") {
			t.Errorf("%s: %v", c.Name, o.Err)
		}
		return
	}
}
