package hub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
)

// Cache is a directory laid out as huggingface_hub's:
//
//	models--ORG--NAME/blobs/HASH                the files, by SHA-256 (LFS) or git's SHA-1
//	models--ORG--NAME/blobs/HASH.incomplete     what a download that was stopped left
//	models--ORG--NAME/refs/main                 the commit of a branch or tag
//	models--ORG--NAME/snapshots/COMMIT/PATH     links to blobs
//	.locks/models--ORG--NAME/HASH.lock          held while a blob is downloaded
type Cache string

// Repo is a repository's directory, there or not.
func (c Cache) Repo(r Repo) string { return filepath.Join(string(c), r.folder()) }

// Snapshots returns the snapshot directories that the revisions stand for, in their
// order, leaving out those that the cache lacks. Where it lacks the main one, that is
// the only snapshot there is that no other ref names; several are an error, and so is
// a ref that holds anything but a commit. What cannot be read is an *Unreadable.
func (c Cache) Snapshots(r Repo, revisions ...string) ([]string, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	repo := c.Repo(r)
	var dirs []string
	for _, revision := range revisions {
		commit, err := c.commit(r, revision)
		if err != nil {
			return nil, err
		}
		if commit == "" {
			continue
		}
		// The ref may have moved to what was never downloaded.
		if dir := filepath.Join(repo, "snapshots", commit); isDir(dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) > 0 || !slices.Contains(revisions, Main) {
		return dirs, nil
	}
	others := c.otherRefs(repo)
	entries, err := os.ReadDir(filepath.Join(repo, "snapshots"))
	if err != nil {
		return nil, absent(filepath.Join(repo, "snapshots"), err)
	}
	for _, e := range entries {
		if dir := filepath.Join(repo, "snapshots", e.Name()); isCommit(e.Name()) && !others[e.Name()] && isDir(dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) > 1 {
		return nil, fmt.Errorf("%s: %d snapshots and no refs/main to choose one: name a revision, or the directory itself", repo, len(dirs))
	}
	return dirs, nil
}

// otherRefs are the commits that branches and tags other than the main one stand for.
func (c Cache) otherRefs(repo string) map[string]bool {
	commits := map[string]bool{}
	refs := filepath.Join(repo, "refs")
	_ = filepath.WalkDir(refs, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == filepath.Join(refs, Main) || len(commits) >= maxFiles {
			return nil // what cannot be read names nothing
		}
		if text, err := readSmall(path); err == nil {
			commits[strings.TrimSpace(text)] = true
		}
		return nil
	})
	return commits
}

// commit is what a revision stands for in the cache, "" where it does not know it.
func (c Cache) commit(r Repo, revision string) (string, error) {
	if err := CheckRevision(revision); err != nil {
		return "", err
	}
	path := filepath.Join(c.Repo(r), "refs", filepath.FromSlash(revision))
	text, err := readSmall(path)
	if err != nil {
		if err := absent(path, err); err != nil {
			return "", err
		}
		if isCommit(revision) {
			return revision, nil
		}
		return "", nil
	}
	commit := strings.TrimSpace(text)
	if !isCommit(commit) {
		return "", fmt.Errorf("%s: %q is not a commit: delete the file, or download the repository again", path, commit)
	}
	return commit, nil
}

// Models lists the repositories of models that have a snapshot of their main
// revision, by name.
func (c Cache) Models() []Repo {
	entries, err := os.ReadDir(string(c))
	if err != nil {
		return nil // no cache, or none of ours to read
	}
	var out []Repo
	for _, e := range entries {
		r, ok := repoOf(Model, e.Name())
		if !ok {
			continue
		}
		if dirs, err := c.Snapshots(r, Main); err == nil && len(dirs) > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Repo) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Unreadable says that a part of the cache cannot be read: it is another user's, or
// not a cache. Who has what he looks for elsewhere need not mind.
type Unreadable struct {
	Path string
	Err  error
}

func (e *Unreadable) Error() string { return regularfile.PathError(e.Path, e.Err).Error() }
func (e *Unreadable) Unwrap() error { return e.Err }

// absent is nil where err says that path is not there, else that it is unreadable.
func absent(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &Unreadable{path, err}
}

// readSmall reads a regular file of a few bytes, as refs and tokens are.
func readSmall(path string) (string, error) {
	const most = 4096
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return "", fmt.Errorf("%s: not a file of at most %d bytes", path, most)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	return string(b), err
}
