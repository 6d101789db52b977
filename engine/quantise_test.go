package engine_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

// openQuantised opens a checkpoint and quantises it as it is read.
func openQuantised(t *testing.T, dir, scheme string, include ...string) *checkpoint.Checkpoint {
	t.Helper()
	s, err := quantise.Parse(scheme)
	if err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{Quantise: &checkpoint.Quantisation{Scheme: s, Include: include}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ck.Close() })
	return ck
}

// linears are the blocks' linear layers, and others what else could be quantised.
func linears(ck *checkpoint.Checkpoint) (all, others []*checkpoint.View) {
	for i := range ck.Layers {
		l := &ck.Layers[i]
		all = append(all, l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down, l.OutputGate, l.Shared.Gate, l.Shared.Up, l.Shared.Down)
		for _, e := range l.Experts {
			all = append(all, e.Gate, e.Up, e.Down)
		}
		others = append(others, l.Router, l.SharedGate, l.AttnNorm.Weight, l.MLPNorm.Weight, l.QNorm.Weight, l.QBias, l.Scale, l.Sinks)
	}
	return all, append(others, ck.Embed, ck.Positions, ck.Head, ck.Norm.Weight)
}

// TestQuantisedFamilies: in every family, however its weights are stored (fused,
// transposed, permuted, all experts in one), each linear layer's row has the numbers of
// that row quantised alone, groups along the inputs; the rest is as it was.
func TestQuantisedFamilies(t *testing.T) {
	s := quantise.Scheme{Method: quantise.RTNAsymmetric, Bits: 4, Group: 32}
	one := func(n int, task func(i int) error) error {
		for i := range n {
			if err := task(i); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range golden.Families(t) {
		t.Run(name, func(t *testing.T) {
			g := golden.Family(t, name)
			plain, err := checkpoint.Open(g.Dir, checkpoint.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			ck := openQuantised(t, g.Dir, s.String())
			before, same := linears(plain)
			after, still := linears(ck)
			changed := 0
			for i, v := range before {
				if v == nil {
					continue
				}
				row, want, got := make([]float32, v.K), make([]float32, v.K), make([]float32, v.K)
				for j := range v.N {
					v.RowF32(j, row)
					m, err := s.Quantise(row, 1, v.K, safetensors.F32, one)
					if err != nil {
						t.Fatal(err)
					}
					m.Row(0, want)
					if after[i].RowF32(j, got); !slices.Equal(got, want) {
						t.Fatalf("%s, row %d: %v ..., want %v ...", v.Stored.Name, j, got[:3], want[:3])
					}
					if !slices.Equal(got, row) {
						changed++
					}
				}
			}
			if changed == 0 {
				t.Error("nothing is quantised")
			}
			for i, v := range same {
				if v != nil && !slices.Equal(v.F32(), still[i].F32()) {
					t.Errorf("%s changed", v.Stored.Name)
				}
			}
			if ck.DType != plain.DType {
				t.Errorf("the weights' dtype is %s, was %s: the arithmetic would change with it", ck.DType, plain.DType)
			}
		})
	}
}

// What is included is quantised too; a quantised checkpoint has its own hash, and is
// refused where its weights have few bits already.
func TestQuantisedInclude(t *testing.T) {
	dir := golden.Dir(t, "tiny")
	hashes := map[string]string{}
	for _, include := range [][]string{nil, {"norms"}, {"embeddings", "head"}} {
		ck := openQuantised(t, dir, "rtn:3:32", include...)
		sum, err := ck.SHA256(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		hashes[strings.Join(include, "+")] = sum
		distinct := func(v *checkpoint.View, group int) int {
			seen := map[float32]bool{}
			for _, x := range v.F32()[:group] {
				seen[x] = true
			}
			return len(seen)
		}
		if few := distinct(ck.Norm.Weight, 32) <= 8; few != slices.Contains(include, "norms") {
			t.Errorf("%v: the norm has few numbers: %v", include, few)
		}
		if few := distinct(ck.Embed, 32) <= 8; few != slices.Contains(include, "embeddings") {
			t.Errorf("%v: the embedding has few numbers: %v", include, few)
		}
	}
	a, b := openQuantised(t, dir, "rtn:3:64"), openQuantised(t, dir, "rtn:3:32")
	for name, ck := range map[string]*checkpoint.Checkpoint{"group 64": a, "again": b} {
		sum, err := ck.SHA256(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		hashes[name] = sum
	}
	if hashes["again"] != hashes[""] || hashes["group 64"] == hashes[""] || hashes["norms"] == hashes[""] {
		t.Errorf("hashes %v", hashes)
	}
	for _, name := range golden.Formats(t, "quantised") {
		if name == "f64" {
			continue // more bits, not fewer
		}
		dir := golden.Dir(t, "formats", "quantised", name)
		q := &checkpoint.Quantisation{Scheme: quantise.Scheme{Method: quantise.RTN, Bits: 4}}
		plain, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		_, err = checkpoint.Open(dir, checkpoint.Options{Quantise: q})
		if err == nil || !strings.Contains(err.Error(), "quantised already") {
			t.Errorf("%s (%s): %v", name, plain.Format, err)
		}
	}
}

// More bits are nearer to the weights' own scores, whatever the method, on every
// kernel set and in both arithmetics, and no score depends on the batch.
func TestQuantisedScores(t *testing.T) {
	dir := golden.Dir(t, "tiny")
	ids := make([]int32, 96)
	targets := make([]int32, len(ids))
	for i := range ids {
		ids[i], targets[i] = int32(i*7%200+3), int32(i*5%200+3)
	}
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			o := CPUOptions{Set: set, Threads: 2, Formats: kernel.FormatsOf(dt)}
			plain, _ := open(t, dir, "", o)
			want := scoreAll(t, plain, ids, targets, RunOptions{})
			for _, method := range []string{"rtn", "rtn-asym", "hqq"} {
				last := math.Inf(1)
				for _, bits := range []string{"2", "4", "8"} {
					b, err := NewCPU(t.Context(), openQuantised(t, dir, method+":"+bits), o)
					if err != nil {
						t.Fatal(err)
					}
					m := New(b, 1<<20)
					var away float64
					got := scoreAll(t, m, ids, targets, RunOptions{})
					small := scoreAll(t, m, ids, targets, RunOptions{BatchTokens: 5})
					for i := range got {
						away += math.Abs(float64(got[i].LogProbs[0] - want[i].LogProbs[0]))
						if got[i].LogProbs[0] != small[i].LogProbs[0] {
							t.Fatalf("%s:%s: position %d depends on the batch", method, bits, i)
						}
					}
					if !(away < last) || away == 0 {
						t.Errorf("%s:%s in %v: %v away, %v with fewer bits", method, bits, dt, away, last)
					}
					last = away
				}
			}
		}
	})
}
