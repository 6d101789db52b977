package kubernetes

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestJobs does what the cluster would: the merge too early, eight pods of which one is
// evicted and begun anew, the merge again. The run is the one that a process makes alone.
func TestJobs(t *testing.T) {
	m := read(t)
	root := t.TempDir()
	softbench := filepath.Join(root, "softbench")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", softbench, "./cmd/softbench")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	suite := m.configs["softbench-suite"]
	for _, dir := range []string{"suite", "models", "runs", "tmp"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "suite", "suite.yaml"), []byte(suite.Data["suite.yaml"]), 0o666); err != nil {
		t.Fatal(err)
	}
	golden, err := filepath.Abs("../../testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	model := suite.Data["model"]
	for name, target := range map[string]string{model: "tiny", "data": "docs"} {
		if err := os.Symlink(filepath.Join(golden, target), filepath.Join(root, "models", name)); err != nil {
			t.Fatal(err)
		}
	}
	pod := func(job string, environment map[string]string, evict bool) (int, string) {
		var out bytes.Buffer
		c := exec.Command(softbench, m.command(t, job, root, environment)...)
		c.Stdout, c.Stderr = &out, &out
		// A container's environment: what the job gives, and no home.
		c.Env = []string{"PATH=/", "TMPDIR=" + filepath.Join(root, "tmp")}
		for name, value := range environment {
			c.Env = append(c.Env, name+"="+value)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if evict {
			journal := filepath.Join(root, "runs", model+".part-"+environment["JOB_COMPLETION_INDEX"], "journal")
			for range 2000 {
				if _, err := os.Stat(journal); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			_ = c.Process.Signal(syscall.SIGTERM)
		}
		err := c.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return c.ProcessState.ExitCode(), out.String()
	}
	part := func(index int, evict bool) (int, string) {
		return pod("softbench", map[string]string{"JOB_COMPLETION_INDEX": strconv.Itoa(index)}, evict)
	}
	merge := func() (int, string) { return pod("softbench-merge", map[string]string{}, false) }

	if code, out := merge(); code != 2 || strings.Count(out, "softbench: ") != 1 {
		t.Errorf("a merge before there is a part: exit code %d: %s", code, out)
	}
	n := int(*m.jobs["softbench"].Spec.Completions)
	for i := range n {
		if i == n-1 {
			if code, out := merge(); code != 2 || !strings.Contains(out, "softbench: the shards lack") {
				t.Errorf("a merge before the last part: exit code %d: %s", code, out)
			}
			if code, out := part(i, true); code != 130 && code != 0 {
				t.Errorf("an evicted part: exit code %d: %s", code, out)
			}
		}
		if code, out := part(i, false); code != 0 {
			t.Fatalf("part %d: exit code %d: %s", i, code, out)
		}
	}
	if code, out := part(n, false); code != 2 {
		t.Errorf("an index too many: exit code %d: %s", code, out)
	}
	if code, out := merge(); code != 0 {
		t.Fatalf("merge: exit code %d: %s", code, out)
	}
	args := m.command(t, "softbench", root, map[string]string{"JOB_COMPLETION_INDEX": "0"})
	args = slices.DeleteFunc(args, func(a string) bool { return strings.HasPrefix(a, "--shard") || strings.HasPrefix(a, "--out") })
	alone := filepath.Join(root, "runs", "alone")
	if out, err := exec.Command(softbench, append(args, "--out="+alone)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"samples.parquet", "run.json"} {
		merged, err := os.ReadFile(filepath.Join(root, "runs", model, name))
		if err != nil {
			t.Fatal(err)
		}
		one, err := os.ReadFile(filepath.Join(alone, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "run.json" { // but how it was made
			merged, _, _ = bytes.Cut(merged, []byte("\n  \"process\""))
			one, _, _ = bytes.Cut(one, []byte("\n  \"process\""))
		}
		if !bytes.Equal(merged, one) {
			t.Errorf("%s of the merged parts is not that of one process", name)
		}
	}
}
