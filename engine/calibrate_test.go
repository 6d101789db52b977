package engine_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/golden"
)

// calibrated opens a checkpoint and quantises it by GPTQ on sequences of a fixed pattern.
func calibrated(t *testing.T, dir, scheme string, o CalibrateOptions) (*checkpoint.Checkpoint, *checkpoint.Quantising, error) {
	t.Helper()
	s, err := quantise.Parse(scheme)
	if err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ck.Close() })
	z, err := ck.NewQuantising(&checkpoint.Quantisation{Scheme: s, Calibration: &checkpoint.Calibration{SHA256: "x", Sequences: len(o.Sequences), Length: len(o.Sequences[0])}})
	if err != nil {
		t.Fatal(err)
	}
	return ck, z, Calibrate(t.Context(), ck, z, o)
}

// textSequences are the tokens of a text that a trained model knows, the last quarter apart.
func textSequences(t *testing.T, dir string, length int) (shown, asked [][]int32) {
	t.Helper()
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(golden.Dir(t, "docs", "wikitext2", "validation.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]int32
	for ids := tok.Encode(string(text), true); len(ids) >= length; ids = ids[length:] {
		all = append(all, ids[:length])
	}
	cut := len(all) * 3 / 4
	return all[:cut], all[cut:]
}

// patterns are sequences of ids below most.
func patterns(n, length, most, seed int) (all [][]int32) {
	for s := range n {
		ids := make([]int32, length)
		for i := range ids {
			ids[i] = int32(((i+s)*(i+7)*31 + s*17 + seed) % (most - 3))
		}
		all = append(all, ids)
	}
	return all
}

// unevenColumns is a copy of a bfloat16 Llama in which every eighth weight of the norms of its blocks is
// eight times what it was, and what reads it an eighth: the same function, since powers of two
// change no rounding.
func unevenColumns(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, "model.safetensors")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(binary.LittleEndian.Uint64(file))
	var tensors map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets []int  `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:header], &tensors); err != nil {
		t.Fatal(err)
	}
	moved := 0
	for name, x := range tensors {
		exponent := 0
		switch {
		case strings.HasSuffix(name, "layernorm.weight"):
			exponent = 3
		case regexp.MustCompile(`\.([qkv]|gate|up)_proj\.weight$`).MatchString(name):
			exponent = -3
		}
		if exponent == 0 {
			continue
		}
		if x.DType != "BF16" {
			t.Fatalf("%s is %s", name, x.DType)
		}
		width := x.Shape[len(x.Shape)-1]
		data := file[header+x.Offsets[0] : header+x.Offsets[1]]
		for i := 0; i < len(data)/2; i++ {
			if v := binary.LittleEndian.Uint16(data[2*i:]); i%width%8 == 0 && v&0x7f80 != 0 {
				binary.LittleEndian.PutUint16(data[2*i:], v+uint16(exponent<<7))
				moved++
			}
		}
	}
	if moved == 0 {
		t.Fatal("nothing was scaled")
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestCalibrate: weights that GPTQ makes answer nearer to the model's own than those of
// round-to-nearest with as many bits, on sequences of the same kind that it was not shown, in
// both arithmetics, and so do those of AWQ where columns are uneven; weights do not depend on
// the threads, and a calibration that was stopped goes on to the same.
func TestCalibrate(t *testing.T) {
	dir := golden.Dir(t, "tiny") // trained
	shown, asked := textSequences(t, dir, 64)
	uneven := unevenColumns(t, dir)
	set := kernel.Best()
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		o := CPUOptions{Set: set, Threads: 2, Formats: kernel.FormatsOf(dt)}
		answers := func(ck *checkpoint.Checkpoint) (all []float32) {
			b, err := NewCPU(t.Context(), ck, o)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			for _, ids := range asked {
				for _, s := range scoreAll(t, New(b, 1<<20), ids, ids, RunOptions{}) {
					all = append(all, s.LogProbs[0])
				}
			}
			return all
		}
		plain, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		want := answers(plain)
		away := func(ck *checkpoint.Checkpoint) (sum float64) {
			for i, v := range answers(ck) {
				sum += math.Pow(float64(v-want[i]), 2)
			}
			return sum
		}
		for _, bits := range []string{"2", "3", "4"} {
			nearest := away(openQuantised(t, dir, "rtn:"+bits+":32"))
			for _, act := range []string{"", ":act"} {
				ck, _, err := calibrated(t, dir, "gptq:"+bits+":32"+act, CalibrateOptions{CPUOptions: o, Sequences: shown})
				if err != nil {
					t.Fatal(err)
				}
				got := away(ck)
				t.Logf("%v, %s bits%s: %.4g away from the model, round to nearest %.4g", dt, bits, act, got, nearest)
				if !(got < 0.9*nearest) {
					t.Errorf("%v, %s bits%s: %.4g away from the model, round to nearest %.4g", dt, bits, act, got, nearest)
				}
			}
		}
		// AWQ has something to find where columns differ in what they carry: the same model, with
		// a scale of eight moved from every eighth column of the weights into the norm before.
		for _, scheme := range []string{":3:32", "-asym:3:32", ":4:32", "-asym:4:32"} {
			nearest := away(openQuantised(t, uneven, "rtn"+scheme))
			ck, _, err := calibrated(t, uneven, "awq"+scheme, CalibrateOptions{CPUOptions: o, Sequences: shown})
			if err != nil {
				t.Fatal(err)
			}
			got := away(ck)
			t.Logf("%v, awq%s: %.4g away from the model, round to nearest %.4g", dt, scheme, got, nearest)
			if !(got < 0.5*nearest) {
				t.Errorf("%v, awq%s: %.4g away from the model, round to nearest %.4g", dt, scheme, got, nearest)
			}
		}
		for _, scheme := range []string{"gptq-asym:3:32", "awq:3:32"} {
			stoppedCalibration(t, dir, scheme, o, shown, answers)
		}
	}
}

// stoppedCalibration: one that is stopped after the first block, and gone on with on one thread, comes
// to the weights of one go.
func stoppedCalibration(t *testing.T, dir, scheme string, o CPUOptions, shown [][]int32, answers func(*checkpoint.Checkpoint) []float32) {
	t.Helper()
	first, _, err := calibrated(t, dir, scheme, CalibrateOptions{CPUOptions: o, Sequences: shown})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	kept := filepath.Join(t.TempDir(), "block-%d")
	var z *checkpoint.Quantising
	run := func(threads int, after int) (*checkpoint.Checkpoint, error) {
		s, _ := quantise.Parse(scheme)
		ck, err := checkpoint.Open(dir, checkpoint.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ck.Close() })
		if z, err = ck.NewQuantising(&checkpoint.Quantisation{Scheme: s}); err != nil {
			t.Fatal(err)
		}
		p := o
		p.Threads = threads
		return ck, Calibrate(t.Context(), ck, z, CalibrateOptions{CPUOptions: p, Sequences: shown,
			Restore: func(l int) (bool, error) { return z.ReadLayer(t.Context(), l, fmt.Sprintf(kept, l)) },
			Save: func(l int) error {
				if err := z.WriteLayer(l, fmt.Sprintf(kept, l)); err != nil || l == after {
					return errors.Join(err, stop)
				}
				return nil
			}})
	}
	if _, err := run(2, 0); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	second, err := run(1, -1)
	if err != nil {
		t.Fatal(err)
	}
	a, b := answers(first), answers(second)
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("%s: a calibration that was stopped came to other weights: answer %d is %v, of one go %v", scheme, i, b[i], a[i])
		}
	}
	if first.Quantised == nil || second.Quantised.Weights != first.Quantised.Weights || second.Quantised.Bytes != first.Quantised.Bytes {
		t.Errorf("%s: %+v, %+v", scheme, first.Quantised, second.Quantised)
	}
}

// TestCalibratedFamilies: every family's linear layers are calibrated, however they are
// stored and whatever else a block has; the hash before is that after.
func TestCalibratedFamilies(t *testing.T) {
	for _, name := range golden.Families(t) {
		t.Run(name, func(t *testing.T) {
			calibrateFamily(t, golden.Family(t, name), quantise.GPTQ)
			calibrateFamily(t, golden.Family(t, name), quantise.AWQ)
		})
	}
}

func calibrateFamily(t *testing.T, g golden.Model, method quantise.Method) {
	t.Helper()
	s := quantise.Scheme{Method: method, Bits: 4, Group: 32}
	ck, err := checkpoint.Open(g.Dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	nearest := openQuantised(t, g.Dir, "rtn:4:32")
	z, err := ck.NewQuantising(&checkpoint.Quantisation{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	before, err := ck.SHA256(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	length := 24
	if most := ck.Config.MaxPositions; most > 0 {
		length = min(length, most)
	}
	err = Calibrate(t.Context(), ck, z, CalibrateOptions{
		CPUOptions: CPUOptions{Threads: 2}, Sequences: patterns(3, length, ck.Config.Vocab, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	if ck.Quantised.Weights != nearest.Quantised.Weights || ck.Quantised.Parameters != nearest.Quantised.Parameters {
		t.Errorf("%d weights of %d parameters are quantised, %d of %d by round-to-nearest", ck.Quantised.Weights, ck.Quantised.Parameters, nearest.Quantised.Weights, nearest.Quantised.Parameters)
	}
	again, err := checkpoint.Open(g.Dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	other, err := again.SHA256(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if before == other {
		t.Error("the hash is that of the weights before")
	}
}
