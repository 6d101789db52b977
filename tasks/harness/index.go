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
		if !d.IsDir() && strings.HasSuffix(d.Name(), ".yaml") {
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

// head is what an index needs of a file, those it includes with it.
type head struct {
	task, group string
	hasTask     bool // a key task of any kind
	hasGroup    bool
	python      bool
	tags        []string
	includes    []string
}

// head reads a file's head; nil where it cannot be read. above are the files that include it.
func (x *Index) head(file string, above []string) *head {
	if slices.Contains(above, file) {
		return nil
	}
	if len(above) > 0 {
		x.lock.Lock()
		h, done := x.heads[file]
		x.lock.Unlock()
		if done {
			return h
		}
	}
	h := scan(file)
	if h == nil {
		if v, err := parseFile(file); err == nil {
			h = headOf(v)
		}
	}
	if h != nil {
		for i := len(h.includes) - 1; i >= 0; i-- { // the last wins
			name := h.includes[i]
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(file), name)
			}
			inner := x.head(name, append(above[:len(above):len(above)], file))
			if inner == nil {
				h = nil
				break
			}
			h.take(inner)
		}
	}
	if len(above) > 0 {
		x.lock.Lock()
		x.heads[file] = h
		x.lock.Unlock()
	}
	return h
}

// take fills in what an included file has.
func (h *head) take(from *head) {
	if !h.hasTask {
		h.task, h.hasTask = from.task, from.hasTask
	}
	if !h.hasGroup {
		h.group, h.hasGroup = from.group, from.hasGroup
	}
	if h.tags == nil {
		h.tags = from.tags
	}
	h.python = h.python || from.python
}

// enter puts what the file defines into an index, unless the name is taken.
func (h *head) enter(file string, into map[string]*Entry) {
	e := &Entry{File: file, Kind: Leaf, Name: h.task, Tags: h.tags}
	switch {
	case h.python:
		e.Kind = Python
	case h.hasGroup:
		e.Kind, e.Name = Group, h.group
	}
	if e.Name == "" || into[e.Name] != nil {
		return
	}
	into[e.Name] = e
	if e.Kind == Group {
		return
	}
	for _, tag := range h.tags {
		t := into[tag]
		if t == nil {
			t = &Entry{Name: tag, Kind: Tag}
			into[tag] = t
		}
		if t.Kind == Tag && !slices.Contains(t.Tags, e.Name) {
			t.Tags = append(t.Tags, e.Name)
		}
	}
}

// headOf is a head of a file that was parsed.
func headOf(v *value) *head {
	h := &head{}
	text := func(key string) (string, bool) {
		w, there := v.dict[key]
		if !there {
			return "", false
		}
		s, _ := w.text()
		return s, true
	}
	h.task, h.hasTask = text("task")
	h.group, h.hasGroup = text("group")
	_, h.python = v.dict["class"]
	texts := func(key string) []string {
		w := v.dict[key]
		if w == nil {
			return nil
		}
		if s, ok := w.text(); ok {
			return []string{s}
		}
		out := []string{}
		for _, i := range w.items {
			if s, ok := i.text(); ok {
				out = append(out, s)
			}
		}
		return out
	}
	h.tags, h.includes = texts("tag"), texts("include")
	return h
}

// scan reads a file's head line by line, without parsing it; nil where that is not enough. Most of a
// harness's 14,000 files are so plain that this is a tenth of the work.
func scan(file string) *head {
	b, err := os.ReadFile(file)
	if err != nil || len(b) > maxFile {
		return nil
	}
	h := &head{}
	var list *[]string // that lines of "- item" go on
	fresh := false     // the key before has had no value yet
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == ' ' || line[0] == '-' {
			item, isItem := strings.CutPrefix(strings.TrimLeft(line, " "), "- ")
			if line[0] == '-' && !isItem {
				return nil // a document's beginning
			}
			if list == nil {
				continue
			}
			s, ok := plainText(item)
			if !isItem || !ok {
				return nil
			}
			*list = append(*list, s)
			continue
		}
		if fresh && list == nil {
			return nil
		}
		list, fresh = nil, false
		if line[0] == '\t' || line[0] == '%' || line[0] == '<' || line[0] == '{' || line[0] == '&' || line[0] == '!' {
			return nil
		}
		key, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		if q := key[:min(1, len(key))]; q == "'" || q == `"` {
			if key = strings.TrimPrefix(key, q); !strings.HasSuffix(key, q) {
				return nil
			}
			key = strings.TrimSuffix(key, q)
		}
		switch key {
		case "task", "group", "tag", "include", "class":
		default:
			continue
		}
		if key == "class" {
			h.python = true
			continue
		}
		var text string
		rest = strings.TrimSpace(rest)
		if rest != "" && rest[0] != '#' {
			if text, ok = plainText(rest); !ok {
				return nil
			}
		} else if key == "task" || key == "tag" || key == "include" {
			fresh = true
		} else {
			return nil
		}
		switch key {
		case "task":
			if h.hasTask {
				return nil
			}
			h.task, h.hasTask = text, true
			if fresh { // a group's list: whatever it holds
				fresh = false
			}
		case "group":
			h.group, h.hasGroup = text, true
		case "tag":
			h.tags = []string{}
			if fresh {
				list = &h.tags
			} else {
				h.tags = append(h.tags, text)
			}
		case "include":
			h.includes = nil
			if fresh {
				list = &h.includes
			} else {
				h.includes = append(h.includes, text)
			}
		}
	}
	if h.hasTask && h.task == "" && !h.hasGroup {
		return nil
	}
	return h
}

// plainText is a scalar of one line that is surely a text.
func plainText(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", false
	}
	if q := s[0]; q == '"' || q == '\'' {
		inner := s[1:]
		i := strings.IndexByte(inner, q)
		if i < 0 || strings.Contains(inner[:i], `\`) || strings.TrimSpace(inner[i+1:]) != "" && !strings.HasPrefix(strings.TrimSpace(inner[i+1:]), "#") {
			return "", false
		}
		return inner[:i], true
	}
	if i := strings.Index(s, " #"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	if strings.ContainsAny(s, ":{}[],&*!|>%@`\"'#") || strings.ContainsAny(s[:1], "-?") {
		return "", false
	}
	v, err := plainScalar(s)
	text, ok := v.(string)
	return text, ok && err == nil
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
	if !strings.ContainsAny(name, "*?[") {
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
		return nil, fmt.Errorf("no task, group or tag of %s matches %s", strings.Join(x.roots, ", "), name)
	}
	return out, nil
}

// Near are the names most like a name that is not there.
func (x *Index) Near(name string) []string { return spelling.Nearest(name, x.Names()) }
