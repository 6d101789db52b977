package jinja

func (p *parser) set(word token) (stmt, error) {
	to, err := p.target("")
	if err != nil {
		return nil, err
	}
	if p.skip(tokOp, "=") {
		value, err := p.tuple(true)
		if err != nil {
			return nil, err
		}
		return setStmt{to, value, word.line}, p.end()
	}
	filters, err := p.filters()
	if err != nil {
		return nil, err
	}
	body, err := p.until("endset")
	return setBlock{to, filters, body, word.line}, err
}

// filters reads |name(...)|name.
func (p *parser) filters() (out []filterCall, err error) {
	for p.skip(tokOp, "|") {
		f, err := p.filter(nil)
		if err != nil {
			return nil, err
		}
		out = append(out, *f)
	}
	return out, nil
}

func (p *parser) signature(s *macroStmt) error {
	if _, err := p.expect(tokOp, "("); err != nil {
		return err
	}
	for !p.skip(tokOp, ")") {
		if len(s.params) > 0 {
			if _, err := p.expect(tokOp, ","); err != nil {
				return err
			}
		}
		t, err := p.expect(tokName, "")
		if err != nil {
			return err
		}
		s.params = append(s.params, t.text)
		if p.skip(tokOp, "=") {
			e, err := p.expression()
			if err != nil {
				return err
			}
			s.defaults = append(s.defaults, e)
		} else if len(s.defaults) > 0 {
			return errorAt(t.line, "the parameter %q has no default, and one before it has", t.text)
		}
	}
	return nil
}

func (p *parser) macro(word token) (stmt, error) {
	t, err := p.expect(tokName, "")
	if err != nil {
		return nil, err
	}
	s := &macroStmt{name: t.text, line: word.line}
	if err := p.signature(s); err != nil {
		return nil, err
	}
	s.body, err = p.outsideLoops("endmacro")
	return s, err
}

// outsideLoops is until for a body that no loop around it can be left from.
func (p *parser) outsideLoops(end string) ([]stmt, error) {
	loops := p.loops
	p.loops = 0
	body, err := p.until(end)
	p.loops = loops
	return body, err
}

func (p *parser) callBlock(word token) (stmt, error) {
	s := callBlock{macro: &macroStmt{name: "caller", line: word.line}, line: word.line}
	if p.is(tokOp, "(") {
		if err := p.signature(s.macro); err != nil {
			return nil, err
		}
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	c, ok := e.(call)
	if !ok {
		return nil, errorAt(word.line, "{%% call %%} needs a call")
	}
	s.of = &c
	s.macro.body, err = p.outsideLoops("endcall")
	return s, err
}

func (p *parser) filterBlock(word token) (stmt, error) {
	defer p.inPlace(false)()
	f, err := p.filter(nil)
	if err != nil {
		return nil, err
	}
	more, err := p.filters()
	if err != nil {
		return nil, err
	}
	body, err := p.until("endfilter")
	return filterBlock{append([]filterCall{*f}, more...), body, word.line}, err
}

func (p *parser) with(word token) (stmt, error) {
	s := withStmt{line: word.line}
	for !p.is(tokEnd, "%}") {
		if len(s.targets) > 0 {
			if _, err := p.expect(tokOp, ","); err != nil {
				return nil, err
			}
		}
		t, err := p.expect(tokName, "")
		if err != nil {
			return nil, err
		}
		if _, err := p.expect(tokOp, "="); err != nil {
			return nil, err
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		s.targets, s.values = append(s.targets, target{name: t.text, line: t.line}), append(s.values, e)
	}
	var err error
	s.body, err = p.until("endwith")
	return s, err
}
