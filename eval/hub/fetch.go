package hub

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/rescue"
)

// workers download at once.
const workers = 4

// job is a blob to download and the snapshot's paths that are it.
type job struct {
	file  File
	paths []string
}

// Fetch downloads the named files of a listing that the cache lacks, and returns the
// snapshot's directory. Each file is written to blobs/HASH.incomplete, where a later
// call goes on with it, and gets its name when it is whole and has the hash that the
// hub lists; the ref is written last, so what a kill leaves is never taken for whole.
func (c *Client) Fetch(ctx context.Context, l *Listing, names []string) (dir string, err error) {
	if err := c.check(l.Repo); err != nil {
		return "", err
	}
	dir = filepath.Join(c.Cache.Repo(l.Repo), "snapshots", l.Commit)
	jobs, err := c.jobs(ctx, l, names, dir)
	if err != nil {
		return "", err
	}
	for _, d := range []string{dir, c.blobs(l.Repo), c.locks(l.Repo)} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			return "", fmt.Errorf("the hub's cache: %w: set HF_HOME to a directory that can be written", regularfile.PathError(d, err))
		}
	}
	c.sweep(l)
	if err := c.room(l.Repo, jobs); err != nil {
		return "", err
	}
	if err := c.fetchAll(ctx, l, jobs, dir); err != nil {
		return "", err
	}
	return dir, c.writeRef(l)
}

func (c *Client) blobs(r Repo) string { return filepath.Join(c.Cache.Repo(r), "blobs") }
func (c *Client) locks(r Repo) string { return filepath.Join(string(c.Cache), ".locks", r.folder()) }

// jobs are the blobs of the named files that the snapshot lacks.
func (c *Client) jobs(ctx context.Context, l *Listing, names []string, dir string) ([]*job, error) {
	byBlob := map[string]*job{}
	var jobs []*job
	for _, name := range names {
		f := l.find(name)
		if f == nil {
			return nil, fmt.Errorf("%s has no file %q", l.Repo, name)
		}
		if linked(ctx, f, dir) {
			continue
		}
		j := byBlob[f.blob()]
		if j == nil {
			j = &job{file: *f}
			byBlob[f.blob()] = j
			jobs = append(jobs, j)
		}
		if !slices.Contains(j.paths, name) {
			j.paths = append(j.paths, name)
		}
	}
	return jobs, nil
}

// linked says whether a snapshot has a file already, with the hash that the hub lists.
func linked(ctx context.Context, f *File, dir string) bool {
	return verifyFile(ctx, filepath.Join(dir, filepath.FromSlash(f.Path)), f) == nil
}

// room refuses a download that the disk has no place for.
func (c *Client) room(r Repo, jobs []*job) error {
	var need int64
	for _, j := range jobs {
		size := j.file.Size
		if info, err := os.Stat(c.incomplete(r, &j.file)); err == nil && info.Size() <= size {
			size -= info.Size()
		}
		if info, err := os.Stat(filepath.Join(c.blobs(r), j.file.blob())); err == nil && info.Size() == j.file.Size {
			size = 0
		}
		if need > math.MaxInt64-size {
			return errors.New("the sizes that the hub lists are not those of files")
		}
		need += size
	}
	free, ok := freeSpace(string(c.Cache))
	if ok && need > free {
		return fmt.Errorf("%s are needed but only %s are free in %s: make room, or set HF_HOME to a directory on a larger disk", bytesText(need), bytesText(free), c.Cache)
	}
	return nil
}

// bytesText is a size as people read it.
func bytesText(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"}
	v, u := float64(n), 0
	for v >= 1000 && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	if u == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.3g %s", v, units[u])
}

// progress counts the bytes that are here.
type progress struct {
	mu          sync.Mutex
	done, total int64
	tell        func(done, total int64)
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if p.tell != nil {
		p.tell(p.done, p.total)
	}
}

// fetchAll does the jobs, several at once. The first error stops the others.
func (c *Client) fetchAll(ctx context.Context, l *Listing, jobs []*job, dir string) error {
	p := &progress{tell: c.Progress}
	for _, j := range jobs {
		p.total += j.file.Size
	}
	if len(jobs) > 0 {
		at := l.Revision
		if at != l.Commit { // what is fetched is the commit's, whatever becomes of the branch
			at += ", commit " + l.Commit
		}
		c.note("downloading %s at %s: %d files, %s, to %s", l.Repo, at, len(jobs), bytesText(p.total), c.Cache)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := *c // notes come from several at once
	var mu sync.Mutex
	quiet.Note = func(s string) {
		mu.Lock()
		defer mu.Unlock()
		c.note("%s", s)
	}
	queue := make(chan *job)
	var wg rescue.Group
	for range min(workers, len(jobs)) {
		wg.Go(func() {
			for j := range queue {
				if err := quiet.fetch(ctx, l, j, dir, p); err != nil {
					cancel(fmt.Errorf("%s: %w", j.file.Path, c.explain(l.Repo, err)))
					return
				}
			}
		})
	}
feed:
	for _, j := range jobs {
		select {
		case queue <- j:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

// fetch gets one blob and links the snapshot's paths to it.
func (c *Client) fetch(ctx context.Context, l *Listing, j *job, dir string, p *progress) error {
	unlock, err := c.lock(ctx, l.Repo, &j.file)
	if err != nil {
		return err
	}
	defer unlock()
	blob := filepath.Join(c.blobs(l.Repo), j.file.blob())
	if verifyFile(ctx, blob, &j.file) == nil { // another process was faster, or another revision has it
		p.add(j.file.Size)
	} else if err := c.download(ctx, l, &j.file, blob, p); err != nil {
		return err
	}
	for _, name := range j.paths {
		if err := link(blob, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

// writeRef notes which commit a branch or tag stands for.
func (c *Client) writeRef(l *Listing) error {
	if l.Revision == l.Commit {
		return nil
	}
	repo := c.Cache.Repo(l.Repo)
	path := filepath.Join(repo, "refs", filepath.FromSlash(l.Revision))
	if old, err := readSmall(path); err == nil && old == l.Commit {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return regularfile.PathError(path, err)
	}
	// Not beside it: huggingface_hub takes every file below refs for one.
	f, err := os.CreateTemp(repo, refTemp)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	_, err = f.WriteString(l.Commit)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return regularfile.PathError(path, err)
	}
	return nil
}

// refTemp is what a ref is called before it is whole.
const refTemp = ".ref-*.tmp"

var linkFile = os.Symlink // tests do without

// link makes path stand for a blob: by a relative link as huggingface_hub does, or,
// where the system has none, by a second name of the file or the file itself.
func link(blob, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return regularfile.PathError(path, err)
	}
	target, err := filepath.Rel(filepath.Dir(path), blob)
	if err != nil {
		return err
	}
	if old, err := os.Readlink(path); err == nil && old == target {
		return nil
	}
	temp := filepath.Join(filepath.Dir(blob), filepath.Base(blob)+linkTemp)
	_ = os.Remove(temp)
	// The link is made beside the blob, where nothing reads it, and moved: path is
	// always there in whole.
	if err := linkFile(target, temp); err != nil {
		_ = os.Remove(path)
		if os.Link(blob, path) == nil {
			return nil
		}
		if err := os.Rename(blob, path); err != nil {
			return regularfile.PathError(path, err)
		}
		return nil
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return regularfile.PathError(path, err)
	}
	return nil
}

const linkTemp = ".link.tmp"

// isTemp says whether a file in a repository's directory is what was left of a ref or
// a link.
func isTemp(name string) bool {
	prefix, suffix, _ := strings.Cut(refTemp, "*")
	return strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) || strings.HasSuffix(name, linkTemp)
}
