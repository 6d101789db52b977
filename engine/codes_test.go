package engine_test

import (
	"fmt"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// views are all matrices of a checkpoint.
func views(ck *checkpoint.Checkpoint) []*checkpoint.View {
	all, _ := linears(ck)
	return append(all, ck.Embed, ck.Head)
}

// asNumbers hides that a checkpoint's weights are codes: they are read as the numbers that
// the format's decoder makes.
func asNumbers(ck *checkpoint.Checkpoint) {
	for _, v := range views(ck) {
		if v == nil || !v.Stored.Decoded() {
			continue
		}
		d := struct{ safetensors.Decoder }{v.Stored.Decoder()}
		if of, from := v.Stored.Order(); of != nil {
			d.Decoder = safetensors.Rows{Width: v.K, Read: func(i int, dst []float32) { of.RowF32(from(i), dst) }}
		}
		v.Stored = safetensors.NewDecoded(v.Stored.Name, v.Stored.DType, v.Stored.Shape, d, v.Stored)
	}
}

// asNumbersAlone are the goldens of quantised weights that are not kept as codes, with the reason.
var asNumbersAlone = map[string]string{
	"gptq-order": "columns of a group lie apart", "ct-pack-order": "columns of a group lie apart", "ct-pack-zero-order": "columns of a group lie apart",
	"bnb-int8":       "two scales are multiplied one after the other",
	"ct-float-block": "blocks of 8 columns", "fp8-block": "blocks of 8 columns", "f64": "not codes", "f8": "numbers of eight bits without a scale",
}

// TestCodesStayPacked: matrices of every quantised format that kernels take the codes of are
// kept as codes, and these stand for the format's numbers, to the bit.
func TestCodesStayPacked(t *testing.T) {
	check := func(t *testing.T, dir string) (coded, numbers int) {
		ck, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		for _, v := range views(ck) {
			if v == nil || !v.Stored.Decoded() {
				continue
			}
			c := v.Codes()
			if c == nil || c.Coding.Check(v.K) != nil {
				numbers++
				t.Logf("%s, %s: %v", v.Stored.Name, v.Stored.DType, c != nil)
				continue
			}
			coded++
			if c.Rows != v.N || c.Cols != v.K {
				t.Fatalf("%s: codes of %d by %d, weights %d by %d", v.Stored.Name, c.Rows, c.Cols, v.N, v.K)
			}
			w := kernel.Generic{}.NewCoded(c.Coding, v.N, v.K)
			w.PackCodes(0, v.N, c.Row)
			want, got := make([]float32, v.K), make([]float32, v.K)
			for j := range v.N {
				v.RowF32(j, want)
				w.Row(j, got)
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("%s [%d,%d]: %v, want %v (%+v)", v.Stored.Name, j, i, got[i], want[i], c.Coding)
					}
				}
			}
		}
		return coded, numbers
	}
	for _, kind := range []string{"quantised", "gguf"} {
		for _, name := range golden.Formats(t, kind) {
			t.Run(kind+"/"+name, func(t *testing.T) {
				dir := golden.Dir(t, "formats", kind, name)
				if kind == "gguf" {
					dir += ".gguf"
				}
				coded, numbers := check(t, dir)
				if why := asNumbersAlone[name]; (why != "") != (coded == 0) {
					t.Errorf("%d matrices are codes, %d numbers (%s)", coded, numbers, why)
				}
			})
		}
	}
}

// manyCodes are schemes of every number of bits and form.
var manyCodes = []string{"rtn:2", "rtn:3:32", "rtn-asym:4", "hqq:4:128", "hqq:3", "nf4", "fp4:4:row", "fp8", "rtn:8:row"}

// TestCodesScore: the scores of codes are those of the numbers they stand for, to the bit, on
// every kernel set, in both arithmetics, whatever the batch and the threads.
func TestCodesScore(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 96, Intermediate: 224, Heads: 4, KVHeads: 2, Layers: 2, Vocab: 300, DType: "bfloat16"}); err != nil {
		t.Fatal(err)
	}
	ids, targets := make([]int32, 70), make([]int32, 70)
	for i := range ids {
		ids[i], targets[i] = int32(i*7%200+3), int32(i*5%200+3)
	}
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			for _, scheme := range manyCodes {
				t.Run(fmt.Sprintf("%v %s", dt, scheme), func(t *testing.T) {
					model := func(numbers bool, threads int) *Model {
						ck := openQuantised(t, dir, scheme, "embeddings", "head")
						if numbers {
							asNumbers(ck)
						}
						b, err := NewCPU(t.Context(), ck, CPUOptions{Set: set, Threads: threads, Formats: kernel.FormatsOf(dt)})
						if err != nil {
							t.Fatal(err)
						}
						ck.Forget()
						return New(b, ck.Config.Vocab)
					}
					numbers, packed := model(true, 2), model(false, 2)
					if a, b := numbers.Describe().Bytes, packed.Describe().Bytes; b*3 > a*2 {
						t.Errorf("codes take %d bytes, numbers %d", b, a)
					}
					want := scoreAll(t, numbers, ids, targets, RunOptions{})
					for what, got := range map[string][]Score{
						"codes":         scoreAll(t, packed, ids, targets, RunOptions{}),
						"small batches": scoreAll(t, packed, ids, targets, RunOptions{BatchTokens: 3}),
						"one thread":    scoreAll(t, model(false, 1), ids, targets, RunOptions{BatchTokens: 17}),
					} {
						for i := range want {
							if got[i].LogProbs[0] != want[i].LogProbs[0] || got[i].Argmax != want[i].Argmax {
								t.Fatalf("%s: position %d: %v, of the numbers %v", what, i, got[i], want[i])
							}
						}
					}
				})
			}
		}
	})
}

// TestCodesTakeFewBytes holds what docs/quantisation.md says of resident weights: the blocks'
// matrices at 4 bits in groups of 64, of what bfloat16 takes.
func TestCodesTakeFewBytes(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 256, Intermediate: 768, Heads: 4, KVHeads: 2, Layers: 2, Vocab: 64, DType: "bfloat16"}); err != nil {
		t.Fatal(err)
	}
	bytes := func(o checkpoint.Options) int64 {
		ck, err := checkpoint.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		b, err := NewCPU(t.Context(), ck, CPUOptions{Threads: 2, Formats: kernel.FormatsOf(kernel.BFloat16)})
		if err != nil {
			t.Fatal(err)
		}
		return b.Describe().Bytes - 2*2*64*256 // without the embedding and the head
	}
	plain := bytes(checkpoint.Options{})
	for scheme, most := range map[string]float64{"rtn:4": 0.30, "hqq:4": 0.35, "nf4": 0.30, "rtn:2": 0.17, "rtn:3": 0.24, "rtn:8": 0.54} {
		s, err := quantise.Parse(scheme)
		if err != nil {
			t.Fatal(err)
		}
		share := float64(bytes(checkpoint.Options{Quantise: &checkpoint.Quantisation{Scheme: s}})) / float64(plain)
		t.Logf("%s: %.3f", scheme, share)
		if share > most {
			t.Errorf("%s takes %.3f of bfloat16's bytes, want at most %.2f", scheme, share, most)
		}
	}
}
