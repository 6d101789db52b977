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
// Oniguruma, whose syntax onig.go rewrites for this engine.
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

// failure is thrown by what cannot encode a text; see intoError.
type failure struct{ error }

// intoError turns a slowPattern or a failure that work throws into an error: patterns and models lie below
// normalizers, pre-tokenizers and decoders, none of which can fail otherwise.
func intoError(work func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *slowPattern:
			err = r
		case *failure:
			err = r.error
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
		return nil, fmt.Errorf("regex %s: %s", quote(source), oneLine(err))
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

// oneLine returns an error's text on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
