package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/eval/hub"
	"github.com/softbench/softbench/internal/regularfile"
)

// Dataset names a dataset and says how its files are called where the hub's usual layouts do not.
type Dataset struct {
	Path    string              // the hub's id, such as "allenai/ai2_arc"; empty for files of the user's own
	Config  string              // the hub's configuration ("ARC-Easy"), or empty
	Aliases []string            // further directory names to look for below Source.Dir
	Files   map[string][]string // split -> file patterns (path.Match), in place of the usual layouts
	Base    string              // directory Files are relative to where Path is empty
	Linked  string              // another, where Base lacks them: that of the file a symbolic link leads to
	Named   bool                // other tasks have other configurations: a file must lie below Config's name, or in an alias
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
	if s.Dir != "" {
		paths, split, err := s.locateGiven(ctx, d, splits)
		if len(paths) > 0 || err != nil {
			return paths, split, err
		}
	}
	missing := &NotFoundError{Dataset: d, Splits: splits, Hub: hubID(d.Path) && !s.Download}
	if s.Dir != "" {
		missing.Looked = s.given(d)
	}
	if hubID(d.Path) {
		for _, cache := range s.Caches {
			// A cache is optional: where it may not be read, what is elsewhere serves.
			dirs, bad, err := cached(cache, d.Path)
			if err != nil {
				return nil, "", err
			}
			for _, dir := range dirs {
				missing.Looked = append(missing.Looked, dir)
				paths, split, err := locateIn(ctx, dir, d, splits, ofDataset, missing)
				if errors.Is(err, fs.ErrPermission) {
					bad = err
					continue
				}
				if len(paths) > 0 || err != nil {
					return paths, split, err
				}
			}
			if bad != nil {
				missing.Unread = append(missing.Unread, bad.Error())
			}
		}
	}
	if s.Download && hubID(d.Path) {
		dir, err := s.fetch(ctx, d, splits)
		if err != nil {
			return nil, "", fmt.Errorf("downloading %s: %w", d.Path, err)
		}
		missing.Looked = append(missing.Looked, dir)
		if paths, split, err := locateIn(ctx, dir, d, splits, ofDataset, missing); len(paths) > 0 || err != nil {
			return paths, split, err
		}
	}
	return nil, "", missing
}

// given lists where below the user's data directory a dataset may lie, best first; "" of any text is
// the directory or file itself.
func (s Source) given(d Dataset) []string {
	var dirs []string
	for _, name := range append([]string{d.Path, d.Name()}, d.Aliases...) {
		if dir := filepath.Join(s.Dir, filepath.FromSlash(name)); len(dirs) == 0 || dirs[len(dirs)-1] != dir {
			dirs = append(dirs, dir)
		}
	}
	if hubID(d.Path) {
		return dirs
	}
	// The directory itself holds the splits of one dataset, where none of its directories has this one's
	// name: else they would be taken for this one's in the place of what it lacks.
	if len(d.Files) == 0 && slices.ContainsFunc(dirs, isDir) {
		return dirs
	}
	return append(dirs, s.Dir)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// locateGiven looks below the user's data directory. What is there and cannot serve is an error:
// nothing else is taken in its place.
func (s Source) locateGiven(ctx context.Context, d Dataset, splits []string) ([]string, string, error) {
	info, err := os.Stat(s.Dir)
	if err != nil {
		return nil, "", regularfile.PathError(s.Dir, err)
	}
	dirs := s.given(d)
	if !info.IsDir() {
		if hubID(d.Path) {
			return nil, "", fmt.Errorf("--data %s is a file, but %s is looked for below a directory: put the file at DIR/%s and give --data DIR",
				s.Dir, d.Path, path.Join(d.Name(), d.Config, splits[0]+filepath.Ext(s.Dir)))
		}
		dirs = []string{s.Dir}
	}
	seen := &NotFoundError{Dataset: d}
	for _, dir := range dirs {
		alias := slices.ContainsFunc(d.Aliases, func(a string) bool { return dir == filepath.Join(s.Dir, filepath.FromSlash(a)) })
		of := ofDataset
		switch {
		case d.Named && (!alias || filepath.Base(dir) == d.Name()):
			of = ofConfig
		case dir == s.Dir:
			of = ofMany
		}
		paths, split, err := locateIn(ctx, dir, d, splits, of, seen)
		if len(paths) > 0 || err != nil {
			return paths, split, err
		}
	}
	if seen.Seen != "" {
		return nil, "", &MisfitError{seen.Seen}
	}
	if !info.IsDir() {
		return nil, "", fmt.Errorf("--data %s: the file's name fits none of the patterns %s of the task's files", s.Dir, strings.Join(d.Files[splits[0]], ", "))
	}
	return nil, "", nil
}

// MisfitError says that what the user gave has files, and none of those that are looked for.
type MisfitError struct{ Seen string }

func (e *MisfitError) Error() string { return e.Seen }

// locateIn looks in one directory; none found is not an error. A file that is seen and not read goes into
// missing.
func locateIn(ctx context.Context, dir string, d Dataset, splits []string, of place, missing *NotFoundError) ([]string, string, error) {
	base, names, err := listing(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lerr := os.Lstat(dir); lerr == nil && missing.Seen == "" {
			missing.Seen = dir + " is a symbolic link to what is not there"
		}
		return nil, "", nil
	}
	if err != nil {
		return nil, "", regularfile.PathError(dir, err)
	}
	for _, sp := range splits {
		files, err := choose(names, d.Config, sp, d.Files[sp], of)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", dir, err)
		}
		if len(files) > 0 {
			paths := make([]string, len(files))
			for i, f := range files {
				paths[i] = filepath.Join(base, filepath.FromSlash(f))
			}
			return paths, sp, nil
		}
	}
	for _, sp := range splits {
		if globs := d.Files[sp]; len(globs) > 0 && len(names) > 0 && missing.Seen == "" {
			missing.Seen = fmt.Sprintf("%s is there, and fits none of the patterns %s of the task's files", filepath.Join(base, filepath.FromSlash(names[0])), strings.Join(globs, ", "))
		}
		if name, why := unread(names, d.Config, sp); name != "" && missing.Seen == "" {
			missing.Seen = filepath.Join(base, filepath.FromSlash(name)) + " " + why
		}
	}
	return nil, "", nil
}

// locateOwn finds the files a user's task names itself, relative to its own YAML file.
func (s Source) locateOwn(d Dataset, splits []string) ([]string, string, error) {
	for _, sp := range splits {
		var out []string
		for _, g := range d.Files[sp] {
			m, err := d.own(filepath.FromSlash(g))
			if err != nil {
				return nil, "", err
			}
			out = append(out, m...)
		}
		if len(out) > 0 {
			return out, sp, nil
		}
	}
	return nil, "", fmt.Errorf("the task names no files for the split %s", strings.Join(splits, " or "))
}

// own lists the files of a pattern, of which there must be some.
func (d Dataset) own(pattern string) ([]string, error) {
	places := []string{d.Base, d.Linked}
	if d.Linked == "" || filepath.IsAbs(pattern) {
		places = places[:1]
	}
	first := ""
	for _, place := range places {
		g, search := pattern, pattern
		if !filepath.IsAbs(g) {
			g = filepath.Join(place, pattern)
			search = filepath.Join(literally(place), pattern)
		}
		if _, err := os.Stat(g); err == nil { // a name is not a pattern where a file has it
			return []string{g}, nil
		}
		m, err := filepath.Glob(search)
		if err != nil {
			return nil, fmt.Errorf("the file pattern %q is malformed", g)
		}
		if len(m) > 0 {
			return m, nil
		}
		if first == "" {
			first = g
		}
	}
	return nil, fmt.Errorf("%s: no such file", first)
}

// literally is a path that stands for itself in a pattern: a directory called "runs [2]"
// is not a set of letters.
func literally(path string) string {
	if filepath.Separator == '\\' {
		return path // no pattern can quote there
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(path)
}

// NotFoundError says that a dataset is nowhere on this machine, and where was looked.
type NotFoundError struct {
	Dataset Dataset
	Splits  []string
	Looked  []string
	Unread  []string // caches that could not be looked into, and why
	Seen    string   // a file that was seen there, and why it is not read
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
	if e.Seen != "" {
		fmt.Fprintf(&b, "; %s", e.Seen)
	}
	if e.Hub {
		fmt.Fprintf(&b, "; put %s below --data DIR, or add --download to fetch it from the hub", path.Join(e.Dataset.Name(), e.Dataset.Config, e.Splits[0]+".jsonl"))
	} else {
		b.WriteString("; name the files with --data")
	}
	return b.String()
}
