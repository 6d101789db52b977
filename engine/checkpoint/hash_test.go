package checkpoint_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/randmodel"
)

func sum(t testing.TB, dir string, o Options) string {
	t.Helper()
	s, err := mustOpen(t, dir, o).SHA256(t.Context())
	if err != nil || len(s) != 64 {
		t.Fatalf("SHA-256 %q, error %v", s, err)
	}
	return s
}

// The sum stands for what is computed: any byte of any weight and any setting
// changes it, the layout of the files does not.
func TestSHA256(t *testing.T) {
	o := randmodel.Options{DType: "bfloat16"}
	base := sum(t, build(t, o).write(t), Options{})
	const pinned = "8ba87fe25ea7654e5f4c8ed24f5c6ba5dd869f73526806337a89a875c1e58356"
	if base != pinned {
		t.Errorf("the sum of an unchanged model is now %s: reuse of earlier results would break", base)
	}

	sharded := t.TempDir()
	s := o
	s.ShardBytes = 10000
	if err := randmodel.Write(sharded, s); err != nil {
		t.Fatal(err)
	}
	if got := sum(t, sharded, Options{}); got != base {
		t.Error("shards change the sum")
	}
	m := build(t, o)
	m.config["torch_dtype"], m.config["use_cache"] = "float32", true
	m.add("model.rotary_emb.inv_freq", []int{1}, 1)
	slices.Reverse(m.entries)
	if got := sum(t, m.write(t), Options{}); got != base {
		t.Error("what is not used changes the sum")
	}

	seen := map[string]string{base: "nothing"}
	differs := func(what, got string) {
		t.Helper()
		if was, ok := seen[got]; ok {
			t.Errorf("the sum is the same after changing %s as after %s", what, was)
		}
		seen[got] = what
	}
	for _, name := range []string{"model.norm.weight", q1, "lm_head.weight"} {
		m := build(t, o)
		data := m.tensor(name).Data
		data[len(data)-2] ^= 1
		differs("the last byte of "+name, sum(t, m.write(t), Options{}))
	}
	for key, value := range map[string]any{"rope_theta": 10001.0, "rms_norm_eps": 1e-5, "max_position_embeddings": 513,
		"rope_scaling": map[string]any{"type": "linear", "factor": 2}, "eos_token_id": 3, "attn_impl": "softpick"} {
		m := build(t, o)
		m.config[key] = value
		differs(key, sum(t, m.write(t), Options{}))
	}
	differs("--attention", sum(t, build(t, o).write(t), Options{Attention: "rectified"}))
}

// A file cut short while it is mapped must end in an error, not in a crash.
func TestCutShortWhileOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what touching a page beyond the file does differs by system")
	}
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Vocab: 4096}); err != nil {
		t.Fatal(err)
	}
	k := mustOpen(t, dir, Options{SkipFinite: true})
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := k.SHA256(t.Context()); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("error %v", err)
	}
}
