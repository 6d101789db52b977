package data

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/eval/hub"
)

// tree writes files below a new directory: a name ending in .parquet gets a real Parquet file, any
// other one JSON line that holds its own name.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		put(t, dir, name)
	}
	return dir
}

func put(t *testing.T, dir, name string) {
	t.Helper()
	content := []byte(`{"file":"` + name + `"}` + "\n")
	if strings.HasSuffix(name, ".parquet") {
		var err error
		if content, err = os.ReadFile("testdata/winogrande-00000-of-00002.parquet"); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, filepath.FromSlash(name)), content)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A layout that the hub or a user has and that is not found, or files in another order, fails here.
func TestLayouts(t *testing.T) {
	arc := Dataset{Path: "allenai/ai2_arc", Config: "ARC-Easy", Aliases: []string{"arc"}}
	for _, c := range []struct {
		name  string
		d     Dataset
		files []string
		want  []string // relative; empty: not found
		err   string
	}{
		{"config and split", arc, []string{"ai2_arc/ARC-Easy/test.jsonl", "ai2_arc/ARC-Easy/train.jsonl"}, []string{"ai2_arc/ARC-Easy/test.jsonl"}, ""},
		{"split alone", arc, []string{"ai2_arc/test.parquet"}, []string{"ai2_arc/test.parquet"}, ""},
		{"whole id", arc, []string{"allenai/ai2_arc/ARC-Easy/test.json"}, []string{"allenai/ai2_arc/ARC-Easy/test.json"}, ""},
		{"alias", arc, []string{"arc/test.jsonl"}, []string{"arc/test.jsonl"}, ""},
		{"the configuration wins", arc, []string{"ai2_arc/ARC-Easy/test.jsonl", "ai2_arc/test.jsonl"}, []string{"ai2_arc/ARC-Easy/test.jsonl"}, ""},
		{"the hub's shard", arc, []string{"ai2_arc/ARC-Easy/test-00000-of-00001.parquet"}, []string{"ai2_arc/ARC-Easy/test-00000-of-00001.parquet"}, ""},
		{"shards with hashes below data", Dataset{Path: "a/b"}, []string{"b/data/test-00001-of-00002-0f.parquet", "b/data/test-00000-of-00002-0e.parquet"},
			[]string{"b/data/test-00000-of-00002-0e.parquet", "b/data/test-00001-of-00002-0f.parquet"}, ""},
		{"the hub's conversion", arc, []string{"ai2_arc/ARC-Easy/test/0000.parquet", "ai2_arc/ARC-Easy/test/0001.parquet"},
			[]string{"ai2_arc/ARC-Easy/test/0000.parquet", "ai2_arc/ARC-Easy/test/0001.parquet"}, ""},
		{"named files", Dataset{Path: "a/b", Files: map[string][]string{"test": {"raw/*_en.jsonl"}}}, []string{"b/raw/x_en.jsonl", "b/raw/x_de.jsonl", "b/test.jsonl"}, []string{"b/raw/x_en.jsonl"}, ""},
		{"one configuration of any name", Dataset{Path: "a/b"}, []string{"b/plain_text/test/0000.parquet", "b/plain_text/train/0000.parquet", "b/README.md"}, []string{"b/plain_text/test/0000.parquet"}, ""},
		{"two configurations", Dataset{Path: "a/b"}, []string{"b/x/test.jsonl", "b/y/test.jsonl"}, nil, "two configurations hold the split"},
		{"another configuration", arc, []string{"ai2_arc/ARC-Challenge/test.jsonl"}, nil, "no data for"},
		{"other split", arc, []string{"ai2_arc/ARC-Easy/train.jsonl", "ai2_arc/ARC-Easy/tested.jsonl"}, nil, "no data for allenai/ai2_arc (ARC-Easy), split test; looked in"},
		{"hidden files", arc, []string{"ai2_arc/.cache/test.jsonl"}, nil, "no data for"},
		{"two formats", arc, []string{"ai2_arc/ARC-Easy/test.jsonl", "ai2_arc/ARC-Easy/test.parquet"}, nil, "both hold the split \"test\"; keep one"},
		{"missing first shard", arc, []string{"ai2_arc/test-00001-of-00002.parquet"}, nil, "shard 00000 of 2 is missing"},
		{"missing last shard", arc, []string{"ai2_arc/test-00000-of-00002.parquet"}, nil, "shard 00001 of 2 is missing"},
		{"two sets of shards", arc, []string{"ai2_arc/test-00000-of-00001.parquet", "ai2_arc/test-00000-of-00002.parquet"}, nil, "keep one set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, c.files...)
			got, split, err := Source{Dir: dir}.Locate(context.Background(), c.d, "test")
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("error %v; want %q", err, c.err)
				}
				return
			}
			if err != nil || split != "test" {
				t.Fatal(split, err)
			}
			for i := range got {
				got[i], _ = filepath.Rel(dir, got[i])
				got[i] = filepath.ToSlash(got[i])
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q; want %q", got, c.want)
			}
		})
	}
}

// Shards are one split: rows are numbered through, in the shards' order.
func TestShardsAreReadInOrder(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"00000", "00001"} {
		name := "winogrande-" + n + "-of-00002.parquet"
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "winogrande", "validation-"+n+"-of-00002.parquet"), b)
	}
	want := hashes(t, filepath.Join("..", "testdata", "data", "winogrande/winogrande_xl/validation.jsonl"))
	var got []string
	files, err := Source{Dir: dir}.Read(context.Background(), Dataset{Path: "allenai/winogrande"}, []string{"validation"}, 0, func(r Row) error {
		if r.Index != len(got) {
			t.Errorf("row %d has the index %d", len(got), r.Index)
		}
		got = append(got, Hash(r.Values))
		return nil
	})
	if err != nil || len(files) != 2 || files[0].Rows != 7 || files[1].Rows != 5 {
		t.Fatal(files, err)
	}
	if !slices.Equal(got, want) {
		t.Error("the shards' documents are not the file's")
	}
	// A limit inside the first shard leaves the second read for its hash alone.
	files, err = Source{Dir: dir}.Read(context.Background(), Dataset{Path: "allenai/winogrande"}, []string{"validation"}, 3, func(Row) error { return nil })
	if err != nil || len(files) != 2 || files[0].Rows != 3 || files[1].Rows != 0 || files[1].SHA256 == "" {
		t.Errorf("with a limit of 3: %+v, %v", files, err)
	}
}

// The first split that is there is the one that is read, and says so.
func TestSplitsInOrder(t *testing.T) {
	d := Dataset{Path: "e/wiki"}
	for _, c := range []struct{ files, want string }{{"wiki/validation.jsonl", "validation"}, {"wiki/test.jsonl", "test"}} {
		files, err := Source{Dir: tree(t, c.files)}.Read(context.Background(), d, []string{"test", "validation"}, 0, func(Row) error { return nil })
		if err != nil || files[0].Split != c.want {
			t.Errorf("%s: %+v, %v", c.files, files, err)
		}
	}
}

// The hub's cache is found by refs/main, symbolic links and all; a cache without refs by its only snapshot.
func TestHubCache(t *testing.T) {
	d := Dataset{Path: "allenai/sciq"}
	cache := t.TempDir()
	repo := filepath.Join(cache, "datasets--allenai--sciq")
	find := func() (string, error) {
		got, _, err := Source{Caches: []hub.Cache{hub.Cache(cache)}}.Locate(context.Background(), d, "test")
		if err != nil {
			return "", err
		}
		rel, _ := filepath.Rel(repo, got[0])
		return filepath.ToSlash(rel), nil
	}
	var missing *NotFoundError
	if _, err := find(); !errors.As(err, &missing) || !strings.Contains(err.Error(), "--download") {
		t.Fatalf("an empty cache: %v", err)
	}
	put(t, repo, "blobs/0123")
	snap := filepath.Join(repo, "snapshots", "aaaaaaa1", "data")
	if err := os.MkdirAll(snap, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "..", "..", "blobs", "0123"), filepath.Join(snap, "test-00000-of-00001.jsonl")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if got, err := find(); err != nil || got != "snapshots/aaaaaaa1/data/test-00000-of-00001.jsonl" {
		t.Fatal(got, err)
	}
	put(t, repo, "snapshots/bbbbbbb2/test.jsonl")
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "2 snapshots and no refs/main") {
		t.Errorf("two snapshots: %v", err)
	}
	write(t, filepath.Join(repo, "refs", "main"), []byte("bbbbbbb2\n"))
	if got, err := find(); err != nil || got != "snapshots/bbbbbbb2/test.jsonl" {
		t.Error(got, err)
	}
	write(t, filepath.Join(repo, "refs", "main"), []byte("../../etc"))
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "is not a commit") {
		t.Errorf("a ref that is not a commit: %v", err)
	}
}

func TestNewSourceFollowsTheEnvironment(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"HF_HUB_CACHE", "/c/hub", "/c/hub"},
		{"HF_HOME", "/c/hf", "/c/hf/hub"},
		{"XDG_CACHE_HOME", "/c/xdg", "/c/xdg/huggingface/hub"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []string{"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"} {
				t.Setenv(n, "")
			}
			t.Setenv(c.name, filepath.FromSlash(c.value))
			s := NewSource("")
			if filepath.ToSlash(string(s.Caches[0])) != c.want || s.Download {
				t.Errorf("caches %q, download %v; want %s first and no download", s.Caches, s.Download, c.want)
			}
		})
	}
}

// Any text: the files of the data directory itself, or one file.
func TestPlainText(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.txt"), []byte("second"))
	write(t, filepath.Join(dir, "a.txt"), []byte("first\n"))
	d := Dataset{Path: "text", Files: map[string][]string{"test": {"*.txt", "*.jsonl"}}}
	for _, c := range []struct {
		dir  string
		want []string
	}{{dir, []string{"first\n", "second"}}, {filepath.Join(dir, "b.txt"), []string{"second"}}} {
		var got []string
		_, err := Source{Dir: c.dir}.Read(context.Background(), d, []string{"test"}, 0, func(r Row) error {
			got = append(got, r.Values["text"].(string))
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", c.dir, got, err)
		}
	}
	put(t, dir, "c.jsonl")
	if _, _, err := (Source{Dir: dir}).Locate(context.Background(), d, "test"); err == nil || !strings.Contains(err.Error(), "two formats") {
		t.Errorf("two formats: %v", err)
	}
	if _, _, err := (Source{Dir: filepath.Join(dir, "none")}).Locate(context.Background(), d, "test"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a data directory that is not there: %v", err)
	}
}

// A file outside its configuration's directory is not taken for any, where several are in use; a
// directory of the configuration's own name, an alias, says enough.
func TestConfigurationIsNotGuessed(t *testing.T) {
	for _, c := range []struct{ config, file, err string }{
		{"ARC-Easy", "ai2_arc/test.jsonl", "does not say which configuration of the dataset it is of; move it to ARC-Easy/test.jsonl"},
		{"ARC-Challenge", "ai2_arc/data/test-00000-of-00001.parquet", "move it to ARC-Challenge/test-00000-of-00001.parquet"},
		{"ARC-Challenge", "allenai/ai2_arc/default/test.jsonl", "move it to ARC-Challenge/test.jsonl"},
		{"ARC-Easy", "ai2_arc/ARC-Easy/test.jsonl", ""},
		{"ARC-Easy", "easy/test.jsonl", ""},
	} {
		d := Dataset{Path: "allenai/ai2_arc", Config: c.config, Aliases: []string{"easy"}, Named: true}
		_, _, err := Source{Dir: tree(t, c.file)}.Locate(t.Context(), d, "test")
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s for %s: %v; want %q", c.file, c.config, err, c.err)
		}
	}
}

// What is given with --data serves or is refused: nothing else is scored in its place.
func TestGivenDataIsNotPassedOver(t *testing.T) {
	cache := t.TempDir()
	repo := filepath.Join(cache, "datasets--allenai--sciq")
	put(t, repo, "snapshots/aaaaaaa1/test.jsonl")
	d := Dataset{Path: "allenai/sciq"}
	for file, want := range map[string]string{
		"sciq/test.jsonl.xz":                  "sciq/test.jsonl.xz is in a format that is not read",
		"sciq/test.xlsx":                      "sciq/test.xlsx is in a format that is not read",
		"sciq/test/data-00000-of-00001.arrow": "is an Arrow file, as datasets' save_to_disk writes it, which is not read",
		"sciq/sciq-test.arrow":                "is an Arrow file",
		"allenai/sciq/data/test.parquet.gz":   "test.parquet.gz is in a format that is not read",
	} {
		_, _, err := Source{Dir: tree(t, file), Caches: []hub.Cache{hub.Cache(cache)}}.Locate(t.Context(), d, "test")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", file, err, want)
		}
	}
	file := filepath.Join(tree(t, "some.jsonl"), "some.jsonl")
	if _, _, err := (Source{Dir: file, Caches: []hub.Cache{hub.Cache(cache)}}).Locate(t.Context(), d, "test"); err == nil || !strings.Contains(err.Error(), "is a file, but allenai/sciq is looked for below a directory: put the file at DIR/sciq/test.jsonl") {
		t.Errorf("a file for a dataset of the hub: %v", err)
	}
	text := Dataset{Path: "text", Files: map[string][]string{"test": {"*.txt"}}}
	if _, _, err := (Source{Dir: file}).Locate(t.Context(), text, "test"); err == nil || !strings.Contains(err.Error(), "fits none of the patterns *.txt") {
		t.Errorf("a file that fits no pattern: %v", err)
	}
	if got, _, err := (Source{Dir: tree(t, "piqa/test.jsonl"), Caches: []hub.Cache{hub.Cache(cache)}}).Locate(t.Context(), d, "test"); err != nil || len(got) != 1 {
		t.Errorf("a directory without it: %v, %v", got, err)
	}
}

// A split that a dataset lacks is not taken from a dataset beside it, nor from another configuration.
func TestSplitsOfOtherDatasetsAreNotTaken(t *testing.T) {
	for _, c := range []struct{ path, config, tree, split, err string }{
		{"only", "", "only/test.jsonl mine/train.jsonl", "train", "no data for only, split train"},
		{"only", "", "only/test.jsonl train.jsonl", "train", "no data for only, split train"},
		{"typo", "", "mine/test.jsonl", "test", "no data for typo, split test"},
		{"typo", "sub", "mine/sub/test.jsonl", "test", "no data for typo (sub), split test"},
		{"only", "", "only/a/test.jsonl only/b/train.jsonl", "train", "nothing tells whether the two are of one configuration"},
		{"me/only", "", "only/a/test.jsonl only/b/train.jsonl", "test", "nothing tells whether the two are of one configuration"},
		{"only", "", "only/a/test.jsonl only/a/train.jsonl other/train.jsonl", "train", ""},
		{"only", "", "test.jsonl mine/train.jsonl", "test", ""},
	} {
		_, _, err := Source{Dir: tree(t, strings.Fields(c.tree)...)}.Locate(t.Context(), Dataset{Path: c.path, Config: c.config}, c.split)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s of %s in %s: %v; want %q", c.split, c.path, c.tree, err, c.err)
		}
	}
}

// What lies where a dataset is looked for and cannot serve is named: a link to nothing, a file of
// another kind. Packed files are found by the pattern of the plain ones.
func TestWhatWasSeenIsNamed(t *testing.T) {
	arc := Dataset{Path: "allenai/ai2_arc", Config: "ARC-Easy"}
	text := Dataset{Path: "text", Files: map[string][]string{"test": {"*.txt", "*.jsonl"}}}
	for _, c := range []struct {
		d               Dataset
		link, tree, err string
	}{
		{arc, "ai2_arc", "", "ai2_arc is a symbolic link to what is not there"},
		{arc, "ai2_arc/ARC-Easy", "", "ai2_arc/ARC-Easy is not a directory, but a file, or a symbolic link to what is not there"},
		{text, "", "a.csv", "a.csv is there, and fits none of the patterns *.txt, *.jsonl"},
		{text, "", "data-00000-of-00001.arrow", "data-00000-of-00001.arrow is there"},
		{text, "", "x.jsonl.gz", ""},
		{text, "", "x.JSONL.zst", "x.JSONL.zst is there"},
		{text, "", "a.txt x.jsonl.gz", "files of two formats"},
	} {
		dir := tree(t, strings.Fields(c.tree)...)
		if c.link != "" {
			at := filepath.Join(dir, filepath.FromSlash(c.link))
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("nowhere", at); err != nil {
				t.Skip("no symbolic links here:", err)
			}
		}
		_, _, err := Source{Dir: dir}.Locate(t.Context(), c.d, "test")
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s%s: %v; want %q", c.link, c.tree, err, c.err)
		}
	}
}

// Directories that are symbolic links are followed, to another place and not round in a circle.
func TestLinkedDirectories(t *testing.T) {
	real := tree(t, "x/ARC-Easy/test.jsonl", "deep/test.jsonl")
	for _, c := range []struct{ at, to string }{
		{"ai2_arc", "x"}, {"ai2_arc/ARC-Easy", "deep"}, {"allenai", ""},
	} {
		dir := t.TempDir()
		at := filepath.Join(dir, filepath.FromSlash(c.at))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(real, c.to)
		if c.to == "" { // allenai/ai2_arc holds a link to what it stands in
			to = tree(t, "ai2_arc/ARC-Easy/test.jsonl")
			if err := os.Symlink(to, filepath.Join(to, "ai2_arc", "again")); err != nil {
				t.Skip("no symbolic links here:", err)
			}
		}
		if err := os.Symlink(to, at); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		if _, _, err := (Source{Dir: dir}).Locate(t.Context(), Dataset{Path: "allenai/ai2_arc", Config: "ARC-Easy"}, "test"); err != nil {
			t.Errorf("%s -> %s: %v", c.at, c.to, err)
		}
	}
}
