package twins

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/rundir"
)

var update = flag.Bool("update", false, "write testdata/scores.json anew")

// scores are a twin's numbers by name: task/metric, passkey/length.
type scores map[string]float64

func scoresOf(r *rundir.Run) scores {
	s := scores{}
	for _, t := range r.Tasks {
		for _, m := range t.Metrics {
			s[t.Name+"/"+m.Name] = float64(m.Value)
		}
	}
	trials := map[int]float64{}
	for _, c := range r.Passkey {
		s[fmt.Sprintf("passkey/%d", c.Length)] += float64(c.Right)
		trials[c.Length] += float64(c.N)
	}
	for length, n := range trials {
		s[fmt.Sprintf("passkey/%d", length)] /= n
	}
	s["sink_rate"], s["sparsity"] = float64(r.Diagnostics.SinkRate), float64(r.Diagnostics.Sparsity)
	return s
}

// TestScores: both twins' scores on the built-in suite in float32 are those
// written down (go test ./lab/twins -update): every accuracy exactly, sums of
// loglikelihoods and shares within rounding. And they are worth comparing: the
// softmax twin's accuracies lie at least 15 points above chance and at most at
// 95%, and it finds the passkey at 128 tokens and not at 2048.
func TestScores(t *testing.T) {
	if testing.Short() {
		t.Skip("runs both twins on the whole suite")
	}
	set, err := Unpack(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]scores{}
	for _, dir := range []string{set.Softmax, set.Softpick} {
		r, err := eval.Run(context.Background(), eval.RunOptions{
			Suites: []string{"world"}, Model: eval.ModelOptions{Model: dir, Device: "cpu", DType: "float32"},
			Data: set.Data, BatchTokens: 512, Note: func(string) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(dir)] = scoresOf(r)
	}
	path := filepath.Join("testdata", "scores.json")
	if *update {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]scores
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for twin, w := range want {
		if len(w) < 15 || len(got[twin]) != len(w) {
			t.Errorf("%s: %d scores, %d written down", twin, len(got[twin]), len(w))
		}
		for name, x := range w {
			y, there := got[twin][name]
			slack := 2e-4 * math.Abs(x)
			if metric := filepath.Base(name); len(metric) >= 3 && metric[:3] == "acc" || filepath.Dir(name) == "passkey" {
				slack = 0
			}
			if !there || math.Abs(x-y) > slack {
				t.Errorf("%s %s is %v, was %v", twin, name, y, x)
			}
		}
	}
	softmax, softpick := got["softmax"], got["softpick"]
	for task, chance := range map[string]float64{"arc_easy": 0.25, "hellaswag": 0.25, "piqa": 0.5, "lambada_openai": 0} {
		if a, b := softmax[task+"/acc"], softpick[task+"/acc"]; max(a, b) < chance+0.15 || min(a, b) > 0.95 {
			t.Errorf("the twins' accuracies of %s are %v and %v: it tells little, chance is %v", task, a, b, chance)
		}
	}
	for _, length := range []string{"80", "96", "108", "120"} {
		if found := softmax["passkey/"+length]; found < 0.9 {
			t.Errorf("the softmax twin finds %v of the passkeys at %s tokens, inside its window", found, length)
		}
	}
}
