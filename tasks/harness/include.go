package harness

import (
	"fmt"
	"path/filepath"
)

// load reads a file with what it includes: included keys first, later includes over earlier ones, the
// file's own over all.
func (x *Index) load(path string) (*value, error) { return x.loadOnce(path, map[string]bool{}) }

func (x *Index) loadOnce(path string, seen map[string]bool) (*value, error) {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		path = at
	}
	if seen[path] {
		return nil, fmt.Errorf("%s: it includes itself, or is included twice", path)
	}
	seen[path] = true
	v, err := x.parsed(path, len(seen) > 1)
	if err != nil {
		return nil, err
	}
	includes, ok := v.dict["include"]
	if !ok {
		return v, nil
	}
	paths := []*value{includes}
	if includes.isList() {
		paths = includes.items
	}
	out := &value{dict: map[string]*value{}, file: v.file, line: v.line}
	take := func(from *value, without string) {
		for _, key := range from.keys {
			if key == without {
				continue
			}
			if _, there := out.dict[key]; !there {
				out.keys = append(out.keys, key)
			}
			out.dict[key] = from.dict[key]
		}
	}
	for _, p := range paths {
		name, ok := p.text()
		if !ok {
			return nil, p.errorf("include takes the path of a file")
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		inner, err := x.loadOnce(name, seen)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: include: %w", p.file, p.line, err)
		}
		take(inner, "task_list")
	}
	take(v, "include")
	return out, nil
}

// parsed is a file's own values, kept where other files include it.
func (x *Index) parsed(path string, included bool) (*value, error) {
	if !included {
		return parseFile(path)
	}
	x.lock.Lock()
	v := x.values[path]
	x.lock.Unlock()
	if v != nil {
		return v, nil
	}
	v, err := parseFile(path)
	if err == nil {
		x.lock.Lock()
		x.values[path] = v
		x.lock.Unlock()
	}
	return v, err
}
