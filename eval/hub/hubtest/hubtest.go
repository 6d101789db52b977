// Package hubtest is a hub on the loopback that behaves as the real one: a listing in
// pages, small files served by itself and large ones by redirect to another host,
// ranges, gates, and whatever misbehaviour a test asks for. It is for tests only.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// File is one of a repository's.
type File struct {
	Content []byte
	LFS     bool
}

// Request is what was asked, and of which host.
type Request struct {
	CDN                      bool // of the other host
	Path, Query, Auth, Range string
}

// Server is the hub with its other host.
type Server struct {
	*httptest.Server
	CDN *httptest.Server
	// Misbehave is asked first of every request; it answers itself and says true, or
	// leaves the request to the hub.
	Misbehave func(w http.ResponseWriter, r *http.Request, cdn bool) bool
	// Entry may change a file's entry of the listing.
	Entry func(entry map[string]any)
	// Gate is the token that files need; "": none.
	Gate string
	Page int // entries of a page

	mu       sync.Mutex
	requests []Request
	repos    map[string]*repo
}

type repo struct {
	revisions map[string]string // to commits
	commits   map[string]map[string]File
}

// New starts a hub that the test's environment names, with an empty cache; HF_TOKEN
// is not set.
func New(t testing.TB) *Server {
	s := &Server{repos: map[string]*repo{}, Page: 2}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, false) }))
	s.CDN = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, true) }))
	t.Cleanup(s.CDN.Close)
	t.Cleanup(s.Server.Close)
	if t, ok := t.(*testing.T); ok {
		for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_DOWNLOAD_TIMEOUT"} {
			t.Setenv(name, "") // to have it as it was after the test
			_ = os.Unsetenv(name)
		}
		t.Setenv("HF_HOME", t.TempDir())
		t.Setenv("HF_ENDPOINT", s.URL)
	}
	return s
}

// etag is what the hub calls the bytes: their SHA-256, or as git counts them.
func (f File) etag() string {
	if !f.LFS {
		return GitHash(f.Content)
	}
	sum := sha256.Sum256(f.Content)
	return hex.EncodeToString(sum[:])
}

// Commit is the commit that Add makes of a word.
func Commit(word string) string {
	sum := sha1.Sum([]byte(word))
	return hex.EncodeToString(sum[:])
}

// Add puts a repository's files at a revision; path is "models/ORG/NAME" or
// "datasets/ORG/NAME".
func (s *Server) Add(path, revision string, files map[string]File) (commit string) {
	r := s.repos[path]
	if r == nil {
		r = &repo{map[string]string{}, map[string]map[string]File{}}
		s.repos[path] = r
	}
	commit = Commit(path + revision)
	r.revisions[revision], r.commits[commit] = commit, files
	return commit
}

// Requests are those since the last call.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, cdn bool) {
	s.mu.Lock()
	s.requests = append(s.requests, Request{cdn, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Range")})
	s.mu.Unlock()
	if s.Misbehave != nil && s.Misbehave(w, r, cdn) {
		return
	}
	for path, repo := range s.repos {
		if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/"+path+"/"); ok && !cdn {
			s.api(w, r, path, repo, rest)
			return
		}
		if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/"+strings.TrimPrefix(path, "models/")+"/resolve/"); ok {
			s.resolve(w, r, repo, rest, cdn)
			return
		}
	}
	Refuse(w, http.StatusNotFound, "RepoNotFound")
}

// Refuse answers with an error as the hub does.
func Refuse(w http.ResponseWriter, code int, cause string) {
	if cause != "" {
		w.Header().Set("X-Error-Code", cause)
	}
	http.Error(w, `{"error":"no"}`, code)
}

func (s *Server) api(w http.ResponseWriter, r *http.Request, path string, repo *repo, rest string) {
	if revision, ok := strings.CutPrefix(rest, "revision/"); ok {
		name, _ := url.PathUnescape(revision)
		commit := repo.revisions[name]
		if repo.commits[name] != nil {
			commit = name
		}
		if commit == "" {
			Refuse(w, http.StatusNotFound, "RevisionNotFound")
			return
		}
		var siblings []map[string]any
		for name := range repo.commits[commit] {
			siblings = append(siblings, map[string]any{"rfilename": name})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": strings.SplitN(path, "/", 2)[1], "sha": commit, "siblings": siblings})
		return
	}
	commit, ok := strings.CutPrefix(rest, "tree/")
	files := repo.commits[commit]
	if !ok || files == nil || r.URL.Query().Get("recursive") != "true" {
		Refuse(w, http.StatusNotFound, "RevisionNotFound")
		return
	}
	s.tree(w, r, path, commit, files)
}

// tree lists the files page by page, a directory before all.
func (s *Server) tree(w http.ResponseWriter, r *http.Request, path, commit string, files map[string]File) {
	list := []map[string]any{{"type": "directory", "path": "data", "oid": Commit("data"), "size": 0}}
	for name, f := range files {
		e := map[string]any{"type": "file", "path": name, "size": len(f.Content), "oid": GitHash(f.Content)}
		if f.LFS {
			e["oid"] = Commit("the pointer")
			e["lfs"] = map[string]any{"oid": f.etag(), "size": len(f.Content), "pointerSize": 130}
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b map[string]any) int { return strings.Compare(a["path"].(string), b["path"].(string)) })
	for _, e := range list {
		if s.Entry != nil {
			s.Entry(e)
		}
	}
	at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	end := min(at+s.Page, len(list))
	if end < len(list) {
		w.Header().Set("Link", fmt.Sprintf(`<%s/api/%s/tree/%s?recursive=true&cursor=%d>; rel="next"`, s.URL, path, commit, end))
	}
	_ = json.NewEncoder(w).Encode(list[at:end])
}

// GitHash is a file's hash as git counts it.
func GitHash(b []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
	return hex.EncodeToString(sum[:])
}

// resolve serves a file: a large one from the other host, which knows no token.
func (s *Server) resolve(w http.ResponseWriter, r *http.Request, repo *repo, rest string, cdn bool) {
	commit, escaped, _ := strings.Cut(rest, "/")
	if c := repo.revisions[commit]; c != "" {
		commit = c
	}
	name, _ := url.PathUnescape(escaped)
	f, ok := repo.commits[commit][name]
	switch {
	case !ok:
		Refuse(w, http.StatusNotFound, "EntryNotFound")
	case !cdn && s.Gate != "" && r.Header.Get("Authorization") == "":
		Refuse(w, http.StatusUnauthorized, "GatedRepo")
	case !cdn && s.Gate != "" && r.Header.Get("Authorization") != "Bearer "+s.Gate:
		Refuse(w, http.StatusForbidden, "GatedRepo")
	case r.Method == http.MethodHead && !cdn: // as huggingface_hub asks
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", `"`+f.etag()+`"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(f.Content)))
		if f.LFS {
			w.Header().Set("X-Linked-Etag", `"`+f.etag()+`"`)
			w.Header().Set("X-Linked-Size", strconv.Itoa(len(f.Content)))
		}
	case f.LFS && !cdn:
		http.Redirect(w, r, s.CDN.URL+r.URL.EscapedPath()+"?X-Signature=secret", http.StatusFound)
	default:
		w.Header().Set("ETag", `"`+GitHash(f.Content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.Content))
	}
}
