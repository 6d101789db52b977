package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"os"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/tasks/data"
)

// realModel is the environment variable that names the file of a real model:
// SmolLM2-135M-Instruct in Q4_1, which testdata/golden/make_smollm2.py fetches.
const realModel = "SOFTBENCH_GGUF"

// TestRealModel compares a real quantised model, read from its GGUF file, on real
// documents with lm-evaluation-harness on transformers' dequantised weights, as
// TestLMEvalParity does, and each loglikelihood with its value in float64: transformers'
// own float32 is up to 9e-4 from it.
func TestRealModel(t *testing.T) {
	path, set := openRealModel(t)
	source := data.Source{Dir: set.DataDir(t)}
	m, err := Load(context.Background(), ModelOptions{Model: path, DType: "float32", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.LM.MaxLength() != set.MaxLength {
		t.Fatalf("maximum length %d, the harness has %d", m.LM.MaxLength(), set.MaxLength)
	}
	for _, want := range set.Tasks {
		t.Run(want.Task, func(t *testing.T) { compareTask(t, m, source, set.TaskSet, want) })
	}
}

// TestRealModelInBFloat16 has the figures that README gives of bfloat16: how far a request's loglikelihood is from
// what lm-evaluation-harness gets in float32, over the same requests.
func TestRealModelInBFloat16(t *testing.T) {
	path, set := openRealModel(t)
	source := data.Source{Dir: set.DataDir(t)}
	m, err := Load(context.Background(), ModelOptions{Model: path, DType: "bfloat16", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	n, sum, worst := 0, 0.0, 0.0
	for _, want := range set.Tasks {
		suite, err := configs.Resolve(want.Task)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Gather(context.Background(), []*configs.Suite{suite}, source, m, GatherOptions{Limit: want.Limit, FewShot: set.FewShot})
		if err != nil {
			t.Fatal(err)
		}
		outcomes, _ := scoreDocs(t, m, w.Tasks[0])
		for i, d := range want.Documents {
			for k, r := range d.Requests {
				delta := math.Abs(outcomes[i].Answers[k].LogLikelihood - r.LogLikelihood)
				n, sum, worst = n+1, sum+delta, max(worst, delta)
			}
		}
	}
	t.Logf("%d requests: mean |Δ| %.3f, max %.3f", n, sum/float64(n), worst)
	if mean := sum / float64(n); mean < 0.01 || mean > 0.2 || worst > 1 {
		t.Errorf("mean |Δ| %v, max %v: bfloat16 is nearer or further than it is said to be", mean, worst)
	}
}

// openRealModel gives the file and what is known of it, or skips the test.
func openRealModel(t *testing.T) (string, golden.RealSet) {
	t.Helper()
	path := os.Getenv(realModel)
	if path == "" {
		t.Skipf("%s names no file: testdata/golden/make_smollm2.py says where to get SmolLM2-135M-Instruct.Q4_1.gguf", realModel)
	}
	set := golden.RealModel(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != set.GGUF.SHA256 {
		t.Fatalf("%s=%s has SHA-256 %s: want %s of %s, whose is %s", realModel, path, got, set.GGUF.File, set.GGUF.Package, set.GGUF.SHA256)
	}
	return path, set
}
