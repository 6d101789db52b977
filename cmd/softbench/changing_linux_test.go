package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestCheckpointChangesDuringRun: a run scores what it loaded and hashed, whatever
// becomes of the files while it goes on.
func TestCheckpointChangesDuringRun(t *testing.T) {
	if testing.Short() {
		t.Skip("scores a larger model several times")
	}
	dir := t.TempDir()
	o := randmodel.Options{Seed: 1, Hidden: 256, Intermediate: 688, Layers: 3, Heads: 4, Vocab: 512, Tokenizer: filepath.Join(golden.Dir(t), "tiny")}
	write := func(name string, seed uint64) string {
		o.Seed = seed
		model := filepath.Join(dir, name)
		if err := randmodel.Write(model, o); err != nil {
			t.Fatal(err)
		}
		return model
	}
	start := func(model, out string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command("softbench", "run", "arc_easy", "hellaswag", "--model", model, "--data", filepath.Join(golden.Dir(t), "docs"),
			"--out", out, "--threads", "1", "--batch-tokens", "16", "--device", "cpu")
		cmd.Env = append(os.Environ(), "HF_HOME="+filepath.Join(dir, "no-hub"))
		var text bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &text
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &text
	}
	// outcome is what a run keeps: its samples, and which model it says it scored.
	outcome := func(out string) (samples []byte, sha string) {
		samples, err := os.ReadFile(filepath.Join(out, "samples.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(out, "run.json"))
		if err != nil {
			t.Fatal(err)
		}
		var run struct {
			Settings struct {
				SHA string `json:"model_sha256"`
			} `json:"settings"`
		}
		if err := json.Unmarshal(text, &run); err != nil || len(run.Settings.SHA) != 64 {
			t.Fatal(err, run)
		}
		return samples, run.Settings.SHA
	}
	undisturbed := filepath.Join(dir, "undisturbed")
	cmd, text := start(write("model", 1), undisturbed)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err, text)
	}
	want, sha := outcome(undisturbed)
	weights := func(model string) string { return filepath.Join(model, "model.safetensors") }
	other, err := os.ReadFile(weights(write("other", 2)))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(model string) error{
		"overwritten": func(model string) error {
			f, err := os.OpenFile(weights(model), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Write(other)
			return err
		},
		"cut short": func(model string) error { return os.Truncate(weights(model), 100) },
		"replaced": func(model string) error {
			return os.Rename(filepath.Join(dir, "other", "model.safetensors"), weights(model))
		},
		"config": func(model string) error {
			return os.WriteFile(filepath.Join(model, "config.json"), []byte("{}"), 0o666)
		},
	} {
		t.Run(name, func(t *testing.T) {
			model, out := write(strings.ReplaceAll(name, " ", "-"), 1), filepath.Join(t.TempDir(), "out")
			cmd, text := start(model, out)
			for {
				if info, err := os.Stat(filepath.Join(out, "journal")); err == nil && info.Size() > 1000 {
					break
				}
				if cmd.Process.Signal(syscall.Signal(0)) != nil {
					t.Fatal("the run ended before anything was kept", text)
				}
				time.Sleep(time.Millisecond)
			}
			if _, err := os.Stat(filepath.Join(out, "run.json")); err == nil {
				t.Skip("the run was over before the file could be changed: this machine is too fast for this model")
			}
			if err := change(model); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %.300s", err, text)
			}
			samples, got := outcome(out)
			if !bytes.Equal(samples, want) || got != sha {
				t.Errorf("results or model_sha256 (%s, want %s) differ from the undisturbed run's", got, sha)
			}
			if !strings.Contains(text.String(), "have changed since they were loaded") {
				t.Errorf("no note of the change: %s", text)
			}
		})
	}
}

// TestInterruptedLoading: Ctrl-C while a checkpoint is loaded ends the program
// with 130 and one line, whatever it is at.
func TestInterruptedLoading(t *testing.T) {
	if testing.Short() {
		t.Skip("loads a larger model several times")
	}
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	err := randmodel.Write(model, randmodel.Options{Seed: 1, DType: "bfloat16", Hidden: 1024, Intermediate: 2816, Layers: 10, Heads: 16, Vocab: 20000,
		MaxPositions: 16384, Tokenizer: filepath.Join(golden.Dir(t), "tiny")})
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{"cpu", "auto"} {
		for _, after := range []time.Duration{20, 60, 120, 250, 500} {
			cmd := exec.Command("softbench", "run", "passkey", "--model", model, "--device", device, "--dtype", "float32")
			var text bytes.Buffer
			cmd.Stdout, cmd.Stderr = &text, &text
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(after * time.Millisecond)
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == -1 {
				continue // the signal came before the program listened
			}
			last := text.String()
			last = last[strings.LastIndexByte(strings.TrimSpace(last), '\n')+1:]
			if exit == nil || exit.ExitCode() != 130 || !strings.HasPrefix(last, "softbench: interrupted") {
				t.Errorf("%s, after %d ms: %v: %s", device, after, err, text.String())
			}
		}
	}
}
