package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxLine bounds one JSON line: a file without line ends must not fill the memory.
const maxLine = 256 << 20

// errStop ends a reader early without an error; the caller still hashes the rest of the file.
var errStop = errors.New("stop")

// readJSONL reads JSON lines: one object a line, blank lines skipped. name is the file's, for
// errors, which carry the line number. It stops when each returns errStop.
func readJSONL(r io.Reader, name string, each func(line int, values map[string]any) error) error {
	br := bufio.NewReaderSize(r, 1<<16)
	for line := 1; ; line++ {
		text, err := readLine(br)
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		last := err == io.EOF
		text = bytes.TrimSpace(text)
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) > 0 {
			values, err := parseObject(text)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", name, line, err)
			}
			if err := each(line, values); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// readLine returns the next line with its end, and io.EOF with what there is at the end of the file.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fmt.Errorf("the line is longer than %d MiB; JSON lines has one object a line", maxLine>>20)
		}
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

func parseObject(text []byte) (map[string]any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the line is not valid UTF-8")
	}
	if text[0] != '{' {
		if text[0] == '[' {
			return nil, errors.New("the line is a JSON array, not an object; write one object a line")
		}
		return nil, fmt.Errorf("the line is not a JSON object; it starts with %q", firstRune(text))
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, errors.New("the JSON object is cut off at the end of the line")
		}
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return nil, fmt.Errorf("text after the JSON object, at column %d; write one object a line", dec.InputOffset()+1)
	}
	return normalise(values).(map[string]any), nil
}

func firstRune(b []byte) rune {
	r, _ := utf8.DecodeRune(b)
	return r
}
