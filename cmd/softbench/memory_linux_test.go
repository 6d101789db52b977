package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestResidentMemory: scoring a checkpoint takes at most 1.3 times its size in
// memory over what scoring a tiny one takes: weights are packed once and the
// mapped pages behind them dropped, so nothing lies there twice.
func TestResidentMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes and loads 150 MB")
	}
	tokenizer := filepath.Join(golden.Dir(t), "tiny")
	tiny := filepath.Join(t.TempDir(), "tiny")
	if err := randmodel.Write(tiny, randmodel.Options{Seed: 1, DType: "bfloat16", Vocab: 512, Tokenizer: tokenizer}); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large")
	err := randmodel.Write(large, randmodel.Options{
		Seed: 1, DType: "bfloat16", Hidden: 1024, Intermediate: 2816, Layers: 6, Heads: 16, Vocab: 512, Tokenizer: tokenizer,
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(large, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dtype := range []string{"bfloat16", "float32"} {
		size := info.Size()
		if dtype == "float32" {
			size *= 2
		}
		base, most := resident(t, tiny, dtype), resident(t, large, dtype)
		t.Logf("%s: %d MB of weights, %d MB resident, %d MB with a tiny model", dtype, size>>20, most>>20, base>>20)
		if over := most - base; over > size*13/10 {
			t.Errorf("%s: a checkpoint of %d MB takes %d MB more memory than a tiny one; want at most 1.3 times its size", dtype, size>>20, over>>20)
		}
	}
}

// TestVocabularyTakesNoMemory: logits are never kept: scoring a long text takes
// far less than its logits would, though every position is scored.
func TestVocabularyTakesNoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a model with a large vocabulary")
	}
	model := filepath.Join(t.TempDir(), "wide")
	const vocab, tokens = 200_000, 2000 // whose logits are 1.6 GB in float32
	err := randmodel.Write(model, randmodel.Options{
		Seed: 1, DType: "bfloat16", Hidden: 64, Intermediate: 64, Layers: 1, Heads: 2, Vocab: vocab, MaxPositions: 2 * tokens, Tie: true,
		Tokenizer: filepath.Join(golden.Dir(t), "tiny"),
	})
	if err != nil {
		t.Fatal(err)
	}
	request := func(text string) string {
		return fmt.Sprintf(`{"context": "The", "continuation": %q}`, text) + "\n"
	}
	short, long := residentFor(t, model, "bfloat16", request(" x")), residentFor(t, model, "bfloat16", request(strings.Repeat(" x", tokens)))
	logits := int64(vocab * tokens * 4)
	t.Logf("%d MB for one position, %d MB for at least %d, whose logits are %d MB", short>>20, long>>20, tokens, logits>>20)
	if over := long - short; over > logits/8 {
		t.Errorf("%d MB more for the long text, want at most an eighth of its logits' %d MB", over>>20, logits>>20)
	}
}

// resident is the most memory that scoring one request took, in bytes.
func resident(t *testing.T, model, dtype string) int64 {
	t.Helper()
	return residentFor(t, model, dtype, `{"context": "The sky is", "continuation": " blue"}`+"\n")
}

// residentFor is the same for other requests.
func residentFor(t *testing.T, model, dtype, requests string) int64 {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "softbench") // by this name the test binary is the program
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, "score", model, "--dtype", dtype)
	cmd.Stdin = strings.NewReader(requests)
	cmd.Env = append(os.Environ(), "GOGC=100", "GOMEMLIMIT=off")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The kernel's own record, read again and again until the process ends. (What
	// it reports of an ended child includes what the parent had.)
	var most int64
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil || !strings.Contains(out.String(), "loglikelihood") || most == 0 {
				t.Fatalf("%v, %d bytes\n%s", err, most, out.String())
			}
			return most
		case <-time.After(2 * time.Millisecond):
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
				if _, err := fmt.Sscan(rest, &most); err != nil {
					t.Fatal(err)
				}
				most <<= 10
			}
		}
	}
}
