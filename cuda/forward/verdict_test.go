package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randforest"
	"github.com/softbench/softbench/internal/randmodel"
)

// verdict gives a checkpoint to a device: "computed" where its float32 is the CPU's, else
// the line it is refused with.
func verdict(t *testing.T, ck *checkpoint.Checkpoint) string {
	t.Helper()
	b, err := forward.New(context.Background(), sim.New(reserve+memory), ck, forward.Options{})
	if err != nil {
		if !errors.Is(err, forward.ErrUnsupported) || !strings.Contains(err.Error(), "--device cpu") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: want one line that says what to do", err)
		}
		return err.Error()
	}
	defer b.Close()
	cpu, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Threads: 1, Set: kernel.Generic{}})
	if err != nil {
		t.Fatal(err)
	}
	defer cpu.Close()
	f := randforest.New(rand.New(rand.NewPCG(5, 11)), 6, ck.Config.Vocab, randforest.UpToThree)
	equalResults(t, run(t, engine.New(b, ck.Config.Vocab), f, engine.RunOptions{}), run(t, engine.New(cpu, ck.Config.Vocab), f, engine.RunOptions{}))
	return "computed"
}

// TestEveryKindHasAVerdict: each kind of attention, plain, scaled, gated, with a soft cap,
// is computed as the CPU does, or refused with its name: by the device, or as it is read
// where the model lacks the weights that it needs.
func TestEveryKindHasAVerdict(t *testing.T) {
	computed := 0
	for _, kind := range attention.Kinds() {
		for _, front := range []string{"", "scaled-", "gated-", "softcap-30-", "gated-softcap-30-scaled-"} {
			spec, err := attention.Parse(front + kind.String())
			if err != nil {
				t.Fatal(err)
			}
			t.Run(front+kind.String(), func(t *testing.T) {
				m := model{options: randmodel.Options{Type: "llama", Hidden: 64, Intermediate: 96, Vocab: 300, Heads: 2, KVHeads: 1, HeadDim: 32, ScoreGain: 3, Seed: 5}}
				if spec.Scaled { // which has the scales
					m.options.Type, m.options.Attention = "transformer", "scaled-softpick"
				}
				dir := t.TempDir()
				if err := randmodel.Write(dir, m.options); err != nil {
					t.Fatal(err)
				}
				ck, err := checkpoint.Open(dir, checkpoint.Options{Attention: spec.String()})
				got := ""
				if err != nil {
					got = strings.ReplaceAll(err.Error(), dir, "") // which has the kind's name
				} else {
					defer ck.Close()
					got = verdict(t, ck)
				}
				t.Log(got)
				if ours := slices.Contains(abi.Kinds, kind) && !spec.Gated && spec.Cap == 0; ours {
					if computed++; got != "computed" {
						t.Errorf("%s; want it computed", got)
					}
				} else if !namesKind(got, spec) {
					t.Errorf("%q does not name %s", got, spec)
				}
			})
		}
	}
	if computed != 2*len(abi.Kinds) {
		t.Errorf("%d kinds are computed", computed)
	}
}

// namesKind says whether a refusal names the kind or what of it is not computed.
func namesKind(text string, s attention.Spec) bool {
	return strings.Contains(text, s.String()) || s.Gated && strings.Contains(text, "g_proj") || s.Kind.Definition().Learned && strings.Contains(text, "sink") || s.Cap != 0 && strings.Contains(text, "soft cap")
}

// TestEveryQuantisationHasAVerdict: weights quantised by each method as they are read
// give the CPU's float32 of the same weights; products of int8 are refused by name.
func TestEveryQuantisationHasAVerdict(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, models()[len(models())-1].options); err != nil {
		t.Fatal(err)
	}
	tried := map[quantise.Method]bool{}
	for _, method := range quantise.Methods {
		for _, text := range []string{string(method) + ":4:32", string(method) + ":3:32", string(method) + ":8", string(method)} {
			scheme, err := quantise.Parse(text)
			if err != nil { // a method without this number of bits
				continue
			}
			if tried[method] = true; scheme.Calibrated() {
				continue // codes as the others'; its scales come from text, in any checkpoint that holds them
			}
			t.Run(text, func(t *testing.T) {
				ck, err := checkpoint.Open(dir, checkpoint.Options{Quantise: &checkpoint.Quantisation{Scheme: scheme}})
				if err != nil {
					t.Fatal(err)
				}
				defer ck.Close()
				got := verdict(t, ck)
				t.Log(got)
				if want := map[bool]string{false: "computed", true: "products of int8 activations are not supported on CUDA"}[ck.Int8]; !strings.HasPrefix(got, want) {
					t.Errorf("%s; want %s", got, want)
				}
			})
		}
	}
	if len(tried) != len(quantise.Methods) {
		t.Errorf("of %v only %v were read", quantise.Methods, tried)
	}
}

// TestEveryPackedFormatHasAVerdict: the checkpoints that others wrote quantised, with
// heads of a size that the kernels have, are computed as the CPU does; or their products
// are of int8, or their model is not Llama's, and they are refused for that.
func TestEveryPackedFormatHasAVerdict(t *testing.T) {
	computed, refused := 0, map[string]int{}
	for _, name := range golden.Formats(t, "quantised") {
		dir := widerHeads(t, golden.FormatModel(t, "quantised", name, "").Dir)
		ck, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := verdict(t, ck)
		t.Logf("%s: %s", name, got)
		want := "computed"
		if beyond := ck.Config.BeyondLlama(); ck.Int8 {
			want = "products of int8 activations"
		} else if len(beyond) > 0 {
			want = beyond[0]
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
		if want == "computed" {
			computed++
		} else {
			refused[want]++
		}
		ck.Close()
	}
	if computed < 25 || len(refused) != 2 {
		t.Errorf("%d are computed, refused are %v", computed, refused)
	}
}

// widerHeads copies a checkpoint and says in its config.json that it has heads of 32.
// Where keys and values are too narrow for that, they get the weights of queries, as they
// are packed: one key head for each query head.
func widerHeads(t *testing.T, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(copied, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	number := func(key string) int { x, _ := config[key].(float64); return int(x) }
	size, width := abi.HeadSizes[0], number("hidden_size")
	if number("head_dim") != 0 || width%size != 0 { // not a Llama of a toy's size
		return copied
	}
	kv := width / number("num_attention_heads") * number("num_key_value_heads")
	if kv%size != 0 {
		queriesForKeys(t, filepath.Join(copied, "model.safetensors"))
		kv = width
	}
	config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"] = width/size, kv/size, size
	if text, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// queriesForKeys writes a file again whose keys' and values' tensors are those of queries.
func queriesForKeys(t *testing.T, path string) {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []safetensors.Entry
	for _, x := range f.Tensors() {
		if strings.Contains(x.Name, ".k_proj.") || strings.Contains(x.Name, ".v_proj.") {
			continue
		}
		for _, as := range []string{".q_proj.", ".k_proj.", ".v_proj."} {
			name := strings.Replace(x.Name, ".q_proj.", as, 1)
			list = append(list, safetensors.Entry{Name: name, DType: x.DType, Shape: x.Shape, Data: slices.Clone(x.Data)})
			if !strings.Contains(x.Name, ".q_proj.") {
				break
			}
		}
	}
	if err := errors.Join(f.Close(), safetensors.Write(path, list, map[string]string{"format": "pt"})); err != nil {
		t.Fatal(err)
	}
}
