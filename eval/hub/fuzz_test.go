package hub

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a page of a listing holds, there is no panic, an error is one line, and
// every file has a path that stays below the repository and a blob's name that is one.
func FuzzListing(f *testing.F) {
	for _, s := range []string{
		`[{"type":"directory","path":"data","oid":"x","size":0},{"type":"file","path":"a/b.json","oid":"0123456789012345678901234567890123456789","size":7}]`,
		`[{"type":"file","path":"m","oid":"x","size":1,"lfs":{"oid":"sha256:0123456789012345678901234567890123456789012345678901234567890123","size":9}}]`,
		`[{"type":"file","path":"../m"}]`, `[{"type":"file","path":"a\\b"}]`, `[{}]`, `{}`, `[`, `[[[`, ``, `[{"type":"file","size":1e99}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var l Listing
		if err := l.page(json.NewDecoder(bytes.NewReader(text))); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		for _, file := range l.Files {
			full := filepath.Join("/cache/snapshots/commit", filepath.FromSlash(file.Path))
			if !strings.HasPrefix(full, "/cache/snapshots/commit/") || file.Size < 0 || len(file.blob()) != 40 && len(file.blob()) != 64 || !isHex(file.blob()) {
				t.Errorf("%+v", file)
			}
		}
	})
}

// Whatever a name or a revision is, what is looked at lies below the cache.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"main", "refs/pr/1", "..", "a/../b", "/etc", "org/name", "a--b", "a-/b", "a/-b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckRevision(s) == nil {
			if p := filepath.Join("/cache/refs", filepath.FromSlash(s)); !strings.HasPrefix(p, "/cache/refs/") {
				t.Errorf("revision %q is %s", s, p)
			}
		}
		if r := (Repo{Model, s}); r.Check() == nil {
			if p := Cache("/cache").Repo(r); filepath.Dir(p) != "/cache" {
				t.Errorf("name %q is %s", s, p)
			}
			if back, ok := repoOf(Model, r.folder()); !ok || back != r {
				t.Errorf("name %q comes back as %q", s, back.Name)
			}
		}
	})
}
