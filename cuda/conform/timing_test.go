package conform

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine/attention"
)

// TestTimedAttentionCoversEveryRow: a tile left out would be time left out.
func TestTimedAttentionCoversEveryRow(t *testing.T) {
	for i, n := range []int{2048, 16384, 2048, 16384} {
		x := timeAttention([]abi.Mode{abi.BF16, abi.BF16Hopper}[i/2], attention.Softpick, 64, n, timedRows[Full], timedWidth[Full])
		tiles, runs := x.tables[0], x.tables[1]
		seen := make([]int, timedRows[Full])
		for i := 0; i < len(tiles); i += abi.TileInts {
			row, rows, position, run := int(tiles[i]), int(tiles[i+1]), int(tiles[i+2]), int(tiles[i+3])
			if int(runs[2*run+1])+position != row || position != row%n {
				t.Fatalf("%d tokens: the tile at row %d has position %d of run %d", n, row, position, run)
			}
			for r := range rows {
				seen[row+r]++
			}
		}
		for r, times := range seen {
			if times != 1 {
				t.Fatalf("%d tokens: row %d is computed %d times", n, r, times)
			}
		}
		pairs := float64(timedRows[Full]/n) * float64(n) * float64(n) / 2
		if want := 4 * pairs * float64(timedWidth[Full]); x.flops != want {
			t.Errorf("%d tokens: %g operations, want %g", n, x.flops, want)
		}
	}
}

// clocked is a device whose launches take 2, 3, 4, ... milliseconds.
type clocked struct {
	*sim.Device
	next float64
	from map[device.Ptr]int // first operands, by how often
}

func (c *clocked) Time(f func() error) (float64, error) {
	from := c.next
	err := f()
	return (c.next - from) * (c.next + from + 3) / 2, err
}

func (c *clocked) Launch(l *device.Launch) error {
	c.next++
	first := l.Args[0].Ptr()
	if l.Args[0].Kind == device.Boxes {
		first = l.Args[0].Matrix.Base
	}
	c.from[first]++
	return c.Device.Launch(l)
}

// TestTimed: the median of a launch's share of each round after the first launches,
// which warm the device up, over operands that take turns; and operands that are told.
func TestTimed(t *testing.T) {
	for _, mode := range []abi.Mode{abi.BF16, abi.BF16Hopper} {
		x := timeGemm(mode, 6, 16, 8)
		x.shown, x.pace = true, pace{warm: 5, rounds: 3, launch: 4, beyond: 3000} // an operand's set is of 736 bytes
		dev := &clocked{Device: sim.New(1 << 20), from: map[device.Ptr]int{}}
		o := x.run(t.Context(), Site{Open: func() (device.Device, error) { return dev, nil }})
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		// The first launch is checked and the next two, 3 and 4 ms, warm up; rounds are of 5, 6, 7, 8 ms and so on.
		want := Timing{Kernel: "gemm", Shape: "6 x 16 x 8", Median: 10.5, Best: 6.5, TFLOPS: 2 * 6 * 16 * 8 / 10.5 / 1e9}
		if *o.Timing != want {
			t.Errorf("%v: timing %+v, want %+v", mode, *o.Timing, want)
		}
		if len(dev.from) != 5 || len(o.Operands) != 3 {
			t.Errorf("%v: %d sets of operands took turns, want 5; %d operands are told, want 3", mode, len(dev.from), len(o.Operands))
		}
		for r := range 6 {
			for j := range 16 {
				sum := 0.0
				for k := range 8 {
					sum += halves.value(o.Operands[0][2*(r*8+k):]) * halves.value(o.Operands[1][2*(j*8+k):])
				}
				if d := floats.value(o.Operands[2][4*(r*16+j):]) - sum; d > 1e-5 || d < -1e-5 {
					t.Fatalf("element %d, %d differs by %g", r, j, d)
				}
			}
		}
	}
}

// TestOnlyRightResultsAreTimed: at the very shape, on a device that computes something else.
func TestOnlyRightResultsAreTimed(t *testing.T) {
	for _, c := range Timings(true, Small) {
		for fault, change := range map[string]func(l *device.Launch){
			"": func(*device.Launch) {},
			"another kind": func(l *device.Launch) {
				if strings.HasPrefix(l.Kernel, "sb_attention") {
					l.Args[7] = device.I((l.Args[7].Int() + 2) % 5)
				}
			},
			"a part of the sum": func(l *device.Launch) {
				if last := len(l.Args) - 1; strings.HasPrefix(l.Kernel, "sb_gemm") || strings.HasPrefix(l.Kernel, "sb_qkv") {
					l.Args[last] = device.I(l.Args[last].Int() - 8)
				}
			},
		} {
			if c.Needs == "" || fault != "" && !strings.HasPrefix(c.Needs, "attention") != (fault == "a part of the sum") || fault == "a part of the sum" && strings.Contains(c.Needs, "wgmma") {
				continue // its sum's length is a matrix's
			}
			dev := &clocked{Device: sim.New(1 << 28), from: map[device.Ptr]int{}}
			o := c.Run(t.Context(), Site{Open: func() (device.Device, error) { return wrongTimer{faulty{dev.Device, "sb_", change}, dev}, nil }})
			if fault == "" && (o.Err != nil || o.Timing == nil) {
				t.Errorf("%s: %v", c.Name, o.Err)
			}
			if fault != "" && (o.Err == nil || !strings.Contains(o.Err.Error(), "not timed")) {
				t.Errorf("%s, with %s: %v, timing %v", c.Name, fault, o.Err, o.Timing)
			}
		}
	}
}

// TestProfiledChecksExist: each check that first-run profiles a kernel in is one.
func TestProfiledChecksExist(t *testing.T) {
	script, err := os.ReadFile("../first-run")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^sb_\w+\|\d\|(\^.*)$`).FindAllStringSubmatch(string(script), -1)
	for _, line := range lines {
		checks := regexp.MustCompile(line[1])
		if !slices.ContainsFunc(All(true, Full), func(c Check) bool { return checks.MatchString(c.Name) }) {
			t.Errorf("no check matches %s", line[1])
		}
	}
	if len(lines) < 6 {
		t.Errorf("%d kernels are profiled", len(lines))
	}
}

// wrongTimer is a faulty device with a clock.
type wrongTimer struct {
	faulty
	clock *clocked
}

func (w wrongTimer) Time(f func() error) (float64, error) { return 1, f() }
