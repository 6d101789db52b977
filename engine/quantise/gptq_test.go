package quantise_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

const gptqRows, gptqCols, gptqTokens = 24, 256, 1024

// gptqNumber is make_gptq.py's number.
func gptqNumber(i uint64) float64 {
	h := i + 0x9E3779B97F4A7C15
	h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
	h = (h ^ h>>27) * 0x94D049BB133111EB
	h ^= h >> 31
	return (float64(h&255) + float64(h>>8&255) + float64(h>>16&255) + float64(h>>24&255) - 510) / 256
}

// gptqLayer is make_gptq.py's weights and inputs, and the inputs' Hessian.
func gptqLayer() (w, x []float32, h *quantise.Hessian) {
	for i := range uint64(gptqRows * gptqCols) {
		w = append(w, float32(gptqNumber(i)/32))
	}
	for t := range uint64(gptqTokens) {
		last := 0.0
		for j := range uint64(gptqCols) {
			last = 0.75*last + gptqNumber(1<<32|(t*gptqCols+j))
			v := last
			switch {
			case j == 77:
				v = 0
			case j%37 == 5:
				v *= 8
			}
			x = append(x, float32(v))
		}
	}
	h = &quantise.Hessian{N: gptqCols, Sum: make([]float32, gptqCols*gptqCols), Rows: gptqTokens}
	for i := range gptqCols {
		for j := range gptqCols {
			sum := 0.0
			for t := range gptqTokens {
				sum += float64(x[t*gptqCols+i]) * float64(x[t*gptqCols+j])
			}
			h.Sum[i*gptqCols+j] = float32(sum)
		}
	}
	return w, x, h
}

// gptqError is Σ (x·(w - q))² over all inputs and rows.
func gptqError(w, x []float32, m *quantise.Matrix) (total float64) {
	q := make([]float32, gptqCols)
	for r := range gptqRows {
		m.Row(r, q)
		for t := range gptqTokens {
			d := 0.0
			for j, v := range q {
				d += float64(x[t*gptqCols+j]) * (float64(w[r*gptqCols+j]) - float64(v))
			}
			total += d * d
		}
	}
	return total
}

// TestGPTQ: the layer's output error on the calibration text is at most 1.02 of
// gptqmodel's own quantiser's, and of AutoGPTQ's formula's, at the better of both's dampings, for each
// number of bits, symmetric or not, with every group and order.
func TestGPTQ(t *testing.T) {
	var known struct {
		Sums   struct{ W, X float64 }
		Errors map[string]struct{ RTN, GPTQ, GPTQModel float64 }
	}
	text, err := os.ReadFile(golden.Dir(t, "gptq.json"))
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	if err != nil {
		t.Fatal(err)
	}
	w, x, h := gptqLayer()
	for what, c := range map[string]struct {
		x    []float32
		want float64
	}{"weights": {w, known.Sums.W}, "inputs": {x, known.Sums.X}} {
		sum := 0.0
		for _, v := range c.x {
			sum += math.Abs(float64(v))
		}
		if math.Abs(sum-c.want) > 1e-6*c.want {
			t.Fatalf("%s are not the reference's: %v, want %v", what, sum, c.want)
		}
	}
	if len(known.Errors) != 64 {
		t.Fatalf("%d schemes", len(known.Errors))
	}
	worst, worstOwn := 0.0, 0.0
	for name, want := range known.Errors {
		s, err := quantise.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.QuantiseWith(h, w, gptqRows, gptqCols, safetensors.F32, inTurn)
		if err != nil {
			t.Fatal(err)
		}
		got := gptqError(w, x, m)
		worst, worstOwn = max(worst, got/want.GPTQ), max(worstOwn, got/want.GPTQModel)
		if got > 1.02*want.GPTQ || got > 1.02*want.GPTQModel {
			t.Errorf("%s: error %.4f, the formula's %.4f, gptqmodel's %.4f (round to nearest %.4f)", name, got, want.GPTQ, want.GPTQModel, want.RTN)
		}
	}
	t.Logf("at worst %.4f of the formula's error, %.4f of gptqmodel's", worst, worstOwn)
}

// GPTQ's codes do not depend on how work is shared out, a dead input's weight is zero, and a
// Hessian that no text gave is an error, not weights.
func TestGPTQStands(t *testing.T) {
	w, _, h := gptqLayer()
	s := quantise.Scheme{Method: quantise.GPTQAsymmetric, Bits: 3, Group: 64, ActOrder: true}
	a, err := s.QuantiseWith(h, w, gptqRows, gptqCols, safetensors.BF16, inTurn)
	if err != nil {
		t.Fatal(err)
	}
	_, _, again := gptqLayer()
	b, err := s.QuantiseWith(again, w, gptqRows, gptqCols, safetensors.BF16, func(n int, one func(i int) error) error {
		for i := range n {
			if err := one(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Codes, b.Codes) || !slices.Equal(a.Scales, b.Scales) || !slices.Equal(a.Zeros, b.Zeros) {
		t.Error("the codes depend on the order of rows")
	}
	row := make([]float32, gptqCols)
	for r := range gptqRows {
		if a.Row(r, row); row[77] != 0 {
			t.Errorf("row %d: the weight of an input that is always zero is %v", r, row[77])
		}
	}
	h.Sum[3*gptqCols+3] = float32(math.Inf(1))
	bad := &quantise.Hessian{N: gptqCols, Sum: h.Sum}
	if _, err := s.QuantiseWith(bad, w, gptqRows, gptqCols, safetensors.F32, inTurn); err == nil || !strings.Contains(err.Error(), "more text") {
		t.Errorf("a Hessian with infinity: %v", err)
	}
	if _, err := s.QuantiseWith(nil, w, gptqRows, gptqCols, safetensors.F32, inTurn); err == nil {
		t.Error("no Hessian is taken for one")
	}
}
