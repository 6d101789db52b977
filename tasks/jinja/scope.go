package jinja

import (
	"errors"
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// What one rendering may take.
const (
	maxOutput = py.MaxItems // bytes
	maxSteps  = 1 << 20     // statements and expressions that are run
	maxCalls  = 100         // macros and loops within each other
)

// context is one rendering.
type context struct {
	o     Options
	out   *strings.Builder
	scope *scope
	steps *int
	calls int
}

// scope holds names; those that it lacks are in the scopes around it.
type scope struct {
	names map[string]py.Value
	look  func(string) (py.Value, bool) // further names; may be nil
	up    *scope
}

func (s *scope) find(name string) (py.Value, bool) {
	for ; s != nil; s = s.up {
		if v, ok := s.names[name]; ok {
			return v, true
		}
		if s.look != nil {
			if v, ok := s.look(name); ok {
				return v, true
			}
		}
	}
	return nil, false
}

func (s *scope) set(name string, v py.Value) {
	if s.names == nil {
		s.names = map[string]py.Value{}
	}
	s.names[name] = v
}

// step counts what is run.
func (c *context) step(line int) error {
	if *c.steps++; *c.steps > maxSteps {
		return errorAt(line, "the template takes more than %d steps", maxSteps)
	}
	return nil
}

// charge counts what an operation on long values costs as steps.
func (c *context) charge(line int, values ...py.Value) error {
	for _, v := range values {
		switch x := v.(type) {
		case string:
			*c.steps += len(x) >> 8
		case *py.List:
			*c.steps += len(x.Items)
		case py.Tuple:
			*c.steps += len(x)
		case *py.Dict:
			*c.steps += x.Len()
		}
	}
	return c.step(line)
}

func (c *context) write(s string) error {
	if c.out.Len()+len(s) > maxOutput {
		return fmt.Errorf("the template's output passes %d bytes", maxOutput)
	}
	c.out.WriteString(s)
	return nil
}

// inner is the context in a scope of its own.
func (c *context) inner() *context {
	in := *c
	in.scope = &scope{up: c.scope}
	return &in
}

// captured runs a body and gives its text.
func (c *context) captured(body []stmt) (string, error) {
	in := c.inner()
	in.out = &strings.Builder{}
	if err := runAll(in, body); err != nil {
		return "", err
	}
	return in.out.String(), nil
}

// Render fills the template in; names is what its names stand for, such as the columns of a document.
func (t *Template) Render(names func(string) (py.Value, bool)) (string, error) {
	if t.only != nil {
		return *t.only, nil
	}
	steps := 0
	c := &context{o: t.o, out: &strings.Builder{}, steps: &steps, scope: &scope{up: &scope{look: names, up: &scope{names: globals(t.o)}}}}
	if err := runAll(c, t.body); err != nil {
		return "", err
	}
	return c.out.String(), nil
}

// where gives an error a line, unless it has one.
func where(line int, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) || errors.Is(err, errBreak) || errors.Is(err, errContinue) {
		return err
	}
	return &Error{line, err.Error()}
}

var errBreak, errContinue = errors.New("break"), errors.New("continue")
