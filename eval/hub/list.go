package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/softbench/softbench/internal/jsonplace"
)

// Listing is the files of a repository at a commit.
type Listing struct {
	Repo     Repo
	Revision string // as asked for
	Commit   string
	Files    []File // by path
}

// File is one of a listing's.
type File struct {
	Path   string // from the repository's root, with slashes
	Size   int64
	SHA256 string // of the bytes, where LFS keeps them; else
	SHA1   string // of "blob SIZE\0" and the bytes, as git counts
}

// blob is the file's name among the cache's blobs.
func (f *File) blob() string {
	if f.SHA256 != "" {
		return f.SHA256
	}
	return f.SHA1
}

// Names are the files' paths, sorted.
func (l *Listing) Names() []string {
	names := make([]string, len(l.Files))
	for i, f := range l.Files {
		names[i] = f.Path
	}
	return names
}

func (l *Listing) find(name string) *File {
	i, ok := slices.BinarySearchFunc(l.Files, name, func(f File, name string) int { return strings.Compare(f.Path, name) })
	if !ok {
		return nil
	}
	return &l.Files[i]
}

// Bounds of a listing: the largest repositories have some 100,000 files.
const (
	maxFiles = 200_000
	maxPages = 2_000
	maxPath  = 4096
)

// List asks the hub for the files of a revision.
func (c *Client) List(ctx context.Context, r Repo, revision string) (*Listing, error) {
	if err := c.check(r); err != nil {
		return nil, err
	}
	if err := CheckRevision(revision); err != nil {
		return nil, err
	}
	l := &Listing{Repo: r, Revision: revision}
	api := c.Endpoint + "/api/" + string(r.Kind) + "s/" + r.Name
	var reply struct {
		SHA string `json:"sha"`
	}
	address := api + "/revision/" + url.PathEscape(revision)
	_, err := c.json(ctx, address, func(d *json.Decoder) error { return d.Decode(&reply) })
	if err != nil {
		return nil, c.explain(r, err)
	}
	if len(reply.SHA) != 40 || !isHex(reply.SHA) {
		return nil, fmt.Errorf("the hub's answer for the revision %s names no commit (%.60q)", revision, reply.SHA)
	}
	l.Commit = reply.SHA
	if err := c.tree(ctx, l, api+"/tree/"+l.Commit+"?recursive=true"); err != nil {
		return nil, c.explain(r, err)
	}
	slices.SortFunc(l.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i := range l.Files[:max(0, len(l.Files)-1)] {
		if l.Files[i].Path == l.Files[i+1].Path {
			return nil, fmt.Errorf("the hub lists %q twice", l.Files[i].Path)
		}
	}
	return l, nil
}

var nextLink = regexp.MustCompile(`<([^>]+)>\s*;\s*rel="?next"?`)

// tree reads a listing page by page. A page's link to the next is followed on the
// hub's own address alone.
func (c *Client) tree(ctx context.Context, l *Listing, address string) error {
	seen := map[string]bool{}
	for address != "" {
		if seen[address] || len(seen) >= maxPages {
			return errors.New("the hub's listing does not end")
		}
		seen[address] = true
		files := len(l.Files)
		header, err := c.json(ctx, address, func(d *json.Decoder) error {
			l.Files = l.Files[:files] // of a try that failed
			return l.page(d)
		})
		if err != nil {
			return err
		}
		m := nextLink.FindStringSubmatch(strings.Join(header.Values("Link"), ", "))
		if m == nil {
			return nil
		}
		here, err := url.Parse(address)
		if err != nil {
			return err
		}
		next, err := here.Parse(m[1])
		if err != nil {
			return errors.New("the hub's listing goes on at what is not an address")
		}
		if !c.own(next) {
			return fmt.Errorf("the hub's listing goes on at another address, %s://%s: not followed", next.Scheme, next.Host)
		}
		address = next.String()
	}
	return nil
}

// entry is one of a page's, as the hub writes it.
type entry struct {
	Type string `json:"type"` // "file" or "directory"
	Path string `json:"path"`
	OID  string `json:"oid"`
	Size int64  `json:"size"`
	LFS  *struct {
		OID  string `json:"oid"`
		Size int64  `json:"size"`
	} `json:"lfs"`
}

// page adds a page's files.
func (l *Listing) page(d *json.Decoder) error {
	switch t, err := d.Token(); {
	case err != nil:
		return fmt.Errorf("it is not a list: %w", err)
	case t != json.Delim('['):
		return errors.New("it is not a list")
	}
	for d.More() {
		var e entry
		if err := d.Decode(&e); err != nil {
			return err
		}
		if e.Type != "file" {
			continue
		}
		f, err := e.file()
		if err != nil {
			return permanent{err}
		}
		if l.Files = append(l.Files, f); len(l.Files) > maxFiles {
			return permanent{fmt.Errorf("the hub lists more than %d files", maxFiles)}
		}
	}
	_, err := d.Token()
	return err
}

// file checks an entry: a path that stays below the repository, a size, a hash.
func (e *entry) file() (File, error) {
	f := File{Path: e.Path, Size: e.Size, SHA1: e.OID}
	if e.LFS != nil {
		f.Size, f.SHA256 = e.LFS.Size, strings.TrimPrefix(e.LFS.OID, "sha256:")
	}
	local := filepath.FromSlash(e.Path)
	switch {
	case len(e.Path) > maxPath || e.Path == "." || !filepath.IsLocal(local) || filepath.ToSlash(filepath.Clean(local)) != e.Path || strings.Contains(e.Path, `\`) || strings.ContainsFunc(e.Path, unicode.IsControl):
		return f, fmt.Errorf("the hub lists a file outside the repository, or without a name: %.80q", e.Path)
	case f.Size < 0:
		return f, fmt.Errorf("the hub lists %q with a size of %d bytes", e.Path, f.Size)
	case e.LFS != nil && (len(f.SHA256) != 64 || !isHex(f.SHA256)):
		return f, fmt.Errorf("the hub lists %q with %.80q for its SHA-256", e.Path, f.SHA256)
	case e.LFS == nil && (len(f.SHA1) != 40 || !isHex(f.SHA1)):
		return f, fmt.Errorf("the hub lists %q with %.80q for its hash", e.Path, f.SHA1)
	}
	return f, nil
}

// permanent is an error of what an answer says, which another try does not change.
type permanent struct{ error }

// json asks for a JSON answer and has it read by decode.
func (c *Client) json(ctx context.Context, address string, decode func(*json.Decoder) error) (header http.Header, err error) {
	err = c.retry(ctx, "listing", func() (bool, error) {
		limited, cancel := context.WithTimeout(ctx, replyTime)
		defer cancel()
		resp, err := c.get(limited, address, 0)
		if err != nil {
			return false, late(ctx, err)
		}
		defer resp.Body.Close()
		header = resp.Header
		body := &io.LimitedReader{R: resp.Body, N: maxReply}
		err = decode(json.NewDecoder(body))
		var again temporary
		var final permanent
		switch {
		case err == nil || errors.As(err, &again):
			return false, err
		case limited.Err() != nil:
			return false, late(ctx, limited.Err())
		case errors.As(err, &final):
			return false, final.error
		case body.N <= 0:
			return false, fmt.Errorf("the hub's answer has more than %d MiB", maxReply>>20)
		case errors.Is(err, io.ErrUnexpectedEOF):
			return false, temporary{errors.New("the hub's answer is cut off")}
		}
		return false, fmt.Errorf("the hub's answer is not the JSON expected: %w", jsonplace.Plain(err))
	})
	return header, err
}

// late is the error of an answer that did not come in its time, while the user still
// waits.
func late(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return temporary{fmt.Errorf("no answer within %v", replyTime)}
	}
	return err
}

// At is the listing as of a revision of that name: fetched by its commit, no branch is
// noted as downloaded.
func (l *Listing) At(revision string) *Listing {
	out := *l
	out.Revision = revision
	return &out
}
