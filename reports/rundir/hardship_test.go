package rundir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

func someSettings() Settings {
	return Settings{
		Engine: "1", ModelSHA256: "aa", TokenizerSHA256: "bb", Attention: "softpick", DType: "float32",
		Device: "cpu", ISA: "avx2", MaxLength: 256, StrictLength: true,
		Tasks:       []TaskSettings{{Name: "arc_easy", Version: "1.0", Digest: "cc", Limit: 1, FewShot: 2, Documents: 3, Data: "dd"}},
		Passkey:     &PasskeySettings{Lengths: []int{96}, Depths: []float64{0, 0.5}, Trials: 2, Seed: 7},
		Diagnostics: &DiagnosticsSettings{Task: "wikitext", Samples: 2, Length: 64, Threshold: 0.3, Data: "ee"},
	}
}

// someRecords are records of three documents with two requests each.
func someRecords() []Record {
	var out []Record
	for doc := range 3 {
		for request := range 2 {
			out = append(out, Record{Task: "arc_easy", Doc: doc, Request: request, Answer: answer.Answer{LogLikelihood: -1.25 - float64(doc)/3, Greedy: request == 0, ContextTokens: 10, ContinuationTokens: 2 + doc}})
		}
	}
	return out
}

// interrupted makes the directory of a run that was stopped after the records.
func interrupted(t testing.TB, records []Record) (dir string, journal []byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, records)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, readAll(t, filepath.Join(dir, journalName))
}

func addAll(t testing.TB, w *Writer, records []Record) {
	t.Helper()
	for _, r := range records {
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
}

func readAll(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// overwrite makes the file anew: some file systems flush one that is cut to
// nothing and written again, which takes a hundred times as long.
func overwrite(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// oneLine fails unless err is one line that has all texts.
func oneLine(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("an error of more than one line: %q", err)
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("the error %q does not say %q", err, s)
		}
	}
}

// TestTornAnywhere cuts the journal at every byte of its beginning and of its
// last two lines: what whole lines hold is kept, the rest is written again, and
// the journal is then the uncut one.
func TestTornAnywhere(t *testing.T) {
	records := someRecords()
	dir, journal := interrupted(t, records)
	path := filepath.Join(dir, journalName)
	body := bytes.TrimSuffix(journal, []byte("\n"))
	tail := bytes.LastIndexByte(body[:bytes.LastIndexByte(body, '\n')], '\n')
	first := bytes.IndexByte(journal, '\n')
	for cut := range len(journal) + 1 {
		if cut > 45 && cut < first-5 || cut > first+5 && cut < tail {
			continue
		}
		overwrite(t, path, journal[:cut])
		w, _, err := Resume(context.Background(), dir, someSettings())
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		whole := max(0, bytes.Count(journal[:cut], []byte("\n"))-1)
		if w.Resumed() != whole {
			t.Fatalf("cut at %d: %d records, want %d", cut, w.Resumed(), whole)
		}
		for i, r := range records {
			got, ok := w.Done(r.Task, r.Doc, r.Request)
			if ok != (i < whole) || ok && !reflect.DeepEqual(got, r) {
				t.Fatalf("cut at %d: record %d is %+v %v, want %+v", cut, i, got, ok, r)
			}
		}
		addAll(t, w, records[whole:])
		w.Close()
		if got := readAll(t, path); !bytes.Equal(got, journal) {
			t.Fatalf("cut at %d: after a resume the journal is\n%s\nwant\n%s", cut, got, journal)
		}
	}
}

// TestFlippedByte changes every byte before the last line, three ways each: the
// error names the line, and the file is left as it is.
func TestFlippedByte(t *testing.T) {
	dir, journal := interrupted(t, someRecords())
	path := filepath.Join(dir, journalName)
	last := bytes.LastIndexByte(journal[:len(journal)-1], '\n')
	for i := range last {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			bad := bytes.Clone(journal)
			bad[i] ^= flip
			overwrite(t, path, bad)
			w, _, err := Resume(context.Background(), dir, someSettings())
			if err == nil {
				// A digit of a checksum may change its case: the same number.
				if bytes.EqualFold(bad, journal) && w.Resumed() == len(someRecords()) {
					w.Close()
					continue
				}
				t.Fatalf("byte %d changed by %#x: no error", i, flip)
			}
			line := 1 + bytes.Count(journal[:i], []byte("\n"))
			if !strings.Contains(err.Error(), fmt.Sprintf("line %d", line)) {
				t.Fatalf("byte %d changed by %#x: %v, want line %d", i, flip, err, line)
			}
			if !bytes.Equal(readAll(t, path), bad) {
				t.Fatalf("byte %d changed by %#x: the journal was changed further", i, flip)
			}
		}
	}
}

// TestNotAJournal: a file that is called journal but is none is left alone.
func TestNotAJournal(t *testing.T) {
	for _, text := range []string{"Dear diary", "Dear diary\n", "{\"schema\": 1}\n", "0123456z", "Dear diary\nDear diary\n"} {
		dir := t.TempDir()
		path := filepath.Join(dir, journalName)
		overwrite(t, path, []byte(text))
		_, _, err := Resume(context.Background(), dir, someSettings())
		oneLine(t, err, path, "line 1")
		if got := readAll(t, path); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestJournalRefused(t *testing.T) {
	records := someRecords()
	first, _ := appendLine(nil, header{journalOf, JournalSchema, "", someSettings(), nil})
	later, _ := appendLine(nil, header{journalOf, JournalSchema + 1, "", someSettings(), nil})
	line, _ := appendLine(nil, records[0])
	unknown, _ := appendLine(nil, map[string]any{"task": "arc_easy", "surprise": 1})
	for name, c := range map[string]struct {
		journal []byte
		want    []string
	}{
		"twice":   {bytes.Join([][]byte{first, line, line}, nil), []string{"line 3 repeats line 2", "arc_easy document 0 request 0"}},
		"schema":  {bytes.Join([][]byte{later, line}, nil), []string{"schema 6", "line 1"}},
		"unknown": {bytes.Join([][]byte{first, unknown, line}, nil), []string{"line 2", "surprise"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			overwrite(t, filepath.Join(dir, journalName), c.journal)
			_, _, err := Resume(context.Background(), dir, someSettings())
			oneLine(t, err, append(c.want, dir)...)
		})
	}
}

// TestOtherSettings changes every setting in turn: the error names it.
func TestOtherSettings(t *testing.T) {
	dir, journal := interrupted(t, someRecords())
	n := 0
	eachField(t, func(name string, s Settings) {
		n++
		_, _, err := Resume(context.Background(), dir, s)
		if name == "name" {
			name = "arc_easyx" // another name is another task
		}
		oneLine(t, err, dir, name, "other settings")
		if !bytes.Equal(readAll(t, filepath.Join(dir, journalName)), journal) {
			t.Errorf("%s: the journal was changed", name)
		}
	})
	if want := 9 + 7 + 4 + 6 + 3 + 2; n != want {
		t.Errorf("%d settings were changed, want %d", n, want)
	}
	if d := Differences(someSettings(), someSettings()); len(d) > 0 {
		t.Errorf("equal settings differ: %q", d)
	}
}

// eachField calls f with settings of which one field is another. Fields of parts
// are named by the part and by themselves.
func eachField(t *testing.T, f func(name string, s Settings)) {
	t.Helper()
	tag := func(sf reflect.StructField) string {
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		return name
	}
	for i := range reflect.TypeFor[Settings]().NumField() {
		field := reflect.TypeFor[Settings]().Field(i)
		part := func(s *Settings) reflect.Value {
			v := reflect.ValueOf(s).Elem().Field(i)
			switch v.Kind() {
			case reflect.Slice:
				return v.Index(0)
			case reflect.Pointer:
				if v.IsNil() {
					v.Set(reflect.New(v.Type().Elem()))
				}
				return v.Elem()
			}
			return v
		}
		s := someSettings()
		v := part(&s)
		if v.Kind() != reflect.Struct {
			alter(t, v)
			f(tag(field), s)
			continue
		}
		for k := range v.NumField() {
			s := someSettings()
			alter(t, part(&s).Field(k))
			f(tag(part(&s).Type().Field(k)), s)
		}
	}
}

func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.New(v.Type().Elem()).Elem()))
	default:
		t.Fatalf("a setting of kind %v", v.Kind())
	}
}

func TestOneWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	w, err := Create(dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Resume(context.Background(), dir, someSettings())
	oneLine(t, err, dir, "another process")
	_, err = Create(dir, someSettings())
	oneLine(t, err, dir, "--resume")
	addAll(t, w, someRecords())
	w.Close()
	w, _, err = Resume(context.Background(), dir, someSettings())
	if err != nil || w.Resumed() != len(someRecords()) {
		t.Fatalf("after the first writer is gone: %v", err)
	}
	w.Close()
}

// fullDisk is a journal that fails after some bytes, with the part that had room
// written; it can refuse to be cut as well.
type fullDisk struct {
	*os.File
	room    int
	noCut   bool
	noSync  bool
	failing bool
}

func (f *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	if len(b) <= f.room {
		f.room -= len(b)
		return f.File.WriteAt(b, at)
	}
	f.failing = true
	n, _ := f.File.WriteAt(b[:f.room], at)
	return n, syscall.ENOSPC
}

func (f *fullDisk) Sync() error {
	if f.noSync {
		return syscall.EIO
	}
	return f.File.Sync()
}

func (f *fullDisk) Truncate(n int64) error {
	if f.noCut {
		return syscall.EIO
	}
	return f.File.Truncate(n)
}

// TestDiskFull lets the disk run full at many places of each line: what was
// synced stays, every later call fails, and a resume with room completes.
func TestDiskFull(t *testing.T) {
	records := someRecords()
	_, want := interrupted(t, records)
	first := bytes.IndexByte(want, '\n') + 1
	for room := 0; room < len(want)-first; room += 61 {
		for _, noCut := range []bool{false, true} {
			dir, _ := interrupted(t, nil)
			w, _, err := Resume(context.Background(), dir, someSettings())
			if err != nil {
				t.Fatal(err)
			}
			disk := &fullDisk{File: w.journal.(*os.File), room: room, noCut: noCut}
			w.journal = disk
			var failed error
			synced := 0
			for i := 0; i < len(records); i += 2 { // two a batch
				for _, r := range records[i : i+2] {
					if err := w.Add(r); err != nil && failed == nil {
						t.Fatal(err)
					}
				}
				switch err := w.Sync(); {
				case err == nil && failed != nil:
					t.Fatal("a sync after a failed one succeeds")
				case err == nil:
					synced += 2
				default:
					failed = err
				}
			}
			oneLine(t, failed, "--resume", syscall.ENOSPC.Error())
			if !errors.Is(failed, syscall.ENOSPC) {
				t.Fatal(failed)
			}
			if err := w.Finish(context.Background(), &Run{Settings: someSettings()}, nil, DiagnosticsRows{}); err == nil {
				t.Fatal("a run of which results are lost is finished")
			}
			w.Close()
			w, _, err = Resume(context.Background(), dir, someSettings())
			if err != nil {
				t.Fatalf("room for %d bytes: %v", room, err)
			}
			if n := w.Resumed(); n < synced || !noCut && n != synced {
				t.Fatalf("room for %d bytes: %d records are left, %d were synced", room, n, synced)
			}
			addAll(t, w, records[w.Resumed():])
			w.Close()
			if got := readAll(t, filepath.Join(dir, journalName)); !bytes.Equal(got, want) {
				t.Fatalf("room for %d bytes: after a resume the journal is\n%s\nwant\n%s", room, got, want)
			}
		}
	}
}

func TestSyncFails(t *testing.T) {
	dir, before := interrupted(t, someRecords()[:2])
	w, _, err := Resume(context.Background(), dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	w.journal = &fullDisk{File: w.journal.(*os.File), room: 1 << 20, noSync: true}
	if err := w.Add(someRecords()[2]); err != nil {
		t.Fatal(err)
	}
	oneLine(t, w.Sync(), "--resume", syscall.EIO.Error())
	w.Close()
	if got := readAll(t, filepath.Join(dir, journalName)); !bytes.Equal(got, before) {
		t.Errorf("what was never synced is in the journal:\n%s", got)
	}
}

// TestFlushOutlivesTheProcess: what was flushed is in the file though it was
// never synced, and a sync that fails later takes it back to the last sync.
func TestFlushOutlivesTheProcess(t *testing.T) {
	dir, before := interrupted(t, someRecords()[:2])
	w, _, err := Resume(context.Background(), dir, someSettings())
	if err != nil {
		t.Fatal(err)
	}
	disk := &fullDisk{File: w.journal.(*os.File), room: 1 << 20, noSync: true}
	w.journal = disk
	if err := w.Add(someRecords()[2]); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	_, want := interrupted(t, someRecords()[:3])
	if got := readAll(t, filepath.Join(dir, journalName)); !bytes.Equal(got, want) {
		t.Fatalf("after a flush the journal is\n%s\nwant\n%s", got, want)
	}
	oneLine(t, w.Sync(), "--resume", syscall.EIO.Error())
	if err := w.Flush(); err == nil {
		t.Error("a flush after a failed sync succeeds")
	}
	w.Close()
	if got := readAll(t, filepath.Join(dir, journalName)); !bytes.Equal(got, before) {
		t.Errorf("what was never synced is in the journal:\n%s", got)
	}
}

// TestDirectories: what --out may not be.
func TestDirectories(t *testing.T) {
	t.Run("other files", func(t *testing.T) {
		dir := t.TempDir()
		overwrite(t, filepath.Join(dir, "thesis.tex"), []byte("x"))
		_, err := Create(dir, someSettings())
		oneLine(t, err, dir, "--out")
		_, _, err = Resume(context.Background(), dir, someSettings())
		oneLine(t, err, dir, "--out")
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("the directory holds %v", entries)
		}
	})
	t.Run("a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "notes")
		overwrite(t, path, []byte("x"))
		_, err := Create(path, someSettings())
		oneLine(t, err, path)
		if string(readAll(t, path)) != "x" {
			t.Error("the file was changed")
		}
	})
	t.Run("read-only", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root writes to read-only directories")
		}
		parent := t.TempDir()
		if err := os.Chmod(parent, 0o555); err != nil {
			t.Fatal(err)
		}
		_, err := Create(filepath.Join(parent, "run"), someSettings())
		oneLine(t, err, parent, "cannot write")
	})
}
