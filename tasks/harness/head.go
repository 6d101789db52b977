package harness

import (
	"path/filepath"
	"slices"
	"strings"
)

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
			// Where one cannot be read, or includes itself, the file keeps the name that it has, and
			// loading it says why it cannot be used.
			if inner := x.head(name, append(above[:len(above):len(above)], file)); inner != nil {
				h.take(inner)
			}
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
	b, err := readText(file)
	if err != nil {
		return nil
	}
	h := &head{}
	var list *[]string // that lines of "- item" go on
	fresh := false     // the key before has had no value yet
	for line := range strings.Lines(b) {
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
