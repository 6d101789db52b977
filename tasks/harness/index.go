package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/softbench/softbench/internal/spelling"
	"github.com/softbench/softbench/tasks/pyfunc"
)

// Kind is what a name of the index stands for.
type Kind string

// The kinds.
const (
	Leaf   Kind = "task"
	Python Kind = "Python task" // a class of Python code
	Group  Kind = "group"
	Tag    Kind = "tag"
)

// Entry is a name of the index.
type Entry struct {
	Name string
	Kind Kind
	File string   // "" for a tag
	Tags []string // of a task: its tags; of a tag: its tasks
}

// Index has the tasks, groups and tags of directories by name.
type Index struct {
	entries map[string]*Entry
	roots   []string
	heads   map[string]*head  // of files that others include
	values  map[string]*value // of files that others include
	code    *pyfunc.Loader
	lock    sync.Mutex
}

// maxFiles bounds the YAML files below a directory.
const maxFiles = 200_000

// Open finds the names that the YAML files below directories define. Of one that two files of a directory
// have, the first in the order of paths counts; of directories, the last that has it.
func Open(dirs ...string) (*Index, error) {
	x := &Index{entries: map[string]*Entry{}, roots: dirs, heads: map[string]*head{}, values: map[string]*value{}, code: &pyfunc.Loader{Roots: dirs}}
	for _, dir := range dirs {
		files, err := yamlFiles(dir)
		if err != nil {
			return nil, err
		}
		heads := x.read(files)
		own := map[string]*Entry{}
		for i, h := range heads {
			if h != nil {
				h.enter(files[i], own)
			}
		}
		for name, e := range own {
			x.entries[name] = e
		}
	}
	return x, nil
}

func yamlFiles(dir string) ([]string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("--include-path %s: %w", dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("--include-path %s: not a directory; give the one that holds the task files, such as lm_eval/tasks", dir)
	}
	var files []string
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "__pycache__" || d.Name() == ".ipynb_checkpoints") {
			return fs.SkipDir
		}
		if isTaskFile(p, d) {
			if files = append(files, p); len(files) > maxFiles {
				return fmt.Errorf("--include-path %s: more than %d YAML files below it; name a smaller directory", dir, maxFiles)
			}
		}
		return nil
	})
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.ToSlash(a), filepath.ToSlash(b)) })
	return files, err
}

// read reads the heads of files; nil for one that is not a task's or a group's.
func (x *Index) read(files []string) []*head {
	heads := make([]*head, len(files))
	var next sync.Mutex
	at := 0
	var wg sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for {
				next.Lock()
				from := at
				at += 64
				next.Unlock()
				if from >= len(files) {
					return
				}
				for i := from; i < min(from+64, len(files)); i++ {
					heads[i] = x.head(files[i], nil)
				}
			}
		})
	}
	wg.Wait()
	return heads
}

// Names are all names, sorted.
func (x *Index) Names() []string {
	names := make([]string, 0, len(x.entries))
	for n := range x.entries {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Find is a name's entry.
func (x *Index) Find(name string) (*Entry, bool) {
	e, ok := x.entries[name]
	return e, ok
}

// Match is what a name of a command line means: itself where it is a name, else, with *, ? or [, all
// names that it matches, sorted.
func (x *Index) Match(name string) ([]*Entry, error) {
	if e, ok := x.entries[name]; ok {
		return []*Entry{e}, nil
	}
	if !strings.ContainsAny(name, "*?[") || len(x.roots) == 0 {
		return nil, nil
	}
	var out []*Entry
	for _, n := range x.Names() {
		ok, err := path.Match(strings.ReplaceAll(name, "[!", "[^"), strings.ReplaceAll(n, "/", "\x00"))
		if err != nil {
			return nil, fmt.Errorf("the pattern %q is malformed", name)
		}
		if ok {
			out = append(out, x.entries[n])
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no task, group or tag matches %s: %s", name, x.Searched())
	}
	return out, nil
}

// Searched says where names were looked for, and how many there are; "" without a directory.
func (x *Index) Searched() string {
	if len(x.roots) == 0 {
		return ""
	}
	where := "--include-path " + strings.Join(x.roots, ", ")
	if len(x.entries) == 0 {
		return where + " has no task files (.yaml with task, group or tag)"
	}
	return fmt.Sprintf("%s has %d names of tasks, groups and tags, and not this one", where, len(x.entries))
}

// Near are the names most like a name that is not there.
func (x *Index) Near(name string) []string { return spelling.Nearest(name, x.Names()) }
