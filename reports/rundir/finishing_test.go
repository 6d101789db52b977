package rundir

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// finishable is a run whose samples are those of someRecords.
func finishable() (*Run, []Sample) {
	var rows []Sample
	for _, r := range someRecords() {
		ll := r.LogLikelihood
		rows = append(rows, Sample{Task: r.Task, Kind: "multiple_choice", DocID: int32(r.Doc), Request: int32(r.Request), LogLikelihood: &ll})
	}
	return &Run{Settings: someSettings(), Tasks: []TaskResult{{Name: "arc_easy", Documents: 3}}}, rows
}

func names(t *testing.T, dir string) (out string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out += e.Name() + " "
	}
	return out
}

// TestResumeAfterFinishDied: between the samples and the manifest, within the manifest,
// and before the journal is removed. A resume leaves the two files alone.
func TestResumeAfterFinishDied(t *testing.T) {
	dir, journal := interrupted(t, someRecords())
	overwrite(t, filepath.Join(dir, samplesName), []byte("of a process that was killed"))
	for _, name := range []string{samplesName, diagnosticsName, diagnosticsSamplesName, mapsName, manifestName} {
		overwrite(t, filepath.Join(dir, "."+name+".0123456789abcdef.tmp"), []byte("torn"))
	}
	w, _, err := Resume(context.Background(), dir, someSettings())
	if err != nil || w.Resumed() != len(someRecords()) {
		t.Fatal(err)
	}
	r, rows := finishable()
	if err := w.Finish(context.Background(), r, rows, DiagnosticsRows{}); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != "run.json samples.parquet " {
		t.Errorf("the directory holds %s", got)
	}
	overwrite(t, filepath.Join(dir, journalName), journal)
	if _, _, err := Resume(context.Background(), dir, someSettings()); !errors.Is(err, ErrFinished) {
		t.Fatalf("a complete run is resumed: %v", err)
	}
	if got := names(t, dir); got != "run.json samples.parquet " {
		t.Errorf("after the resume of a complete run the directory holds %s", got)
	}
	other := someSettings()
	other.DType = "bfloat16"
	_, _, err = Resume(context.Background(), dir, other)
	oneLine(t, err, dir, "dtype", "float32", "bfloat16")
	// Samples that are not the manifest's, by as little as a bit anywhere.
	path := filepath.Join(dir, samplesName)
	whole := readAll(t, path)
	for i := 0; i < len(whole); i += len(whole)/50 + 1 {
		bad := bytes.Clone(whole)
		bad[i] ^= 4
		overwrite(t, path, bad)
		_, _, err = Resume(context.Background(), dir, someSettings())
		oneLine(t, err, samplesName)
	}
}

// TestFinishFails: where a file cannot be written the journal stays, and a
// resume completes.
func TestFinishFails(t *testing.T) {
	for _, name := range []string{samplesName, manifestName} {
		dir, _ := interrupted(t, someRecords())
		w, _, err := Resume(context.Background(), dir, someSettings())
		if err != nil {
			t.Fatal(err)
		}
		blocked := filepath.Join(dir, name, "x") // a directory that is not empty takes the file's place
		if err := os.MkdirAll(blocked, 0o777); err != nil {
			t.Fatal(err)
		}
		r, rows := finishable()
		oneLine(t, w.Finish(context.Background(), r, rows, DiagnosticsRows{}), name, "--resume")
		w.Close()
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		w, _, err = Resume(context.Background(), dir, someSettings())
		if err != nil || w.Resumed() != len(someRecords()) {
			t.Fatalf("%s: %v", name, err)
		}
		r, rows = finishable()
		if err := w.Finish(context.Background(), r, rows, DiagnosticsRows{}); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); got != "run.json samples.parquet " {
			t.Errorf("%s: the directory holds %s", name, got)
		}
	}
}
