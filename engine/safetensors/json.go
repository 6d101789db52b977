package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds on what a header or an index may hold, far above any model's, so that a
// hostile one costs little before it is refused.
const (
	maxTensors  = 1 << 19 // of a file or an index
	maxMembers  = 1 << 12 // of a tensor's entry
	maxMetadata = 1 << 16 // entries
	maxDims     = 64
	maxName     = 4096 // bytes
)

// walker reads JSON values of expected kinds, one after the other. The text is
// valid JSON, so only kinds are looked at.
type walker struct {
	text []byte
	at   int // of the next byte
}

// newWalker checks that text is one JSON value. what names it in errors.
func newWalker(text []byte, what string) (*walker, error) {
	if json.Valid(text) {
		return &walker{text: text}, nil
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, &ignored{}); errors.As(err, &syntax) {
		switch message := syntax.Error(); {
		case strings.Contains(message, "unexpected end"):
			return nil, fmt.Errorf("%s: byte %d: unexpected end of JSON", what, syntax.Offset)
		case strings.Contains(message, "after top-level value"):
			return nil, fmt.Errorf("the %s goes on after its JSON object, at byte %d", what, syntax.Offset)
		default:
			return nil, fmt.Errorf("%s: byte %d: %s", what, syntax.Offset, message)
		}
	}
	return nil, fmt.Errorf("%s: not JSON", what)
}

// ignored takes any JSON value and keeps nothing.
type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// peek returns the first byte of the next value or bracket.
func (d *walker) peek() byte {
	for ; d.at < len(d.text); d.at++ {
		switch c := d.text[d.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return c
		}
	}
	return 0
}

// take passes over the next byte where it is c.
func (d *walker) take(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.at++
	return true
}

// object reads an object and calls member for each name, which must read the
// value. A repeated name is an error, and so are more than most.
func (d *walker) object(what string, most int, member func(name string) error) error {
	if !d.take('{') {
		return fmt.Errorf("%s: byte %d: not a JSON object", what, d.at)
	}
	seen := map[string]bool{}
	for !d.take('}') {
		name, err := d.shortString(what, maxName)
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("%s: the name %q appears twice", what, name)
		}
		if len(seen) == most {
			return fmt.Errorf("%s: more than %d entries: the file is damaged or made to harm", what, most)
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
	}
	return nil
}

// string reads a string.
func (d *walker) string(what string) (string, error) { return d.shortString(what, MaxHeader) }

// shortString reads a string of at most so many bytes.
func (d *walker) shortString(what string, most int) (string, error) {
	if d.peek() != '"' {
		return "", fmt.Errorf("%s: byte %d: not a string", what, d.at)
	}
	start := d.at
	end, plain := d.afterString()
	if end-start-2 > most {
		return "", fmt.Errorf("%s: byte %d: a name of %d bytes, more than %d", what, start, end-start-2, most)
	}
	d.at = end
	if plain {
		return string(d.text[start+1 : end-1]), nil
	}
	var s string
	err := json.Unmarshal(d.text[start:end], &s)
	return s, err
}

// afterString returns the index behind the string that comes next, and whether it
// has no escapes.
func (d *walker) afterString() (end int, plain bool) {
	plain = true
	for i := d.at + 1; i < len(d.text); i++ {
		switch d.text[i] {
		case '\\':
			plain = false
			i++
		case '"':
			return i + 1, plain
		}
	}
	return len(d.text), plain
}

// numbers reads an array of non-negative integers.
func (d *walker) numbers(what string, each func(uint64) error) error {
	if !d.take('[') {
		return fmt.Errorf("%s: byte %d: not a JSON array", what, d.at)
	}
	for !d.take(']') {
		d.peek()
		start := d.at
		for d.at < len(d.text) && d.text[d.at] >= '0' && d.text[d.at] <= '9' {
			d.at++
		}
		n, err := strconv.ParseUint(string(d.text[start:d.at]), 10, 64)
		if err != nil || !ends(d.text[d.at]) {
			return fmt.Errorf("%s: byte %d: %s is not a non-negative integer", what, start, d.clip(start))
		}
		if err := each(n); err != nil {
			return err
		}
	}
	return nil
}

// ends reports whether c ends a number.
func ends(c byte) bool { return strings.IndexByte(" \t\r\n,]", c) >= 0 }

// clip shows the beginning of the value at byte start.
func (d *walker) clip(start int) string {
	end := start
	for end < len(d.text) && end < start+24 && !ends(d.text[end]) {
		end++
	}
	return strings.ToValidUTF8(string(d.text[start:end]), "")
}

// null passes over a null; false where the next value is something else.
func (d *walker) null() bool {
	if d.peek() != 'n' {
		return false
	}
	d.at += len("null")
	return true
}

// skip passes over one value of any kind.
func (d *walker) skip() {
	depth := 0
	for {
		switch d.peek() {
		case '"':
			d.at, _ = d.afterString()
		case '{', '[':
			depth++
			d.at++
		case '}', ']':
			depth--
			d.at++
		default:
			for d.at < len(d.text) && !ends(d.text[d.at]) && d.text[d.at] != '}' {
				d.at++
			}
		}
		if depth == 0 {
			return
		}
	}
}
