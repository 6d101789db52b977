package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// revisions of a dataset that may hold its files, in the order they are tried: the main branch, and
// the hub's own conversion to Parquet, which datasets made of scripts only have there.
var revisions = []string{"main", "refs/convert/parquet"}

// repoDir is a dataset's directory in a hub cache.
func repoDir(cache, id string) string {
	return filepath.Join(cache, "datasets--"+strings.ReplaceAll(id, "/", "--"))
}

// snapshots returns the snapshot directories of a dataset in a hub cache: what refs/main points to,
// then refs/convert/parquet, or, where the cache has no ref, the one snapshot there is. A dataset
// the cache lacks has none; a ref to a missing snapshot, or several snapshots without a ref, are errors.
func snapshots(cache, id string) ([]string, error) {
	repo := repoDir(cache, id)
	var dirs []string
	for _, rev := range revisions {
		// A revision such as refs/convert/parquet is stored below refs under its full name.
		text, err := os.ReadFile(filepath.Join(repo, "refs", filepath.FromSlash(rev)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, openError(repo, err)
		}
		commit := strings.TrimSpace(string(text))
		if !isHex(commit) {
			return nil, fmt.Errorf("%s: %q is no commit", filepath.Join(repo, "refs", rev), commit)
		}
		dir := filepath.Join(repo, "snapshots", commit)
		if _, err := os.Stat(dir); err != nil {
			continue // the ref was moved, but nothing was fetched there
		}
		dirs = append(dirs, dir)
	}
	if len(dirs) > 0 {
		return dirs, nil
	}
	entries, err := os.ReadDir(filepath.Join(repo, "snapshots"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, openError(repo, err)
	}
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(repo, "snapshots", e.Name()))
		}
	}
	if len(dirs) > 1 {
		return nil, fmt.Errorf("%s: %d snapshots and no refs/main to choose one; name the files with --data", repo, len(dirs))
	}
	return dirs, nil
}

func isHex(s string) bool {
	if len(s) < 7 || len(s) > 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}
