package hub

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/softbench/softbench/internal/filelock"
)

// stale is how old what a killed process left must be before it is swept: no living
// one leaves it untouched for so long.
const stale = time.Hour

// sweep removes what processes that were killed left in a repository and nothing goes
// on with: unfinished blobs of files that the listing no longer has, temporaries, and
// the .download-* of earlier versions. What cannot be removed stays.
func (c *Client) sweep(l *Listing) {
	wanted := map[string]bool{}
	for i := range l.Files {
		wanted[l.Files[i].blob()] = true
	}
	repo := c.Cache.Repo(l.Repo)
	old := time.Now().Add(-stale)
	for _, dir := range []string{repo, c.blobs(l.Repo)} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			// huggingface_hub's are HASH.RANDOM.incomplete, and nothing goes on with them.
			rest, unfinished := strings.CutSuffix(e.Name(), ".incomplete")
			blob, _, _ := strings.Cut(rest, ".")
			if !isTemp(e.Name()) && (!unfinished || wanted[rest]) {
				continue
			}
			if info, err := e.Info(); err != nil || info.ModTime().After(old) {
				continue
			}
			c.sweepFile(l.Repo, filepath.Join(dir, e.Name()), blob)
		}
	}
	Sweep(c.Cache, l.Repo)
}

// sweepFile removes a file unless a process has its lock.
func (c *Client) sweepFile(r Repo, path, blob string) {
	lock, err := os.Open(filepath.Join(c.locks(r), blob+".lock"))
	if err == nil {
		defer lock.Close()
		if filelock.Try(lock) != nil {
			return
		}
	}
	_ = os.Remove(path)
}

// Sweep removes the .download-* that killed processes of earlier versions left among
// a repository's snapshots.
func Sweep(c Cache, r Repo) {
	old := time.Now().Add(-stale)
	seen := 0
	_ = filepath.WalkDir(filepath.Join(c.Repo(r), "snapshots"), func(path string, d fs.DirEntry, err error) error {
		if seen++; err != nil || seen > maxFiles {
			return filepath.SkipAll
		}
		if !strings.HasPrefix(d.Name(), ".download-") || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil && info.ModTime().Before(old) {
			_ = os.Remove(path)
		}
		return nil
	})
}
