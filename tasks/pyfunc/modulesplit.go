package pyfunc

import (
	"slices"
)

// part is a statement at the left edge: its tokens, and the names that it gives a value.
type part struct {
	tokens []token
	names  []string
	all    bool // from x import *
}

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
	p, at := part{tokens: tokens}, texts(tokens)
	switch first := at(0); {
	case first == "@": // a decorator, and what it is of: several statements of tokens
		for i := range tokens {
			if (at(i) == "def" || at(i) == "class") && (i == 0 || tokens[i-1].kind == tokNewline) {
				p.names = append(p.names, at(i+1))
				break
			}
		}
		// Without one: the line of a decorator alone, joined with the next.
	case first == "def" || first == "class":
		p.names = append(p.names, at(1))
		if n := len(m.parts); n > 0 && at0(m.parts[n-1]) == "@" && m.parts[n-1].names == nil {
			p.tokens = append(slices.Clone(m.parts[n-1].tokens), tokens...)
		}
	case first == "import" || first == "from":
		p.names, p.all = importedNames(tokens)
	case first == "if" || first == "try" || first == "for" || first == "with" || first == "while":
		p.names = blockNames(tokens)
	default:
		p.names = assignedNames(tokens)
	}
	m.parts = append(m.parts, p)
}

// texts gives a token's text by its number, where it is a name or an operator; else "".
func texts(tokens []token) func(i int) string {
	return func(i int) string {
		if i < len(tokens) && (tokens[i].kind == tokName || tokens[i].kind == tokOp) {
			return tokens[i].text
		}
		return ""
	}
}

// blockNames are the names that a block of statements may give. Which ones is not known before it
// runs: they are refused.
func blockNames(tokens []token) (names []string) {
	at := texts(tokens)
	for i := 1; i < len(tokens); i++ {
		if tokens[i].kind == tokName && (at(i+1) == "=" && at(i-1) != "." || at(i-1) == "def" || at(i-1) == "import" || at(i-1) == "as") && tokens[i-1].kind != tokNumber {
			names = append(names, tokens[i].text)
		}
	}
	return names
}

// assignedNames are those of an assignment: a = b = value, a, b = value, a: type = value, a += value,
// a[k] = value, and of a method's call, a.append(...).
func assignedNames(tokens []token) (names []string) {
	at := texts(tokens)
	for i := 0; i+1 < len(tokens); i++ {
		if tokens[i].kind == tokName && (i == 0 || at(i-1) == "=" || at(i-1) == "," || at(i-1) == "(") && slices.Contains([]string{"=", ",", ":", "+=", ")"}, at(i+1)) {
			names = append(names, tokens[i].text)
		} else if at(i) != "=" && at(i) != "," && at(i) != "(" && at(i) != ")" {
			break
		}
	}
	if i := slices.IndexFunc(tokens, func(t token) bool { return t.kind == tokOp && (t.text == "[" || t.text == ".") }); i == 1 {
		names = append(names, tokens[0].text)
	}
	return names
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
