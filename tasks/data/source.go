package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/eval/hub"
)

// Dataset names a dataset and says how its files are called where the hub's usual layouts do not.
type Dataset struct {
	Path    string              // the hub's id, such as "allenai/ai2_arc"; empty for files of the user's own
	Config  string              // the hub's configuration ("ARC-Easy"), or empty
	Aliases []string            // further directory names to look for below Source.Dir
	Files   map[string][]string // split -> file patterns (path.Match), in place of the usual layouts
	Base    string              // directory Files are relative to where Path is empty
}

// Name is the dataset's last path element: its directory below Source.Dir.
func (d Dataset) Name() string { return path.Base(d.Path) }

// Source is where datasets are looked for, in order: Dir, the hub's local caches, and, only where
// Download is set, the hub itself.
type Source struct {
	Dir      string       // the user's data directory (--data), or empty
	Caches   []hub.Cache  // the hub's cache, and what earlier versions downloaded
	Download bool         // fetch from the hub what is found nowhere else
	Hub      *hub.Client  // what downloads; nil: as the environment sets it
	Notify   func(string) // told of each download, one line; may be nil
}

// NewSource looks in dir (may be empty), in the hub's cache, and in softbench's own of earlier
// versions. It does not download until Download is set.
func NewSource(dir string) Source {
	s := Source{Dir: dir}
	for _, cache := range []hub.Cache{hub.DefaultCache(), ownCache()} {
		if cache != "" {
			s.Caches = append(s.Caches, cache)
		}
	}
	return s
}

// Read calls each with the rows of the first of splits that the dataset has, in file order, and
// returns the files it read. limit > 0 stops after that many rows; the files' hashes are of the
// whole files even so. A dataset found nowhere is a *NotFoundError; a split without rows is an error.
func (s Source) Read(ctx context.Context, d Dataset, splits []string, limit int, each func(Row) error) ([]File, error) {
	paths, split, err := s.Locate(ctx, d, splits...)
	if err != nil {
		return nil, err
	}
	var files []File
	index := 0
	for _, p := range paths {
		file, err := readFile(ctx, p, split, func(r Row) error {
			if limit > 0 && index >= limit {
				return errStop
			}
			r.Index = index
			index++
			return each(r)
		})
		if err != nil && !errors.Is(err, errStop) {
			return nil, err
		}
		files = append(files, file)
	}
	if index == 0 {
		return nil, fmt.Errorf("%s: no documents: the file has no rows", paths[0])
	}
	return files, nil
}

// Locate returns the files that hold the first of splits found, without reading them, and which
// split it was. It downloads them first where that is asked for and they are nowhere else.
func (s Source) Locate(ctx context.Context, d Dataset, splits ...string) (paths []string, split string, err error) {
	if d.Path == "" {
		return s.locateOwn(d, splits)
	}
	var looked []string
	try := func(dir string) (bool, error) {
		looked = append(looked, dir)
		base, names, err := listing(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, openError(dir, err)
		}
		for _, sp := range splits {
			files, err := choose(names, d.Config, sp, d.Files[sp])
			if err != nil {
				return false, fmt.Errorf("%s: %w", dir, err)
			}
			if len(files) > 0 {
				for _, f := range files {
					paths = append(paths, filepath.Join(base, filepath.FromSlash(f)))
				}
				split = sp
				return true, nil
			}
		}
		return false, nil
	}
	dirs, err := s.directories(d)
	if err != nil {
		return nil, "", err
	}
	for _, dir := range dirs {
		if ok, err := try(dir); ok || err != nil {
			return paths, split, err
		}
	}
	missing := &NotFoundError{Dataset: d, Splits: splits, Hub: hubID(d.Path) && !s.Download}
	for _, cache := range s.Caches {
		if !hubID(d.Path) {
			break
		}
		dirs, unread, err := cached(cache, d.Path)
		if err != nil {
			return nil, "", err
		}
		if unread != nil {
			missing.Unread = append(missing.Unread, unread.Error())
		}
		for _, dir := range dirs {
			ok, err := try(dir)
			if errors.Is(err, fs.ErrPermission) {
				missing.Unread = append(missing.Unread, err.Error())
			} else if ok || err != nil {
				return paths, split, err
			}
		}
	}
	if s.Download && hubID(d.Path) {
		dir, err := s.fetch(ctx, d, splits)
		if err != nil {
			return nil, "", fmt.Errorf("downloading %s: %w", d.Path, err)
		}
		if ok, err := try(dir); ok || err != nil {
			return paths, split, err
		}
	}
	missing.Looked = looked
	return nil, "", missing
}

// directories lists where the dataset may lie below Dir, best first.
func (s Source) directories(d Dataset) ([]string, error) {
	if s.Dir == "" {
		return nil, nil
	}
	info, err := os.Stat(s.Dir)
	if err != nil {
		return nil, openError(s.Dir, err)
	}
	var dirs []string
	if info.IsDir() {
		for _, name := range append([]string{d.Path, d.Name()}, d.Aliases...) {
			dir := filepath.Join(s.Dir, filepath.FromSlash(name))
			if len(dirs) == 0 || dirs[len(dirs)-1] != dir {
				dirs = append(dirs, dir)
			}
		}
	}
	if !hubID(d.Path) { // any text: the directory or file itself
		dirs = append(dirs, s.Dir)
	}
	return dirs, nil
}

// locateOwn finds the files a user's task names itself, relative to its own YAML file.
func (s Source) locateOwn(d Dataset, splits []string) ([]string, string, error) {
	for _, sp := range splits {
		var out []string
		for _, g := range d.Files[sp] {
			if !filepath.IsAbs(g) {
				g = filepath.Join(d.Base, filepath.FromSlash(g))
			}
			m, err := filepath.Glob(g)
			if err != nil {
				return nil, "", fmt.Errorf("the file pattern %q is malformed", g)
			}
			if len(m) == 0 {
				return nil, "", fmt.Errorf("%s: no such file", g)
			}
			out = append(out, m...)
		}
		if len(out) > 0 {
			return out, sp, nil
		}
	}
	return nil, "", fmt.Errorf("the task names no files for the split %s", strings.Join(splits, " or "))
}

// NotFoundError says that a dataset is nowhere on this machine, and where was looked.
type NotFoundError struct {
	Dataset Dataset
	Splits  []string
	Looked  []string
	Unread  []string // caches that could not be looked into, and why
	Hub     bool     // it could be downloaded
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no data for %s", e.Dataset.Path)
	if e.Dataset.Config != "" {
		fmt.Fprintf(&b, " (%s)", e.Dataset.Config)
	}
	fmt.Fprintf(&b, ", split %s", strings.Join(e.Splits, " or "))
	if len(e.Looked) > 0 {
		fmt.Fprintf(&b, "; looked in %s", strings.Join(e.Looked, ", "))
	}
	for _, u := range e.Unread {
		fmt.Fprintf(&b, "; not looked in %s", u)
	}
	if e.Hub {
		fmt.Fprintf(&b, "; put %s below --data DIR, or add --download to fetch it from the hub", path.Join(e.Dataset.Name(), e.Dataset.Config, e.Splits[0]+".jsonl"))
	} else {
		b.WriteString("; name the files with --data")
	}
	return b.String()
}
