package rundir

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// limitVariable asks the test binary, started by TestFileLimit, to write a run
// under a limit of the size of its files.
const limitVariable = "SOFTBENCH_TEST_FILE_LIMIT"

// TestFileLimit lets the system itself refuse to write, at the journal and at
// the samples: an error of one line, nothing half-written, and a resume without
// the limit gives the same run.
func TestFileLimit(t *testing.T) {
	if dir := os.Getenv("SOFTBENCH_TEST_DIR"); dir != "" {
		limited(t, dir)
		return
	}
	want := finished(t, someRun(), someSamples(), someDiagnostics)
	before, _ := interrupted(t, nil)
	header := len(readAll(t, filepath.Join(before, journalName)))
	_, journal := interrupted(t, someRecords())
	size := len(readAll(t, filepath.Join(want, samplesName)))
	for _, limit := range []int{100, header + 10, header + 200, len(journal), size - 1} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			cmd := exec.Command(os.Args[0], "-test.run=^TestFileLimit$")
			cmd.Env = append(os.Environ(), "SOFTBENCH_TEST_DIR="+dir, limitVariable+"="+strconv.Itoa(limit))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			text, _, _ := strings.Cut(string(out), "\n")
			oneLine(t, errors.New(text), "cannot write the run", "file too large", dir)
			if strings.Contains(text, "is kept") && !strings.Contains(text, "go on with the same command") {
				t.Errorf("%q names --resume alone, which stress and compare do not have", text)
			}
			if limit < header {
				if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a directory is left: %v", err)
				}
			} else if names := names(t, dir); names != journalName+" " || !strings.Contains(text, "--resume") {
				t.Errorf("the directory holds %s after %s", names, text)
			}
			w, _, err := Resume(context.Background(), dir, someSettings())
			if err != nil {
				t.Fatal(err)
			}
			if n := w.Resumed(); (n == len(someRecords())) != (limit >= len(journal)) {
				t.Errorf("%d records are left", n)
			}
			if err := w.Finish(context.Background(), someRun(), someSamples(), someDiagnostics); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{manifestName, samplesName} {
				if !bytes.Equal(readAll(t, filepath.Join(dir, name)), readAll(t, filepath.Join(want, name))) {
					t.Errorf("%s differs from that of a run without a stop", name)
				}
			}
		})
	}
}

// limited writes a run to dir, a record a batch, and prints the error.
func limited(t *testing.T, dir string) {
	limit := must(strconv.ParseUint(os.Getenv(limitVariable), 10, 64))
	signal.Ignore(syscall.SIGXFSZ) // writes then fail with EFBIG
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	run := func() error {
		w, err := Create(dir, someSettings())
		if err != nil {
			return err
		}
		defer w.Close()
		for _, r := range someRecords() {
			if err := w.Add(r); err != nil {
				return err
			}
			if err := w.Sync(); err != nil {
				return err
			}
		}
		return w.Finish(context.Background(), someRun(), someSamples(), someDiagnostics)
	}
	if _, err := os.Stdout.WriteString(run().Error() + "\n"); err != nil {
		t.Fatal(err)
	}
}

// TestReadOnly writes to directories that the user may not write to; root gives
// up that right for the test.
func TestReadOnly(t *testing.T) {
	open := t.TempDir()
	for dir := open; dir != filepath.Dir(dir) && strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(open, "run")
	w := must(Create(filepath.Join(open, "kept"), someSettings()))
	w.Close()
	if err := os.Mkdir(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(open, 0o755)
	if os.Geteuid() == 0 {
		// Of this thread only, which is not used again.
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			if err := unix.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
			readOnly(t, open, dir)
		}()
		<-done
		return
	}
	readOnly(t, open, dir)
}

func readOnly(t *testing.T, open, dir string) {
	for _, out := range []string{dir, filepath.Join(open, "new")} {
		w, err := Create(out, someSettings())
		if err == nil {
			w.Close()
			t.Errorf("%s: a run was begun in a read-only directory", out)
			continue
		}
		if s := err.Error(); !strings.Contains(s, "cannot write the run") || !strings.Contains(s, out) || !strings.Contains(s, "permission denied") || strings.Contains(s, "\n") {
			t.Errorf("the error is %q", s)
		}
	}
	if os.Geteuid() == 0 { // the journal is root's
		if _, _, err := Resume(context.Background(), filepath.Join(open, "kept"), someSettings()); err == nil || !strings.Contains(err.Error(), "cannot go on with the run") {
			t.Errorf("another user's journal: %v", err)
		}
	}
}
