package data

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/eval/hub"
	"github.com/softbench/softbench/eval/hub/hubtest"
)

var hubSet = Dataset{Path: "org/set"}

// source downloads from a hub of the test's.
func source(*hubtest.Server) Source {
	s := NewSource("")
	s.Download = true
	return s
}

func read(s Source, d Dataset) (n int, err error) {
	_, err = s.Read(context.Background(), d, []string{"test"}, 0, func(Row) error { n++; return nil })
	return n, err
}

// Downloaded once, verified, found again without the network; nothing is fetched unless asked for.
func TestDownload(t *testing.T) {
	arc, err := os.ReadFile("testdata/arc.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file, revision string
		content              []byte
		lfs                  bool
		rows                 int
	}{
		{"git", "test.jsonl", "main", []byte("{\"a\":1}\n{\"a\":2}\n"), false, 2},
		{"lfs", "data/test-00000-of-00001.parquet", "main", arc, true, 12},
		{"conversion", "default/test/0000.parquet", "refs/convert/parquet", arc, true, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("datasets/org/set", "main", map[string]hubtest.File{"script.py": {Content: []byte("x")}})
			commit := h.Add("datasets/org/set", c.revision, map[string]hubtest.File{c.file: {Content: c.content, LFS: c.lfs}, "train.jsonl": {Content: []byte("{}\n")}})
			s := source(h)
			s.Download = false
			if _, err := read(s, hubSet); err == nil || len(h.Requests()) != 0 {
				t.Fatalf("requests without being asked for, %v", err)
			}
			s.Download = true
			if n, err := read(s, hubSet); err != nil || n != c.rows {
				t.Fatalf("%d rows, %v", n, err)
			}
			repo := hub.DefaultCache().Repo(hubRepo("org/set"))
			if ref, err := os.ReadFile(filepath.Join(repo, "refs", filepath.FromSlash(c.revision))); err != nil || string(ref) != commit {
				t.Errorf("the ref is %q, %v", ref, err)
			}
			if _, err := os.Stat(filepath.Join(repo, "snapshots", commit, "train.jsonl")); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a split that was not asked for was fetched")
			}
			h.Requests()
			if n, err := read(s, hubSet); err != nil || n != c.rows || len(h.Requests()) > 0 {
				t.Errorf("again: %d rows, %v", n, err)
			}
		})
	}
}

// What cannot be downloaded is one line that names the dataset. (What a hub may do wrong is tested
// where the client is.)
func TestDownloadRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*hubtest.Server)
		want   string
	}{
		{"one byte changed", func(h *hubtest.Server) {
			h.Misbehave = func(w http.ResponseWriter, r *http.Request, _ bool) bool {
				if !strings.Contains(r.URL.Path, "/resolve/") {
					return false
				}
				_, _ = w.Write([]byte("{\"a\":1}\n{\"a\":3}\n"))
				return true
			}
		}, "the bytes hash to"},
		{"outside", func(h *hubtest.Server) { h.Entry = func(e map[string]any) { e["path"] = "../../test.jsonl" } }, "outside the repository"},
		{"no such dataset", func(h *hubtest.Server) {
			h.Misbehave = func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
				hubtest.Refuse(w, http.StatusNotFound, "RepoNotFound")
				return true
			}
		}, "the hub answered 404"},
		{"no such split", func(h *hubtest.Server) {
			h.Add("datasets/org/set", "main", map[string]hubtest.File{"x.jsonl": {Content: []byte("{}")}})
		}, "the hub has no split test"},
		{"gated", func(h *hubtest.Server) { h.Gate = "hf_y" }, "set HF_TOKEN"},
		{"offline", func(*hubtest.Server) { os.Setenv("HF_HUB_OFFLINE", "1") }, "HF_HUB_OFFLINE is set"},
		{"server down", func(h *hubtest.Server) { h.Close() }, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Add("datasets/org/set", "main", map[string]hubtest.File{"test.jsonl": {Content: []byte("{\"a\":1}\n{\"a\":2}\n")}})
			c.change(h)
			_, err := read(source(h), hubSet)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "org/set") {
				t.Errorf("error %v; want %q", err, c.want)
			}
		})
	}
}

// A cache that cannot be read, as another user's, hinders nothing that is elsewhere; where the
// documents are nowhere, the error says that it was not looked into.
func TestUnreadableCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	other := tree(t, "datasets--allenai--ai2_arc/snapshots/aaaaaaa1/ARC-Easy/test.jsonl")
	arc := Dataset{Path: "allenai/ai2_arc", Config: "ARC-Easy"}
	for name, s := range map[string]Source{
		"the directory has them": {Dir: tree(t, "ai2_arc/ARC-Easy/test.jsonl"), Caches: []hub.Cache{hub.Cache(file)}},
		"another cache has them": {Caches: []hub.Cache{hub.Cache(file), hub.Cache(other)}},
	} {
		if paths, _, err := s.Locate(context.Background(), arc, "test"); err != nil || len(paths) != 1 {
			t.Errorf("%s: %q, %v", name, paths, err)
		}
	}
	s := Source{Dir: t.TempDir(), Caches: []hub.Cache{hub.Cache(file)}}
	if _, _, err := s.Locate(context.Background(), arc, "test"); err == nil || !strings.Contains(err.Error(), "not looked in "+file) {
		t.Errorf("nowhere: %v", err)
	}
}

func TestDownloadIsCancelled(t *testing.T) {
	h := hubtest.New(t)
	h.Add("datasets/org/set", "main", map[string]hubtest.File{"test.jsonl": {Content: []byte("{}\n")}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := source(h).Read(ctx, hubSet, []string{"test"}, 0, func(Row) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled download: %v", err)
	}
}
