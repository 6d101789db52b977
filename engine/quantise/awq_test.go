package quantise_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

// awqLayer is gptqLayer with what AWQ wants of inputs, and a store that takes any scales.
func awqLayer(set kernel.Set) (w, x []float32, in quantise.Inputs) {
	w, x, h := gptqLayer()
	h.Magnitudes, h.Set = make([]float64, gptqCols), set
	for i, v := range x {
		h.Magnitudes[i%gptqCols] += math.Abs(float64(v))
	}
	return w, x, quantise.Inputs{Hessian: h, Fold: func(s []float32) ([]float32, bool) { return s, true }}
}

// scaledError is gptqError of weights that were quantised with scales of their inputs.
func scaledError(t *testing.T, s quantise.Scheme, w, x, scales []float32) (total float64) {
	t.Helper()
	scaled := slices.Clone(w)
	quantise.ScaleWeights(scaled, gptqCols, scales, nil)
	m, err := s.Quantise(scaled, gptqRows, gptqCols, safetensors.F32, inTurn)
	if err != nil {
		t.Fatal(err)
	}
	q := make([]float32, gptqCols)
	for r := range gptqRows {
		m.Row(r, q)
		for n := 0; n < len(x); n += gptqCols {
			d := 0.0
			for j, v := range q {
				d += float64(x[n+j]) * (float64(w[r*gptqCols+j]) - float64(v)/float64(scales[j]))
			}
			total += d * d
		}
	}
	return total
}

// TestAWQ: the layer's output error on the calibration text is at most 1.02 of the better of AutoAWQ's
// two forms, by its own search and rounding, at each number of bits, symmetric or not, with
// every group; the error that the search counts is the outputs' own; scales of an exponent are AutoAWQ's.
func TestAWQ(t *testing.T) {
	var known struct {
		Errors map[string]struct{ RTN, Paper, Duo float64 }
		Scales struct{ Paper, Duo []float32 }
	}
	text, err := os.ReadFile(golden.Dir(t, "awq.json"))
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(known.Errors) != 32 {
		t.Fatalf("%d schemes", len(known.Errors))
	}
	w, x, in := awqLayer(kernel.Best())
	readers := []quantise.Reader{{W: w, Format: safetensors.F32}}
	worst := 0.0
	for name, want := range known.Errors {
		s, err := quantise.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.SearchScales(in, readers, inTurn)
		if err != nil {
			t.Fatal(err)
		}
		if found.Scales == nil {
			t.Fatalf("%s: no scales were found", name)
		}
		s.ToLast = found.ToLast
		got := scaledError(t, s, w, x, found.Scales)
		if math.Abs(got-found.Loss) > 1e-4*got {
			t.Errorf("%s: the search counts an error of %v, the outputs' is %v", name, found.Loss, got)
		}
		reference := min(want.Paper, want.Duo)
		worst = max(worst, got/reference)
		if got > 1.02*reference {
			t.Errorf("%s: error %.4f, AutoAWQ's %.4f (round to nearest %.4f): %.3f of it", name, got, reference, found.Nearest, got/reference)
		}
	}
	t.Logf("at worst %.4f of AutoAWQ's error", worst)

	s := quantise.Scheme{Method: quantise.AWQAsymmetric, Bits: 3, Group: 64}
	for form, want := range map[string][]float32{"paper": known.Scales.Paper, "duo": known.Scales.Duo} {
		nearest := math.Inf(1)
		for step := range 20 { // which exponent was the best is not in the file
			away := 0.0
			for i, v := range s.AWQScales(in, readers, float64(step)/20, form == "duo") {
				away = max(away, math.Abs(float64(v-want[i]))/float64(want[i]))
			}
			nearest = min(nearest, away)
		}
		if !(nearest < 1e-5) || len(want) != gptqCols {
			t.Errorf("%s: the nearest scales are %v from AutoAWQ's", form, nearest)
		}
	}
}

// Scales that cannot be stored are not taken, inputs of one stored number have one scale, none are
// found where all inputs matter alike, and the search needs magnitudes.
func TestAWQStands(t *testing.T) {
	w, _, in := awqLayer(nil)
	readers := []quantise.Reader{{W: w, Format: safetensors.BF16}}
	s := quantise.Scheme{Method: quantise.AWQ, Bits: 4, Group: 64}
	refusing := in
	refusing.Fold = func([]float32) ([]float32, bool) { return nil, false }
	if found, err := s.SearchScales(refusing, readers, inTurn); err != nil || found.Scales != nil || found.Loss != found.Nearest {
		t.Errorf("nothing can be stored: %+v, %v", found, err)
	}
	shared := in
	for i := range gptqCols {
		shared.Of = append(shared.Of, i%(gptqCols/2))
	}
	found, err := s.SearchScales(shared, readers, inTurn)
	if err != nil || len(found.Scales) != gptqCols/2 || found.Loss >= found.Nearest {
		t.Fatalf("shared scales: %+v, %v", found, err)
	}
	if all := shared.Expand(found.Scales); !slices.Equal(all[:gptqCols/2], all[gptqCols/2:]) {
		t.Error("inputs of one stored number have two scales")
	}
	zero := make([]float32, len(w)) // rounds to itself, whatever the scales
	if found, err := s.SearchScales(in, []quantise.Reader{{W: zero, Format: safetensors.F32}}, inTurn); err != nil || found.Scales != nil || found.Loss != 0 {
		t.Errorf("weights of zero: %+v, %v", found, err)
	}
	in.Hessian.Magnitudes = nil
	if _, err := s.SearchScales(in, readers, inTurn); err == nil || !strings.Contains(err.Error(), "no calibration") {
		t.Errorf("without magnitudes: %v", err)
	}
}
