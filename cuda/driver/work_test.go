//go:build cuda && linux && (amd64 || arm64)

package driver

import (
	"encoding/binary"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/softbench/softbench/cuda/device"
)

// TestWork: uploads, launches and downloads by one call of the thread; launches that
// come again by a graph, whose arguments, tensor maps among them, are this time's.
func TestWork(t *testing.T) {
	if os.Getenv("FAKECUDA") == "" {
		withFake(t, "TestWork")
		withFake(t, "TestWork", "FAKECUDA=plain")
		return
	}
	g, err := Open(0, images)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("FAKECUDA") == "plain" {
		g.WithoutGraphs()
	}
	p, err := g.Alloc(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	launch := func(kernel string, args ...device.Arg) *device.Launch {
		return &device.Launch{Kernel: kernel, Grid: device.Dim{X: 1}, Block: device.Dim{X: 32}, Args: args}
	}
	for step := range 5 {
		value := float32(step + 1)
		matrix := func(rows int) device.Arg {
			return device.M(device.Matrix{Base: p + 4096, Rows: rows + step, Columns: 72, BoxRows: 128, BoxColumns: 64})
		}
		most := make([]byte, stagingBytes-4)
		for i := range most {
			most[i] = byte(i + step)
		}
		few, many, maps := make([]byte, 16), make([]byte, stagingBytes-4), make([]byte, 40)
		calls := g.Calls()
		err := g.Start(&device.Work{
			Uploads: []device.Copy{{Device: p + 1<<20, Host: most}, {Device: p, Host: []byte{1, 2, 3, 4, 5, 6, 7, 8}}},
			Launches: []*device.Launch{
				launch("fill", device.P(p+4), device.I(2), device.F(value)),
				launch("describe", device.P(p+64), matrix(300), matrix(7)),
				launch("fill", device.P(p+8+device.Ptr(4*step)), device.I(1), device.F(-value)),
			},
			Downloads: []device.Copy{{Device: p, Host: few}, {}, {Device: p + 1<<20, Host: many}, {Device: p + 64, Host: maps}},
			Again:     true,
		})()
		if err != nil {
			t.Fatal(err)
		}
		if n := g.Calls() - calls; n != 1 {
			t.Errorf("%d calls of the thread", n)
		}
		number := func(b []byte, i int) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])) }
		if !slices.Equal(few[:4], []byte{1, 2, 3, 4}) || number(few, 1) != value || step == 0 && number(few, 2) != -1 || step > 0 && number(few, 2) != value || !slices.Equal(many, most) {
			t.Errorf("step %d: %v", step, few)
		}
		if number(maps, 1) != float32(300+step) || number(maps, 6) != float32(7+step) {
			t.Errorf("step %d: maps of %v and %v rows", step, number(maps, 1), number(maps, 6))
		}
	}
	if made := g.graphs.Len(); (made == 1) == g.plain {
		t.Errorf("%d graphs", made)
	}
	bad := &device.Work{Launches: []*device.Launch{launch("fill", device.P(1), device.I(1), device.F(1))}}
	if err := g.Start(bad)(); err == nil {
		t.Error("a launch outside memory")
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
}
