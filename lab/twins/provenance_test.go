package twins

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/lab/session"
)

var provenance = flag.Int("provenance", 0, "make the twins anew for their first `steps`, 125 or more: a minute of a processor for 125, and as much for the world")

// apart are the steps between the lines of the histories.
const apart = 125

// madeWith are the kernels that the twins were trained with.
const madeWith = "avx512bf16"

// TestProvenance makes the world anew and trains both twins as the script make
// does, for their first steps: losses, norms and rates are those of the
// histories that lie beside the twins, to the last bit with the kernels that made
// them (AVX-512 with bf16), and the tokenizer is the same file.
func TestProvenance(t *testing.T) {
	if *provenance < apart {
		t.Skip("it takes minutes: go test ./lab/twins -run Provenance -provenance 250")
	}
	if _, err := kernel.ByName(madeWith); err != nil {
		t.Skipf("the twins were made with other kernels: %v", err)
	}
	t.Setenv("SOFTBENCH_ISA", madeWith)
	dir := t.TempDir()
	world := filepath.Join(dir, "world")
	if err := session.World(world, World); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(filepath.Join(world, "tokenizer.json"))
	kept, err2 := os.ReadFile("softmax/tokenizer.json")
	if err != nil || err2 != nil || string(made) != string(kept) {
		t.Fatalf("another tokenizer than the twins': %v %v", err, err2)
	}
	files, valid, tok, err := session.WorldFiles(world)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"softmax", "softpick"} {
		want, err := session.ReadHistory(kind + ".history.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		settings := Training
		settings.Attention = kind
		ctx, stop := context.WithCancel(context.Background())
		lines := 0
		_, err = session.Run(ctx, session.Options{
			Settings: settings, Files: files, Valid: []string{valid}, Tokenizer: tok, Out: filepath.Join(dir, kind), Threads: 2,
			SaveEvery: settings.Steps, LogEvery: apart, DiagnosticsSamples: 64,
			Line: func(got session.Line) {
				w := want[lines]
				if lines++; got.Step != w.Step || got.Tokens != w.Tokens || got.Loss != w.Loss || got.Norm != w.Norm || got.Rate != w.Rate {
					t.Errorf("%s, step %d: loss %v, norm %v, rate %v; the twin's history has, at step %d, %v, %v, %v",
						kind, got.Step, got.Loss, got.Norm, got.Rate, w.Step, w.Loss, w.Norm, w.Rate)
				}
				if got.Step+apart > *provenance {
					stop()
				}
			},
		})
		stop()
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if lines != *provenance/apart {
			t.Errorf("%s: %d lines of history after %d steps", kind, lines, *provenance)
		}
	}
}
