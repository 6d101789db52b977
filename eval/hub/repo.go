package hub

import (
	"fmt"
	"regexp"
	"strings"
)

// Kind is what a repository holds, as the hub's addresses and the cache's
// directories name it.
type Kind string

const (
	Model   Kind = "model"
	Dataset Kind = "dataset"
)

// Repo is a repository of the hub.
type Repo struct {
	Kind Kind
	Name string // organisation/name; a few old ones have no organisation
}

func (r Repo) String() string { return string(r.Kind) + " " + r.Name }

// repoName is what huggingface_hub's validate_repo_id takes.
var repoName = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]*/)?[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// Check refuses a name that no repository can have.
func (r Repo) Check() error {
	if len(r.Name) > 192 || !repoName.MatchString(r.Name) || strings.Contains(r.Name, "..") || strings.Contains(r.Name, "--") ||
		strings.Contains(r.Name, "-/") || strings.Contains(r.Name, "./") || // each part ends in a letter, a digit or _, as huggingface_hub wants
		strings.Contains(r.Name, "/-") || strings.Contains(r.Name, "/.") ||
		strings.HasSuffix(r.Name, ".git") || strings.HasSuffix(r.Name, "-") || strings.HasSuffix(r.Name, ".") {
		return fmt.Errorf("%q is not the name of a %s on the hub: want organisation/name", r.Name, r.Kind)
	}
	return nil
}

// folder is the repository's directory in a cache.
func (r Repo) folder() string {
	return string(r.Kind) + "s--" + strings.ReplaceAll(r.Name, "/", "--")
}

// repoOf is the repository whose directory in a cache is called folder.
func repoOf(kind Kind, folder string) (r Repo, ok bool) {
	rest, ok := strings.CutPrefix(folder, string(kind)+"s--")
	r = Repo{kind, strings.Replace(rest, "--", "/", 1)}
	return r, ok && r.Check() == nil
}

// Main is the revision that is meant where none is named.
const Main = "main"

var revisionPart = regexp.MustCompile(`^[A-Za-z0-9_+=,-][A-Za-z0-9_.+=,@-]*$`)

// CheckRevision refuses what is not the name of a branch, a tag or a commit: above
// all what would lead out of the cache's refs. refs/pr/1 and its like are names.
func CheckRevision(revision string) error {
	ok := len(revision) <= 255 && !strings.Contains(revision, "..") && !strings.HasSuffix(revision, ".lock")
	for _, part := range strings.Split(revision, "/") {
		ok = ok && revisionPart.MatchString(part) && !strings.HasSuffix(part, ".")
	}
	if !ok {
		return fmt.Errorf("%q is not a revision: want a branch, a tag or a commit", revision)
	}
	return nil
}

// isCommit says whether s is a commit's hash, as refs hold and snapshots are called.
func isCommit(s string) bool { return len(s) >= 7 && len(s) <= 64 && isHex(s) }

func isHex(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }
