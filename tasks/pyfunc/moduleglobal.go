package pyfunc

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// global is a module's name, made when it is first asked for.
func (m *Module) global(name string, b *budget) (py.Value, bool, error) {
	m.lock.Lock()
	v, ok := m.names[name]
	m.lock.Unlock()
	if ok {
		return v, true, nil
	}
	if name == "__file__" {
		file, err := filepath.Abs(m.file)
		return filepath.ToSlash(file), true, err
	}
	var last []part
	for _, p := range m.parts {
		if slices.Contains(p.names, name) {
			last = append(last, p)
		}
	}
	if len(last) == 0 {
		return m.unnamed(name, b)
	}
	m.lock.Lock()
	busy := m.busy[name]
	m.busy[name] = true
	m.lock.Unlock()
	if busy {
		return nil, false, fmt.Errorf("%q is asked for while it is made", name)
	}
	defer func() {
		m.lock.Lock()
		delete(m.busy, name)
		m.lock.Unlock()
	}()
	v, err := m.make(name, last, b)
	if err != nil {
		return nil, false, m.place(last[0].tokens[0].line, err)
	}
	m.lock.Lock()
	m.names[name] = v
	m.lock.Unlock()
	return v, true, nil
}

// make runs the statements that give a name its value. A file is read once: its names may take
// more than a call.
func (m *Module) make(name string, of []part, b *budget) (py.Value, error) {
	return inAnyOrder(func() (py.Value, error) {
		f := &frame{names: map[string]py.Value{}, module: m, budget: &budget{loader: b.loader, steps: -moduleSteps, calls: b.calls}}
		for _, p := range of {
			if err := m.runPart(p, f); err != nil {
				return nil, err
			}
		}
		v, ok := f.names[name]
		if !ok {
			return nil, m.place(of[0].tokens[0].line, fmt.Errorf("the name %q is not understood", name))
		}
		return v, nil
	})
}

// unnamed is a name that no statement gives by itself: of another module's, or of globals().
func (m *Module) unnamed(name string, b *budget) (py.Value, bool, error) {
	for i := len(m.parts) - 1; i >= 0; i-- {
		if m.parts[i].all {
			if v, ok, err := m.star(m.parts[i], name, b); ok || err != nil {
				return v, ok, err
			}
		}
		if at0(m.parts[i]) == "globals" {
			if v, ok, err := m.updated(m.parts[i], name, b); ok || err != nil {
				return v, ok, err
			}
		}
	}
	return m.filled(name, b)
}

func (m *Module) runPart(p part, f *frame) error {
	line := p.tokens[0].line
	switch first := at0(p); first {
	case "if", "try", "for", "while", "@":
		return m.place(line, fmt.Errorf("a name that a %s at the left edge gives is not understood", map[bool]string{true: "decorated function", false: first}[first == "@"]))
	}
	ps := &parser{m: m, tokens: append(slices.Clone(p.tokens), token{kind: tokEOF, line: line})}
	body, err := ps.statements(tokEOF)
	if err != nil {
		return m.place(line, err)
	}
	_, err = body.run(f)
	return m.place(line, err)
}

// filled is a name that a function, called at the left edge, puts into globals().
func (m *Module) filled(name string, b *budget) (py.Value, bool, error) {
	if !m.ran {
		m.ran = true
		for _, p := range m.parts {
			if len(p.tokens) < 3 || p.tokens[0].kind != tokName || p.tokens[1].text != "(" || p.names != nil || !m.fills(at0(p)) {
				continue
			}
			if err := m.check(at0(p), map[string]bool{}); err != nil {
				return nil, false, err
			}
			if err := m.runPart(p, &frame{names: map[string]py.Value{}, module: m, budget: b}); err != nil {
				return nil, false, err
			}
		}
	}
	v, ok := m.made.Get(name)
	return v, ok, nil
}

// fills reports whether a function of the module speaks of globals().
func (m *Module) fills(name string) bool {
	for _, p := range m.parts {
		if at0(p) == "def" && slices.Contains(p.names, name) {
			return slices.ContainsFunc(p.tokens, func(t token) bool { return t.kind == tokName && t.text == "globals" })
		}
	}
	return false
}

// updated is a name of globals().update(dict).
func (m *Module) updated(p part, name string, b *budget) (py.Value, bool, error) {
	line := p.tokens[0].line
	for i, want := range []string{"globals", "(", ")", ".", "update", "("} {
		if i >= len(p.tokens) || p.tokens[i].text != want {
			return nil, false, m.place(line, fmt.Errorf("globals() used like this is not understood"))
		}
	}
	ps := &parser{m: m, tokens: append(slices.Clone(p.tokens[5:]), token{kind: tokEOF, line: line})}
	n, err := ps.atom()
	if err != nil {
		return nil, false, err
	}
	if m.busy["globals()"] {
		return nil, false, nil
	}
	m.busy["globals()"] = true
	defer delete(m.busy, "globals()")
	v, err := n.eval(&frame{names: map[string]py.Value{}, module: m, budget: b})
	if err != nil {
		return nil, false, err
	}
	d, ok := v.(*py.Dict)
	if !ok {
		return nil, false, m.place(line, fmt.Errorf("globals().update of a %s is not understood", py.TypeName(v)))
	}
	w, ok := d.Get(name)
	return w, ok, nil
}

// star is a name of from x import *.
func (m *Module) star(p part, name string, b *budget) (py.Value, bool, error) {
	var path strings.Builder
	for _, t := range p.tokens[1:] {
		if t.text == "import" {
			break
		}
		path.WriteString(t.text)
	}
	file := m.fileOf(path.String())
	if file == "" {
		return nil, false, nil
	}
	from, err := m.loader.Load(file)
	if err != nil {
		return nil, false, m.place(p.tokens[0].line, err)
	}
	return from.global(name, b)
}
