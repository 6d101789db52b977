package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/rescue"
)

// maxLine bounds a line of standard input, in bytes.
const maxLine = 64 << 20

// eachLine calls visit with each line of standard input, numbered from 1, without
// its end. A line that is not UTF-8, or too long, is an error that names it.
func eachLine(ctx context.Context, r io.Reader, visit func(number int, line string) error) error {
	in := newLineSource(r)
	defer in.close()
	for {
		line, _, err := in.next(ctx, 0)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = visit(in.number, line)
		}
		if err != nil {
			return err
		}
	}
}

// lineSource gives the lines of standard input one by one. Reading from a terminal or a pipe
// cannot be broken off, so it has a goroutine of its own, which is left behind where a
// context ends.
type lineSource struct {
	lines  chan readLineResult
	done   chan struct{}
	ended  bool
	number int // of the last line, from 1
}

type readLineResult struct {
	line string
	err  error
}

func newLineSource(r io.Reader) *lineSource {
	s := &lineSource{lines: make(chan readLineResult), done: make(chan struct{})}
	go func() {
		in := bufio.NewReaderSize(r, 1<<16)
		for {
			var line string
			err := rescue.Try(func() (err error) { line, err = readLine(in); return err })
			select {
			case s.lines <- readLineResult{line, err}:
			case <-s.done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *lineSource) close() { close(s.done) }

// next is the next line without its end; io.EOF after the last. Where pause is not 0 and no
// line comes within it, waits is true.
func (s *lineSource) next(ctx context.Context, pause time.Duration) (line string, waits bool, err error) {
	if s.ended {
		return "", false, io.EOF
	}
	var over <-chan time.Time
	if pause > 0 {
		over = time.After(pause)
	}
	var next readLineResult
	select {
	case <-ctx.Done():
		return "", false, ctx.Err()
	case <-over:
		return "", true, nil
	case next = <-s.lines:
	}
	s.number++
	if next.err != nil && next.err != io.EOF {
		return "", false, fmt.Errorf("standard input, line %d: %w", s.number, next.err)
	}
	if s.ended = next.err == io.EOF; s.ended && next.line == "" {
		return "", false, io.EOF
	}
	if !utf8.ValidString(next.line) {
		return "", false, fmt.Errorf("standard input, line %d: the line is not valid UTF-8", s.number)
	}
	return strings.TrimSuffix(strings.TrimSuffix(next.line, "\n"), "\r"), false, nil
}

// readLine reads a line with its end, if it has one.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return "", fmt.Errorf("more than %d MiB on one line", maxLine>>20)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return string(line), err
		}
	}
}
