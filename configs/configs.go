package configs

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/internal/spelling"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/strictyaml"
)

//go:embed tasks/*.yaml suites/*.yaml
var builtin embed.FS

// Suites lists the built-in suites by name.
func Suites() []Info { return infos("suites") }

// Tasks lists the built-in tasks by name.
func Tasks() []Info { return infos("tasks") }

func infos(dir string) []Info {
	entries, err := builtin.ReadDir(dir)
	if err != nil {
		panic(err) // the directory is embedded
	}
	var out []Info
	for _, e := range entries {
		var head struct {
			Name        string `yaml:"name"`
			Description string `yaml:"description"`
		}
		b, err := builtin.ReadFile(path.Join(dir, e.Name()))
		if err == nil {
			err = yaml.Unmarshal(b, &head)
		}
		if err != nil {
			panic(err) // a test reads them all
		}
		out = append(out, Info{Name: head.Name, Description: head.Description})
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Task returns a built-in task by name, or reads one from a YAML file: a name with a directory or
// the extension .yaml is a path. An unknown name is an error that lists the nearest.
func Task(nameOrPath string) (*tasks.Task, error) { return task(nameOrPath, "") }

// task is Task for a name that stands in a suite's file, to which a path is relative: beside it, or, where
// the suite's name is a symbolic link and there is nothing, beside what it leads to.
func task(nameOrPath, suite string) (*tasks.Task, error) {
	if fileNamed(nameOrPath) {
		p := nameOrPath
		if suite != "" && !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(suite), nameOrPath)
			if linked := regularfile.LinkedDir(suite); linked != "" {
				if _, err := os.Stat(p); err != nil {
					p = filepath.Join(linked, nameOrPath)
				}
			}
		}
		b, err := regularfile.ReadAll(context.Background(), p, strictyaml.MaxBytes)
		if err != nil {
			return nil, err
		}
		return tasks.Parse(b, p)
	}
	b, err := builtin.ReadFile("tasks/" + nameOrPath + ".yaml")
	if err != nil {
		return nil, unknown("task", nameOrPath, Tasks())
	}
	return tasks.Parse(b, nameOrPath+".yaml")
}

// Resolve returns what a command line's SUITE means: a built-in suite, a built-in task (a suite of
// one), or a YAML file with either. An unknown name is an error that lists the nearest names.
func Resolve(nameOrPath string) (*Suite, error) {
	if fileNamed(nameOrPath) {
		b, err := regularfile.ReadAll(context.Background(), nameOrPath, strictyaml.MaxBytes)
		if err != nil {
			return nil, err
		}
		if isTask(b) {
			t, err := tasks.Parse(b, nameOrPath)
			if err != nil {
				return nil, err
			}
			return lone(t, nameOrPath), nil
		}
		return ParseSuite(b, nameOrPath)
	}
	if b, err := builtin.ReadFile("suites/" + nameOrPath + ".yaml"); err == nil {
		s, err := ParseSuite(b, nameOrPath+".yaml")
		if s != nil {
			s.File = ""
		}
		return s, err
	}
	if slices.ContainsFunc(Tasks(), func(i Info) bool { return i.Name == nameOrPath }) {
		t, err := Task(nameOrPath)
		if err != nil {
			return nil, err
		}
		return lone(t, ""), nil
	}
	return nil, unknown("suite or task", nameOrPath, append(Suites(), Tasks()...))
}

func lone(t *tasks.Task, file string) *Suite {
	return &Suite{Name: t.Name, Description: t.Description, Tasks: []Entry{{Task: t}}, File: file}
}

var (
	kindKey  = regexp.MustCompile(`(?m)^kind[ \t]*:`)
	tasksKey = regexp.MustCompile(`(?m)^(tasks|passkey)[ \t]*:`)
)

// isTask tells a task's file from a suite's by its top-level keys. Anything else counts as a suite,
// whose parser then says what is wrong.
func isTask(b []byte) bool { return kindKey.Match(b) && !tasksKey.Match(b) }

// unknown is the error for a name that is none of the known ones, the nearest first.
func unknown(what, name string, known []Info) error {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = k.Name
	}
	near := spelling.Nearest(name, names)
	if len(near) == 0 {
		return fmt.Errorf("unknown %s %q; there are %s", what, name, strings.Join(names, ", "))
	}
	return fmt.Errorf("unknown %s %q; did you mean %s? (softbench ls shows all; a file's name ends in .yaml)", what, name, strings.Join(near, ", "))
}
