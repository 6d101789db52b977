// Package jsonplace says where in a text encoding/json found a fault. It must not know what
// the text is of.
package jsonplace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// Line is the line, from 1, of the byte after so many.
func Line(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(max(0, offset), int64(len(text)))], []byte("\n"))
}

// Position is the line and the column in bytes, both from 1, of the last of so many bytes read.
func Position(text []byte, offset int64) (line, column int) {
	before := text[:min(max(offset-1, 0), int64(len(text)))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

// Syntax is an error of encoding/json about syntax with its line and column in front; nil of another.
func Syntax(text []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return nil
	}
	line, column := Position(text, syntax.Offset)
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// Plain is an error of encoding/json in words that tell nothing of Go's types; another is returned as it is.
func Plain(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("%s is a JSON %s, which it cannot be", cmp.Or(kind.Field, "the value"), kind.Value)
	case errors.As(err, &syntax):
		return syntax
	}
	return err
}

// Locate adds the line to an error of encoding/json that knows its place.
func Locate(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	if offset < 0 || offset > int64(len(text)) {
		return Plain(err)
	}
	return fmt.Errorf("line %d: %w", Line(text, offset), Plain(err))
}
