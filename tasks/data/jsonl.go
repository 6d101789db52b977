package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// errStop ends a reader early without an error; the caller still hashes the rest of the file.
var errStop = errors.New("stop")

// errBlank is of a file that is white space for longer than a document may be.
var errBlank = fmt.Errorf("more than %d MiB of the file are blank", maxRow>>20)

// lineReader reads lines and counts them.
type lineReader struct {
	r     *bufio.Reader
	line  int // of the line read last, from 1
	blank int // bytes of blank lines so far
}

// skip goes over the white space that is read already.
func (l *lineReader) skip() error {
	b, _ := l.r.Peek(l.r.Buffered())
	n := len(b) - len(bytes.TrimLeft(b, jsonSpaces))
	l.line += bytes.Count(b[:n], []byte{'\n'})
	_, _ = l.r.Discard(n)
	return l.nothing(n)
}

// nothing counts blank bytes.
func (l *lineReader) nothing(n int) error {
	if l.blank += n; l.blank > maxRow {
		return errBlank
	}
	return nil
}

func newLineReader(r io.Reader) *lineReader {
	br := bufio.NewReaderSize(r, 1<<16)
	if b, _ := br.Peek(3); string(b) == "\ufeff" {
		_, _ = br.Discard(3)
	}
	return &lineReader{r: br}
}

// next appends the next line with its end to b, and returns io.EOF with what there is at the end of
// the file. More than maxRow bytes in b are an error.
func (l *lineReader) next(b []byte) ([]byte, error) {
	l.line++
	for {
		part, err := l.r.ReadSlice('\n')
		if len(b)+len(part) > maxRow {
			return nil, fmt.Errorf("one document is more than %d MiB", maxRow>>20)
		}
		b = append(b, part...)
		if err != bufio.ErrBufferFull {
			return b, err
		}
	}
}

// readJSON reads JSON lines (one object a line, blank lines skipped), objects over several lines one
// after another, or one array of objects. Which of them its beginning tells. name is the file's, for
// errors, which carry the line number.
func readJSON(r io.Reader, name string, each func(line int, values map[string]any) error) error {
	in := newLineReader(r)
	for {
		head, err := in.r.Peek(1)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case bytes.IndexByte([]byte(jsonSpaces), head[0]) >= 0:
			if err := in.skip(); err != nil {
				return fmt.Errorf("%s:%d: %w", name, in.line+1, err)
			}
			continue
		case head[0] == '[':
			return readArray(&jsonStream{r: in.r, name: name, line: in.line + 1}, each)
		}
		first, err := in.next(nil)
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: %w", name, in.line, err)
		}
		last := err == io.EOF
		values, err := parseObject(bytes.Trim(first, jsonSpaces))
		if errors.Is(err, errCut) && !last {
			return readObjects(&jsonStream{r: in.r, name: name, line: in.line, b: first}, each)
		}
		if errors.Is(err, errCut) {
			err = fmt.Errorf("%w at the end of the line", err)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", name, in.line, err)
		}
		if err := each(in.line, values); err != nil || last {
			return err
		}
		return readLines(in, name, each)
	}
}

// readLines reads the rest of a file of JSON lines.
func readLines(in *lineReader, name string, each func(line int, values map[string]any) error) error {
	var text []byte
	for {
		var err error
		text, err = in.next(text[:0])
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: %w", name, in.line, err)
		}
		last := err == io.EOF
		if line := bytes.Trim(text, jsonSpaces); len(line) > 0 {
			values, err := parseObject(line)
			if errors.Is(err, errCut) {
				err = fmt.Errorf("%w at the end of the line", err)
			}
			if err != nil {
				return fmt.Errorf("%s:%d: %w", name, in.line, err)
			}
			if err := each(in.line, values); err != nil {
				return err
			}
		} else if err := in.nothing(len(text)); err != nil {
			return fmt.Errorf("%s:%d: %w", name, in.line, err)
		}
		if last {
			return nil
		}
	}
}

// readObjects reads objects over several lines.
func readObjects(s *jsonStream, each func(line int, values map[string]any) error) error {
	for {
		if more, err := s.skip(); err != nil || !more {
			return err
		}
		if err := s.object(each); err != nil {
			return err
		}
	}
}

// readArray reads one array of objects.
func readArray(s *jsonStream, each func(line int, values map[string]any) error) error {
	if err := s.expect(); err != nil {
		return err
	}
	s.b = s.b[1:]
	for n := 0; ; n++ {
		if err := s.expect(); err != nil {
			return err
		}
		switch c := s.b[0]; {
		case c == ']':
			s.b = s.b[1:]
			more, err := s.skip()
			if err == nil && more {
				err = s.fail(errors.New("text after the JSON array"))
			}
			return err
		case n > 0 && c != ',':
			return s.fail(fmt.Errorf("%q stands where a comma or the array's end should", firstRune(s.b)))
		case n > 0:
			s.b = s.b[1:]
			if err := s.expect(); err != nil {
				return err
			}
		}
		if s.b[0] != '{' {
			return s.fail(fmt.Errorf("the array holds something else than objects: what starts with %q", firstRune(s.b)))
		}
		if err := s.object(each); err != nil {
			return err
		}
	}
}

// jsonStream is JSON whose values end anywhere.
type jsonStream struct {
	r     *bufio.Reader
	name  string
	b     []byte // read and not yet parsed
	line  int    // at which b begins
	ended bool   // nothing is behind b
	blank int    // bytes of white space so far, less that between an object's parts
}

func (s *jsonStream) fail(err error) error { return fmt.Errorf("%s:%d: %w", s.name, s.line, err) }

// more reads on by some bytes.
func (s *jsonStream) more(n int) error {
	at := len(s.b)
	if at+n > maxRow {
		return s.fail(fmt.Errorf("one document is more than %d MiB", maxRow>>20))
	}
	s.b = append(s.b, make([]byte, n)...)
	k, err := io.ReadFull(s.r, s.b[at:])
	s.b = s.b[:at+k]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		s.ended, err = true, nil
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// skip goes to what is not white space; false: there is nothing.
func (s *jsonStream) skip() (bool, error) {
	for {
		rest := bytes.TrimLeft(s.b, jsonSpaces)
		if s.blank += len(s.b) - len(rest); s.blank > maxRow {
			return false, s.fail(errBlank)
		}
		s.line += bytes.Count(s.b[:len(s.b)-len(rest)], []byte{'\n'})
		if s.b = rest; len(rest) > 0 {
			return true, nil
		}
		if s.ended {
			return false, nil
		}
		s.b = nil
		if err := s.more(1 << 16); err != nil {
			return false, err
		}
	}
}

// expect is skip where something must come.
func (s *jsonStream) expect() error {
	more, err := s.skip()
	if err == nil && !more {
		err = s.fail(errors.New("the JSON array is cut off"))
	}
	return err
}

// object hands out the object at which b begins. More is read until it parses; twice as much each
// time, so that a long one is not parsed once for each piece.
func (s *jsonStream) object(each func(line int, values map[string]any) error) error {
	for {
		values, n, err := parseFirst(s.b)
		if errors.Is(err, errCut) && !s.ended {
			if err := s.more(max(1<<16, min(len(s.b), maxRow-len(s.b)))); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return s.fail(err)
		}
		if err := each(s.line, values); err != nil {
			return err
		}
		s.line += bytes.Count(s.b[:n], []byte{'\n'})
		s.b = s.b[n:]
		return nil
	}
}

// parseObject reads a text that is one object.
func parseObject(text []byte) (map[string]any, error) {
	values, n, err := parseFirst(text)
	if err != nil {
		return nil, err
	}
	if rest := bytes.Trim(text[n:], jsonSpaces); len(rest) > 0 {
		return nil, fmt.Errorf("text after the JSON object, at column %d; write one object a line", n+1)
	}
	return values, nil
}

// parseFirst reads the object at which text begins, and how many bytes it has.
func parseFirst(text []byte) (map[string]any, int, error) {
	switch {
	case text[0] == '[':
		return nil, 0, errors.New("the line is a JSON array, not an object; write one object a line")
	case text[0] != '{':
		return nil, 0, fmt.Errorf("the line is not a JSON object; it starts with %q", firstRune(text))
	}
	v, n, err := parseJSON(text)
	if !utf8.Valid(text[:n]) {
		return nil, 0, errors.New("the line is not valid UTF-8")
	}
	if err != nil {
		return nil, 0, err
	}
	return v.(map[string]any), n, nil
}
