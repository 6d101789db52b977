package rundir

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDivergenceFile: a file grows, is gone on with where its last line is not whole, and is
// refused where it was changed, or is of other runs.
func TestDivergenceFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kl")
	first, other := Settings{ModelSHA256: "a"}, Settings{ModelSHA256: "b"}
	record := func(doc int) DivergenceRecord {
		return NewDivergenceRecord("text", doc, 0, []DivergenceToken{{Seen: 1, KL: 0.5, First: -1, Other: -2, SameTop: true}, {Seen: 2, KL: 0, First: -1, Other: -1}, {Seen: 1, KL: 3, First: -4, Other: -9}})
	}
	open := func() *DivergenceWriter {
		t.Helper()
		w, whole, err := OpenDivergences(t.Context(), dir, first, other)
		if err != nil || whole != nil {
			t.Fatalf("%d records, %v", len(whole), err)
		}
		return w
	}
	w := open()
	for doc := range 3 {
		if err := w.Add(record(doc)); err != nil {
			t.Fatal(err)
		}
	}
	bad := record(9)
	bad.KL[1] = math.NaN()
	if err := w.Add(bad); err == nil {
		t.Error("a divergence that is not a number is taken")
	}
	if _, _, err := OpenDivergences(t.Context(), dir, first, other); !errors.Is(err, ErrBusy) {
		t.Errorf("two write one file: %v", err)
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	path := filepath.Join(dir, growingName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(b []byte) {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put(bytes.Replace(text, []byte("0.5"), []byte("0.6"), 1)) // of the first record
	if _, _, err := OpenDivergences(t.Context(), dir, first, other); err == nil || !strings.Contains(err.Error(), "line 2 is damaged") {
		t.Errorf("a changed line: %v", err)
	}
	if _, _, err := OpenDivergences(t.Context(), dir, first, first); err == nil || !strings.Contains(err.Error(), "of other runs") {
		t.Errorf("of other runs: %v", err)
	}
	put(text[:len(text)-3])
	w = open()
	if !w.Done("text", 1, 0) || w.Done("text", 2, 0) {
		t.Error("a last line that is not whole is taken, or one that is is not")
	}
	if err := w.Add(record(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDivergences(t.Context(), dir, first, other); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that grows is read as whole: %v", err)
	}
	if _, _, _, err := DivergencesIn(t.Context(), dir); !errors.Is(err, ErrGrowing) {
		t.Errorf("of which runs a file that grows is: %v", err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	_, records, err := OpenDivergences(t.Context(), dir, first, other)
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if a, b, all, err := DivergencesIn(t.Context(), dir); err != nil || a.ModelSHA256 != "a" || b.ModelSHA256 != "b" || len(all) != 3 {
		t.Errorf("%d records of %q and %q, %v", len(all), a.ModelSHA256, b.ModelSHA256, err)
	}
	if _, _, _, err := DivergencesIn(t.Context(), filepath.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there are none: %v", err)
	}
	tokens, starts := records[2].Tokens()
	if len(tokens) != 3 || len(starts) != 2 || starts[1] != 2 || tokens[1].Seen != 2 || tokens[2].Seen != 1 || tokens[2].KL != 3 || !tokens[0].SameTop || tokens[1].SameTop {
		t.Errorf("%+v, windows from %v", tokens, starts)
	}
	if whole, err := os.ReadFile(filepath.Join(dir, DivergenceName)); err != nil || !bytes.Equal(whole, text) {
		t.Errorf("the file is another than one written in one go: %v", err)
	}
}
