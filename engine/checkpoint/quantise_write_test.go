package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/quantised"
)

const tinyModel = "../../testdata/golden/tiny"

// What is written in each scheme is read again as the weights that the same scheme makes on
// the fly, to the bit, and the same input gives the same bytes.
func TestWrittenIsReadAgain(t *testing.T) {
	plain, err := Open(tinyModel, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	tried := 0
	for _, method := range quantise.Methods {
		for _, bits := range []int{2, 3, 4, 8} {
			for _, form := range [][2]string{{"32", ""}, {"row", ""}, {"32", "gptq"}, {"row", "gptq"}} {
				s, err := quantise.Parse(fmt.Sprintf("%s:%d:%s", method, bits, form[0]))
				if err != nil {
					continue
				}
				layout, err := quantised.LayoutOf(s, form[1])
				if err != nil {
					continue
				}
				if s.Calibrated() { // on a text, by the engine, whose tests write and read it
					if _, _, err := plain.QuantisedEntries(t.Context(), s, layout, nil); err == nil || !strings.Contains(err.Error(), "calibrated") {
						t.Errorf("%s without a text: %v", s, err)
					}
					continue
				}
				tried++
				s.Format = layout.Format()
				var files [2][]byte
				for i := range files {
					dir := t.TempDir()
					config, entries, err := plain.QuantisedEntries(t.Context(), s, layout, nil)
					if err != nil {
						t.Fatal(s, err)
					}
					if err := Write(dir, config, entries...); err != nil {
						t.Fatal(s, err)
					}
					if files[i], err = os.ReadFile(filepath.Join(dir, "model.safetensors")); err != nil {
						t.Fatal(err)
					}
					compareWritten(t, dir, s)
				}
				if !bytes.Equal(files[0], files[1]) {
					t.Errorf("%s: two writings differ", s)
				}
			}
		}
	}
	if tried != 37 {
		t.Errorf("%d schemes tried", tried)
	}
}

// What is written are, read again, the weights that compressed-tensors, bitsandbytes and GPTQModel make
// of the same files, to the bit: testdata/golden/make_written.py.
func TestWrittenElsewhere(t *testing.T) {
	text, err := os.ReadFile("../../testdata/golden/written.json")
	if err != nil {
		t.Fatal(err)
	}
	var made []struct {
		Scheme, Layout string
		Weights        map[string]string
	}
	if err := json.Unmarshal(text, &made); err != nil {
		t.Fatal(err)
	}
	plain, err := Open(tinyModel, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for _, m := range made {
		s, err := quantise.Parse(m.Scheme)
		if err != nil {
			t.Fatal(err)
		}
		layout, err := quantised.LayoutOf(s, m.Layout)
		if err != nil {
			t.Fatal(err)
		}
		config, entries, err := plain.QuantisedEntries(t.Context(), s, layout, nil)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := Write(dir, config, entries...); err != nil {
			t.Fatal(err)
		}
		written, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for i := range written.Layers {
			l := &written.Layers[i]
			for _, v := range []*View{l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down} {
				var numbers []byte
				for _, x := range v.F32() {
					numbers = binary.LittleEndian.AppendUint32(numbers, math.Float32bits(x))
				}
				sum := sha256.Sum256(numbers)
				if want := m.Weights[v.Stored.Name]; hex.EncodeToString(sum[:16]) != want {
					t.Errorf("%s %s: %s is read with other numbers than others read", m.Scheme, m.Layout, v.Stored.Name)
				}
				compared++
			}
		}
		if compared != len(m.Weights) {
			t.Errorf("%s %s: %d weights compared of %d", m.Scheme, m.Layout, compared, len(m.Weights))
		}
		written.Close()
	}
	if len(made) != 18 {
		t.Errorf("%d schemes", len(made))
	}
}

func compareWritten(t *testing.T, dir string, s quantise.Scheme) {
	t.Helper()
	written, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(s, err)
	}
	defer written.Close()
	fly, err := Open(tinyModel, Options{Quantise: &Quantisation{Scheme: s}})
	if err != nil {
		t.Fatal(s, err)
	}
	defer fly.Close()
	for i := range fly.Layers {
		a, b := &written.Layers[i], &fly.Layers[i]
		for n, pair := range [][2]*View{{a.Q, b.Q}, {a.K, b.K}, {a.V, b.V}, {a.O, b.O}, {a.Gate, b.Gate}, {a.Up, b.Up}, {a.Down, b.Down}, {a.AttnNorm.Weight, b.AttnNorm.Weight}} {
			if !slices.Equal(pair[0].F32(), pair[1].F32()) {
				t.Fatalf("%s: layer %d, weight %d is read with other numbers than it has on the fly", s, i, n)
			}
		}
	}
	if !slices.Equal(written.Embed.F32(), fly.Embed.F32()) {
		t.Errorf("%s: the embedding changed", s)
	}
}

// What a format does not hold is refused before anything is quantised.
func TestNotWritable(t *testing.T) {
	for text, says := range map[string]string{"hqq:4": "--quantize hqq:4:64", "nf4:4:row": "one block size"} {
		s, err := quantise.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := quantised.LayoutOf(s, ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for dir, says := range map[string]string{"../../testdata/golden/formats/quantised/gptq": "quantised already", "../../testdata/golden/formats/gguf/llama.gguf": "no packed one"} {
		ck, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		ck.fewBits = ck.fewBits && !strings.HasSuffix(dir, "gguf")
		if _, _, err := ck.QuantisedEntries(t.Context(), quantise.Scheme{Method: quantise.RTN, Bits: 4}, quantised.CompressedTensors, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
