package machine

import (
	"context"
	"encoding/json"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// tiny writes a model that is measured in no time.
func tiny(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Seed: 3, MaxPositions: 64}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func withShapes(t *testing.T, shapes [][2]int) {
	t.Helper()
	old := gemmShapes
	gemmShapes = shapes
	t.Cleanup(func() { gemmShapes = old })
}

// TestMeasure would break if a measurement were left out, if a rate were not
// what the definition says, or if a name that scripts read went missing.
func TestMeasure(t *testing.T) {
	withShapes(t, [][2]int{{96, 64}})
	dir := tiny(t)
	r, err := Measure(t.Context(), Options{Threads: 2, Rounds: 3, Seconds: 0.1, DTypes: []kernel.Arithmetic{kernel.BFloat16, kernel.Float32}, Model: dir, Tokens: 48})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.GEMM) != 2 || len(r.Prefill) != 4 || len(r.Peaks) != len(kernel.Peaks()) {
		t.Fatalf("%d products, %d documents, %d peaks", len(r.GEMM), len(r.Prefill), len(r.Peaks))
	}
	used := 0
	for _, p := range r.Paths {
		if p.Available == (p.Reason != "") {
			t.Errorf("path %s: available %v, reason %q", p.Name, p.Available, p.Reason)
		}
		if p.Used {
			used++
		}
	}
	if used != 1 {
		t.Errorf("%d paths in use", used)
	}
	for _, p := range r.Prefill {
		if !(p.Lowest > 0 && p.Lowest <= p.Median && p.Median <= p.Best) {
			t.Errorf("rates %+v are not in order", p.Rate)
		}
		if got := float64(p.Tokens) / p.Seconds; math.Abs(got/p.TokensPerSecond-1) > 1e-9 {
			t.Errorf("%v tokens/s, want %v", p.TokensPerSecond, got)
		}
		if limit := p.Seconds * 3; runtime.GOOS == "linux" && !(p.CPUSeconds >= 0 && p.CPUSeconds < limit+1) {
			t.Errorf("%v processor seconds of two threads in %v s", p.CPUSeconds, p.Seconds)
		}
		if (p.ByParameters != 0) != (p.Scored == p.Tokens && len(r.Peaks) > 0) {
			t.Errorf("%d of %d scored: of_peak_by_parameters %v", p.Scored, p.Tokens, p.ByParameters)
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema", "cpu", "threads", "isa", "paths", "peaks", "gemm", "prefill", "of_peak", "tokens_per_second", "median"} {
		if !strings.Contains(string(text), `"`+name+`":`) {
			t.Errorf("JSON has no %q", name)
		}
	}
}

// TestFlops counts the tiny preset by hand: per layer four 64x64 and three
// 64x96 matrices, and a head of 256x64.
func TestFlops(t *testing.T) {
	d, err := loadDocuments(t.Context(), Options{Model: tiny(t), Tokens: 10, Threads: 1, Set: kernel.Best(), DTypes: []kernel.Arithmetic{kernel.Float32}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	const layers, head = 2 * (4*64*64 + 3*64*96), 256 * 64
	if got, want := d.flops(10, 3), 2.0*(10*layers+3*head); got != want {
		t.Errorf("%v FLOP, want %v", got, want)
	}
	if d.parameters != layers+2*head+(2*2+1)*64 {
		t.Errorf("%d parameters", d.parameters)
	}
}

// wrong spoils one element of every product.
type wrong struct{ kernel.Set }

func (w wrong) MatMul(y []float32, ldy int, in *kernel.Input, m0, m1 int, m *kernel.Matrix, n0, n1 int, add bool) {
	w.Set.MatMul(y, ldy, in, m0, m1, m, n0, n1, add)
	for i := range m1 - m0 {
		for j := range n1 - n0 {
			y[i*ldy+j] *= 1.0001
		}
	}
}

// TestWrongProductIsNotTimed would break if the check before timing let an error
// of a ten-thousandth through, in either format, on any path.
func TestWrongProductIsNotTimed(t *testing.T) {
	withShapes(t, [][2]int{{96, 64}})
	for _, name := range kernel.Available() {
		s, err := kernel.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			o := Options{Threads: 2, DTypes: []kernel.Arithmetic{dt}, Set: s}
			if _, err := gemmTimings(o); err != nil {
				t.Errorf("%s %v: %v", name, dt, err)
			}
			o.Set = wrong{s}
			if _, err := gemmTimings(o); err == nil || !strings.Contains(err.Error(), "should be") {
				t.Errorf("%s %v: a wrong product gave %v", name, dt, err)
			}
		}
	}
}

// TestMultiplyWhole would break if the split over threads left columns out.
func TestMultiplyWhole(t *testing.T) {
	set := kernel.Best()
	for _, n := range []int{1, 31, 256, 257, 1000} {
		p := newProduct(set, kernel.Float32, 5, n, 64)
		p.multiply(set, 1)
		want := append([]float32(nil), p.y...)
		for threads := 2; threads <= 5; threads++ {
			clear(p.y)
			p.multiply(set, threads)
			for i := range want {
				if p.y[i] != want[i] {
					t.Fatalf("%d columns, %d threads: element %d is %v, want %v", n, threads, i, p.y[i], want[i])
				}
			}
		}
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		got  []float64
		want Rate
	}{
		{[]float64{3e9}, Rate{3, 3, 3}},
		{[]float64{5e9, 1e9, 2e9}, Rate{2, 1, 5}},
		{[]float64{4e9, 1e9, 2e9, 8e9}, Rate{3, 1, 8}},
	} {
		if got := rate(c.got); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.got, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	withShapes(t, [][2]int{{96, 64}})
	good := Options{Threads: 1, Rounds: 1, Seconds: 0.01, DTypes: []kernel.Arithmetic{kernel.Float32}, Model: tiny(t), Tokens: 8}
	for _, c := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Threads = -1 }, "-1 threads"},
		{func(o *Options) { o.Rounds = 0 }, "0 rounds"},
		{func(o *Options) { o.Seconds = math.NaN() }, "NaN seconds"},
		{func(o *Options) { o.Tokens = 0 }, "0 tokens"},
		{func(o *Options) { o.DTypes = nil }, "number format"},
		{func(o *Options) { o.Tokens = 65 }, "context of 64"},
		{func(o *Options) { o.Model = t.TempDir() }, "config.json"},
	} {
		o := good
		c.change(&o)
		_, err := Measure(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want one line with %q: %v", c.want, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, good); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}
