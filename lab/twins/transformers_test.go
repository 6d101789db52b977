package twins

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/lm"
)

// TestEqualsTransformers: both twins, as transformers computes them in float32
// (softpick through an attention function), give 200 requests the same
// loglikelihoods within 1e-3. testdata/load_twins.py made the golden; it must be
// made anew with new twins.
func TestEqualsTransformers(t *testing.T) {
	data, err := os.ReadFile("testdata/transformers.json")
	if err != nil {
		t.Fatal(err)
	}
	type twin struct {
		Model    string   `json:"model_sha256"`
		Requests [][2]any // hash, loglikelihood
	}
	var golden struct{ Softmax, Softpick twin }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	var requests []lm.Request
	docs, err := files.ReadFile("data/piqa/validation.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(docs)); lines.Scan() && len(requests) < 200; {
		var d struct{ Goal, Sol1, Sol2 string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{d.Sol1, d.Sol2} {
			requests = append(requests, lm.Request{Context: "Question: " + d.Goal + "\nAnswer:", Continuation: " " + s})
		}
	}
	set, err := Unpack(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]twin{set.Softmax: golden.Softmax, set.Softpick: golden.Softpick} {
		name := filepath.Base(dir)
		weights, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(weights); hex.EncodeToString(sum[:]) != want.Model {
			t.Fatalf("%s: the golden is of other weights: run testdata/load_twins.py", name)
		}
		if len(requests) != 200 || len(want.Requests) != 200 {
			t.Fatalf("%s: %d requests, %d in the golden; want 200", name, len(requests), len(want.Requests))
		}
		m, err := eval.Load(context.Background(), eval.ModelOptions{Model: dir, Device: "cpu", DType: "float32"})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		results, _, err := m.LM.Score(context.Background(), requests, nil, lm.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i, r := range results {
			sum := sha256.Sum256([]byte(requests[i].Context + "\x00" + requests[i].Continuation))
			if hash := hex.EncodeToString(sum[:])[:16]; want.Requests[i][0] != hash {
				t.Fatalf("%s: request %d has the hash %s, the golden's %v", name, i, hash, want.Requests[i][0])
			}
			off := math.Abs(r.LogLikelihood - want.Requests[i][1].(float64))
			if worst = math.Max(worst, off); !(off < 1e-3) {
				t.Errorf("%s: request %d: loglikelihood %v, transformers' %v", name, i, r.LogLikelihood, want.Requests[i][1])
			}
		}
		t.Logf("%s: off by at most %.2g", name, worst)
	}
}
