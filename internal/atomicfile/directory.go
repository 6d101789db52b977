package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
)

// Entries lists the directory that an output goes into, whatever links lead to it.
// Where nothing is there yet, the error is fs.ErrNotExist; anything but a directory
// is refused without being opened.
func Entries(dir string) ([]fs.DirEntry, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, regularfile.PathError(dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: it is not a directory; name another", dir)
	}
	entries, err := os.ReadDir(dir)
	return entries, regularfile.PathError(dir, err)
}

// Directory makes a directory of what fill puts into an empty one: it appears whole
// or not at all. Links are followed, and an empty directory that is there keeps its
// mode and owner, also where it cannot be replaced, as one that is mounted. One that
// holds anything is refused.
func Directory(dir string, fill func(dir string) error) error {
	switch entries, err := Entries(dir); {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: holds files already; name a new directory", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := MkdirAll(filepath.Dir(strings.TrimRight(dir, string(filepath.Separator))), 0o777); err != nil {
		return regularfile.PathError(dir, err)
	}
	t, err := find(strings.TrimRight(dir, string(filepath.Separator)))
	if err != nil {
		return regularfile.PathError(dir, err)
	}
	parent, base := filepath.Split(t.path)
	parent = cmp.Or(parent, ".") // not the system's for temporaries, which may be another disk
	if t.info == nil {
		if err := MkdirAll(filepath.Dir(t.path), 0o777); err != nil {
			return regularfile.PathError(dir, err)
		}
	}
	temp, remove, err := TempDir(parent, prefix(base))
	if t.info != nil && refuses(err) { // a directory of the user's in one that is not
		temp, remove, err = TempDir(t.path, prefix(base))
	}
	if err != nil {
		return regularfile.PathError(dir, err)
	}
	defer remove()
	made := filepath.Join(temp, "made")
	if err := os.Mkdir(made, 0o777); err != nil {
		return regularfile.PathError(dir, err)
	}
	if err := fill(made); err != nil {
		return err
	}
	return regularfile.PathError(dir, t.take(made))
}

// take gives what was made the name of the target.
func (t *target) take(made string) error {
	if t.info != nil && !dressed(made, t.info) {
		return t.move(made)
	}
	err := os.Rename(made, t.path)
	if err != nil && t.info != nil {
		return t.move(made)
	}
	return err
}

func dressed(made string, info fs.FileInfo) bool {
	d, err := os.Open(made)
	if err != nil {
		return false
	}
	defer d.Close()
	return alike(d, info)
}

// move puts what was made into the directory that is there, entry by entry.
func (t *target) move(made string) error {
	entries, err := os.ReadDir(made)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(made, e.Name()), filepath.Join(t.path, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// TempDir makes a directory for this process, below parent ("": the system's for
// such), and removes those with the same beginning that killed processes left.
func TempDir(parent, start string) (dir string, remove func(), err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	for _, name := range names(parent) {
		if rest, ok := strings.CutPrefix(name, start); ok && digits(rest) {
			removeDir(filepath.Join(parent, name))
		}
	}
	for {
		dir, err := os.MkdirTemp(parent, start)
		if err != nil {
			return "", nil, err
		}
		d, err := os.Open(dir)
		if errors.Is(err, fs.ErrNotExist) { // swept away before it was locked
			continue
		}
		if err != nil {
			return dir, func() { _ = os.RemoveAll(dir) }, nil
		}
		if !(&temporary{file: d}).hold() {
			_ = d.Close()
			continue
		}
		return dir, func() { _ = d.Close(); _ = os.RemoveAll(dir) }, nil
	}
}

// digits: what os.MkdirTemp adds to a name.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
