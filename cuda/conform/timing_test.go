package conform

import (
	"context"
	"testing"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine/attention"
)

// TestTimedAttentionCoversEveryRow: a tile left out would be time left out.
func TestTimedAttentionCoversEveryRow(t *testing.T) {
	for i, n := range []int{2048, 16384, 2048, 16384} {
		x := timeAttention([]abi.Mode{abi.BF16, abi.BF16Hopper}[i/2], attention.Softpick, 64, n)
		tiles, runs := x.tables[0], x.tables[1]
		seen := make([]int, timedTokens)
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
		pairs := float64(timedTokens/n) * float64(n) * float64(n) / 2
		if want := 4 * pairs * timedWidth; x.flops != want {
			t.Errorf("%d tokens: %g operations, want %g", n, x.flops, want)
		}
	}
}

// clocked is a device whose launches take 2, 3, 4, ... milliseconds.
type clocked struct {
	*sim.Device
	next float64
}

func (c *clocked) Time(f func() error) (float64, error) {
	c.next++
	return c.next + 1, f()
}

// TestTimedGemm: the median of all but two launches, and operands that are the
// product's.
func TestTimedGemm(t *testing.T) {
	for _, mode := range []abi.Mode{abi.BF16, abi.BF16Hopper} {
		t.Run(mode.String(), func(t *testing.T) { timedGemm(t, timeGemm(mode, 6, 16, 8)) })
	}
}

func timedGemm(t *testing.T, x timed) {
	x.shown = true
	told := 0
	err := x.run(context.Background(), func() (Timer, error) { return &clocked{Device: sim.New(1 << 20)}, nil }, func(got Timing, operands [][]byte) error {
		told++
		if got.Median != 9 || got.Best != 4 || got.TFLOPS != 2*6*16*8/9.0/1e9 || got.Shape != "6 x 16 x 8" {
			t.Errorf("timing %+v", got)
		}
		for r := range 6 {
			for j := range 16 {
				sum := 0.0
				for k := range 8 {
					sum += halves.value(operands[0][2*(r*8+k):]) * halves.value(operands[1][2*(j*8+k):])
				}
				if d := floats.value(operands[2][4*(r*16+j):]) - sum; d > 1e-5 || d < -1e-5 {
					t.Fatalf("element %d, %d differs by %g", r, j, d)
				}
			}
		}
		return nil
	})
	if err != nil || told != 1 {
		t.Errorf("told %d times, %v", told, err)
	}
}
