package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/internal/rescue"
)

// maxLine bounds a line of standard input, in bytes.
const maxLine = 64 << 20

// eachLine calls visit with each line of standard input, numbered from 1, without
// its end. A line that is not UTF-8, or too long, is an error that names it.
// Reading from a terminal or a pipe cannot be broken off, so it has a goroutine of
// its own, which is left behind where ctx ends.
func eachLine(ctx context.Context, r io.Reader, visit func(number int, line string) error) error {
	type read struct {
		line string
		err  error
	}
	lines := make(chan read)
	done := make(chan struct{})
	defer close(done)
	go func() {
		in := bufio.NewReaderSize(r, 1<<16)
		for {
			var line string
			err := rescue.Try(func() (err error) { line, err = readLine(in); return err })
			select {
			case lines <- read{line, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for number := 1; ; number++ {
		var next read
		select {
		case <-ctx.Done():
			return ctx.Err()
		case next = <-lines:
		}
		if next.err != nil && next.err != io.EOF {
			return fmt.Errorf("standard input, line %d: %w", number, next.err)
		}
		if next.line != "" {
			if !utf8.ValidString(next.line) {
				return fmt.Errorf("standard input, line %d: the line is not valid UTF-8", number)
			}
			if err := visit(number, strings.TrimSuffix(strings.TrimSuffix(next.line, "\n"), "\r")); err != nil {
				return err
			}
		}
		if next.err == io.EOF {
			return nil
		}
	}
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
