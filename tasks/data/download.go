package data

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// treeEntry is one file of a dataset as the hub's tree listing gives it.
type treeEntry struct {
	Type string `json:"type"` // "file" or "directory"
	Path string `json:"path"`
	OID  string `json:"oid"` // git blob id: SHA-1 of "blob SIZE\0" and the bytes
	Size int64  `json:"size"`
	LFS  *struct {
		OID  string `json:"oid"` // SHA-256 of the bytes
		Size int64  `json:"size"`
	} `json:"lfs"`
}

// maxReply bounds a JSON answer of the hub.
const maxReply = 64 << 20

// fetch downloads the files of the first of splits the hub has, checks each against the hub's own
// hash, and returns the snapshot directory. Every file is written under a temporary name, synced and
// renamed; refs/ is written last, so a cut-off download leaves nothing that would be taken for whole.
func (s Source) fetch(ctx context.Context, d Dataset, splits []string) (string, error) {
	if s.Store == "" || s.Endpoint == "" {
		return "", errors.New("no cache directory or hub address is set")
	}
	if v := os.Getenv("HF_HUB_OFFLINE"); v == "1" || strings.EqualFold(v, "true") {
		return "", errors.New("HF_HUB_OFFLINE is set; unset it to download")
	}
	for _, rev := range revisions {
		commit, err := s.commit(ctx, d.Path, rev)
		if err != nil {
			var st *statusError
			if errors.As(err, &st) && st.code == http.StatusNotFound && rev != "main" {
				continue
			}
			return "", err
		}
		entries, err := s.tree(ctx, d.Path, commit)
		if err != nil {
			return "", err
		}
		names := make([]string, 0, len(entries))
		byName := map[string]treeEntry{}
		for _, e := range entries {
			if e.Type == "file" {
				names = append(names, e.Path)
				byName[e.Path] = e
			}
		}
		slices.Sort(names)
		for _, sp := range splits {
			files, err := choose(names, d.Config, sp, d.Files[sp])
			if err != nil {
				return "", err
			}
			if len(files) == 0 {
				continue
			}
			dir := filepath.Join(repoDir(s.Store, d.Path), "snapshots", commit)
			for _, f := range files {
				if err := s.fetchFile(ctx, d.Path, commit, byName[f], dir); err != nil {
					return "", err
				}
			}
			ref := filepath.Join(repoDir(s.Store, d.Path), "refs", filepath.FromSlash(rev))
			return dir, writeAtomic(ref, strings.NewReader(commit))
		}
	}
	return "", fmt.Errorf("the hub has no split %s in a format softbench reads", strings.Join(splits, " or "))
}

// commit resolves a revision to the commit it stands for.
func (s Source) commit(ctx context.Context, id, rev string) (string, error) {
	var reply struct {
		SHA string `json:"sha"`
	}
	u := s.Endpoint + "/api/datasets/" + id + "/revision/" + url.PathEscape(rev)
	if _, err := s.getJSON(ctx, u, &reply); err != nil {
		return "", err
	}
	if !isHex(reply.SHA) {
		return "", fmt.Errorf("%s: the answer has no commit (%q)", u, reply.SHA)
	}
	return reply.SHA, nil
}

var nextLink = regexp.MustCompile(`<([^>]+)>\s*;\s*rel="next"`)

// tree lists all files of a commit, following the listing's pages.
func (s Source) tree(ctx context.Context, id, commit string) ([]treeEntry, error) {
	var all []treeEntry
	next := s.Endpoint + "/api/datasets/" + id + "/tree/" + commit + "?recursive=true"
	for pages := 0; next != ""; pages++ {
		if pages > 1000 {
			return nil, fmt.Errorf("%s: the listing does not end", next)
		}
		var page []treeEntry
		header, err := s.getJSON(ctx, next, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		next = ""
		if m := nextLink.FindStringSubmatch(header.Get("Link")); m != nil {
			next = m[1]
		}
	}
	return all, nil
}

// fetchFile downloads one file below dir unless it is there already, right by its hash.
func (s Source) fetchFile(ctx context.Context, id, commit string, e treeEntry, dir string) error {
	if !filepath.IsLocal(filepath.FromSlash(e.Path)) {
		return fmt.Errorf("the hub lists a file outside the dataset: %q", e.Path)
	}
	target := filepath.Join(dir, filepath.FromSlash(e.Path))
	if f, err := os.Open(target); err == nil {
		_, err = io.Copy(io.Discard, newVerifier(f, e))
		f.Close()
		if err == nil {
			return nil
		}
	}
	parts := strings.Split(e.Path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	u := s.Endpoint + "/datasets/" + id + "/resolve/" + commit + "/" + path.Join(parts...)
	if s.Notify != nil {
		s.Notify(fmt.Sprintf("downloading %s %s (%d bytes)", id, e.Path, e.Size))
	}
	resp, err := s.get(ctx, u)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := writeAtomic(target, newVerifier(resp.Body, e)); err != nil {
		return fmt.Errorf("%s: %w", u, err)
	}
	return nil
}

// verifier passes bytes through and, at their end, compares length and hash with what the hub said.
type verifier struct {
	r    io.Reader
	h    hash.Hash
	n    int64
	size int64
	want string
}

func newVerifier(r io.Reader, e treeEntry) io.Reader {
	v := &verifier{r: r, size: e.Size, want: e.OID, h: sha1.New()}
	if e.LFS != nil {
		v.h, v.want, v.size = sha256.New(), strings.TrimPrefix(e.LFS.OID, "sha256:"), e.LFS.Size
	} else {
		fmt.Fprintf(v.h, "blob %d\x00", e.Size)
	}
	return v
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.h.Write(p[:n])
	v.n += int64(n)
	if v.n > v.size {
		return n, fmt.Errorf("longer than the %d bytes the hub lists", v.size)
	}
	if err == io.EOF {
		if v.n != v.size {
			return n, fmt.Errorf("cut off: %d of %d bytes", v.n, v.size)
		}
		if got := hex.EncodeToString(v.h.Sum(nil)); got != v.want {
			return n, fmt.Errorf("the bytes hash to %s, but the hub lists %s", got, v.want)
		}
	}
	return n, err
}

// writeAtomic writes r to name by way of a temporary file beside it: synced, then renamed.
func writeAtomic(name string, r io.Reader) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".download-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = io.Copy(f, r); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// statusError is an answer of the hub that is no success.
type statusError struct {
	url    string
	code   int
	status string
}

func (e *statusError) Error() string { return fmt.Sprintf("%s: the hub answered %s", e.url, e.status) }

func (s Source) get(ctx context.Context, u string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "softbench")
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, &statusError{url: u, code: resp.StatusCode, status: resp.Status}
	}
	return resp, nil
}

func (s Source) getJSON(ctx context.Context, u string, into any) (http.Header, error) {
	resp, err := s.get(ctx, u)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxReply)).Decode(into); err != nil {
		return nil, fmt.Errorf("%s: the hub's answer is not the JSON expected: %w", u, err)
	}
	return resp.Header, nil
}
