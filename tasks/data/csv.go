package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// readTable reads comma- or tab-separated values whose first row names the columns, as Python's csv
// module does in its dialects excel and excel-tab: every value is text, an empty one too; a field in
// quotes may hold the separator, line ends and, doubled, quotes; a quote within a field without
// quotes is a quote. Rows of other lengths than the first and a quote that does not end are errors.
func readTable(r io.Reader, name string, separator byte, each func(line int, values map[string]any) error) error {
	in := &tableReader{r: newLineReader(r).r, separator: separator, line: 1}
	fail := func(line int, err error) error { return fmt.Errorf("%s:%d: %w", name, line, err) }
	var columns []string
	blank := 0
	for {
		line := in.line
		fields, err := in.row()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fail(line, err)
		}
		if len(fields) == 0 { // a blank line
			if blank++; blank > maxRow {
				return fail(line, errBlank)
			}
			continue
		}
		if columns == nil {
			if err := checkColumns(fields); err != nil {
				return fail(line, err)
			}
			columns = fields
			continue
		}
		if len(fields) != len(columns) {
			return fail(line, fmt.Errorf("%d fields, where the first row names %d columns", len(fields), len(columns)))
		}
		values := make(map[string]any, len(fields))
		for i, f := range fields {
			values[columns[i]] = f
		}
		if err := each(line, values); err != nil {
			return err
		}
	}
}

func checkColumns(names []string) error {
	seen := map[string]bool{}
	for i, n := range names {
		if n == "" {
			return fmt.Errorf("the first row has no name for column %d", i+1)
		}
		if seen[n] {
			return fmt.Errorf("two columns are called %q", n)
		}
		seen[n] = true
	}
	return nil
}

// tableReader takes rows apart.
type tableReader struct {
	r         *bufio.Reader
	separator byte
	line      int // of the next row
}

// row is the next row's fields, none for a blank line.
func (t *tableReader) row() (fields []string, err error) {
	var field strings.Builder
	size := 0
	end := func() error {
		s := field.String()
		field.Reset()
		if !utf8.ValidString(s) {
			return errors.New("the row is not valid UTF-8")
		}
		if fields = append(fields, s); len(fields) > maxValues {
			return fmt.Errorf("the row has more than %d fields", maxValues)
		}
		return nil
	}
	const (
		beginning = iota // of a field
		bare             // within one without quotes
		quoted           // within one in quotes
		quote            // behind a quote within that
	)
	state, any := beginning, false
	for {
		c, err := t.r.ReadByte()
		if err == io.EOF {
			switch {
			case state == quoted:
				return nil, errors.New("a quote is not closed")
			case !any:
				return nil, io.EOF
			}
			return fields, end()
		}
		if err != nil {
			return nil, err
		}
		if size++; size > maxRow {
			return nil, fmt.Errorf("one document is more than %d MiB", maxRow>>20)
		}
		if c == '\n' {
			t.line++
		}
		switch {
		case state == quoted && c == '"':
			state = quote
			continue
		case state == quoted:
			field.WriteByte(c)
			continue
		case state == beginning && c == '"':
			state, any = quoted, true
			continue
		case c == t.separator:
			if err := end(); err != nil {
				return nil, err
			}
			state, any = beginning, true
			continue
		case c == '\r' || c == '\n':
			if c == '\r' {
				if next, err := t.r.Peek(1); err == nil && next[0] == '\n' {
					continue // the line feed ends the row
				}
			}
			if !any {
				return nil, nil
			}
			return fields, end()
		case state == quote && c == '"':
			state = quoted
		default: // text behind a closing quote is the field's, as in Python
			state = bare
		}
		any = true
		field.WriteByte(c)
	}
}
