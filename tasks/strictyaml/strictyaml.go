// Package strictyaml decodes softbench's YAML files: unknown keys, doubled keys and a second
// document are refused, and every error is one line with file, line and column.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// Decode reads text, named file in errors, into v (a pointer to a struct).
func Decode(text []byte, file string, v any) (err error) {
	defer func() {
		// The library has panicked on odd input before; a user's file must not end the program.
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: not readable as YAML: %v", file, oneLine(fmt.Sprint(p)))
		}
	}()
	if err := bounded(text, file); err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: the file is empty", file)
		}
		return place(err, file)
	}
	var more any
	if err := dec.Decode(&more); err == nil {
		return fmt.Errorf("%s: a second YAML document; keep one a file", file)
	} else if !errors.Is(err, io.EOF) {
		return place(err, file)
	}
	return nil
}

// place gives an error its file, line and column.
func place(err error, file string) error {
	var ye yaml.Error
	if errors.As(err, &ye) {
		what := oneLine(ye.GetMessage())
		var te *yaml.TypeError
		if errors.As(err, &te) && te.DstType != nil && te.SrcType != nil {
			what = fmt.Sprintf("%s stands where %s belongs", typeName(te.SrcType), typeName(te.DstType))
		}
		if tk := ye.GetToken(); tk != nil && tk.Position != nil {
			return fmt.Errorf("%s:%d:%d: %s", file, tk.Position.Line, tk.Position.Column, what)
		}
		return fmt.Errorf("%s: %s", file, what)
	}
	return fmt.Errorf("%s: %s", file, oneLine(err.Error()))
}

// typeName says what a Go type is called in YAML.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	return "a mapping"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
