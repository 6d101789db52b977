//go:build unix

package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/golden"
)

// A bomb is a directory of files, one of which stands for gigabytes, and the command
// that reads it. In the command $M is a checkpoint; copies of it are in m, of a run in r,
// of results of the harness in h.
type bomb struct {
	name string
	file string // what is refused; it takes the place of what is there
	make filler
	args string
	want string // in the line
}

// filler writes a file.
type filler func(w io.Writer) error

// fixed is a file of this text.
func fixed(s string) filler {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// repeated is head, n times the piece, and tail.
func repeated(head string, n int, piece, tail string) filler {
	return counted(head, n, func(int) string { return piece }, tail)
}

// counted is the same with pieces by number.
func counted(head string, n int, piece func(i int) string, tail string) filler {
	return func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<16)
		_, _ = out.WriteString(head) // the error stays until Flush
		for i := range n {
			_, _ = out.WriteString(piece(i))
		}
		_, _ = out.WriteString(tail)
		return out.Flush()
	}
}

// zipped is an entry of a zip in the repository.
func zipped(archive, name string) filler {
	return func(w io.Writer) error {
		z, err := zip.OpenReader(filepath.FromSlash(archive))
		if err != nil {
			return err
		}
		defer z.Close()
		f, err := z.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}
}

// TestRefusalsAreSmall: files that stand for gigabytes are refused in one line by a
// process that never holds 1 GB.
func TestRefusalsAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("writes and reads files of gigabytes")
	}
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	env := append(os.Environ(), "HF_HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	base := t.TempDir()
	for _, args := range []string{"run arc_easy --limit 3 --out r", "run arc_easy --limit 3 --shard 1/2 --out half"} {
		cmd := exec.Command("softbench", append(strings.Fields(args), "--model", model, "--data", docs)...)
		cmd.Dir, cmd.Env = base, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for to, from := range map[string]string{"m": model, "h": filepath.Join(here, "../../reports/lmeval/testdata/harness")} {
		if err := os.CopyFS(filepath.Join(base, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for kind, bombs := range map[string][]bomb{"settings": settingBombs, "documents": documentBombs(), "checkpoints": checkpointBombs(), "results": resultBombs()} {
		for _, b := range bombs {
			t.Run(kind+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "b")
				if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
					t.Fatal(err)
				}
				if err := b.put(dir); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command("softbench", strings.Fields(strings.NewReplacer("$M", model, "$D", docs).Replace(b.args))...)
				cmd.Dir, cmd.Env = dir, env
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				start := time.Now()
				most, err := mostMemory(cmd)
				if code := cmd.ProcessState.ExitCode(); code != exitMisuse || strings.Count(out.String(), "\n") != 1 || out.Len() > 2000 {
					t.Errorf("%v, %d bytes: %.500s", err, out.Len(), out.String())
				}
				if !strings.Contains(out.String(), b.want) || !strings.Contains(out.String(), b.file) {
					t.Errorf("%.500s: it does not say %q of %s", out.String(), b.want, b.file)
				}
				if most > 1e9 {
					t.Errorf("%d MB at most", most/1e6)
				}
				t.Logf("%d MB, %v: %.300s", most/1e6, time.Since(start).Round(10*time.Millisecond), out.String())
			})
		}
	}
}

// put writes the bomb's file, which takes the place of what means the same.
func (b bomb) put(dir string) error {
	path := filepath.Join(dir, b.file)
	inPlaceOf := map[string]string{
		"m/tokenizer.model": "m/tokenizer.json", "m/tekken.json": "m/tokenizer.json", "m/pytorch_model.bin": "m/model.safetensors",
		"m/model.safetensors.index.json": "m/model.safetensors", "m/pytorch_model.bin.index.json": "m/model.safetensors",
	}
	if name, ok := inPlaceOf[b.file]; ok {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if task := taskOver(b.file); task != "" {
		if err := os.WriteFile(filepath.Join(dir, "task.yaml"), []byte(task), 0o666); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if b.file == "a/adapter_model.safetensors" {
		if err := os.WriteFile(filepath.Join(dir, "a/adapter_config.json"), []byte("{"+lora+"}"), 0o666); err != nil {
			return err
		}
	}
	if b.file == "r/samples.parquet" {
		var file bytes.Buffer
		if err := b.make(&file); err != nil {
			return err
		}
		return replaceSamples(filepath.Join(dir, "r"), file.Bytes())
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := b.make(f); err != nil {
		_ = f.Close()
		return fmt.Errorf("%s: %w", b.name, err)
	}
	return f.Close()
}

// mostMemory runs a command and returns the most memory that it had, as the kernel's own
// record says, read again and again until the process ends. (What the kernel reports of an
// ended child includes what the parent had; it is taken where there is no such record.)
func mostMemory(cmd *exec.Cmd) (most int64, err error) {
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && most == 0 && runtime.GOOS != "linux" {
				most = int64(use.Maxrss) // bytes on Darwin, else KiB
				if runtime.GOOS != "darwin" {
					most <<= 10
				}
			}
			return most, err
		case <-time.After(4 * time.Millisecond):
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
				var kib int64
				if _, err := fmt.Sscan(rest, &kib); err == nil {
					most = max(most, kib<<10)
				}
			}
			if most > 4e9 {
				_ = cmd.Process.Kill() // before it takes the machine's
			}
		}
	}
}
