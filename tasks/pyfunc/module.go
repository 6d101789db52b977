package pyfunc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/py"
)

// Loader reads modules, once each.
type Loader struct {
	Roots   []string // directories that lm_eval.tasks stands for
	lock    sync.Mutex
	modules map[string]*Module
}

// Module is a Python file. Its statements are read when a name of theirs is asked for.
type Module struct {
	file   string
	sum    string
	loader *Loader
	parts  []part
	names  map[string]py.Value
	busy   map[string]bool
	made   *py.Dict // what functions put into globals()
	ran    bool     // the calls at the left edge that do so have been made
	lock   sync.Mutex
}

// part is a statement at the left edge: its tokens, and the names that it gives a value.
type part struct {
	tokens []token
	names  []string
	all    bool // from x import *
}

const maxSource = 4 << 20

// Load reads a module.
func (l *Loader) Load(file string) (*Module, error) {
	if at, err := filepath.EvalSymlinks(file); err == nil {
		file = at
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	if m := l.modules[file]; m != nil {
		return m, nil
	}
	text, err := regularfile.ReadAll(context.Background(), file, maxSource)
	if err != nil {
		return nil, err
	}
	return l.read(file, text)
}

// read takes a module's text in; the lock is held.
func (l *Loader) read(file string, text []byte) (*Module, error) {
	tokens, err := lex(file, string(text))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	m := &Module{file: file, sum: hex.EncodeToString(sum[:]), loader: l, names: map[string]py.Value{}, busy: map[string]bool{}, made: py.NewDict()}
	m.split(tokens)
	if l.modules == nil {
		l.modules = map[string]*Module{}
	}
	l.modules[file] = m
	return m, nil
}

// SHA256 is of the module's file.
func (m *Module) SHA256() string { return m.sum }

// split cuts the tokens into statements at the left edge.
func (m *Module) split(tokens []token) {
	from, depth := 0, 0
	for i, t := range tokens {
		switch t.kind {
		case tokIndent:
			depth++
		case tokDedent:
			depth--
		case tokEOF:
			return
		}
		end := t.kind == tokNewline && depth == 0 && !(i+1 < len(tokens) && tokens[i+1].kind == tokIndent) || t.kind == tokDedent && depth == 0
		if !end {
			continue
		}
		m.part(tokens[from : i+1])
		from = i + 1
	}
}

// part takes a statement in, if it gives names values.
func (m *Module) part(tokens []token) {
	if len(tokens) < 2 {
		return
	}
	p := part{tokens: tokens}
	at := func(i int) string {
		if i < len(tokens) && (tokens[i].kind == tokName || tokens[i].kind == tokOp) {
			return tokens[i].text
		}
		return ""
	}
	switch first := at(0); {
	case first == "@": // a decorator, and what it is of: several statements of tokens
		for i := range tokens {
			if (at(i) == "def" || at(i) == "class") && (i == 0 || tokens[i-1].kind == tokNewline) {
				p.names = append(p.names, at(i+1))
				break
			}
		}
		if p.names == nil { // the line of a decorator alone: joined with the next
			m.parts = append(m.parts, p)
			return
		}
	case first == "def" || first == "class":
		p.names = append(p.names, at(1))
		if n := len(m.parts); n > 0 && at0(m.parts[n-1]) == "@" && m.parts[n-1].names == nil {
			p.tokens = append(slices.Clone(m.parts[n-1].tokens), tokens...)
		}
	case first == "import" || first == "from":
		p.names, p.all = importedNames(tokens)
	case first == "if" || first == "try" || first == "for" || first == "with" || first == "while":
		// what such a block gives is not known before it runs: its names are refused
		for i := 1; i < len(tokens); i++ {
			if tokens[i].kind == tokName && (at(i+1) == "=" && at(i-1) != "." || at(i-1) == "def" || at(i-1) == "import" || at(i-1) == "as") && tokens[i-1].kind != tokNumber {
				p.names = append(p.names, tokens[i].text)
			}
		}
	default:
		for i := 0; i+1 < len(tokens); i++ { // a = b = value, a, b = value, a: type = value, a += value
			if tokens[i].kind == tokName && (i == 0 || at(i-1) == "=" || at(i-1) == "," || at(i-1) == "(") && slices.Contains([]string{"=", ",", ":", "+=", ")"}, at(i+1)) {
				p.names = append(p.names, tokens[i].text)
			} else if at(i) != "=" && at(i) != "," && at(i) != "(" && at(i) != ")" {
				break
			}
		}
		if i := slices.IndexFunc(tokens, func(t token) bool { return t.kind == tokOp && (t.text == "[" || t.text == ".") }); i == 1 { // a[k] = value, a.append(...)
			p.names = append(p.names, tokens[0].text)
		}
	}
	m.parts = append(m.parts, p)
}

func at0(p part) string { return p.tokens[0].text }

func importedNames(tokens []token) (names []string, all bool) {
	i := slices.IndexFunc(tokens, func(t token) bool { return t.kind == tokName && t.text == "import" })
	from := tokens[0].text == "from"
	for i++; i < len(tokens); i++ {
		t := tokens[i]
		if t.kind == tokOp && t.text == "*" {
			return nil, true
		}
		if t.kind != tokName {
			continue
		}
		switch {
		case t.text == "as" && i+1 < len(tokens):
			names[len(names)-1] = tokens[i+1].text
			i++
		case !from && tokens[i-1].kind == tokOp && tokens[i-1].text == ".":
		default:
			names = append(names, t.text)
		}
	}
	return names, false
}

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
	// A file is read once: its names may take more than a call.
	v, err := inAnyOrder(func() (py.Value, error) {
		f := &frame{names: map[string]py.Value{}, module: m, budget: &budget{loader: b.loader, steps: -moduleSteps, calls: b.calls}}
		for _, p := range last {
			if err := m.runPart(p, f); err != nil {
				return nil, err
			}
		}
		v, ok := f.names[name]
		if !ok {
			return nil, m.place(last[0].tokens[0].line, fmt.Errorf("the name %q is not understood", name))
		}
		return v, nil
	})
	if err != nil {
		return nil, false, m.place(last[0].tokens[0].line, err)
	}
	m.lock.Lock()
	m.names[name] = v
	m.lock.Unlock()
	return v, true, nil
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

// fileOf is the file of a module's dotted name; "" where it is none of the task files'.
func (m *Module) fileOf(name string) string {
	var bases []string
	rest := strings.TrimLeft(name, ".")
	switch dots := len(name) - len(rest); {
	case dots > 0:
		base := filepath.Dir(m.file)
		for range dots - 1 {
			base = filepath.Dir(base)
		}
		bases = []string{base}
	default:
		var ok bool
		if rest, ok = strings.CutPrefix(rest, "lm_eval.tasks."); !ok {
			return ""
		}
		bases = m.loader.Roots
	}
	for _, base := range bases {
		file := filepath.Join(base, filepath.FromSlash(strings.ReplaceAll(rest, ".", "/"))+".py")
		if _, err := filepath.EvalSymlinks(file); err == nil {
			return file
		}
	}
	return ""
}

// Function is a function of the module, ready to be called.
func (m *Module) Function(name string) (*Function, error) {
	running.Lock()
	defer running.Unlock()
	v, ok, err := m.global(name, &budget{loader: m.loader})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s: it defines no function %q", m.file, name)
	}
	if err := m.checkValue(name, v, newUses(), map[string]bool{}); err != nil {
		return nil, err
	}
	return &Function{of: v, loader: m.loader}, nil
}

// Function is what a task file names.
type Function struct {
	of     py.Value
	loader *Loader
}

// Name is what the function calls itself.
func (f *Function) Name() string {
	if fn, ok := f.of.(*Func); ok {
		return fn.name
	}
	return ""
}

// Call calls it.
func (f *Function) Call(args ...py.Value) (py.Value, error) { return f.CallNamed(args, nil) }

// CallNamed calls it, with arguments by name too.
func (f *Function) CallNamed(args []py.Value, named map[string]py.Value) (py.Value, error) {
	running.Lock()
	defer running.Unlock()
	return inAnyOrder(func() (py.Value, error) {
		given := map[string]py.Value{}
		for k, v := range named {
			given[k] = deep(v)
		}
		return call(&budget{loader: f.loader}, f.of, copies(args), given)
	})
}

// IsTypeError reports whether an error is Python's TypeError.
func IsTypeError(err error) bool {
	var r *raised
	return errors.As(err, &r) && r.kind == "TypeError"
}

// imports reports whether a name is a module or a name of one that is not the task files'.
func (m *Module) imports(name string) bool {
	for _, p := range m.parts {
		if (at0(p) == "import" || at0(p) == "from") && slices.Contains(p.names, name) {
			return true
		}
	}
	return false
}
