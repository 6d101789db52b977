package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
)

// crashChild names the run directory of a process that TestCrash starts: the
// test binary itself, which then runs the suite instead of the tests.
const crashChild = "SOFTBENCH_TEST_CRASH_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashChild); dir != "" {
		if err := runCrashChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runCrashChild runs with settings from the environment. It syncs after every
// batch, so that a kill finds every state of the journal, and rests between
// batches, so that the kill comes in time.
func runCrashChild(dir string) error {
	o := RunOptions{
		Suites: strings.Split(os.Getenv("SOFTBENCH_TEST_SUITES"), ","),
		Model:  ModelOptions{Model: os.Getenv("SOFTBENCH_TEST_MODEL"), Threads: 1},
		Data:   os.Getenv("SOFTBENCH_TEST_DATA"), Out: dir, Resume: true,
		BatchTokens: 16, Note: func(string) {},
		syncEvery: time.Nanosecond,
		Progress:  func(Progress) { time.Sleep(100 * time.Microsecond) },
	}
	if shard := os.Getenv("SOFTBENCH_TEST_SHARD"); shard != "" {
		part, err := ParseShard(shard)
		if err != nil {
			return err
		}
		_, err = RunShard(context.Background(), o, part)
		return err
	}
	_, err := Run(context.Background(), o)
	return err
}

// goldenSuites are all tasks that have documents in testdata/golden/docs, and a
// small passkey grid, one length of which does not fit the model, and diagnostics with maps.
func goldenSuites(t testing.TB) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "grid.yaml")
	const grid = "name: grid\npasskey: {lengths: [96, 120, 4096], depths: [0, 0.5, 1], trials: 2, seed: 7}\n" +
		"diagnostics: {task: wikitext, samples: 9, length: 40, maps: {text: 'Once upon a time there was a list of lists', tokens: 12}}\n"
	if err := os.WriteFile(path, []byte(grid), 0o666); err != nil {
		t.Fatal(err)
	}
	return []string{
		"arc_easy", "arc_challenge", "hellaswag", "piqa", "sciq", "winogrande",
		"lambada_openai", "boolq", "openbookqa", "copa", "wikitext", path,
	}
}

// goldenRun are the options of a run over the golden documents with the tiny
// checkpoint.
func goldenRun(t testing.TB, suites ...string) RunOptions {
	t.Helper()
	return RunOptions{
		Suites: suites, Model: ModelOptions{Model: golden.TinyCheckpoint(t, "tiny"), Threads: 2},
		Data: golden.Dir(t, "docs"), BatchTokens: 512, Note: func(string) {},
	}
}

// outcome is what must not depend on how a run came about: the tables' bytes,
// the manifest without its process, and the names of the files.
func outcome(t testing.TB, dir string) (samples []byte, manifest string, files string) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		table, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, table...)
	}
	text, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		files += e.Name() + " "
	}
	return samples, withoutProcess(t, text), files
}

// withoutProcess is a manifest's text less its process. Keys are sorted, numbers
// keep their digits.
func withoutProcess(t testing.TB, text []byte) string {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	if _, ok := fields["process"]; !ok {
		t.Fatal("the manifest has no process")
	}
	delete(fields, "process")
	rest, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(rest)
}

// TestEveryBatchIsWritten: a process that is killed loses the batch under way and
// no other, though the disk has not been waited for.
func TestEveryBatchIsWritten(t *testing.T) {
	o := goldenRun(t, "arc_easy", "piqa")
	o.Out, o.BatchTokens, o.syncEvery = filepath.Join(t.TempDir(), "run"), 64, time.Hour
	batches, written := 0, 0
	o.Progress = func(Progress) {
		batches++
		if n := journalRecords(t, o.Out); n > written {
			written = n
		} else if n < written {
			t.Errorf("batch %d: %d records are in the journal, there were %d", batches, n, written)
		}
	}
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	samples, err := rundir.ReadSamples(context.Background(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	requests := len(samples)
	if batches < 10 || written < requests*8/10 {
		t.Errorf("before the last of %d batches %d of %d results were in the journal", batches, written, requests)
	}
}

// journalRecords counts the whole lines after the first; -1: there is no journal.
func journalRecords(t testing.TB, dir string) int {
	t.Helper()
	return journalSize(dir)
}

func journalSize(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		return -1
	}
	return max(0, bytes.Count(text, []byte("\n"))-1)
}

// moment is when a run is killed: in its first third by the clock, then by what it has got
// done, which no other work on the machine can change: the results in its journal.
func moment(rng *rand.Rand, attempt int, full time.Duration, before, all int) (after time.Duration, records int) {
	if attempt == 0 {
		return time.Duration(rng.Float64() * 0.3 * float64(full)), 0
	}
	return 0, before + 1 + rng.IntN(max(1, (all-before)/3))
}

// crashes kills a run after some time, and once its journal has so many results; false where the
// run ended before.
func crashes(c *exec.Cmd, dir string, ended chan error, after time.Duration, records int) bool {
	deadline := time.Now().Add(after)
	for time.Now().Before(deadline) || records > 0 && journalSize(dir) < records {
		select {
		case err := <-ended:
			ended <- err
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return c.Process.Kill() == nil
}

// TestCrash kills runs with SIGKILL at random moments, again and again, and
// resumes them: the outcome is byte for byte that of a run without a stop.
func TestCrash(t *testing.T) {
	suites := goldenSuites(t)
	want := goldenRun(t, suites...)
	want.Out = filepath.Join(t.TempDir(), "want")
	if _, err := Run(context.Background(), want); err != nil {
		t.Fatal(err)
	}
	samples, manifest, files := outcome(t, want.Out)
	all := countRows(t, want.Out)

	child := func(dir string) *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), crashChild+"="+dir,
			"SOFTBENCH_TEST_SUITES="+strings.Join(suites, ","), "SOFTBENCH_TEST_MODEL="+want.Model.Model, "SOFTBENCH_TEST_DATA="+want.Data)
		return c
	}
	// How long a run takes here, so that kills fall all over it.
	start := time.Now()
	if out, err := child(filepath.Join(t.TempDir(), "timing")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	full := time.Since(start)

	rng := rand.New(rand.NewPCG(1, 2))
	rounds := 6
	if testing.Short() {
		rounds = 3
	}
	kills, inside, grown := 0, 0, 0
	for round := range rounds {
		dir := filepath.Join(t.TempDir(), "run")
		for attempt, before := 0, 0; ; attempt++ {
			var stderr bytes.Buffer
			c := child(dir)
			c.Stderr = &stderr
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Wait() }()
			after, records := moment(rng, attempt, full, before, all)
			killed := attempt < 3 && crashes(c, dir, ended, after, records)
			err := <-ended
			if err == nil {
				break // complete, or it was before the kill came
			}
			if !killed || c.ProcessState.ExitCode() != -1 {
				t.Fatalf("round %d: %v\n%s", round, err, stderr.String())
			}
			kills++
			if n := journalRecords(t, dir); n > 0 && n < all {
				inside++
				if n > before && before > 0 {
					grown++
				}
				before = n
			}
		}
		gotSamples, gotManifest, gotFiles := outcome(t, dir)
		if !bytes.Equal(gotSamples, samples) {
			t.Errorf("round %d: samples.parquet differs from that of a run without a stop", round)
		}
		if gotManifest != manifest {
			t.Errorf("round %d: run.json differs beyond its process:\n%s\nwant\n%s", round, gotManifest, manifest)
		}
		if gotFiles != files {
			t.Errorf("round %d: the directory holds %s, want %s", round, gotFiles, files)
		}
	}
	t.Logf("a run takes %v; %d kills, %d of them with some but not all results in the journal, %d of those after a resume that got further", full.Round(time.Millisecond), kills, inside, grown)
	if inside < rounds/2 || grown == 0 && !testing.Short() {
		t.Errorf("only %d kills in the middle and %d after a resume that got further: the test proves nothing", inside, grown)
	}
}

// countRows is the number of requests of a complete run, those of diagnostics with maps included.
func countRows(t testing.TB, dir string) int {
	t.Helper()
	rows, err := rundir.ReadSamples(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	observed, err := rundir.ReadDiagnosticsSamples(context.Background(), dir)
	if err != nil || len(observed) == 0 {
		t.Fatal(len(observed), err)
	}
	return len(rows) + len(observed) + 1
}

// TestInterrupt sends SIGINT to the binary: exit code 130, one line that names
// --resume, and the resumed run equals one without a stop.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGINT to send to another process")
	}
	if testing.Short() {
		t.Skip("builds the binary")
	}
	bin := filepath.Join(t.TempDir(), "softbench")
	build := exec.Command("go", "build", "-o", bin, "./cmd/softbench")
	build.Dir = golden.Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o := goldenRun(t, goldenSuites(t)...)
	o.Out = filepath.Join(t.TempDir(), "want")
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	samples, manifest, files := outcome(t, o.Out)
	all := countRows(t, o.Out)

	dir := filepath.Join(t.TempDir(), "run")
	args := append([]string{"run"}, o.Suites...)
	args = append(args, "--model", o.Model.Model, "--data", o.Data, "--out", dir, "--threads", "1")
	stopped := false
	for pause := time.Duration(0); pause < 200*time.Millisecond && !stopped; pause += 10 * time.Millisecond {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(bin, append(args, "--batch-tokens", "1")...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); journalRecords(t, dir) < 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(pause) // results are synced at the interrupt: some are wanted
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		err := c.Wait()
		var exit *exec.ExitError
		if err == nil {
			t.Fatalf("the run ended before the interrupt, %v after its start", pause)
		}
		if !errors.As(err, &exit) || exit.ExitCode() != 130 {
			t.Fatalf("%v, want exit code 130\n%s", err, stderr.String())
		}
		lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "softbench: interrupted") || !strings.Contains(last, "--resume") {
			t.Fatalf("an interrupted run says %q, want a line that names --resume", stderr.String())
		}
		n := journalRecords(t, dir)
		if n >= all {
			t.Fatalf("all %d results were there before the interrupt", n)
		}
		stopped = n > 0
	}
	if !stopped {
		t.Fatal("no interrupt left results behind: what was done is not kept")
	}
	kept := journalRecords(t, dir)
	if out, err := exec.Command(bin, append(args, "--resume")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	gotSamples, gotManifest, gotFiles := outcome(t, dir)
	if !bytes.Equal(gotSamples, samples) || gotManifest != manifest || gotFiles != files {
		t.Errorf("after an interrupt with %d results and a resume the run differs from one without a stop", kept)
	}
	t.Logf("interrupted with %d of %d results", kept, all)
}
