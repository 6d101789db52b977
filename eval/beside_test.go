package eval

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
)

// besideSides are the tiny checkpoint and two with cut weights, in directories of dir.
func besideSides(t testing.TB, dir string, suites []string, models []string) (sides []Side) {
	for _, m := range models {
		o := goldenRun(t, suites...)
		o.Model.Model, o.Model.Device, o.Out = m, "cpu", filepath.Join(dir, filepath.Base(filepath.Dir(m))+filepath.Base(m))
		sides = append(sides, Side{Name: filepath.Base(m), Run: o})
	}
	return sides
}

// divergenceLines are the file's lines, sorted: which request is computed first is not fixed
// where a run was stopped.
func divergenceLines(t testing.TB, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".kl-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil || filepath.Base(path) != "divergence" {
			t.Fatalf("%s: %v", path, err)
		}
		lines = append(lines, strings.Split(string(text), "\n")...)
	}
	slices.Sort(lines)
	return lines
}

// TestBesideIsEachAlone: runs computed side by side are to the byte those of each model alone, and
// divergences depend on neither batch, threads, memory nor stops.
func TestBesideIsEachAlone(t *testing.T) {
	suites := goldenSuites(t)
	tiny := golden.TinyCheckpoint(t, "tiny")
	models := []string{tiny, golden.CutWeights(t, tiny, 0xFFE00000), golden.CutWeights(t, tiny, 0xFFC00000)}
	dir := t.TempDir()
	sides := besideSides(t, dir, suites, models)
	done, err := RunBeside(context.Background(), slices.Clone(sides), false)
	if err != nil {
		t.Fatal(err)
	}
	requests, tokens := 0, 0
	for i, d := range done {
		alone := sides[i].Run
		alone.Out = filepath.Join(t.TempDir(), "alone")
		if _, err := Run(context.Background(), alone); err != nil {
			t.Fatal(err)
		}
		samples, manifest, files := outcome(t, alone.Out)
		gotSamples, gotManifest, gotFiles := outcome(t, d.Out)
		if !bytes.Equal(samples, gotSamples) || manifest != gotManifest || files != gotFiles {
			t.Errorf("model %d: its run is another than alone", i)
		}
		if i == 0 {
			rows, err := rundir.ReadSamples(context.Background(), d.Out)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range rows {
				if s.Kind != "passkey" {
					requests++
					tokens += int(s.ContinuationTokens)
				}
			}
			continue
		}
		got, above := 0, 0
		for _, r := range d.Divergences {
			got += len(r.KL)
			for _, kl := range r.KL {
				if kl > 0 {
					above++
				}
			}
		}
		if len(d.Divergences) != requests || got != tokens || above < got*9/10 {
			t.Errorf("model %d: divergences of %d requests and %d tokens, %d above 0; scored were %d and %d", i, len(d.Divergences), got, above, requests, tokens)
		}
	}
	want := divergenceLines(t, dir)

	// Stopped after so many batches, with a last line that is half written, and gone on with in
	// other batches, threads and memory.
	again := t.TempDir()
	stopped := besideSides(t, again, suites, models)
	for stops, batches := range []int{3, 20, 50} {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		for i := range stopped {
			stopped[i].Run.BatchTokens, stopped[i].Run.Model.Threads = 24, 1+stops%2
			stopped[i].Run.Memory = 1 << 20
			stopped[i].Run.Progress = func(Progress) {
				if n++; n == batches {
					cancel()
				}
			}
		}
		if _, err := RunBeside(ctx, slices.Clone(stopped), false); !errors.Is(err, context.Canceled) {
			t.Fatalf("stop %d: %v", stops, err)
		}
		cancel()
		parts, err := filepath.Glob(filepath.Join(again, ".kl-*", "divergence.part"))
		if err != nil || len(parts) != 2 {
			t.Fatal(parts, err)
		}
		text, err := os.ReadFile(parts[0])
		if err != nil || bytes.Count(text, []byte("\n")) < 2 {
			t.Fatalf("stop %d: %d bytes are kept, %v", stops, len(text), err)
		}
		if err := os.WriteFile(parts[0], text[:len(text)-7], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i := range stopped {
		stopped[i].Run.Progress = nil
	}
	if done, err = RunBeside(context.Background(), slices.Clone(stopped), false); err != nil {
		t.Fatal(err)
	}
	if got := divergenceLines(t, again); !slices.Equal(got, want) {
		t.Error("divergences of a run that was stopped differ")
	}
	for i, d := range done {
		samples, manifest, _ := outcome(t, sides[i].Run.Out)
		gotSamples, gotManifest, _ := outcome(t, d.Out)
		if !bytes.Equal(samples, gotSamples) || manifest != gotManifest {
			t.Errorf("model %d: its run differs after stops", i)
		}
	}
	// Whole: nothing is computed again.
	for i := range stopped {
		stopped[i].Run.Progress = func(Progress) { t.Error("computed again") }
	}
	if done, err = RunBeside(context.Background(), slices.Clone(stopped), false); err != nil || len(done[1].Divergences) != requests {
		t.Errorf("again: %v", err)
	}
}

// A model beside itself has one run and divergences of exactly 0.
func TestBesideItself(t *testing.T) {
	tiny := golden.TinyCheckpoint(t, "tiny")
	dir := t.TempDir()
	done, err := RunBeside(context.Background(), besideSides(t, dir, []string{"arc_easy", "wikitext"}, []string{tiny, tiny}), false)
	if err != nil {
		t.Fatal(err)
	}
	if done[0].Out != done[1].Out || len(done[1].Divergences) == 0 {
		t.Errorf("%s and %s, %d records", done[0].Out, done[1].Out, len(done[1].Divergences))
	}
	for _, r := range done[1].Divergences {
		for k, kl := range r.KL {
			if kl != 0 || r.SameTop[k] != '1' || r.First[k] != r.Other[k] {
				t.Fatalf("%s document %d: %v, %v and %v", r.Task, r.Doc, kl, r.First[k], r.Other[k])
			}
		}
	}
}

// What keeps models apart is said by name before anything is computed or written.
func TestBesideRefusesOtherTokens(t *testing.T) {
	tiny, other := golden.TinyCheckpoint(t, "tiny"), golden.TinyCheckpoint(t, "tiny-nobos")
	dir := t.TempDir()
	sides := besideSides(t, dir, []string{"arc_easy"}, []string{tiny, other})
	sides[0].Name, sides[1].Name = "first", "second"
	short := slices.Clone(sides)
	short[1].Run.Model.Model, short[1].Run.Model.MaxLength = tiny, 64
	inside := filepath.Join(dir, "inside.yaml")
	if err := os.WriteFile(inside, []byte("name: inside\npasskey: {lengths: [96], depths: [0], trials: 1, seed: 3}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	decoding := besideSides(t, dir, []string{inside}, []string{tiny, tiny})
	for want, sides := range map[string][]Side{
		"first and second have different tokenizers": sides, "first and second have contexts of": short, "nothing that divergences could be measured on": decoding,
	} {
		if _, err := RunBeside(context.Background(), sides, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}
