package pyfunc

import (
	"github.com/softbench/softbench/tasks/py"
)

// params reads a signature up to end.
func (p *parser) params(end string, typed bool) ([]param, error) {
	var out []param
	keyword := false
	for !p.skip(end) {
		if len(out) > 0 || keyword {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.skip(end) {
				break
			}
		}
		if p.skip("/") {
			continue
		}
		q := param{keyword: keyword}
		if p.skip("**") {
			q.star = 2
		} else if p.skip("*") {
			keyword = true
			if p.is(",") {
				continue
			}
			q.star = 1
		}
		t := p.next()
		if t.kind != tokName {
			p.at--
			return nil, p.unexpected()
		}
		q.name = t.text
		p.give(t.text)
		if typed && p.skip(":") {
			if err := p.quietly(p.ternary); err != nil {
				return nil, err
			}
		}
		if p.skip("=") {
			n, err := p.ternary()
			if err != nil {
				return nil, err
			}
			q.value = n.eval
		}
		out = append(out, q)
	}
	return out, nil
}

func (f *Func) evalDefaults(at *frame) error {
	f.defaults = map[string]py.Value{}
	for _, p := range f.params {
		if p.value != nil {
			v, err := p.value(at)
			if err != nil {
				return err
			}
			f.defaults[p.name] = v
		}
	}
	return nil
}

func (p *parser) def() (stmt, error) {
	line := p.next().line
	t := p.next()
	if t.kind != tokName {
		return nil, p.unexpected()
	}
	p.give(t.text)
	if err := p.expect("("); err != nil {
		return nil, err
	}
	params, err := p.params(")", true)
	if err != nil {
		return nil, err
	}
	if p.skip("->") {
		if err := p.quietly(p.ternary); err != nil {
			return nil, err
		}
	}
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	return func(f *frame) (ctl, error) {
		fn := &Func{name: t.text, params: params, body: body, module: f.module, line: line}
		if f.up != nil || f.budget.calls > 0 { // within a function; at the left edge names are the module's
			fn.frame = f
		}
		f.names[t.text] = fn
		return ctlNext, fn.evalDefaults(f)
	}, nil
}
