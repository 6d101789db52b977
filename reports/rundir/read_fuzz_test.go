package rundir

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzJournal: no content panics, and what is accepted is whole up to size.
func FuzzJournal(f *testing.F) {
	_, journal := interrupted(f, someRecords())
	f.Add(journal)
	f.Add(journal[:len(journal)-9])
	f.Add([]byte("00000000 {}\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := readJournal(context.Background(), bytes.NewReader(b))
		if err != nil {
			return
		}
		if j.size > int64(len(b)) || bytes.Count(b[:j.size], []byte("\n")) != len(j.records)+len(j.whole)+1 {
			t.Errorf("%d records and %d whole tasks in %d bytes of %d", len(j.records), len(j.whole), j.size, len(b))
		}
		again, err := readJournal(context.Background(), bytes.NewReader(b[:j.size]))
		if err != nil || again.size != j.size || len(again.records) != len(j.records) {
			t.Errorf("the whole part is read as another journal: %v", err)
		}
	})
}

// FuzzManifest: no content panics, and what is accepted is written and read again.
func FuzzManifest(f *testing.F) {
	text, err := (&Run{Schema: Schema, Settings: someSettings(), Tasks: []TaskResult{{Name: "arc_easy", Documents: 3}}}).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema": 1}`))
	f.Add([]byte(`{"schema": 1, "settings": {}, "tasks": [{"name": "a", "metrics": [{"name": "acc", "value": null}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseManifest(b)
		if err != nil {
			return
		}
		text, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(text); err != nil {
			t.Errorf("what was accepted is refused when written again: %v", err)
		}
	})
}

// FuzzSamples: no content panics.
func FuzzSamples(f *testing.F) {
	path := filepath.Join(f.TempDir(), samplesName)
	if err := writeSamples(context.Background(), path, "", awkwardRows()[2:]); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[len(b)/2:])
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readRows[Sample](context.Background(), bytes.NewReader(b), int64(len(b)), nil)
		if err == nil {
			_ = checkSamples(context.Background(), rows)
		} else if strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Errorf("an error of more than one line: %q", err)
		}
	})
}
