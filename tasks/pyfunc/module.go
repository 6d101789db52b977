package pyfunc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// imports reports whether a name is a module or a name of one that is not the task files'.
func (m *Module) imports(name string) bool {
	for _, p := range m.parts {
		if (at0(p) == "import" || at0(p) == "from") && slices.Contains(p.names, name) {
			return true
		}
	}
	return false
}
