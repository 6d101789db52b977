package pyfunc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/py"
)

// filePath is a pathlib.Path.
type filePath struct{ path string }

// TypeName of a path.
func (filePath) TypeName() string { return "Path" }

// Attr is what is known of a path.
func (p filePath) Attr(name string) (py.Value, bool) {
	switch name {
	case "parent":
		return filePath{path.Dir(p.path)}, true
	case "name":
		return path.Base(p.path), true
	case "stem":
		return strings.TrimSuffix(path.Base(p.path), path.Ext(p.path)), true
	case "resolve", "absolute":
		return native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return p, nil }), true
	case "open":
		return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			return openFile(b, append([]py.Value{p}, args...), named)
		}), true
	}
	return nil, false
}

func makePath(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
	if len(args) == 1 {
		switch x := args[0].(type) {
		case string:
			return filePath{path.Clean(x)}, nil
		case filePath:
			return x, nil
		}
	}
	return nil, fmt.Errorf("a Path like this is not understood")
}

// openedFile is a file that is read, of those that lie beside the task files.
type openedFile struct{ path string }

// TypeName of a file.
func (openedFile) TypeName() string { return "file" }

// Attr of a file is none: json.load reads it.
func (openedFile) Attr(string) (py.Value, bool) { return nil, false }

// openFile is open(path) for reading, which is the only way understood, and only below the directories of task files.
func openFile(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	for k, v := range named {
		if k != "encoding" || v != "utf-8" && v != "utf8" {
			return nil, fmt.Errorf("the argument %s of open is not understood", k)
		}
	}
	if len(args) == 0 || len(args) > 2 || len(args) == 2 && args[1] != "r" {
		return nil, fmt.Errorf("open like this is not understood: files are only read")
	}
	p, err := makePath(b, args[:1], nil)
	if err != nil {
		return nil, err
	}
	name := p.(filePath).path
	if b.loader == nil || !b.loader.within(name) {
		return nil, fmt.Errorf("%s is not below the directories of the task files, and not read", name)
	}
	return openedFile{name}, nil
}

// within reports whether a file lies below the directories of task files.
func (l *Loader) within(name string) bool {
	at, err := filepath.EvalSymlinks(filepath.FromSlash(name))
	if err != nil {
		return false
	}
	for _, root := range l.Roots {
		if dir, err := filepath.EvalSymlinks(root); err == nil {
			if dir, err = filepath.Abs(dir); err == nil {
				if rel, err := filepath.Rel(dir, at); err == nil && filepath.IsLocal(rel) {
					return true
				}
			}
		}
	}
	return false
}

// jsonLoad is json.load(file).
func jsonLoad(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	f, ok := openedFile{}, false
	if len(args) == 1 && len(named) == 0 {
		f, ok = args[0].(openedFile)
	}
	if !ok {
		return nil, fmt.Errorf("json.load like this is not understood")
	}
	text, err := regularfile.ReadAll(context.Background(), filepath.FromSlash(f.path), maxSource)
	if err != nil {
		return nil, err
	}
	v, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return v, nil
}

// parseJSON is what json makes of a text.
func parseJSON(text []byte) (py.Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := jsonValue(d, 0)
	if err == nil && d.More() {
		err = errors.New("something follows it")
	}
	if err != nil {
		return nil, raise("ValueError", "%v", err)
	}
	return v, nil
}

func jsonValue(d *json.Decoder, depth int) (py.Value, error) {
	t, err := d.Token()
	if err != nil || depth > 100 {
		return nil, fmt.Errorf("it is no JSON that is understood")
	}
	switch x := t.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n, nil
		}
		return x.Float64()
	case json.Delim:
		list, dict := &py.List{}, py.NewDict()
		for d.More() {
			var key py.Value
			if x == '{' {
				if key, err = d.Token(); err != nil {
					return nil, err
				}
			}
			v, err := jsonValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			if x == '{' {
				dict.Set(key, v)
			} else {
				list.Items = append(list.Items, v)
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		if x == '{' {
			return dict, nil
		}
		return list, nil
	}
	return t, nil // text, true, false, null
}
