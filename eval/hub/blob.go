package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/softbench/softbench/internal/filelock"
	"github.com/softbench/softbench/internal/regularfile"
)

// newHash is the hash that the hub lists for a file.
func (f *File) newHash() hash.Hash {
	if f.SHA256 != "" {
		return sha256.New()
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", f.Size)
	return h
}

func (f *File) checkHash(h hash.Hash) error {
	if got := hex.EncodeToString(h.Sum(nil)); got != f.blob() {
		return &wrongHash{got, f.blob()}
	}
	return nil
}

type wrongHash struct{ got, want string }

func (e *wrongHash) Error() string {
	return fmt.Sprintf("the bytes hash to %s, but the hub lists %s", e.got, e.want)
}

// verifyFile says whether a file has the size and hash that the hub lists.
func verifyFile(ctx context.Context, path string, f *File) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != f.Size {
		return fmt.Errorf("%s: not %d bytes", path, f.Size)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h := f.newHash()
	if _, err := io.Copy(h, heard{ctx, file}); err != nil {
		return err
	}
	return f.checkHash(h)
}

// heard is a reader that ends when the user interrupts.
type heard struct {
	ctx context.Context
	r   io.Reader
}

func (h heard) Read(p []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	return h.r.Read(p)
}

func (c *Client) incomplete(r Repo, f *File) string {
	return filepath.Join(c.blobs(r), f.blob()+".incomplete")
}

// lock waits until no other process downloads a blob: by the same lock that
// huggingface_hub takes. The lock file stays, as there.
func (c *Client) lock(ctx context.Context, r Repo, f *File) (unlock func(), err error) {
	path := filepath.Join(c.locks(r), f.blob()+".lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, regularfile.PathError(path, err)
	}
	for first := true; ; first = false {
		err := filelock.Try(file)
		if err == nil || errors.Is(err, filelock.ErrNone) {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, filelock.ErrLocked) {
			_ = file.Close()
			return nil, regularfile.PathError(path, err)
		}
		if first {
			c.note("%s: another process downloads it: waiting", f.Path)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// partial is a blob as far as it is here.
type partial struct {
	file *os.File
	hash hash.Hash
	n    int64
	want *File
	p    *progress
}

// download gets a blob to its place, going on where an earlier try stopped.
func (c *Client) download(ctx context.Context, l *Listing, f *File, blob string, p *progress) error {
	path := c.incomplete(l.Repo, f)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a plain file: delete it", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	defer file.Close()
	part := &partial{file: file, hash: f.newHash(), want: f, p: p}
	if err := c.complete(ctx, l, part); err != nil {
		var wrong *wrongHash
		if info, e := file.Stat(); errors.As(err, &wrong) || e == nil && info.Size() == 0 { // nothing to go on with
			_ = os.Remove(path)
		}
		return err
	}
	if err := file.Sync(); err != nil {
		return regularfile.PathError(path, err)
	}
	if err := file.Close(); err != nil {
		return regularfile.PathError(path, err)
	}
	if err := os.Rename(path, blob); err != nil {
		return regularfile.PathError(blob, err)
	}
	return nil
}

// complete goes on with what an earlier process left. If that turns out not to be the
// file's, as what never reached the disk before a crash, the file is fetched anew.
func (c *Client) complete(ctx context.Context, l *Listing, part *partial) error {
	if err := part.resume(ctx); err != nil {
		return regularfile.PathError(part.file.Name(), err)
	}
	resumed := part.n > 0
	err := c.fill(ctx, l, part, &resumed)
	var wrong *wrongHash
	if !errors.As(err, &wrong) || !resumed {
		return err
	}
	c.note("%s: %v: once more from its beginning", part.want.Path, err)
	if err := part.reset(); err != nil {
		return regularfile.PathError(part.file.Name(), err)
	}
	return c.fill(ctx, l, part, &resumed)
}

// fill requests what a blob lacks until it is whole and its hash is right.
func (c *Client) fill(ctx context.Context, l *Listing, part *partial, resumed *bool) error {
	parts := strings.Split(part.want.Path, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	address := c.Endpoint + "/" + c.path(l.Repo) + "/resolve/" + l.Commit + "/" + strings.Join(parts, "/")
	most := part.n
	err := c.retry(ctx, part.want.Path, func() (bool, error) {
		if part.n == part.want.Size {
			return false, nil
		}
		*resumed = *resumed || part.n > 0
		err := c.once(ctx, address, part)
		// Only what was never here before is headway: a server that starts anew each
		// time makes none.
		ahead := part.n >= most+headway
		if ahead {
			most = part.n
		}
		return ahead, err
	})
	if err != nil {
		return err
	}
	return part.want.checkHash(part.hash)
}

// once requests the rest of a blob and writes what comes.
func (c *Client) once(ctx context.Context, address string, part *partial) error {
	resp, err := c.get(ctx, address, part.n)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
		if !continues(resp.Header.Get("Content-Range"), part.n, part.want.Size) {
			if err := part.reset(); err != nil {
				return err
			}
			return temporary{errors.New("the hub sent another part of the file than was asked for")}
		}
	case http.StatusRequestedRangeNotSatisfiable:
		if err := part.reset(); err != nil {
			return err
		}
		return temporary{errors.New("the hub does not go on in the middle of the file")}
	default: // all of it, from the beginning
		if part.n > 0 {
			if err := part.reset(); err != nil {
				return err
			}
		}
	}
	return part.copy(resp.Body)
}

var contentRange = regexp.MustCompile(`^bytes (\d{1,18})-\d+/(\*|\d{1,18})$`)

// continues says whether an answer's range begins where it was asked to.
func continues(header string, from, size int64) bool {
	m := contentRange.FindStringSubmatch(header)
	if m == nil {
		return false
	}
	start, err := strconv.ParseInt(m[1], 10, 64)
	return err == nil && start == from && (m[2] == "*" || m[2] == strconv.FormatInt(size, 10))
}

// resume hashes what an earlier process left, if that can be a part of the file.
func (part *partial) resume(ctx context.Context) error {
	info, err := part.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > part.want.Size {
		return part.reset()
	}
	part.hash = part.want.newHash()
	n, err := io.Copy(part.hash, heard{ctx, part.file})
	part.n = n
	part.p.add(n)
	return err
}

// reset drops all that is here.
func (part *partial) reset() error {
	part.p.add(-part.n)
	part.n, part.hash = 0, part.want.newHash()
	if err := part.file.Truncate(0); err != nil {
		return err
	}
	_, err := part.file.Seek(0, io.SeekStart)
	return err
}

// copy appends a body. What is longer than the file is refused, what is shorter is
// another try's to complete.
func (part *partial) copy(body io.Reader) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if part.n+int64(n) > part.want.Size {
			if err := part.reset(); err != nil {
				return err
			}
			return fmt.Errorf("longer than the %d bytes the hub lists", part.want.Size)
		}
		if n > 0 {
			if _, err := part.file.Write(buffer[:n]); err != nil {
				// What reached the file is told by its size, not by this error.
				return regularfile.PathError(part.file.Name(), err)
			}
			part.hash.Write(buffer[:n])
			part.n += int64(n)
			part.p.add(int64(n))
		}
		switch {
		case (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) && part.n < part.want.Size:
			return temporary{fmt.Errorf("cut off: %d of %d bytes", part.n, part.want.Size)}
		case err == io.EOF || err == nil && part.n == part.want.Size:
			if err == nil {
				continue // is there more than there should be?
			}
			return nil
		case err != nil:
			return err
		}
	}
}
