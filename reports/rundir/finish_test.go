package rundir

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/filelock"
)

// someRun is a manifest that fits someSamples.
func someRun() *Run {
	return &Run{
		Suites: []string{"zero-shot"},
		Model: Model{Type: "llama", Parameters: 12345, Stored: "bfloat16", Attention: "softpick", Tokenizer: "BPE",
			Config: json.RawMessage(`{"hidden_size":64,"rope_theta":1e4}`)},
		Settings: someSettings(), Seeds: map[string]uint64{"bootstrap": 20250420},
		Tasks: []TaskResult{
			{Name: "arc_easy", Kind: "multiple_choice", Documents: 2, Truncated: 1, Metrics: []Metric{
				{Name: "acc", Value: 0.5, Stderr: 0.5, Low: 0.0945, High: 0.9055, N: 2, HigherIsBetter: true},
				{Name: "acc_norm", Value: 1, Stderr: 0, Low: 0.3424, High: 1, N: 2, HigherIsBetter: true},
			}},
			{Name: "wikitext", Kind: "rolling_perplexity", Documents: 1, Metrics: []Metric{
				{Name: "word_perplexity", Value: 20.0855, Stderr: Number(math.NaN()), Low: Number(math.NaN()), High: Number(math.NaN()), N: 1},
			}},
		},
		Passkey: []Cell{
			{Length: 96, Depth: 0, N: 1, Right: 1, RightText: 1, Accuracy: 1, Low: 0.2065, High: 1},
			{Length: 96, Depth: 0.5, N: 1, Accuracy: 0, Low: 0, High: 0.7935},
		},
		Tokens: Tokens{Requested: 1000, Distinct: 400, Scored: 50},
		Process: Process{
			Softbench: "devel", Given: []string{"model"}, Arguments: map[string]string{"model": "m", "limit": "0"},
			Start: time.Unix(1, 0).UTC(), End: time.Unix(3, 0).UTC(), Seconds: 2, Computed: 400,
		},
	}
}

func ptr[T any](v T) *T { return &v }

func someSamples() []Sample {
	var rows []Sample
	for doc := range int32(2) {
		for request := range int32(2) {
			rows = append(rows, Sample{
				Task: "arc_easy", Kind: "multiple_choice", DocID: doc, DocHash: fmt.Sprint("hash", doc), Request: request, Gold: ptr(int32(1)),
				Context: ptr("Question: why?\nAnswer:"), Choice: ptr("a"), Continuation: ptr(" a"), LogLikelihood: ptr(-1 - float64(request)/3),
				IsGreedy: ptr(request == 0), ContextTokens: 9, ContinuationTokens: 1, Correct: ptr(doc == 0), CorrectNorm: ptr(true),
			})
		}
	}
	rows = append(rows, Sample{
		Task: "wikitext", Kind: "rolling_perplexity", DocHash: "page", Cluster: "page", LogLikelihood: ptr(-30.0), ContinuationTokens: 12,
		Words: ptr(int64(10)), Bytes: ptr(int64(50)), Windows: ptr(int32(1)), PositionLikelihood: []float64{-20, -10}, PositionTokens: []int32{6, 6},
	})
	for i, depth := range []float64{0, 0.5} {
		rows = append(rows, Sample{
			Task: PasskeyTask, Kind: "passkey", DocID: int32(i), DocHash: fmt.Sprint("trial", i), Cluster: fmt.Sprint(depth), ContextTokens: 96, ContinuationTokens: 4,
			Correct: ptr(i == 0), RightText: ptr(i == 0), Length: ptr(int32(96)), Depth: ptr(depth), Key: ptr(int32(4711)), Generated: ptr("4711"),
		})
	}
	return rows
}

var someHeads = []HeadRow{{Layer: 0, Head: 1, SinkShare: 0.5, Mass: 1, MassSeen: []int32{1, 2}, MassMean: []float64{1, 0.5}}}

// someDiagnostics is someHeads with the tables beside them.
var someDiagnostics = DiagnosticsRows{
	Heads:   someHeads,
	Samples: []DiagnosticsSample{{Sample: 0, DocID: 3, DocHash: "page", Cluster: "book", SinkRate: 0.5, Mass: 1, Kurtosis: 3.5}, {Sample: 1, DocHash: "a page", Sparsity: 0.25}},
	Maps:    []MapRow{{Layer: 1, Head: 0, Tokens: []string{"<s>", " a"}, Weights: []float32{1, 0.25, 0.75}}},
}

// finished makes the directory of a complete run.
func finished(t testing.TB, r *Run, samples []Sample, rows DiagnosticsRows) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(context.Background(), r, samples, rows); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFinishThenOpen: what was finished is read back whole, the journal is gone,
// and the same run gives the same files.
func TestFinishThenOpen(t *testing.T) {
	dir := finished(t, someRun(), someSamples(), someDiagnostics)
	r, rows, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := someRun()
	want.Schema, want.Process.Written, want.Name = Schema, r.Process.Written, r.Settings.Name()
	a, b := must(r.encode()), must(want.encode())
	if !bytes.Equal(a, b) {
		t.Errorf("the manifest is read back as\n%s\nwant\n%s", a, b)
	}
	if got, want := must(json.Marshal(rows)), must(json.Marshal(ofRun(r.Name, someSamples()))); !bytes.Equal(got, want) {
		t.Errorf("the samples are read back as\n%s\nwant\n%s", got, want)
	}
	if heads, err := ReadHeads(context.Background(), dir); err != nil || len(heads) != 1 || heads[0].MassMean[1] != 0.5 {
		t.Errorf("the heads are read back as %v, %v", heads, err)
	}
	if samples, err := ReadDiagnosticsSamples(context.Background(), dir); err != nil || !slices.Equal(samples, someDiagnostics.Samples) || !r.HasDiagnosticsSamples() {
		t.Errorf("the diagnostics by sample are read back as %v, %v", samples, err)
	}
	if maps, err := ReadMaps(context.Background(), dir); err != nil || len(maps) != 1 || !slices.Equal(maps[0].Weights, someDiagnostics.Maps[0].Weights) || maps[0].Tokens[1] != " a" || !r.HasMaps() {
		t.Errorf("the attention maps are read back as %v, %v", maps, err)
	}
	if got := names(t, dir); got != "attention_maps.parquet diagnostics.parquet diagnostics_samples.parquet run.json samples.parquet " {
		t.Errorf("the directory holds %s", got)
	}
	if w := r.Process.Written; len(w) != 4 || w[0].Name != samplesName || w[0].Rows != 7 || w[1].Rows != 1 {
		t.Errorf("the manifest names %+v", w)
	}
	again := finished(t, someRun(), someSamples(), someDiagnostics)
	for _, name := range []string{manifestName, samplesName, diagnosticsName, diagnosticsSamplesName, mapsName} {
		if !bytes.Equal(readAll(t, filepath.Join(dir, name)), readAll(t, filepath.Join(again, name))) {
			t.Errorf("%s differs between two equal runs", name)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestFinishRefuses: rows and manifests that Open would refuse are not written,
// and the journal stays.
func TestFinishRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *Run, rows []Sample) []Sample
		want  string
	}{
		"nan":            {func(_ *Run, rows []Sample) []Sample { rows[1].LogLikelihood = ptr(math.NaN()); return rows }, "row 1: arc_easy document 0 request 1"},
		"infinite":       {func(_ *Run, rows []Sample) []Sample { rows[1].LogLikelihood = ptr(math.Inf(-1)); return rows }, "-Inf"},
		"twice":          {func(_ *Run, rows []Sample) []Sample { return append(rows, rows[2]) }, "arc_easy document 1 request 0 is there twice"},
		"missing":        {func(_ *Run, rows []Sample) []Sample { return rows[2:] }, "task arc_easy has 1 documents in the samples and 2 in the manifest"},
		"no trials":      {func(_ *Run, rows []Sample) []Sample { return rows[:5] }, "passkey has 0 trials in the samples and 2 in the manifest"},
		"another task":   {func(_ *Run, rows []Sample) []Sample { rows[0].Task = "piqa"; return rows }, "piqa"},
		"positions":      {func(_ *Run, rows []Sample) []Sample { rows[4].PositionTokens = nil; return rows }, "by position"},
		"task twice":     {func(r *Run, rows []Sample) []Sample { r.Tasks = append(r.Tasks, r.Tasks[0]); return rows }, "task arc_easy is there twice"},
		"metric twice":   {func(r *Run, rows []Sample) []Sample { r.Tasks[0].Metrics[1].Name = "acc"; return rows }, `metric "acc"`},
		"metric over 3":  {func(r *Run, rows []Sample) []Sample { r.Tasks[0].Metrics[1].N = 3; return rows }, "3 of 2 documents"},
		"cell twice":     {func(r *Run, rows []Sample) []Sample { r.Passkey[1].Depth = 0; return rows }, "length 96 depth 0 is there twice"},
		"cell too right": {func(r *Run, rows []Sample) []Sample { r.Passkey[1].Right = 2; return rows }, "2 right of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := interrupted(t, someRecords())
			w, _, err := Resume(context.Background(), dir, someSettings())
			if err != nil {
				t.Fatal(err)
			}
			r, rows := someRun(), someSamples()
			rows = c.spoil(r, rows)
			oneLine(t, w.Finish(context.Background(), r, rows, DiagnosticsRows{}), dir, c.want)
			w.Close()
			if got := names(t, dir); got != journalName+" " {
				t.Errorf("the directory holds %s", got)
			}
		})
	}
}

// TestOpenRefuses: files of two runs, missing and changed ones.
func TestOpenRefuses(t *testing.T) {
	other := someSamples()
	other[0].LogLikelihood = ptr(-1.0000000000000002)
	rewrite := func(name, old, new string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			text := string(readAll(t, path))
			if !strings.Contains(text, old) {
				t.Fatalf("%s has no %s", name, old)
			}
			overwrite(t, path, []byte(strings.Replace(text, old, new, 1)))
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  []string
	}{
		"samples of another run": {func(t *testing.T, dir string) {
			if err := writeSamples(context.Background(), filepath.Join(dir, samplesName), "", other); err != nil {
				t.Fatal(err)
			}
		}, []string{samplesName, "of two runs"}},
		"heads of another run": {func(t *testing.T, dir string) {
			if err := writeParquet[HeadRow](context.Background(), filepath.Join(dir, diagnosticsName), nil); err != nil {
				t.Fatal(err)
			}
		}, []string{diagnosticsName, "of two runs"}},
		"no samples":       {func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, samplesName)) }, []string{samplesName, "is missing"}},
		"no heads":         {func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, diagnosticsName)) }, []string{diagnosticsName, "is missing"}},
		"no manifest":      {func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, manifestName)) }, []string{"no run here", manifestName}},
		"another schema":   {rewrite(manifestName, `"schema": 4`, `"schema": 7`), []string{manifestName, "schema 7", "reads 1"}},
		"no schema":        {rewrite(manifestName, `"schema"`, `"scheme"`), []string{manifestName, "no schema"}},
		"no settings":      {rewrite(manifestName, `"settings"`, `"sittings"`), []string{manifestName, "no settings"}},
		"an unknown field": {rewrite(manifestName, `"documents"`, `"dokuments"`), []string{manifestName, "dokuments"}},
		"a wrong type":     {rewrite(manifestName, `"documents": 2`, `"documents": "2"`), []string{manifestName, "line ", "documents"}},
		"not JSON":         {rewrite(manifestName, `"model": {`, `"model": (`), []string{manifestName, "line 7", "invalid character '('"}},
		"another value":    {rewrite(manifestName, `"documents": 1,`, `"documents": 3,`), []string{manifestName, "was changed since"}},
		"fewer documents":  {resigned(`"documents": 1,`, `"documents": 3,`), []string{samplesName, "task wikitext has 1 documents in the samples and 3"}},
		"a file elsewhere": {resigned(`"name": "samples.parquet"`, `"name": "../samples.parquet"`), []string{manifestName, samplesName}},
		"cut off": {func(t *testing.T, dir string) {
			path := filepath.Join(dir, samplesName)
			b := readAll(t, path)
			overwrite(t, path, b[:len(b)*2/3])
		}, []string{samplesName, "damaged"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := finished(t, someRun(), someSamples(), someDiagnostics)
			if _, _, err := Open(context.Background(), dir); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, dir)
			_, _, err := Open(context.Background(), dir)
			oneLine(t, err, append(c.want, dir)...)
			if name == "no manifest" {
				return
			}
			if _, _, err := Resume(context.Background(), dir, someSettings()); err == nil || err == ErrFinished {
				t.Errorf("a damaged run is taken for a complete one: %v", err)
			}
		})
	}
}

// TestStates: what a directory is, from its files alone.
func TestStates(t *testing.T) {
	state := func(dir string, want State) {
		t.Helper()
		if got, err := StateOf(dir); err != nil || got != want {
			t.Errorf("%v %v, want %v", got, err, want)
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	state(dir, None)
	w, err := Create(dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, someRecords())
	state(dir, Running)
	_, _, err = Open(context.Background(), dir)
	oneLine(t, err, dir, "another process is writing it")
	w.Close()
	state(dir, Interrupted)
	_, _, err = Open(context.Background(), dir)
	oneLine(t, err, dir, "--resume")
	w, note, err := Resume(context.Background(), dir, someSettings())
	if err != nil || note != "" {
		t.Fatal(err, note)
	}
	state(dir, Running)
	if err := w.Finish(context.Background(), someRun(), someSamples(), DiagnosticsRows{}); err != nil {
		t.Fatal(err)
	}
	state(dir, Complete)
	oneLine(t, w.Finish(context.Background(), someRun(), someSamples(), DiagnosticsRows{}), "closed")
	if _, _, err := Resume(context.Background(), dir, someSettings()); err != ErrFinished {
		t.Errorf("%v, want that the run is complete", err)
	}
}

// TestKilledInFinish resumes what a process leaves that was killed between two
// steps of Finish: the outcome is that of a run without a stop.
func TestKilledInFinish(t *testing.T) {
	want := finished(t, someRun(), someSamples(), someDiagnostics)
	for name, leave := range map[string][]string{
		"in the samples":             {".samples.parquet.0123456789abcdef.tmp"},
		"after the samples":          {"samples.parquet"},
		"in the heads":               {"samples.parquet", ".diagnostics.parquet.0123456789abcdef.tmp"},
		"in the samples inside":      {"samples.parquet", "diagnostics.parquet", ".diagnostics_samples.parquet.0123456789abcdef.tmp"},
		"in the maps":                {"samples.parquet", "diagnostics.parquet", "diagnostics_samples.parquet", ".attention_maps.parquet.0123456789abcdef.tmp"},
		"in the manifest":            {"samples.parquet", "diagnostics.parquet", ".run.json.0123456789abcdef.tmp"},
		"before the journal is gone": {"samples.parquet", "diagnostics.parquet", "diagnostics_samples.parquet", "attention_maps.parquet", "run.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := interrupted(t, someRecords())
			for _, file := range leave {
				b := []byte("half")
				if file[0] != '.' {
					b = readAll(t, filepath.Join(want, file))
				}
				overwrite(t, filepath.Join(dir, file), b)
			}
			w, _, err := Resume(context.Background(), dir, someSettings())
			if err == nil {
				if w.Resumed() != len(someRecords()) {
					t.Errorf("%d records are left", w.Resumed())
				}
				err = w.Finish(context.Background(), someRun(), someSamples(), someDiagnostics)
			} else if err == ErrFinished {
				err = nil
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := names(t, dir); got != names(t, want) {
				t.Errorf("the directory holds %s, want %s", got, names(t, want))
			}
			for _, file := range []string{manifestName, samplesName, diagnosticsName, diagnosticsSamplesName, mapsName} {
				if !bytes.Equal(readAll(t, filepath.Join(dir, file)), readAll(t, filepath.Join(want, file))) {
					t.Errorf("%s differs from that of a run without a stop", file)
				}
			}
		})
	}
}

// TestNoLocks: where the file system has no locks, a file keeps others away, and
// says what to do when its process is gone.
func TestNoLocks(t *testing.T) {
	dir := t.TempDir()
	f := must(os.Create(filepath.Join(dir, journalName)))
	defer f.Close()
	none := func(*os.File) error { return filelock.ErrNone }
	release, err := lockWith(none, dir, f)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockWith(none, dir, f)
	oneLine(t, err, filepath.Join(dir, lockName), fmt.Sprintf("process %d on ", os.Getpid()), "delete this file")
	release()
	release, err = lockWith(none, dir, f)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if got := names(t, dir); got != journalName+" " {
		t.Errorf("the directory holds %s", got)
	}
	tries := 0
	_, err = lockWith(func(*os.File) error { tries++; return filelock.ErrLocked }, dir, f)
	oneLine(t, err, f.Name(), "another process")
	if tries < 2 {
		t.Error("gave up at once, though a look at the state may hold the lock")
	}
}

// TestJournalReplaced: a journal that was removed, or replaced by that of another
// run, while a resume waited for its lock is not written to.
func TestJournalReplaced(t *testing.T) {
	for name, after := range map[string]func(path string, b []byte) error{
		"removed":  func(string, []byte) error { return nil },
		"replaced": func(path string, b []byte) error { return os.WriteFile(path, b, 0o666) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, journal := interrupted(t, someRecords())
			path := filepath.Join(dir, journalName)
			w, _, err := Resume(context.Background(), dir, someSettings())
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() { // while the other is trying
				time.Sleep(30 * time.Millisecond)
				err := os.Remove(path)
				if err == nil {
					err = after(path, journal)
				}
				w.Close()
				done <- err
			}()
			_, _, err = Resume(context.Background(), dir, someSettings())
			oneLine(t, err, path, "another process")
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestFailedStaysFailed: after a batch is lost, room on the disk again does not
// let the run go on without it.
func TestFailedStaysFailed(t *testing.T) {
	dir, _ := interrupted(t, nil)
	w, _, err := Resume(context.Background(), dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	disk := &fullDisk{File: w.journal.(*os.File)}
	w.journal = disk
	if err := w.Add(someRecords()[0]); err != nil {
		t.Fatal(err)
	}
	failed := w.Sync()
	oneLine(t, failed, "--resume")
	disk.room = 1 << 20
	for name, err := range map[string]error{
		"Add": w.Add(someRecords()[1]), "Sync": w.Sync(), "Finish": w.Finish(context.Background(), someRun(), someSamples(), DiagnosticsRows{}),
	} {
		if err != failed {
			t.Errorf("%s: %v, want the first failure", name, err)
		}
	}
	w.Close()
	if got := names(t, dir); got != journalName+" " {
		t.Errorf("the directory holds %s", got)
	}
}

// resigned rewrites the manifest and gives it the checksum of what it then says.
func resigned(from, to string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, manifestName)
		text, err := Sign([]byte(strings.Replace(string(readAll(t, path)), from, to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, text)
	}
}

// ofRun are samples as a run of that name has them.
func ofRun(name string, samples []Sample) []Sample {
	for i := range samples {
		samples[i].Run = name
	}
	return samples
}

// A run's name follows from its settings, so that rows of two runs that differ in one of them can
// be told apart, and those of the same run made twice cannot.
func TestRunsHaveNames(t *testing.T) {
	a, b := someSettings(), someSettings()
	if a.Name() != b.Name() || !strings.HasPrefix(a.Name(), a.Attention+"-"+a.DType+"-") {
		t.Errorf("%q and %q", a.Name(), b.Name())
	}
	b.Tasks[0].Limit++
	if a.Name() == b.Name() {
		t.Errorf("two runs are called %q", a.Name())
	}
}
