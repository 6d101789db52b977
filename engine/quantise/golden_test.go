package quantise_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

const rows, cols = 8, 256

// matrix is make_quantisers.py's.
func matrix() []float32 {
	w := make([]float32, rows*cols)
	for i := range w {
		h := uint64(i) + 0x9E3779B97F4A7C15
		h = (h ^ h>>30) * 0xBF58476D1CE4E5B9
		h = (h ^ h>>27) * 0x94D049BB133111EB
		h ^= h >> 31
		b := func(n int) float64 { return float64(h >> (8 * n) & 255) }
		v := (b(0) + b(1) + b(2) + b(3) - 510 + b(4)/256) / 8192
		if b(5) < 4 {
			v *= 8
		}
		w[i] = float32(v)
		switch {
		case i/cols == 5:
			w[i] = 0
		case i/cols == 6 && i%cols < 128:
			w[i] = 0.375
		}
	}
	return w
}

func sha[T any](x []T) string {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, x) // a buffer takes everything
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

func inTurn(n int, one func(i int) error) error {
	for i := n - 1; i >= 0; i-- { // no number depends on the order
		if err := one(i); err != nil {
			return err
		}
	}
	return nil
}

// made is what a scheme makes of a matrix in a format.
func made(t *testing.T, name string, w []float32, rows, cols int) (m *quantise.Matrix, codes []uint8, numbers []float32) {
	t.Helper()
	text, format, _ := strings.Cut(name, " ")
	s, err := quantise.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if s.String() != text {
		t.Fatalf("%q is read as %q", text, s)
	}
	d := safetensors.DType(format)
	stored := make([]byte, len(w)*d.Bits()/8)
	x := make([]float32, len(w))
	safetensors.Encode(d, stored, w)
	safetensors.Decode(d, x, stored)
	if m, err = s.Quantise(x, rows, cols, d, inTurn); err != nil {
		t.Fatal(err)
	}
	codes, numbers = make([]uint8, rows*cols), make([]float32, rows*cols)
	for i := range rows {
		m.RowCodes(i, codes[i*cols:][:cols])
		m.Row(i, numbers[i*cols:][:cols])
	}
	return m, codes, numbers
}

// TestReferences compares codes, scales, zeros and dequantised numbers with those of
// compressed-tensors and bitsandbytes, to the bit, and HQQ's with the hqq package's.
func TestReferences(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(golden.Dir(t), "quantisers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Weights string
		Schemes map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	w := matrix()
	if sha(w) != want.Weights {
		t.Fatal("the weights are not those that the references were given")
	}
	if len(want.Schemes) != 148 {
		t.Errorf("%d schemes", len(want.Schemes))
	}
	for name, raw := range want.Schemes {
		m, codes, numbers := made(t, name, w, rows, cols)
		if strings.HasPrefix(name, "hqq") {
			compareHQQ(t, name, raw, w, m, codes, numbers)
			continue
		}
		var known struct{ Codes, Scales, Zeros, Numbers string }
		if err := json.Unmarshal(raw, &known); err != nil {
			t.Fatal(err)
		}
		if sha(codes) != known.Codes {
			t.Errorf("%s: the codes are not the reference's", name)
		}
		if sha(m.Scales) != known.Scales {
			t.Errorf("%s: the scales are not the reference's", name)
		}
		if known.Zeros != "" && sha(m.Zeros) != known.Zeros {
			t.Errorf("%s: the zeros are not the reference's: %v", name, m.Zeros)
		}
		if sha(numbers) != known.Numbers {
			t.Errorf("%s: the numbers are not the reference's", name)
		}
	}
}

// compareHQQ wants equal codes and scales; a mean over a group is added in another
// order there, so zeros may differ in their last bits.
func compareHQQ(t *testing.T, name string, raw json.RawMessage, w []float32, m *quantise.Matrix, codes []uint8, numbers []float32) {
	t.Helper()
	var known struct {
		Codes         string
		Scales, Zeros []float32
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		t.Fatal(err)
	}
	theirs, err := hex.DecodeString(known.Codes)
	if err != nil || len(theirs) != len(codes) {
		t.Fatal(name, err, len(theirs))
	}
	other, loss, theirLoss := 0, 0.0, 0.0
	for i, c := range codes {
		g := i / m.Group
		if c != theirs[i] {
			other++
		}
		back := (float32(theirs[i]) - known.Zeros[g]) * known.Scales[g]
		loss += math.Abs(float64(w[i] - numbers[i]))
		theirLoss += math.Abs(float64(w[i] - back))
	}
	if other > 0 {
		t.Errorf("%s: %d of %d codes differ", name, other, len(codes))
	}
	if math.Abs(loss-theirLoss) > 1e-6 { // sums over all numbers
		t.Errorf("%s: the loss is %v, there %v", name, loss, theirLoss)
	}
	for g, s := range known.Scales {
		if m.Scales[g] != s {
			t.Errorf("%s: scale %d is %v, there %v", name, g, m.Scales[g], s)
		}
		if d := math.Abs(float64(m.Zeros[g] - known.Zeros[g])); d > 2e-6*max(1, math.Abs(float64(known.Zeros[g]))) {
			t.Errorf("%s: zero %d is %v, there %v", name, g, m.Zeros[g], known.Zeros[g])
		}
	}
}
