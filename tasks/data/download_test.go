package data

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

const testCommit = "0123456789abcdef0123456789abcdef01234567"

// hub is a hub of one dataset, org/set: a small file as git keeps it and a large one as LFS does.
type hub struct {
	files    map[string][]byte
	served   map[string][]byte // instead of files, where there
	lfs      map[string]bool
	path     map[string]string // listed under another path
	revision string            // the revision that has the files
	requests atomic.Int64
	*httptest.Server
}

func newHub(t *testing.T) *hub {
	h := &hub{files: map[string][]byte{}, served: map[string][]byte{}, lfs: map[string]bool{}, path: map[string]string{}, revision: "main"}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	t.Setenv("HF_HUB_OFFLINE", "")
	return h
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	h.requests.Add(1)
	p := r.URL.EscapedPath()
	switch {
	case p == "/api/datasets/org/set/revision/main" || p == "/api/datasets/org/set/revision/refs%2Fconvert%2Fparquet":
		commit := testCommit
		if want := "/api/datasets/org/set/revision/" + strings.ReplaceAll(h.revision, "/", "%2F"); p != want {
			commit = strings.Repeat("e", 40)
		}
		fmt.Fprintf(w, `{"sha":%q}`, commit)
	case p == "/api/datasets/org/set/tree/"+strings.Repeat("e", 40):
		fmt.Fprint(w, `[{"type":"file","path":"script.py","oid":"x","size":1}]`)
	case p == "/api/datasets/org/set/tree/"+testCommit:
		h.tree(w, r)
	case strings.HasPrefix(p, "/datasets/org/set/resolve/"+testCommit+"/"):
		name := strings.TrimPrefix(p, "/datasets/org/set/resolve/"+testCommit+"/")
		if b, ok := h.served[name]; ok {
			w.Write(b)
		} else if b, ok := h.files[name]; ok {
			w.Write(b)
		} else {
			http.NotFound(w, r)
		}
	default:
		http.NotFound(w, r)
	}
}

// tree lists the files in two pages, as the hub does with many.
func (h *hub) tree(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("cursor") == "" {
		w.Header().Set("Link", fmt.Sprintf(`<%s/api/datasets/org/set/tree/%s?recursive=true&cursor=2>; rel="next"`, h.URL, testCommit))
		fmt.Fprint(w, `[{"type":"directory","path":"data","oid":"x","size":0}]`)
		return
	}
	var list []map[string]any
	for name, b := range h.files {
		e := map[string]any{"type": "file", "path": name, "size": len(b)}
		if p, ok := h.path[name]; ok {
			e["path"] = p
		}
		sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
		e["oid"] = hex.EncodeToString(sum[:])
		if h.lfs[name] {
			sum := sha256.Sum256(b)
			e["oid"] = "of the pointer"
			e["lfs"] = map[string]any{"oid": hex.EncodeToString(sum[:]), "size": len(b)}
		}
		list = append(list, e)
	}
	json.NewEncoder(w).Encode(list)
}

func (h *hub) source(t *testing.T) Source {
	store := t.TempDir()
	return Source{Caches: []string{store}, Store: store, Endpoint: h.URL, Download: true}
}

var hubSet = Dataset{Path: "org/set"}

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
			h := newHub(t)
			h.files[c.file], h.lfs[c.file], h.revision = c.content, c.lfs, c.revision
			h.files["train.jsonl"] = []byte("{}\n")
			s := h.source(t)
			s.Download = false
			if _, err := read(s, hubSet); err == nil || h.requests.Load() != 0 {
				t.Fatalf("%d requests without being asked for, %v", h.requests.Load(), err)
			}
			s.Download = true
			if n, err := read(s, hubSet); err != nil || n != c.rows {
				t.Fatalf("%d rows, %v", n, err)
			}
			if _, err := os.Stat(filepath.Join(s.Store, "datasets--org--set", "snapshots", testCommit, "train.jsonl")); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a split that was not asked for was fetched")
			}
			before := h.requests.Load()
			if n, err := read(s, hubSet); err != nil || n != c.rows || h.requests.Load() != before {
				t.Errorf("again: %d rows, %v, %d more requests", n, err, h.requests.Load()-before)
			}
		})
	}
}

// What is not the bytes the hub lists is refused, and leaves nothing behind.
func TestDownloadRefuses(t *testing.T) {
	good := []byte("{\"a\":1}\n{\"a\":2}\n")
	for _, c := range []struct {
		name   string
		change func(*hub, *Source)
		want   string
	}{
		{"cut off", func(h *hub, _ *Source) { h.served["test.jsonl"] = good[:8] }, "cut off: 8 of 16 bytes"},
		{"one byte changed", func(h *hub, _ *Source) { h.served["test.jsonl"] = []byte("{\"a\":1}\n{\"a\":3}\n") }, "the bytes hash to"},
		{"longer", func(h *hub, _ *Source) { h.served["test.jsonl"] = append(good[:16:16], "{}"...) }, "longer than the 16 bytes"},
		{"changed lfs", func(h *hub, _ *Source) {
			h.lfs["test.jsonl"] = true
			h.served["test.jsonl"] = []byte("{\"a\":1}\n{\"a\":3}\n")
		}, "the bytes hash to"},
		{"outside", func(h *hub, _ *Source) { h.path["test.jsonl"] = "../../test.jsonl" }, "no split test"},
		{"no such dataset", func(_ *hub, s *Source) { s.Endpoint += "/nowhere" }, "the hub answered 404"},
		{"no such split", func(h *hub, _ *Source) { delete(h.files, "test.jsonl"); h.files["x.jsonl"] = good }, "the hub has no split test"},
		{"offline", func(*hub, *Source) { os.Setenv("HF_HUB_OFFLINE", "1") }, "HF_HUB_OFFLINE is set"},
		{"server down", func(h *hub, _ *Source) { h.Close() }, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHub(t)
			h.files["test.jsonl"] = good
			s := h.source(t)
			c.change(h, &s)
			_, err := read(s, hubSet)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "org/set") {
				t.Errorf("error %v; want %q", err, c.want)
			}
			filepath.WalkDir(s.Store, func(p string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					t.Errorf("%s was left behind", p)
				}
				return nil
			})
		})
	}
	// A path that would leave the cache, listed under the split's own pattern.
	h := newHub(t)
	h.files["test.jsonl"], h.path["test.jsonl"] = good, "../../../test.jsonl"
	d := Dataset{Path: "org/set", Files: map[string][]string{"test": {"../../../*.jsonl"}}}
	if _, err := read(h.source(t), d); err == nil || !strings.Contains(err.Error(), "outside the dataset") {
		t.Errorf("a path outside the cache: %v", err)
	}
}

func TestDownloadIsCancelled(t *testing.T) {
	h := newHub(t)
	h.files["test.jsonl"] = []byte("{}\n")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := h.source(t).Read(ctx, hubSet, []string{"test"}, 0, func(Row) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled download: %v", err)
	}
}
