package tokenizer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// regex is the general pattern: a backtracking engine with look-ahead. The reference compiles with
// Oniguruma's Ruby syntax; compilePattern refuses what means something else in this engine.
type regex struct {
	re     *regexp2.Regexp
	source string
}

// Bounds on patterns. One match of those in use takes microseconds; an engine that backtracks may take
// years. A text of n bytes has slowText and as often slowMatch as it has slowBytes.
const (
	maxPattern = 64 << 10 // bytes
	slowMatch  = 5 * time.Second
	slowText   = 20 * time.Second
	slowBytes  = 64 << 10
)

// slowPattern is thrown by patterns that do not come to an end; see intoError.
type slowPattern struct {
	source string
	bytes  int
	err    error
}

func (e *slowPattern) Error() string {
	return fmt.Sprintf("regex %s: its search in a text of %d bytes does not come to an end (%s): a pattern that backtracks without bound is not supported", quote(e.source), e.bytes, oneLine(e.err))
}

// intoError turns a slowPattern that work throws into an error: patterns lie below normalizers,
// pre-tokenizers and decoders, none of which can fail otherwise.
func intoError(work func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *slowPattern:
			err = r
		default:
			panic(r)
		}
	}()
	return work()
}

// quote quotes text of a file for an error's one line, clipped.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q... (%d bytes)", strings.ToValidUTF8(s[:most], ""), len(s))
	}
	return strconv.Quote(s)
}

// compilePattern returns the scanner for a known pattern, else a general engine for it.
func compilePattern(source string) (pattern, error) {
	if s, ok := scanners[source]; ok {
		return s, nil
	}
	return compileGeneral(source)
}

func compileGeneral(source string) (pattern, error) {
	if len(source) > maxPattern {
		return nil, fmt.Errorf("regex %s: a pattern may have %d bytes", quote(source), maxPattern)
	}
	translated, err := translate(source)
	if err != nil {
		return nil, fmt.Errorf("regex %s: %w", quote(source), err)
	}
	// Ruby's ^ and $ always match at line ends.
	re, err := regexp2.Compile(translated, regexp2.Multiline)
	if err != nil {
		return nil, fmt.Errorf("regex %s: %s", quote(source), oneLine(err))
	}
	re.MatchTimeout = slowMatch
	return regex{re, source}, nil
}

// find follows the reference's iteration: after an empty match that touches the previous match, the
// search moves on by one character.
func (x regex) find(s string, yield func(start, end int)) {
	runes := []rune(s)
	offset := 0 // byte offset of runes[at]
	at := 0
	byteAt := func(i int) int {
		for ; at < i; at++ {
			offset += utf8.RuneLen(runes[at])
		}
		return offset
	}
	from, previousEnd := 0, -1
	deadline := time.Now().Add(slowText + time.Duration(len(s)/slowBytes)*slowMatch)
	for from <= len(runes) {
		m, err := x.re.FindRunesMatchStartingAt(runes, from)
		if err == nil && time.Now().After(deadline) {
			err = errors.New("it takes too long")
		}
		if err != nil {
			panic(&slowPattern{x.source, len(s), err})
		}
		if m == nil {
			return
		}
		start, end := m.Index, m.Index+m.Length
		if start == end && end == previousEnd {
			from++
			continue
		}
		from, previousEnd = end, end
		a := byteAt(start)
		yield(a, byteAt(end))
	}
}

// translate rewrites an Oniguruma pattern for regexp2: Unicode categories gain the characters assigned
// since Go's tables were made, and constructs of another meaning are refused.
func translate(source string) (string, error) {
	var b strings.Builder
	depth := 0 // inside [...]
	runes := []rune(source)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case c == '\\':
			if i+1 >= len(runes) {
				return "", fmt.Errorf("ends with a backslash")
			}
			i++
			e := runes[i]
			if (e == 'p' || e == 'P') && i+1 < len(runes) && runes[i+1] == '{' {
				end := i + 2
				for end < len(runes) && runes[end] != '}' {
					end++
				}
				if end == len(runes) {
					return "", fmt.Errorf("\\%c{ is not closed", e)
				}
				text, err := category(string(runes[i+2:end]), e == 'P', depth > 0)
				if err != nil {
					return "", err
				}
				b.WriteString(text)
				i = end
				continue
			}
			if strings.ContainsRune("wWdD", e) {
				text, err := shorthand(e, depth > 0)
				if err != nil {
					return "", err
				}
				b.WriteString(text)
				continue
			}
			if !strings.ContainsRune(`srntvfSAzxu0\.^$|?*+()[]{}-/'" !#%&,:;<=>@_~`+"`", e) {
				return "", fmt.Errorf("escape \\%c is not supported", e)
			}
			if strings.ContainsRune(`/'" !%&,:;<=>@_~`+"`", e) {
				b.WriteRune(e)
				continue
			}
			b.WriteRune('\\')
			b.WriteRune(e)
		case depth > 0:
			switch {
			case c == '[':
				return "", fmt.Errorf("a class inside a class is not supported")
			case c == '&' && i+1 < len(runes) && runes[i+1] == '&':
				return "", fmt.Errorf("class intersection is not supported")
			case c == ']':
				depth--
			}
			b.WriteRune(c)
		case c == '[':
			depth++
			b.WriteRune(c)
			if i+1 < len(runes) && runes[i+1] == '^' {
				i++
				b.WriteRune('^')
			}
			if i+1 < len(runes) && runes[i+1] == ']' {
				return "", fmt.Errorf("a class that starts with ] is not supported")
			}
		case c == '(' && i+1 < len(runes) && runes[i+1] == '?':
			rest := string(runes[i+2 : min(len(runes), i+6)])
			if !hasAnyPrefix(rest, ":", "=", "!", "<=", "<!", ">", "i:", "i)") {
				return "", fmt.Errorf("group (?%s is not supported", rest)
			}
			b.WriteRune(c)
		case c == '+' && i > 0 && (runes[i-1] == '?' || runes[i-1] == '*' || runes[i-1] == '+') && !escaped(runes, i-1):
			return "", fmt.Errorf("possessive quantifiers are not supported")
		case c == '+' && i > 0 && runes[i-1] == '}' && !escaped(runes, i-1) && counted(runes, i-1):
			return "", fmt.Errorf("a quantifier after {} is not supported")
		default:
			b.WriteRune(c)
		}
	}
	return b.String(), nil
}

// shorthand writes \w, \W, \d or \D for the general engine.
func shorthand(e rune, inClass bool) (string, error) {
	if e == 'w' || e == 'W' {
		return wordClass(e == 'W', inClass)
	}
	return category("Nd", e == 'D', inClass)
}

// counted reports whether the } at runes[i] closes a {n,m} and not a \p{...}.
func counted(runes []rune, i int) bool {
	for i--; i >= 0 && runes[i] != '{'; i-- {
	}
	return i >= 1 && !(runes[i-1] == 'p' || runes[i-1] == 'P')
}

// escaped reports whether runes[i] follows an odd number of backslashes.
func escaped(runes []rune, i int) bool {
	n := 0
	for i--; i >= 0 && runes[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// oneLine returns an error's text on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
