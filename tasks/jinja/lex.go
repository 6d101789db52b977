package jinja

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// Options are how an environment is set up.
type Options struct {
	TrimBlocks          bool // the first line end after a block is removed
	LstripBlocks        bool // so are blanks before a block that begins its line
	KeepTrailingNewline bool // one at the template's end stays
	Strict              bool // what is unknown is an error wherever it is used
	Chat                bool // tojson, break and continue, {% generation %} and raise_exception as for chat templates
}

// Harness is how lm-evaluation-harness sets Jinja up.
var Harness = Options{KeepTrailingNewline: true, Strict: true}

// ForChat is how transformers sets Jinja up for chat templates.
var ForChat = Options{TrimBlocks: true, LstripBlocks: true, Chat: true}

type kind int

const (
	tokData   kind = iota
	tokBegin       // {{ or {%: text says which
	tokEnd         // }} or %}
	tokName        // a name
	tokString      // text, escapes replaced
	tokNumber      // as it stands
	tokOp          // an operator
	tokEOF
)

type token struct {
	kind kind
	text string
	line int
}

// Error is an error of a template, with the line of the template.
type Error struct {
	Line int
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d of the template: %s", e.Line, e.What) }

func errorAt(line int, format string, args ...any) error {
	return &Error{line, fmt.Sprintf(format, args...)}
}

// maxSource bounds a template.
const maxSource = 4 << 20

type lexer struct {
	o       Options
	text    string
	at      int
	line    int
	starts  bool // the last token ended a line, or there is none yet
	tokens  []token
	opening []byte // brackets that are open in the tag
}

func lex(source string, o Options) ([]token, error) {
	if len(source) > maxSource {
		return nil, errorAt(1, "the template is longer than %d bytes", maxSource)
	}
	source = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(source)
	if !o.KeepTrailingNewline {
		source = strings.TrimSuffix(source, "\n")
	}
	l := &lexer{o: o, text: source, line: 1, starts: true}
	for l.at < len(l.text) {
		if err := l.data(); err != nil {
			return nil, err
		}
	}
	return append(l.tokens, token{tokEOF, "", l.line}), nil
}

func (l *lexer) emit(k kind, text string) { l.tokens = append(l.tokens, token{k, text, l.line}) }

// pass goes on to place to.
func (l *lexer) pass(to int) {
	l.line += strings.Count(l.text[l.at:to], "\n")
	if to > l.at {
		l.starts = l.text[to-1] == '\n'
	}
	l.at = to
}

var rawBegin = regexp.MustCompile(`^\{%[-+]?[ \t\n\r\f\v]*raw[ \t\n\r\f\v]*(-%\}[ \t\n\r\f\v]*|%\})`)
var rawEnd = regexp.MustCompile(`\{%([-+]?)[ \t\n\r\f\v]*endraw[ \t\n\r\f\v]*(?:\+%\}|-%\}[ \t\n\r\f\v]*|%\}(\n?))`)

// data reads text up to the next tag, and the tag.
func (l *lexer) data() error {
	rest := l.text[l.at:]
	next := -1
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			next = i
			break
		}
	}
	if next < 0 {
		l.emit(tokData, rest)
		l.pass(len(l.text))
		return nil
	}
	text := rest[:next]
	tag := rest[next : next+2]
	sign := byte(0)
	if next+2 < len(rest) && (rest[next+2] == '-' || rest[next+2] == '+' && tag != "{{") {
		sign = rest[next+2]
	}
	switch {
	case sign == '-':
		text = py.RStrip(text)
	case l.o.LstripBlocks && sign != '+' && tag != "{{":
		if i := strings.LastIndexByte(text, '\n') + 1; (i > 0 || l.starts) && i < len(text) && py.Strip(text[i:]) == "" {
			text = text[:i]
		}
	}
	if text != "" {
		l.emit(tokData, text)
	}
	l.pass(l.at + next)
	rest = l.text[l.at:]
	if tag == "{#" {
		return l.comment()
	}
	if m := rawBegin.FindString(rest); m != "" {
		return l.raw(len(m))
	}
	open := 2
	if sign != 0 {
		open = 3
	}
	l.emit(tokBegin, tag)
	l.pass(l.at + open)
	return l.tag(map[string]string{"{{": "}}", "{%": "%}"}[tag])
}

func (l *lexer) comment() error {
	i := strings.Index(l.text[l.at+2:], "#}")
	if i < 0 {
		return errorAt(l.line, "a comment is not closed")
	}
	end := l.at + 2 + i
	minus, plus := l.text[end-1] == '-' && end > l.at+2, l.text[end-1] == '+' && end > l.at+2
	end += 2
	l.pass(l.after(end, minus, plus, true))
	return nil
}

// after is the place where text goes on behind a tag that ends at end.
func (l *lexer) after(end int, minus, plus, block bool) int {
	switch {
	case minus:
		return len(l.text) - len(py.LStrip(l.text[end:]))
	case !plus && block && l.o.TrimBlocks && strings.HasPrefix(l.text[end:], "\n"):
		return end + 1
	}
	return end
}

func (l *lexer) raw(open int) error {
	l.pass(l.at + open)
	m := rawEnd.FindStringSubmatchIndex(l.text[l.at:])
	if m == nil {
		return errorAt(l.line, "{%% raw %%} is not closed")
	}
	text, tag := l.text[l.at:l.at+m[0]], l.text[l.at+m[0]:l.at+m[1]]
	if l.text[l.at+m[2]:l.at+m[3]] == "-" {
		text = py.RStrip(text)
	} else if l.o.LstripBlocks {
		return errorAt(l.line, "{%% raw %%} where blanks before blocks are removed is not understood")
	}
	l.emit(tokData, text)
	end := l.at + m[1]
	if strings.HasSuffix(tag, "\n") && !strings.Contains(tag, "-%}") && !l.o.TrimBlocks {
		end--
	}
	l.pass(end)
	return nil
}

var (
	floatForm   = regexp.MustCompile(`^(\d+_)*\d+((\.(\d+_)*\d+)?[eE][+\-]?(\d+_)*\d+|\.(\d+_)*\d+)`)
	integerForm = regexp.MustCompile(`^(0[bB](_?[01])+|0[oO](_?[0-7])+|0[xX](_?[0-9a-fA-F])+|[1-9](_?\d)*|0(_?0)*)`)
	nameForm    = regexp.MustCompile(`^[\pL_][\pL\pN\p{Mn}\p{Mc}_]*`)
	operators   = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"}
)

// tag reads the tokens of a tag and its end.
func (l *lexer) tag(end string) error {
	l.opening = l.opening[:0]
	for {
		rest := l.text[l.at:]
		trimmed := py.LStrip(rest)
		l.pass(l.at + len(rest) - len(trimmed))
		rest = trimmed
		if rest == "" {
			return errorAt(l.line, "a tag is not closed with %s", end)
		}
		if len(l.opening) == 0 {
			for _, sign := range []string{"-", "+", ""} {
				if sign == "+" && end == "}}" || !strings.HasPrefix(rest, sign+end) {
					continue
				}
				l.emit(tokEnd, end)
				l.pass(l.after(l.at+len(sign)+2, sign == "-", sign == "+", end == "%}"))
				return nil
			}
		}
		if err := l.word(rest); err != nil {
			return err
		}
	}
}

func (l *lexer) word(rest string) error {
	after := len(l.tokens) > 0 && l.tokens[len(l.tokens)-1].kind == tokOp && l.tokens[len(l.tokens)-1].text == "."
	if m := floatForm.FindString(rest); m != "" && !after {
		l.emit(tokNumber, m)
		l.pass(l.at + len(m))
		return nil
	}
	if m := integerForm.FindString(rest); m != "" {
		l.emit(tokNumber, m)
		l.pass(l.at + len(m))
		return nil
	}
	if m := nameForm.FindString(rest); m != "" {
		l.emit(tokName, m)
		l.pass(l.at + len(m))
		return nil
	}
	if rest[0] == '\'' || rest[0] == '"' {
		return l.str(rest)
	}
	for _, op := range operators {
		if !strings.HasPrefix(rest, op) {
			continue
		}
		if err := l.balance(op); err != nil {
			return err
		}
		l.emit(tokOp, op)
		l.pass(l.at + len(op))
		return nil
	}
	return errorAt(l.line, "unexpected character %q", []rune(rest)[0])
}

func (l *lexer) balance(op string) error {
	switch op {
	case "(", "[", "{":
		l.opening = append(l.opening, map[string]byte{"(": ')', "[": ']', "{": '}'}[op])
	case ")", "]", "}":
		n := len(l.opening) - 1
		if n < 0 || l.opening[n] != op[0] {
			return errorAt(l.line, "unexpected %q", op)
		}
		l.opening = l.opening[:n]
	}
	return nil
}

func (l *lexer) str(rest string) error {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
			if i < len(rest) && rest[i] >= 0x80 {
				return errorAt(l.line, "a backslash before %q is not understood", []rune(rest[i:])[0])
			}
		case rest[0]:
			s, err := py.Unescape(rest[1:i])
			if err != nil {
				return errorAt(l.line, "%v", err)
			}
			l.emit(tokString, s)
			l.pass(l.at + i + 1)
			return nil
		}
	}
	return errorAt(l.line, "a text is not closed")
}
