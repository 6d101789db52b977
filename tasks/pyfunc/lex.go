package pyfunc

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

type kind int

const (
	tokNewline kind = iota
	tokIndent
	tokDedent
	tokName
	tokNumber
	tokString // text is the value
	tokFormat // text is what stands between an f-string's quotes, escapes unread
	tokOp
	tokEOF
)

type token struct {
	kind kind
	text string
	line int
	raw  bool // of an f-string
}

// Error is an error of Python code, with the place where it stands.
type Error struct {
	File string
	Line int
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What) }

type lexer struct {
	file     string
	text     string
	at       int
	line     int
	indents  []int
	brackets int
	tokens   []token
}

var (
	nameForm   = regexp.MustCompile(`^[\pL_][\pL\pN\p{Mn}\p{Mc}_]*`)
	numberForm = regexp.MustCompile(`^(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:[0-9][0-9_]*)?\.?[0-9][0-9_]*\.?(?:[eE][-+]?[0-9]+)?)`)
	stringForm = regexp.MustCompile(`^(?i:rb|br|rf|fr|[rbfu])?(?:"""|'''|"|')`)
	operators  = []string{"**=", "//=", ">>=", "<<=", "...", "->", ":=", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "**", "//", "<<", ">>",
		"+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "="}
)

func lex(file, text string) ([]token, error) {
	text = strings.TrimPrefix(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\ufeff")
	l := &lexer{file: file, text: text, line: 1, indents: []int{0}}
	for l.at < len(l.text) {
		if err := l.lineStart(); err != nil {
			return nil, err
		}
		if err := l.rest(); err != nil {
			return nil, err
		}
	}
	l.emit(tokNewline, "")
	for len(l.indents) > 1 {
		l.indents = l.indents[:len(l.indents)-1]
		l.emit(tokDedent, "")
	}
	l.emit(tokEOF, "")
	return l.tokens, nil
}

func (l *lexer) fail(format string, args ...any) error {
	return &Error{l.file, l.line, fmt.Sprintf(format, args...)}
}

func (l *lexer) emit(k kind, text string) {
	l.tokens = append(l.tokens, token{kind: k, text: text, line: l.line})
}

// lineStart reads a line's indentation; blank lines have none.
func (l *lexer) lineStart() error {
	width, i := 0, l.at
	for ; i < len(l.text) && strings.IndexByte(" \t\f", l.text[i]) >= 0; i++ {
		width++
		if l.text[i] == '\t' {
			width = (width + 7) / 8 * 8
		}
	}
	if i == len(l.text) || l.text[i] == '\n' || l.text[i] == '#' {
		l.at = i
		return nil
	}
	l.at = i
	switch top := l.indents[len(l.indents)-1]; {
	case width > top:
		if len(l.indents) > 100 {
			return l.fail("more than 100 blocks within each other")
		}
		l.indents = append(l.indents, width)
		l.emit(tokIndent, "")
	case width < top:
		for width < l.indents[len(l.indents)-1] {
			l.indents = l.indents[:len(l.indents)-1]
			l.emit(tokDedent, "")
		}
		if width != l.indents[len(l.indents)-1] {
			return l.fail("the indentation fits no block")
		}
	}
	return nil
}

// rest reads to the end of the logical line.
func (l *lexer) rest() error {
	any := false
	for l.at < len(l.text) {
		s := l.text[l.at:]
		switch c := s[0]; {
		case c == '\n':
			l.at++
			if l.brackets > 0 || !any {
				l.line++
				if l.brackets > 0 {
					continue
				}
				return nil
			}
			l.emit(tokNewline, "")
			l.line++
			return nil
		case c == ' ' || c == '\t' || c == '\f':
			l.at++
			continue
		case c == '#':
			if i := strings.IndexByte(s, '\n'); i >= 0 {
				l.at += i
			} else {
				l.at = len(l.text)
			}
			continue
		case strings.HasPrefix(s, "\\\n"):
			l.at += 2
			l.line++
			continue
		}
		any = true
		if err := l.word(s); err != nil {
			return err
		}
	}
	return nil
}

func (l *lexer) word(s string) error {
	if m := stringForm.FindString(s); m != "" {
		return l.str(m)
	}
	if m := nameForm.FindString(s); m != "" {
		l.emit(tokName, m)
		l.at += len(m)
		return nil
	}
	if m := numberForm.FindString(s); m != "" {
		l.emit(tokNumber, m)
		l.at += len(m)
		return nil
	}
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			switch op {
			case "(", "[", "{":
				l.brackets++
			case ")", "]", "}":
				l.brackets = max(0, l.brackets-1)
			}
			l.emit(tokOp, op)
			l.at += len(op)
			return nil
		}
	}
	return l.fail("unexpected character %q", []rune(s)[0])
}

func (l *lexer) str(opening string) error {
	quote := strings.TrimLeft(opening, "rRbBfFuU")
	prefix := strings.ToLower(opening[:len(opening)-len(quote)])
	start := l.at + len(opening)
	i := start
	for {
		if i >= len(l.text) || len(quote) == 1 && l.text[i] == '\n' {
			return l.fail("a text is not closed")
		}
		if l.text[i] == '\\' {
			i += 2
			continue
		}
		if strings.HasPrefix(l.text[i:], quote) {
			break
		}
		i++
	}
	body := l.text[start:i]
	t := token{kind: tokString, text: body, line: l.line, raw: strings.Contains(prefix, "r")}
	switch {
	case strings.Contains(prefix, "b"):
		t.kind, t.text = tokOp, "bytes" // refused where a function uses them
	case strings.Contains(prefix, "f"):
		t.kind = tokFormat
	case !t.raw:
		var err error
		if t.text, err = py.Unescape(body); err != nil {
			return l.fail("%v", err)
		}
	}
	l.tokens = append(l.tokens, t)
	l.line += strings.Count(body, "\n")
	l.at = i + len(quote)
	return nil
}
